package io.loam.store.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.Guard;
import io.loam.store.PutOptions;
import io.loam.store.Store;
import io.loam.store.StoreFullException;
import io.loam.store.UpdatePolicy;
import io.loam.store.ValueView;
import io.loam.store.epoch.Reclaimer;
import io.loam.store.index.Index;
import io.loam.store.sequence.Setup;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Operations that are held up for as long as it takes others to write the memory several times over. */
class HeldOperationTest {
    private static final int OTHERS = 20;
    private static final int OTHER_BYTES = 3_000;
    private static final byte[] KEY = {77};

    private final HoldupClock clock = new HoldupClock();

    private static Engine engine(Store store) {
        return ((LogStore) store).engine;
    }

    /** Keys of other homes than {@link #KEY}'s, so that a writer of it which is held up locks nobody out. */
    private static List<byte[]> others(Store store) {
        Index index = ((LogStore) store).index;
        long home = index.home(index.hash(KEY, 0, KEY.length));
        List<byte[]> others = new ArrayList<>();
        for (byte i = 0; others.size() < OTHERS; i++) {
            byte[] key = {1, i};
            if (index.home(index.hash(key, 0, key.length)) != home) {
                others.add(key);
            }
        }
        return others;
    }

    /** Overwrites the others until memory has been written ten times over, or the store is refused more because of whoever is held up. */
    private static void churn(Store store, List<byte[]> others, byte[] value) {
        long written = 0;
        for (int i = 0; written < 10 * store.capacityBytes(); i++) {
            try {
                store.put(others.get(i % OTHERS), value);
            } catch (StoreFullException e) {
                return;
            }
            written += value.length;
        }
    }

    private <T> FutureTask<T> startHeld(java.util.concurrent.Callable<T> operation) {
        FutureTask<T> outcome = new FutureTask<>(operation);
        Thread thread = Thread.ofPlatform().daemon().unstarted(outcome);
        clock.hold(thread);
        thread.start();
        clock.awaitArrivals();
        return outcome;
    }

    /**
     * A reader that has found an entry comes to copy it late. Others write values that look like the entry's header wherever one may lie, so that a look at the header does not tell
     * that the memory was reused: the pin alone guards it.
     */
    @ParameterizedTest
    @EnumSource
    void forgedHeadersDoNotFoolALateReader(UpdatePolicy policy) throws InterruptedException, ExecutionException {
        try (Store store = Setup.TINY.with(policy).withWriteTimeoutMillis(2_000).openEngine(clock, 1)) {
            List<byte[]> others = others(store);
            byte[] value = new byte[80]; // compact: its header is looked at again after the copy
            Arrays.fill(value, (byte) 0x5A);
            churnOnce(store, others);
            store.put(KEY, value, HoldupClock.LATER);
            Index index = ((LogStore) store).index;
            long location = index.lookup(index.hash(KEY, 0, KEY.length), KEY, 0, KEY.length);
            long header = engine(store).entries.headerAcquire(location);
            FutureTask<byte[]> outcome = startHeld(() -> store.get(KEY));
            store.delete(KEY);
            byte[] forged = new byte[OTHER_BYTES];
            // the first byte of a value of these keys lies 10 bytes after a multiple of 8
            for (int i = 0; i < forged.length; i++) {
                forged[i] = (byte) (header >>> 8 * ((i + 10) & 7));
            }
            churn(store, others, forged);
            clock.release();
            byte[] read = outcome.get();
            assertThat(read)
                    .satisfiesAnyOf(
                            v -> assertThat(v).isNull(), v -> assertThat(v).isEqualTo(value));
        }
    }

    private static void churnOnce(Store store, List<byte[]> others) {
        for (byte[] other : others) {
            store.put(other, new byte[OTHER_BYTES]);
        }
    }

