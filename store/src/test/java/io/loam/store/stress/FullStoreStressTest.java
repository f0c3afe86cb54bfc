package io.loam.store.stress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.store.FullPolicy;
import io.loam.store.Guard;
import io.loam.store.PutOptions;
import io.loam.store.Store;
import io.loam.store.StoreFullException;
import io.loam.store.StoreStats;
import io.loam.store.TryPut;
import io.loam.store.UpdatePolicy;
import io.loam.store.ValueView;
import io.loam.store.sequence.ManualClock;
import io.loam.store.sequence.Setup;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A store with little or no room left. */
class FullStoreStressTest {

    private static boolean onEngine() {
        return System.getProperty("loam.test.store", "engine").equals("engine");
    }

    /** The size of each key's value: fixed per key, mixed over keys. */
    private static int sizeOf(long key) {
        return 40 + (int) (key * 7919 % 13 == 0 ? key * 31 % 4000 : key * 31 % 700);
    }

    /** Inserts until the store is this full; returns the number of keys. */
    private static int fillTo(Store store, double utilisation) {
        int keys = 0;
        while (store.stats().utilisation() < utilisation) {
            for (int i = 0; i < 8; i++) {
                store.put(Stamp.key(keys), new Stamp(keys, 0, 0, sizeOf(keys), 0).toBytes());
                keys++;
            }
        }
        return keys;
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "8, 1", "1, 2", "8, 2"})
    void storeAt95PercentTakesTenTimesItsCapacity(int writers, int nodes) {
        Assumptions.assumeTrue(onEngine());
        Setup setup = Setup.TINY
                .withBlockBytes(8 << 10)
                .withBlocks(1024, 1024)
                .withNodes(nodes)
                .withWriteTimeoutMillis(60_000);
        try (Store store = setup.open()) {
            int keys = fillTo(store, 0.95);
            long toWrite = (long) (10
                    * store.capacityBytes()
                    * Math.min(1.0, Double.parseDouble(System.getProperty("loam.test.scale", "1"))));
            Crew crew = new Crew();
            for (int i = 0; i < writers; i++) {
                int writer = i;
                crew.work("writer " + i, () -> {
                    SplittableRandom random = new SplittableRandom(writer);
                    long sequence = 0;
                    for (long written = 0; written < toWrite / writers && (written == 0 || crew.goesOn()); ) {
                        long key = random.nextInt(keys);
                        store.put(Stamp.key(key), new Stamp(key, ++sequence, writer, sizeOf(key), 0).toBytes());
                        written += sizeOf(key);
                    }
                });
            }
            crew.run();
            for (long key = 0; key < keys; key++) {
                Stamp.check(Objects.requireNonNull(store.get(Stamp.key(key))), key);
            }
            assertThat(store.stats().refusedWrites()).isZero();
            // After deletes, inserts: a tenth goes, and new keys of the same sizes fit.
            for (long key = 0; key < keys; key += 10) {
                assertThat(store.delete(Stamp.key(key))).isTrue();
            }
            for (long key = 0; key < keys; key += 10) {
                store.put(Stamp.key(key + 10_000_000), new Stamp(key + 10_000_000, 0, 0, sizeOf(key), 0).toBytes());
            }
            WholeValuesStressTest.accountsAgree(store);
        }
    }

    @ParameterizedTest
    @EnumSource
    void valueLargerThanTheRoomIsRefusedAndTheOldOneStays(UpdatePolicy policy) {
        try (Store store =
                Setup.TINY.with(policy).withWriteTimeoutMillis(60_000).open()) {
            for (long key = 0; key < 10; key++) {
                store.put(Stamp.key(key), new Stamp(key, 1, 1, 5000, 0).toBytes());
            }
            for (int size : new int[] {450_000, 480_000, 520_000}) {
                byte[] value = new byte[size];
                assertThatThrownBy(() -> store.put(Stamp.key(3), value))
                        .isInstanceOfAny(StoreFullException.class, IllegalArgumentException.class);
                assertThatThrownBy(() -> store.append(Stamp.key(3), value))
                        .isInstanceOfAny(StoreFullException.class, IllegalArgumentException.class);
                for (long key = 0; key < 10; key++) {
                    assertThat(Stamp.check(Objects.requireNonNull(store.get(Stamp.key(key))), key)
                                    .length())
                            .isEqualTo(5000);
                }
            }
            byte[] over = new byte[600_000];
            assertThatThrownBy(() -> store.put(Stamp.key(3), over))
                    .isInstanceOfAny(IllegalArgumentException.class, StoreFullException.class);
            // The store still works.
            store.put(Stamp.key(3), new Stamp(3, 2, 1, 6000, 0).toBytes());
            Stamp.check(Objects.requireNonNull(store.get(Stamp.key(3))), 3);
        }
    }

    /** Inserts values of one size until one is refused; how many went in. */
    private static int fill(Store store, long from, int size) {
        int keys = 0;
        try {
            while (true) {
                store.put(Stamp.key(from + keys), new Stamp(from + keys, 0, 0, size, 0).toBytes());
                keys++;
            }
        } catch (StoreFullException e) {
            // for lack of memory, not of time
            assertThat(e.getMessage())
                    .containsPattern("cleaning can free nothing more|what is left is needed")
                    .containsPattern("live: \\d");
            return keys;
        }
    }

    @ParameterizedTest
    @CsvSource({"60, 1", "1000, 1", "5000, 1", "30000, 1", "60, 2", "1000, 2", "5000, 2"})
    void fullStoreTakesDeletesAndIsFilledAsFarAgain(int size, int nodes) {
        try (Store store = Setup.TINY
                .withBlocks(512, 512)
                .withNodes(nodes)
                .withWriteTimeoutMillis(60_000)
                .open()) {
            int first = fill(store, 0, size);
            assertThat((double) first * size / store.capacityBytes())
                    .as("fill with %d", size)
                    .isGreaterThan(0.3);
            for (int round = 1; round <= 3; round++) {
                for (long key = 0; key < first; key++) {
                    store.delete(Stamp.key(key));
                }
                int again = fill(store, 0, size);
                assertThat(again)
                        .as("round %d with values of %d", round, size)
                        .isGreaterThanOrEqualTo((int) (first * 0.85) - 1);
                first = Math.max(first, again);
                for (long key = 0; key < again; key++) {
                    Stamp.check(Objects.requireNonNull(store.get(Stamp.key(key))), key);
                }
            }
            WholeValuesStressTest.accountsAgree(store);
        }
    }

    @Test
    void forgottenGuardLeadsToRefusalAndIsNamed() throws InterruptedException {
        Assumptions.assumeTrue(onEngine());
        try (Store store = Setup.TINY.withWriteTimeoutMillis(500).open()) {
            for (long key = 0; key < 20; key++) {
                store.put(Stamp.key(key), new Stamp(key, 0, 0, 3000, 0).toBytes());
            }
            List<ValueView> views = new ArrayList<>();
            Guard[] forgotten = new Guard[1];
            Thread forgetful = Thread.ofPlatform().start(() -> {
                forgotten[0] = store.guard();
                for (long key = 0; key < 20; key++) {
                    views.add(Objects.requireNonNull(forgotten[0].get(Stamp.key(key))));
                }
            });
            forgetful.join();
            boolean refused = false;
            for (int i = 1; i < 10_000 && !refused; i++) {
                long key = i % 20;
                try {
                    store.put(Stamp.key(key), new Stamp(key, i, 0, 3000, 0).toBytes());
                } catch (StoreFullException e) {
                    refused = true;
                }
            }
            assertThat(refused)
                    .as("a guard that is never closed must lead to a refusal")
                    .isTrue();
            StoreStats.GuardInfo oldest = Objects.requireNonNull(store.stats().oldestGuard());
            assertThat(oldest.threadId()).isEqualTo(forgetful.threadId());
            for (int key = 0; key < 20; key++) {
                assertThat(Stamp.check(Reader.bytesOf(views.get(key)), key).sequence())
                        .isZero();
                Stamp.check(Objects.requireNonNull(store.get(Stamp.key(key))), key);
            }
            forgotten[0].close();
            for (int i = 1; i < 1000; i++) {
                long key = i % 20;
                putInTheEnd(store, Stamp.key(key), new Stamp(key, i, 1, 3000, 0).toBytes());
            }
            assertThat(store.stats().oldestGuard()).isNull();
        }
    }

    /** For a store whose time is short, so that a refusal comes soon: who had no CPU may find it over. */
    private static void putInTheEnd(Store store, byte[] key, byte[] value) {
        for (int tries = 1; ; tries++) {
            try {
                store.put(key, value);
                return;
            } catch (StoreFullException e) {
                if (tries == 40) {
                    throw e;
                }
            }
        }
    }

    @Test
    void writesInsideAReadAreRefusedRatherThanWaitForThemselves() {
        Assumptions.assumeTrue(onEngine());
        try (Store store = Setup.TINY.withWriteTimeoutMillis(60_000).open()) {
            store.put(Stamp.key(1), new Stamp(1, 0, 0, 3000, 0).toBytes());
            Crew crew = new Crew();
            crew.work("reader that writes", () -> {
                boolean refused = Boolean.TRUE.equals(store.read(Stamp.key(1), view -> {
                    for (int i = 0; i < 10_000; i++) {
                        try {
                            store.put(Stamp.key(2), new Stamp(2, i, 0, 3000, 0).toBytes());
                        } catch (StoreFullException e) {
                            // at once, and not when the time is over
                            assertThat(e).hasMessageContaining("inside a read");
                            Stamp.check(Reader.bytesOf(view), 1);
                            return true;
                        }
                    }
                    return false;
                }));
                assertThat(refused).isTrue();
                store.put(Stamp.key(2), new Stamp(2, 1, 0, 3000, 0).toBytes());
            });
            crew.run();
        }
    }

    @Test
    void readersThatMissPinNothing() {
        try (Store store = Setup.TINY.withWriteTimeoutMillis(60_000).open()) {
            Thread idle = Thread.ofPlatform().daemon().start(() -> {
                for (long key = 0; key < 100; key++) {
                    store.get(Stamp.key(key));
                    store.contains(Stamp.key(key));
                    store.delete(Stamp.key(key));
                    store.read(Stamp.key(key), ValueView::length);
                    store.getEntry(Stamp.key(key));
                }
                java.util.concurrent.locks.LockSupport.park();
            });
            for (int i = 0; i < Scale.of(3000); i++) {
                long key = 200 + i % 20;
                store.put(Stamp.key(key), new Stamp(key, i, 0, 3000, 0).toBytes());
            }
            idle.interrupt();
        }
    }

    /** What is evicted makes room, so a store that evicts says that a write would have to wait, not that there is no memory. */
    @Test
    void tryPutIsNotRefusedWhereOthersCanBeEvicted() {
        Assumptions.assumeTrue(onEngine());
        try (Store store = Setup.TINY
                .with(FullPolicy.EVICT)
                .withBlockBytes(64 << 10)
                .withBlocks(512, 512)
                .withWriteTimeoutMillis(60_000)
                .open()) {
            Crew crew = new Crew();
            AtomicInteger waits = new AtomicInteger();
            for (int i = 0; i < 4; i++) {
                long first = i * 10_000_000L;
                crew.work("writer " + i, () -> {
                    Semaphore hooks = new Semaphore(0);
                    byte[] value = new byte[500];
                    for (long key = first; key < first + Scale.of(100_000) && crew.goesOn(); ) {
                        MemorySegment bytes = MemorySegment.ofArray(Stamp.key(key));
                        MemorySegment segment = MemorySegment.ofArray(value);
                        if (store.tryPut(bytes, segment, PutOptions.DEFAULT, hooks::release) == TryPut.WOULD_WAIT) {
                            waits.incrementAndGet();
                            assertThat(hooks.tryAcquire(60, TimeUnit.SECONDS)).isTrue();
                        } else {
                            key++;
                        }
                    }
                });
            }
            crew.run();
            assertThat(waits).hasPositiveValue();
            assertThat(store.stats().refusedWrites()).isZero();
        }
    }

    @Test
    void hooksOfTryPutRunOnceEach() throws InterruptedException {
        Assumptions.assumeTrue(onEngine());
        try (Store store =
                Setup.TINY.withBlocks(256, 256).withWriteTimeoutMillis(60_000).open()) {
            int keys = 0;
            while (store.stats().utilisation() < 0.8) {
                store.put(Stamp.key(keys), new Stamp(keys, 0, 0, 1500, 0).toBytes());
                keys++;
            }
            SplittableRandom random = new SplittableRandom(1);
            Semaphore hooks = new Semaphore(0);
            int waits = 0;
            int accepted = 0;
            for (int i = 0; i < Scale.of(20_000); i++) {
                long key = random.nextInt(keys);
                MemorySegment value = MemorySegment.ofArray(new Stamp(key, i, 0, 1500, 0).toBytes());
                long version =
                        store.tryPut(MemorySegment.ofArray(Stamp.key(key)), value, PutOptions.DEFAULT, hooks::release);
                if (version == TryPut.WOULD_WAIT) {
                    waits++;
                    assertThat(hooks.tryAcquire(30, TimeUnit.SECONDS))
                            .as("hook %d runs", waits)
                            .isTrue();
                } else {
                    accepted++;
                }
            }
            assertThat(accepted).isPositive();
            assertThat(waits)
                    .as("tryPut never had to wait; the test is too easy")
                    .isPositive();
            assertThat(hooks.availablePermits()).as("hooks that ran twice").isZero();
        }
    }

    @Test
    void hookOfTryPutRunsWhenTheStoreIsClosed() throws InterruptedException {
        Assumptions.assumeTrue(onEngine());
        Semaphore hooks = new Semaphore(0);
        int waits = 0;
        Store store = Setup.TINY.withWriteTimeoutMillis(60_000).open();
        Guard guard = store.guard();
        guard.get(Stamp.key(0));
        Crew crew = new Crew();
        int[] counted = new int[1];
        crew.work("writer", () -> {
            try {
                for (int i = 0; i < 5_000 && counted[0] == 0; i++) {
                    long version = store.tryPut(
                            MemorySegment.ofArray(Stamp.key(i % 20)),
                            MemorySegment.ofArray(new byte[3000]),
                            PutOptions.DEFAULT,
                            hooks::release);
                    counted[0] += version == TryPut.WOULD_WAIT ? 1 : 0;
                }
            } catch (StoreFullException e) {
                // Nothing to wait for, it says; as good.
            }
        });
        crew.run();
        waits = counted[0];
        guard.close();
        store.close();
        assertThat(hooks.tryAcquire(waits, 30, TimeUnit.SECONDS))
                .as("%d hooks run", waits)
                .isTrue();
    }

    @Test
    void expiredEntriesMakeRoom() {
        ManualClock clock = new ManualClock();
        for (int nodes = 1; nodes <= 2; nodes++) {
            try (Store store = Setup.TINY
                    .withBlocks(256, 256)
                    .withNodes(nodes)
                    .withWriteTimeoutMillis(60_000)
                    .open(clock, 1)) {
                for (int round = 0; round < 5; round++) {
                    int size = 200 + 900 * round;
                    int keys = (int) (store.capacityBytes() / 2 / (size + 100));
                    for (long key = 0; key < keys; key++) {
                        store.put(
                                Stamp.key(key + 100_000L * round),
                                new Stamp(key, 0, 0, size, 0).toBytes(),
                                clock.millis() + 1000);
                    }
                    clock.advanceMillis(2000);
                    for (long key = 0; key < keys; key++) {
                        assertThat(store.get(Stamp.key(key + 100_000L * round))).isNull();
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void evictingStoreNeverRefuses(UpdatePolicy policy) {
        for (int nodes = 1; nodes <= 2; nodes++) {
            Setup setup = Setup.TINY
                    .with(policy)
                    .with(FullPolicy.EVICT)
                    .withBlocks(256, 256)
                    .withNodes(nodes)
                    .withWriteTimeoutMillis(60_000);
            try (Store store = setup.open()) {
                Crew crew = new Crew();
                for (int i = 0; i < 4; i++) {
                    SplittableRandom random = new SplittableRandom(i);
                    int writer = i;
                    crew.work("writer " + i, () -> {
                        for (int n = 0; n < Scale.of(4_000) && (n == 0 || crew.goesOn()); n++) {
                            long key = random.nextInt(100_000);
                            store.put(
                                    Stamp.key(key), new Stamp(key, n, writer, Reader.size(random, 6000), 0).toBytes());
                            byte[] value = store.get(Stamp.key(key));
                            if (value != null) {
                                Stamp.check(value, key);
                            }
                        }
                    });
                }
                crew.run();
                assertThat(store.stats().evictedEntries()).isPositive();
                assertThat(store.size())
                        .as("an evicting store stays well filled")
                        .isGreaterThan(100);
                WholeValuesStressTest.accountsAgree(store);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void evictingStoreKeepsWhatIsRead(UpdatePolicy policy) {
        Assumptions.assumeTrue(onEngine());
        int hot = 20;
        int bytes = 500;
        try (Store store = Setup.TINY
                .with(policy)
                .with(FullPolicy.EVICT)
                .withBlocks(256, 256)
                .withWriteTimeoutMillis(60_000)
                .open()) {
            for (long key = 0; key < hot; key++) {
                store.put(Stamp.key(key), new Stamp(key, 0, 0, bytes, 0).toBytes());
            }
            long cold = 5 * store.capacityBytes() / bytes;
            for (long key = 0; key < cold; key++) {
                store.put(Stamp.key(1_000 + key), new Stamp(1_000 + key, 0, 0, bytes, 0).toBytes());
                store.get(Stamp.key(key % hot));
            }
            int kept = 0;
            for (long key = 0; key < hot; key++) {
                kept += store.contains(Stamp.key(key)) ? 1 : 0;
            }
            assertThat(kept)
                    .as("of %d keys that were read all the time, %d others written", hot, cold)
                    .isGreaterThan(hot * 3 / 4);
        }
    }

    @Test
    void fullStoreAnswersConditionalWritesThatChangeNothing() {
        try (Store store = Setup.TINY.withWriteTimeoutMillis(60_000).open()) {
            int keys = 0;
            int refused = 0;
            for (; refused < 3; keys++) {
                try {
                    store.put(Stamp.key(keys), new byte[1000]);
                } catch (StoreFullException e) {
                    refused++;
                }
            }
            byte[] large = new byte[100_000];
            assertThat(store.putIfAbsent(Stamp.key(0), large)).isEqualTo(Store.ABSENT);
            assertThat(store.replace(Stamp.key(keys), large)).isEqualTo(Store.ABSENT);
            assertThat(store.replace(Stamp.key(0), store.version(Stamp.key(0)) + 7, large))
                    .isEqualTo(Store.ABSENT);
            assertThatThrownBy(() -> store.replace(Stamp.key(0), large)).isInstanceOf(StoreFullException.class);
        }
    }

    @Test
    void nodeThatIsFullUsesTheOthersRoom() {
        // All writers on one thread, so on one node: more than half of the memory must be usable.
        try (Store store = Setup.TINY
                .withBlocks(512, 512)
                .withNodes(2)
                .withWriteTimeoutMillis(60_000)
                .open()) {
            int keys = 0;
            while (keys * 1000L < store.capacityBytes() * 65 / 100) {
                store.put(Stamp.key(keys), new Stamp(keys, 0, 0, 1000, 0).toBytes());
                keys++;
            }
            for (long key = 0; key < keys; key++) {
                Stamp.check(Objects.requireNonNull(store.get(Stamp.key(key))), key);
            }
        }
    }
}
