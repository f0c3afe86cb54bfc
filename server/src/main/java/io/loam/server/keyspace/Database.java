package io.loam.server.keyspace;

import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.TryPut;
import io.loam.store.ValueView;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * One of the databases: a namespace of the store, and the care for values whose elements lie elsewhere. Commands read from {@link #entries} directly and write through this class,
 * with the key's stripe locked.
 */
public final class Database {

    private static final byte[] NO_HEADER = {};
    private static final long INDEX_SLOT_BYTES = 8;
    private static final int SAMPLED_KEYS = 4096;

    private final Keyspace keyspace;
    private final Namespace entries;

    Database(Keyspace keyspace, Namespace entries) {
        this.keyspace = keyspace;
        this.entries = entries;
    }

    /** The store's namespace, to read from. */
    public Namespace entries() {
        return entries;
    }

    /**
     * Stores a value in place of any other of the key.
     *
     * @return the new version, {@link Namespace#ABSENT} if a condition did not hold, or, if the caller must not wait, {@link TryPut#WOULD_WAIT}: nothing was stored
     */
    public long put(MemorySegment key, MemorySegment value, PutOptions options, boolean mayWait) {
        byte[] header = keyspace.hasLargeValues() ? largeHeader(keyspace.bytes(key)) : null;
        long version =
                mayWait ? entries.put(key, value, options) : entries.tryPut(key, value, options, Keyspace.NOTHING);
        if (header != null && version >= 0) {
            keyspace.elements().abandoned(header);
        }
        return version;
    }

    /** As {@link #put}, for a value whose elements go on to belong to the key: nothing is given back. */
    public long keep(MemorySegment key, MemorySegment value, PutOptions options, boolean mayWait) {
        return mayWait ? entries.put(key, value, options) : entries.tryPut(key, value, options, Keyspace.NOTHING);
    }

    /** Stores strings under different keys, all or none, and waits for memory. */
    public void putAll(List<byte[]> keys, List<byte[]> values) {
        List<byte[]> headers = new ArrayList<>();
        if (keyspace.hasLargeValues()) {
            for (byte[] key : keys) {
                byte[] header = largeHeader(key);
                if (header != null) {
                    headers.add(header);
                }
            }
        }
        entries.transact(keys, transaction -> {
            for (int i = 0; i < keys.size(); i++) {
                transaction.put(keys.get(i), values.get(i));
            }
            return true;
        });
        headers.forEach(keyspace.elements()::abandoned);
    }

    /** Removes a key; whether it was present. */
    public boolean delete(byte[] key) {
        byte[] header = keyspace.hasLargeValues() ? largeHeader(key) : null;
        boolean deleted = entries.delete(key);
        if (header != null && deleted) {
            keyspace.elements().abandoned(header);
        }
        return deleted;
    }

    /** Removes every key. The caller has locked every stripe; elements of large values are found by the reclaimer. */
    public void clear() {
        entries.clear();
        keyspace.elements().cleared();
    }

    /** Removes a key whose value, elements included, belongs to another key now: nothing is given back. */
    public boolean forget(byte[] key) {
        return entries.delete(key);
    }

    /** Bytes that a key and its value take: the entry in the log, its slot in the index, and its elements; {@link Namespace#ABSENT} if there is none. */
    public long storedBytes(byte[] key) {
        long[] bytes = {0};
        byte[] header = entries.read(key, view -> {
            bytes[0] = storedBytes(view);
            return ValueType.of(view.type()).isLarge() ? view.toByteArray() : NO_HEADER;
        });
        if (header == null) {
            return Namespace.ABSENT;
        }
        return header.length == 0 ? bytes[0] : bytes[0] + keyspace.elements().storedBytes(header);
    }

    /** Bytes that an entry takes in the log, and its slot in the index. */
    public static long storedBytes(ValueView view) {
        return view.storedBytes() + INDEX_SLOT_BYTES;
    }

    /**
     * How many keys expire, and when.
     *
     * @param keys how many
     * @param averageExpiryMillis the mean of when they do, in milliseconds since 1970; 0 if none does
     */
    public record Expiring(long keys, long averageExpiryMillis) {}

    /** Looks at all keys, or, of more than some thousands, at so many that are together by chance: an estimate then. */
    public Expiring expiring() {
        long size = entries.size();
        long[] counts = {0, 0}; // seen, expiring
        double[] sum = {0};
        long position = size <= SAMPLED_KEYS ? 0 : ThreadLocalRandom.current().nextLong();
        boolean around = position == 0;
        do {
            position = entries.scan(position, 128, (key, view) -> {
                counts[0]++;
                if (view.expiresAtMillis() != Namespace.NEVER) {
                    counts[1]++;
                    sum[0] += view.expiresAtMillis();
                }
            });
            if (position == 0 && !around) {
                around = true; // keys go by their hashes, and after the last one comes the first
            } else if (position == 0) {
                break;
            }
        } while (counts[0] < SAMPLED_KEYS || size <= SAMPLED_KEYS);
        if (counts[1] == 0) {
            return new Expiring(0, 0);
        }
        long keys = size <= SAMPLED_KEYS ? counts[1] : Math.round((double) counts[1] / counts[0] * size);
        return new Expiring(keys, Math.round(sum[0] / counts[1]));
    }

    private byte @Nullable [] largeHeader(byte[] key) {
        byte[] header = entries.read(key, view -> ValueType.of(view.type()).isLarge() ? view.toByteArray() : NO_HEADER);
        return header == null || header.length == 0 ? null : header;
    }

    /** The type of a key's value, or null when it is absent. */
    public @Nullable ValueType type(byte[] key) {
        return entries.read(key, Database::typeOf);
    }

    private static ValueType typeOf(ValueView view) {
        return ValueType.of(view.type());
    }

    /** When the key expires, {@link Namespace#NEVER}, or {@link Namespace#ABSENT}. */
    public long expiresAtMillis(byte[] key) {
        Long expiry = entries.read(key, ValueView::expiresAtMillis);
        return expiry == null ? Namespace.ABSENT : expiry;
    }
}