    /**
     * A writer has reserved room and written its entry, and comes to publish it late, since somebody else holds the key's home; its head has long gone on to other segments, and all else
     * in its segment is dead. The cleaner must not take the segment for empty.
     */
    @Test
    void lateWriterPublishesAnEntryThatIsStillThere() throws InterruptedException, ExecutionException {
        try (Store store = Store.builder()
                .blockBytes(4096)
                .capacityBytes(128 * 4096)
                .headsPerNode(1)
                .writeTimeoutMillis(20)
                .hugePages(false)
                .hashSeed(1)
                .clock(clock)
                .open()) {
            List<byte[]> others = others(store);
            store.put(others.getFirst(), new byte[10]); // opens a block, with room for what follows
            FutureTask<Integer> holder = startHeld(() -> store.transact(List.of(KEY), transaction -> {
                transaction.delete(KEY);
                return 1;
            }));
            byte[] value = new byte[80];
            Arrays.fill(value, (byte) 0x5A);
            long room = engine(store).log.openRoom();
            FutureTask<Long> writer = new FutureTask<>(() -> store.put(KEY, value));
            Thread.ofPlatform().daemon().start(writer);
            while (engine(store).log.openRoom() == room) {
                Thread.onSpinWait();
            }
            churn(store, others, new byte[OTHER_BYTES]);
            clock.release();
            assertThat(holder.get()).isEqualTo(1);
            assertThat(writer.get()).isPositive();
            churn(store, others, new byte[OTHER_BYTES]);
            assertThat(store.get(KEY)).isEqualTo(value);
            assertThat(StoreChecker.check(store)).isEmpty();
        }
    }

    /** Nobody asks for memory, and there is nothing to clean: what has been retired becomes free all the same. */
    @Test
    void retiredMemoryIsFreedWhenNothingElseHappens() {
        try (Store store = Setup.TINY.openEngine(clock, 1)) {
            Reclaimer reclaimer = engine(store).reclaimer;
            Guard guard = store.guard();
            reclaimer.retire(() -> {});
            assertThat(reclaimer.reclaim()).as("free under a guard").isFalse();
            guard.close();
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
            while (reclaimer.pending() > 0 && System.nanoTime() < deadline) {
                LockSupport.parkNanos(1_000_000);
            }
            assertThat(reclaimer.pending()).isZero();
        }
    }

    /** Whatever an operation comes to, a thread that does nothing more holds up nobody. */
    @ParameterizedTest
    @EnumSource
    void noOperationLeavesAPin(UpdatePolicy policy) {
        try (Store store = Setup.TINY.with(policy).openEngine(clock, 1)) {
            byte[] present = {1};
            byte[] expired = {2};
            byte[] counter = {3};
            byte[] absent = {4};
            store.put(counter, new byte[8]);
            for (byte[] key : List.of(present, expired, absent, counter)) {
                store.put(present, new byte[100]);
                store.put(expired, new byte[100], HoldupClock.NOW - 1);
                MemorySegment memory = MemorySegment.ofArray(key);
                List<Runnable> operations = List.of(
                        () -> store.get(key),
                        () -> store.get(key, new byte[200], 0),
                        () -> store.get(key, new byte[1], 0),
                        () -> store.get(memory, MemorySegment.ofArray(new byte[200])),
                        () -> store.getEntry(key),
                        () -> store.contains(key),
                        () -> store.version(key),
                        () -> store.getAll(List.of(key, key)),
                        () -> store.getAll(new byte[][] {key}, new byte[1][200], new int[1], 1),
                        () -> store.read(key, ValueView::length),
                        () -> store.read(key, HeldOperationTest::fails),
                        () -> store.scan(0, 100, (found, view) -> fails(view)),
                        () -> store.transact(List.of(key), transaction -> transaction.get(key)),
                        () -> store.transact(List.of(key), transaction -> fails(transaction)),
                        () -> store.replace(key, 12345, new byte[1]),
                        () -> store.delete(key, 12345),
                        () -> store.put(key, new byte[1], PutOptions.IF_ABSENT),
                        () -> store.compute(key, HeldOperationTest::fails),
                        () -> store.add(key, 1),
                        () -> store.expireAt(key, HoldupClock.LATER),
                        () -> store.put(key, new byte[4 << 20]),
                        () -> store.replace(key, new byte[3]),
                        store::size,
                        store::stats,
                        () -> store.getAndDelete(key),
                        () -> store.delete(key));
                for (int i = 0; i < operations.size(); i++) {
                    assertLeavesNoPin(store, operations.get(i), "operation " + i + " on key " + key[0]);
                }
            }
        }
    }

    private static void assertLeavesNoPin(Store store, Runnable operation, String what) {
        try {
            operation.run();
        } catch (IllegalStateException | IllegalArgumentException | StoreFullException e) {
            // an answer like another
        }
        // other threads of the store pin too, for a moment
        assertThat(engine(store).epochs.isPinnedByCurrentThread()).as(what).isFalse();
    }

    private static <R> R fails(Object any) {
        throw new IllegalStateException("the test's own: " + Objects.requireNonNull(any));
    }
}
