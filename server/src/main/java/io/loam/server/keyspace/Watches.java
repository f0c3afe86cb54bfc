package io.loam.server.keyspace;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The keys that clients watch, and whether commands have changed them since.
 *
 * <p>Two things betray a change. A watch remembers the key's version, which no write leaves as it was: that finds expiry and eviction too. And the keyspace marks a watch when a command
 * says what it has done: that finds a key that came and went between, and an element of a large value, whose header stays.
 *
 * <p><b>Forbidden:</b> a change after WATCH was answered goes unseen. A watch is entered and its version read under the lock of the key's stripe; whoever changes the key later has locked the
 * stripe after that, so it finds the watch. EXEC looks with the stripe locked: a change is either wholly before it or wholly after the transaction.
 */
final class Watches {

    private final ConcurrentHashMap<Watch.Name, List<Watch>> byName = new ConcurrentHashMap<>();

    void add(Watch watch) {
        byName.compute(watch.name(), (name, present) -> {
            List<Watch> all = present == null ? new ArrayList<>(1) : new ArrayList<>(present);
            all.add(watch);
            return all;
        });
    }

    void remove(Watch watch) {
        byName.computeIfPresent(watch.name(), (name, present) -> {
            List<Watch> all = new ArrayList<>(present);
            all.remove(watch);
            return all.isEmpty() ? null : all;
        });
    }

    /** Marks the watches of a key that has changed. */
    void touch(int database, byte[] key) {
        touch(byName.get(new Watch.Name(database, ByteBuffer.wrap(key))));
    }

    /** Marks those watches of two databases, about to be exchanged, whose key is in one of them. */
    void touchExchanged(int first, int second, Predicate<byte[]> isThere) {
        byName.forEach((name, watches) -> {
            if ((name.database() == first || name.database() == second)
                    && isThere.test(name.key().array())) {
                touch(watches);
            }
        });
    }

    private static void touch(@Nullable List<Watch> watches) {
        if (watches != null) {
            watches.forEach(Watch::touch);
        }
    }
}
