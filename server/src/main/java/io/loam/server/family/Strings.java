package io.loam.server.family;

import io.loam.server.command.Session;
import io.loam.server.keyspace.ValueType;
import io.loam.server.protocol.RedisError;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.ValueView;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Values of the type string, and copies of values of any type. */
final class Strings {

    /** Keeps a key's expiry, as commands do that change a value. */
    static final PutOptions KEEP_EXPIRY = PutOptions.DEFAULT.keepingExpiry();

    static final byte[] EMPTY = {};

    private Strings() {}

    /** @throws RedisError if the value is no string */
    static void check(ValueView value) {
        if (value.type() != ValueType.STRING.bits()) {
            throw RedisError.WRONG_TYPE;
        }
    }

    /** The string of a key, or null when it is absent. */
    static byte @Nullable [] get(Session session, byte[] key) {
        return session.entries().read(key, view -> {
            check(view);
            session.aboutToCopy(view.length());
            return view.toByteArray();
        });
    }

    /** As {@link #get}; empty when absent. */
    static byte[] getOrEmpty(Session session, byte[] key) {
        byte[] value = get(session, key);
        return value == null ? EMPTY : value;
    }

    /** As {@link #getOrEmpty}, of a key that the command only reads: it is counted. */
    static byte[] read(Session session, byte[] key) {
        session.found(); // even if it is no string
        byte[] value = get(session, key);
        if (value == null) {
            session.missed();
            return EMPTY;
        }
        return value;
    }

    /** The length of a key's string, or {@link Namespace#ABSENT}. */
    static long length(Session session, byte[] key) {
        Long length = session.entries().read(key, view -> {
            check(view);
            return view.length();
        });
        return length == null ? Namespace.ABSENT : length;
    }

    /** Puts a changed string in place of the key's, whose expiry stays. */
    static void change(Session session, byte[] key, byte[] value) {
        session.put(key, value, KEEP_EXPIRY);
    }

    /** @throws RedisError if a string of so many bytes is longer than allowed */
    static void checkLength(Session session, long length) {
        if (length > session.service().options().maxBulkBytes()) {
            throw RedisError.TOO_LONG;
        }
    }

    /** A value of any type, copied to memory of the arena's. */
    static MemorySegment copy(ValueView value, Arena arena) {
        MemorySegment copy = arena.allocate(value.length());
        long position = 0;
        for (int i = 0; i < value.segmentCount(); i++) {
            MemorySegment piece = value.segment(i);
            MemorySegment.copy(piece, 0, copy, position, piece.byteSize());
            position += piece.byteSize();
        }
        return copy;
    }
}
