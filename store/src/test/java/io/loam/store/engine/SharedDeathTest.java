package io.loam.store.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.memory.region.RegionException;
import io.loam.store.FullPolicy;
import io.loam.store.Namespace;
import io.loam.store.RemovalListener;
import io.loam.store.RemovalListener.Cause;
import io.loam.store.Store;
import io.loam.store.StoreClosedException;
import io.loam.store.UpdatePolicy;
import io.loam.store.index.Index;
import io.loam.store.log.EntryLayout;
import io.loam.store.log.SpinLock;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A participant dies while another one closes, or runs a listener, or repairs. It is one of this process, and dies by losing its byte: for the others that is the same, and so the test can say what it had at that time.
 */
@Timeout(value = 240, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class SharedDeathTest {

    private static final int CAPACITY = 16 << 20;

    private final SharedDirectory directory = new SharedDirectory();
    private final AtomicLong now = new AtomicLong(1_000_000);

    @AfterEach
    void delete() {
        directory.close();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private Store create(FullPolicy full, UpdatePolicy update) {
        return Store.builder()
                .capacityBytes(CAPACITY)
                .fullPolicy(full)
                .updatePolicy(update)
                .clock(() -> Instant.ofEpochMilli(now.get()))
                .writeTimeoutMillis(20_000)
                .hugePages(false)
                .create(directory.registry, "s");
    }

    private Store create() {
        return create(FullPolicy.REJECT, UpdatePolicy.APPEND);
    }

    private Store attach() {
        return Store.attach(directory.registry, "s");
    }

    private static Engine engine(Store store) {
        return ((LogStore) store).engine;
    }

    private static Sharing sharing(Store store) {
        return Objects.requireNonNull(engine(store).sharing);
    }

    private static void die(Store store) {
        sharing(store).stop();
        sharing(store).lives.close();
    }

    private static void awaitRepair(Store store) {
        while (sharing(store).hasDead() || sharing(store).isPaused()) {
            LockSupport.parkNanos(1_000_000);
        }
    }

    private static void assertSound(Store store) {
        assertThat(StoreChecker.check(store)).isEmpty();
    }

    /** From now on the participant has the lock of the pool of blocks. */
    private static void lockPool(Store store) {
        Engine engine = engine(store);
        SpinLock.lock(
                engine.memory,
                engine.base + engine.geometry.poolOffset,
                sharing(store).participant() + 1);
    }

    private static void awaitThreadIn(String thread, String method) {
        while (Thread.getAllStackTraces().entrySet().stream()
                .noneMatch(entry -> entry.getKey().getName().equals(thread)
                        && Arrays.stream(entry.getValue())
                                .anyMatch(frame ->
                                        (frame.getClassName() + '.' + frame.getMethodName()).endsWith('.' + method)))) {
            LockSupport.parkNanos(1_000_000);
        }
    }

    // ---- closing

    /** Forbidden: who leads and closes waits for ever for a lock of one who died meanwhile, for it alone could take it away. */
    @Test
    void leaderRepairsUntilItHasClosed() {
        Store leader = create();
        Store other = attach();
        lockPool(other);
        CompletableFuture<Namespace> asked =
                CompletableFuture.supplyAsync(() -> leader.namespace("n"), Thread::startVirtualThread);
        awaitThreadIn("loam-maintenance", "SpinLock.lock");
        Thread closing = Thread.ofPlatform().start(leader::close);
        while (!engine(leader).isClosed()) {
            Thread.onSpinWait();
        }
        LockSupport.parkNanos(300_000_000); // it waits for the maintenance thread by now
        assertThat(closing.isAlive()).isTrue();
        die(other);
        join(closing);
        assertThatThrownBy(asked::join).hasCauseInstanceOf(StoreClosedException.class);
        try (Store next = attach()) {
            next.put(bytes("k"), bytes("v"));
            assertThat(next.stats().participants()).hasSize(1);
            assertSound(next);
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void cleanerPausedTwiceStaysSoUntilItIsResumedTwice() {
        try (Store store = create()) {
            engine(store).cleaner.pause();
            engine(store).cleaner.halt(() -> {});
            engine(store).cleaner.resume();
            assertThat(engine(store).cleaner.cleanAll()).isFalse();
            engine(store).cleaner.resume();
            assertThat(engine(store).cleaner.cleanAll(-1)).isFalse();
            assertThat(engine(store).cleaner.cleanAll()).isTrue();
        }
    }

    // ---- listeners

    /** Lets a participant die when it is first told of the cause by a thread of that name, waits for the repair, writes, and asks the leader. */
    private static final class WritingListener implements RemovalListener {
        private final Store store;
        private final Store victim;
        private final Cause cause;
        private final String thread;
        private final AtomicReference<String> found = new AtomicReference<>();

        WritingListener(Store store, Store victim, Cause cause, String thread) {
            this.store = store;
            this.victim = victim;
            this.cause = cause;
            this.thread = thread;
        }

        @Override
        public boolean wants(Cause why, int type) {
            return why == cause;
        }

        @Override
        public void removed(String namespace, byte[] key, byte[] value, Cause why) {
            if (Thread.currentThread().getName().startsWith(thread) && found.compareAndSet(null, "")) {
                die(victim);
                awaitRepair(store);
                store.put(bytes("told"), key);
                store.namespace("told").put(bytes("k"), key);
                found.set(new String(key, StandardCharsets.UTF_8));
            }
        }

        String await() {
            while (found.get() == null || Objects.requireNonNull(found.get()).isEmpty()) {
                LockSupport.parkNanos(1_000_000);
            }
            return Objects.requireNonNull(found.get());
        }
    }

    private static void assertTold(Store store, WritingListener listener) {
        byte[] key = bytes(listener.await());
        assertThat(store.get(bytes("told"))).isEqualTo(key);
        assertThat(store.namespace("told").get(bytes("k"))).isEqualTo(key);
    }

    /** Forbidden: a listener's write waits for a repair that waits for the transaction which tells the listener. */
    @Test
    void listenerOfATransactionMayWriteWhileADeathIsRepaired() {
        try (Store store = create()) {
            WritingListener listener = new WritingListener(
                    store, attach(), Cause.EXPIRED, Thread.currentThread().getName());
            store.addListener(listener);
            // the maintenance thread may find it first
            for (int i = 0; listener.found.get() == null; i++) {
                byte[] key = bytes("key" + i);
                store.put(key, bytes("v"), now.get() + 1);
                now.addAndGet(2);
                store.transact(List.of(key), transaction -> {
                    transaction.put(key, bytes("w"));
                    return 0;
                });
            }
            assertTold(store, listener);
        }
    }

    /** Forbidden: a listener's write waits for a repair that waits for the maintenance thread, which runs the listener; or that thread for its own answer. */
    @Test
    void listenerOfMaintenanceMayWriteWhileADeathIsRepaired() {
        try (Store store = create()) {
            WritingListener listener = new WritingListener(store, attach(), Cause.EXPIRED, "loam-maintenance");
            store.addListener(listener);
            for (int i = 0; i < 10; i++) {
                store.put(bytes("key" + i), bytes("v"), now.get() + 1);
            }
            now.addAndGet(2);
            assertTold(store, listener);
        }
    }

    /** Forbidden: a listener's write waits for a repair that waits for the pass of the cleaner, which runs the listener. */
    @Test
    void listenerOfTheCleanerMayWriteWhileADeathIsRepaired() {
        try (Store store = create(FullPolicy.EVICT, UpdatePolicy.APPEND)) {
            WritingListener listener = new WritingListener(store, attach(), Cause.EVICTED, "loam-cleaner");
            store.addListener(listener);
            for (int i = 0; listener.found.get() == null; i++) {
                store.put(bytes("key" + i), new byte[1000]);
            }
            String key = listener.await();
            assertThat(key).startsWith("key");
            assertSound(store);
        }
    }

    /** Forbidden: who can't be let in before its own write is over waits for that. */
    @Test
    void writeInsideOfAWriteIsRefusedWhileWritersAreKeptOut() {
        try (Store store = create()) {
            Engine engine = engine(store);
            Store other = attach();
            long pin = engine.enterWriter(0, 1);
            try {
                die(other);
                while (!sharing(store).isPaused()) {
                    Thread.onSpinWait();
                }
                assertThatThrownBy(() -> store.put(bytes("k"), bytes("v")))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("inside of a write");
            } finally {
                engine.exitWriter(pin);
            }
            store.put(bytes("k"), bytes("v"));
            assertThat(store.get(bytes("k"))).isEqualTo(bytes("v"));
        }
    }

    // ---- repairing

    /** Forbidden: who repairs waits for ever for the pool's lock, with which somebody died after it had begun. */
    @Test
    void poolsLockOfOneWhoDiesDuringTheRepairIsInherited() {
        try (Store store = create()) {
            Store first = attach();
            Store second = attach();
            store.put(bytes("k"), bytes("v"));
            long pin = engine(second).enterWriter(0, 1);
            die(first);
            awaitThreadIn("loam-watcher", "Sharing.awaitWriters");
            lockPool(second); // not before: another thread of who leads could wait for it, and who repairs for that one
            engine(second).exitWriter(pin);
            awaitThreadIn("loam-watcher", "BlockPool.freeUnowned");
            die(second);
            awaitRepair(store);
            store.namespace("n").put(bytes("k"), bytes("w"));
            assertThat(store.get(bytes("k"))).isEqualTo(bytes("v"));
            assertThat(store.stats().participants()).hasSize(1);
            assertSound(store);
        }
    }

    // ---- waiting for others

    @Test
    void leaderThatDoesNotAnswerIsNamed() {
        try (Store store = create();
                Store other = attach()) {
            sharing(other).patienceNanos = 100_000_000;
            engine(store).maintenance.pause();
            try {
                assertThatThrownBy(() -> other.namespace("n"))
                        .isInstanceOfSatisfying(
                                RegionException.class,
                                e -> assertThat(e.reason()).isEqualTo(RegionException.Reason.TIMEOUT))
                        .hasMessageContaining("pid " + ProcessHandle.current().pid() + ", which leads");
            } finally {
                engine(store).maintenance.resume();
            }
            sharing(other).patienceNanos = 20_000_000_000L;
            other.namespace("m").put(bytes("k"), bytes("v"));
            assertThat(store.namespace("m").get(bytes("k"))).isEqualTo(bytes("v"));
        }
    }

    /** Forbidden: a reader waits for ever for an update that nobody is left to finish. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void readerOfWhatNobodyRepairsIsToldSo(boolean overwrite) {
        Store store = create(FullPolicy.REJECT, UpdatePolicy.IN_PLACE);
        byte[] key = bytes("k");
        store.put(key, bytes("v"));
        try (Store reader = Store.attachReadOnly(directory.registry, "s")) {
            assertThat(reader.get(key)).isEqualTo(bytes("v"));
            Engine engine = engine(store);
            Index index = ((LogStore) store).index;
            long hash = index.hash(key, 0, key.length);
            if (overwrite) {
                long header = engine.base + index.lookup(hash, key, 0, key.length);
                engine.memory.putLongRelease(header, engine.memory.getLong(header) | EntryLayout.LOCKED);
            } else {
                index.setBusy(index.home(hash));
            }
            die(store);
            assertThatThrownBy(() -> reader.get(key))
                    .isInstanceOfSatisfying(
                            RegionException.class,
                            e -> assertThat(e.reason()).isEqualTo(RegionException.Reason.TIMEOUT))
                    .hasMessageContaining("attach it for writing");
        }
    }

    // ---- numbers

    /** Forbidden: what comes late to a closed store object writes to the slots of another participant. */
    @Test
    void closedStoreKeepsItsNumberUntilItIsCollected() {
        try (Store store = create()) {
            Store closed = attach();
            int number = sharing(closed).participant();
            closed.close();
            try (Store next = attach()) {
                assertThat(store.stats().participants()).hasSize(2);
                assertThat(sharing(next).participant()).isNotEqualTo(number);
                assertThatThrownBy(() -> closed.get(bytes("k"))).isInstanceOf(StoreClosedException.class);
            }
        }
    }

    @Test
    void numbersOfClosedStoresAreUsedAgain() {
        try (Store store = create()) {
            for (int i = 0; i < 2 * SharedLayout.PARTICIPANTS; i++) {
                try (Store other = attach()) {
                    other.put(bytes("k"), bytes("v" + i));
                    assertThat(store.get(bytes("k"))).isEqualTo(bytes("v" + i));
                }
            }
            assertThat(store.stats().participants()).hasSize(1);
        }
    }
}
