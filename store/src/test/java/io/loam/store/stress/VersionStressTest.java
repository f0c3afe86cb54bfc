package io.loam.store.stress;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.FullPolicy;
import io.loam.store.Namespace;
import io.loam.store.Store;
import io.loam.store.StoreFullException;
import io.loam.store.sequence.ManualClock;
import io.loam.store.sequence.Setup;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A key's version never repeats, so that a condition on it can't hold by mistake. */
class VersionStressTest {

    @ParameterizedTest
    @EnumSource
    void versionsNeverRepeat(FullPolicy policy) {
        ManualClock clock = new ManualClock();
        try (Store store = Setup.TINY
                .with(policy)
                .withBlocks(128, 128)
                .withWriteTimeoutMillis(60_000)
                .open(clock, 1)) {
            ConcurrentHashMap<Long, ConcurrentHashMap<Long, Integer>> given = new ConcurrentHashMap<>();
            Crew crew = new Crew();
            for (int i = 0; i < 4; i++) {
                int writer = i;
                SplittableRandom random = new SplittableRandom(i);
                crew.work("writer " + i, () -> {
                    for (int n = 0; n < Scale.of(10_000) && (n == 0 || crew.goesOn()); n++) {
                        long key = random.nextInt(8);
                        long version = Namespace.ABSENT;
                        try {
                            version = change(store, clock, random, key);
                        } catch (StoreFullException e) {
                            store.delete(Stamp.key(100 + random.nextInt(50)));
                        }
                        if (version != Namespace.ABSENT) {
                            Integer other = given.computeIfAbsent(key, k -> new ConcurrentHashMap<>())
                                    .putIfAbsent(version, writer);
                            if (other != null) {
                                throw new AssertionError("key " + key + ": version " + version
                                        + " given twice, to writers " + other + " and " + writer);
                            }
                        }
                    }
                });
            }
            crew.run();
        }
    }

    private static long change(Store store, ManualClock clock, SplittableRandom random, long key) {
        byte[] bytes = Stamp.key(key);
        byte[] value = new byte[random.nextInt(2000)];
        return switch (random.nextInt(8)) {
            case 0, 1 -> {
                store.delete(bytes);
                yield Namespace.ABSENT;
            }
            case 2 -> {
                clock.advanceMillis(1);
                yield store.put(bytes, value, clock.millis() + 1 + random.nextInt(3));
            }
            case 3 -> store.putIfAbsent(bytes, value);
            case 4 -> {
                store.put(Stamp.key(100 + random.nextInt(50)), new byte[4000]);
                yield Namespace.ABSENT;
            }
            case 5 -> {
                if (random.nextInt(50) == 0) {
                    store.clear();
                }
                yield Namespace.ABSENT;
            }
            default -> store.put(bytes, value);
        };
    }

    /** Each increment reads a version and replaces it; if a version ever came back, one would be lost. */
    @Test
    void replaceByVersionLosesNoUpdateAcrossDeletion() {
        try (Store store = Setup.TINY.withBlocks(128, 128).open()) {
            byte[] key = Stamp.key(1);
            int each = Scale.of(3_000);
            Crew crew = new Crew();
            for (int i = 0; i < 4; i++) {
                crew.work("incrementer " + i, () -> {
                    for (int n = 0; n < each; n++) {
                        increment(store, key);
                    }
                });
            }
            crew.run();
            assertThat(store.add(key, 0)).isEqualTo(4L * each);
        }
    }

    private static void increment(Store store, byte[] key) {
        while (true) {
            var entry = store.getEntry(key);
            if (entry == null) {
                if (store.putIfAbsent(key, little(1)) != Namespace.ABSENT) {
                    return;
                }
            } else {
                long next = java.nio.ByteBuffer.wrap(entry.value())
                                .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                                .getLong()
                        + 1;
                if (next % 5 == 0) {
                    // Through a deletion: whoever deletes this version inserts the next value; nobody else can in
                    // between, or it starts over.
                    if (store.transact(java.util.List.of(key), transaction -> {
                        var now = transaction.getEntry(key);
                        if (now == null || now.version() != entry.version()) {
                            return false;
                        }
                        transaction.delete(key);
                        transaction.put(key, little(next));
                        return true;
                    })) {
                        return;
                    }
                } else if (store.replace(key, entry.version(), little(next)) != Namespace.ABSENT) {
                    return;
                }
            }
        }
    }

    private static byte[] little(long number) {
        return java.nio.ByteBuffer.allocate(8)
                .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                .putLong(number)
                .array();
    }
}
