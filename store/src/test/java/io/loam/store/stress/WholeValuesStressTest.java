package io.loam.store.stress;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.FullPolicy;
import io.loam.store.KeyHashing;
import io.loam.store.Store;
import io.loam.store.StoreFullException;
import io.loam.store.StoreStats;
import io.loam.store.UpdatePolicy;
import io.loam.store.sequence.Setup;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever way a value is read, it is whole, its key's own, and never older than one read before. */
class WholeValuesStressTest {
    private static final int KEYS = 96;
    private static final int MAX_BYTES = 13_000;

    static Stream<Setup> setups() {
        return Setup.all().stream()
                .filter(setup -> setup.hashing() == KeyHashing.FAST)
                .map(setup -> setup.withBlocks(256, 512));
    }

    /** Overwrites, deletes and inserts hot keys, over a changing rest that keeps the store nearly full. */
    static void write(Store store, int writer, int operations, Crew crew, int maxBytes) {
        SplittableRandom random = new SplittableRandom(writer);
        AtomicLong stored = new AtomicLong();
        for (int i = 0; i < operations && (i == 0 || crew.goesOn()); i++) {
            long key = random.nextInt(KEYS);
            try {
                switch (random.nextInt(8)) {
                    case 0 -> store.delete(Stamp.key(key));
                    case 1 -> store.put(Stamp.key(1000 + random.nextInt(400)), new byte[random.nextInt(3000)]);
                    case 2 -> store.delete(Stamp.key(1000 + random.nextInt(400)));
                    case 3 ->
                        store.compute(
                                Stamp.key(key),
                                old -> new Stamp(key, stored.incrementAndGet(), writer, Reader.size(random, 2000), 0)
                                        .toBytes());
                    default -> {
                        byte[] value = new Stamp(
                                        key, stored.incrementAndGet(), writer, Reader.size(random, maxBytes), 0)
                                .toBytes();
                        store.put(Stamp.key(key), value);
                    }
                }
            } catch (StoreFullException e) {
                store.delete(Stamp.key(1000 + random.nextInt(400)));
                store.delete(Stamp.key(key));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("setups")
    void everyValueReadIsWhole(Setup setup) {
        try (Store store = setup.withWriteTimeoutMillis(60_000).open()) {
            Crew crew = new Crew();
            for (int i = 0; i < 3; i++) {
                int writer = i;
                crew.work("writer " + i, () -> write(store, writer, Scale.of(4_000), crew, MAX_BYTES));
            }
            for (int i = 0; i < 3; i++) {
                Reader reader = new Reader(store, new SplittableRandom(100 + i), MAX_BYTES);
                SplittableRandom random = new SplittableRandom(200 + i);
                crew.meanwhile("reader " + i, () -> reader.read(random.nextInt(KEYS), KEYS));
            }
            crew.meanwhile(
                    "scanner",
                    () -> store.forEach((key, view) -> {
                        long number = Stamp.keyNumber(key);
                        if (number < KEYS) {
                            Stamp.check(Reader.bytesOf(view), number);
                        }
                    }));
            crew.run();
            accountsAgree(store);
        }
    }

    private static long[] recount(Store store) {
        long[] found = new long[2];
        store.forEach((key, view) -> {
            found[0]++;
            found[1] += key.length + view.length();
        });
        return found;
    }

    /** Stats agree with each other and with what a scan finds, once nobody writes. */
    static void accountsAgree(Store store) {
        long[] found = recount(store);
        StoreStats stats = store.stats();
        long size = store.size();
        long until = System.nanoTime() + 60_000_000_000L;
        while ((stats.liveUserBytes() != found[1] || size != found[0]) && System.nanoTime() < until) {
            // an entry that the cleaner moves counts in two places for a moment; a key that resizing moves may be
            // visited twice
            LockSupport.parkNanos(1_000_000);
            found = recount(store);
            stats = store.stats();
            size = store.size();
        }
        assertThat(stats.freeBytes() + stats.logBytes() + stats.indexBytes() + stats.tableBytes())
                .isEqualTo(stats.capacityBytes());
        assertThat(size).isEqualTo(found[0]);
        assertThat(stats.liveUserBytes())
                .as("live user bytes of %d keys", found[0])
                .isEqualTo(found[1]);
        assertThat(stats.liveLogBytes()).isBetween(stats.liveUserBytes(), stats.logBytes());
        assertThat(stats.deadLogBytes()).isNotNegative();
        assertThat(Setup.complaints(store)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(UpdatePolicy.class)
    void capacityChangesUnderTraffic(UpdatePolicy policy) {
        try (Store store = Setup.TINY
                .with(policy)
                .withBlocks(192, 768)
                .withWriteTimeoutMillis(60_000)
                .open()) {
            Crew crew = new Crew();
            SplittableRandom random = new SplittableRandom(1);
            for (int i = 0; i < 2; i++) {
                int writer = i;
                crew.work("writer " + i, () -> write(store, writer, Scale.of(8_000), crew, MAX_BYTES));
            }
            Reader reader = new Reader(store, new SplittableRandom(2), MAX_BYTES);
            crew.meanwhile("reader", () -> reader.read(random.nextInt(KEYS), KEYS));
            SplittableRandom sizes = new SplittableRandom(3);
            crew.meanwhile("resizer", () -> {
                long before = store.capacityBytes();
                long bytes = (192 + sizes.nextInt(576)) * 4096L;
                try {
                    store.setCapacityBytes(bytes);
                    assertThat(store.capacityBytes()).isEqualTo(bytes);
                } catch (StoreFullException e) {
                    assertThat(store.capacityBytes()).isEqualTo(before);
                }
            });
            crew.run();
            accountsAgree(store);
        }
    }

    @Test
    void inPlaceOverwritesOfOneSizeAreNeverTorn() {
        Setup setup = Setup.TINY
                .with(UpdatePolicy.IN_PLACE)
                .with(FullPolicy.REJECT)
                .withBlocks(128, 128)
                .withWriteTimeoutMillis(60_000);
        try (Store store = setup.open()) {
            Crew crew = new Crew();
            for (int i = 0; i < 2; i++) {
                int writer = i;
                crew.work("writer " + i, () -> {
                    SplittableRandom random = new SplittableRandom(writer);
                    for (int n = 1; n <= Scale.of(60_000) && (n == 1 || crew.goesOn()); n++) {
                        long key = random.nextInt(4);
                        int length = n % 3 == 0 ? 60 : n % 3 == 1 ? 4000 : 1000;
                        store.put(Stamp.key(key), new Stamp(key, n, writer, length, 0).toBytes());
                    }
                });
            }
            for (int i = 0; i < 2; i++) {
                Reader reader = new Reader(store, new SplittableRandom(i), 4096);
                SplittableRandom random = new SplittableRandom(50 + i);
                crew.meanwhile("reader " + i, () -> reader.read(random.nextInt(4), 4));
            }
            crew.run();
        }
    }
}
