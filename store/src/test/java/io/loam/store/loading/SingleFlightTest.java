package io.loam.store.loading;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.store.LoamException;
import io.loam.store.Store;
import io.loam.store.reference.ReferenceStore;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class SingleFlightTest {

    private static final byte[] KEY = {1};
    private static final byte[] OTHER = {2};
    private static final byte[] VALUE = {42};

    private final Store store = new ReferenceStore(InstantSource.system());
    private final SingleFlight loads = new SingleFlight();
    private final CountDownLatch loading = new CountDownLatch(1);
    private final CountDownLatch mayLand = new CountDownLatch(1);

    /** A task with its thread, so that a test can see it wait. */
    private static final class Run<T> extends FutureTask<T> {
        final Thread thread;

        Run(Callable<T> task) {
            super(task);
            thread = Thread.startVirtualThread(this);
        }

        void awaitWaiting() throws InterruptedException {
            while (thread.getState() != Thread.State.WAITING) {
                Thread.sleep(1);
            }
        }

        T outcome() throws ExecutionException, InterruptedException {
            try {
                return get(20, TimeUnit.SECONDS);
            } catch (java.util.concurrent.TimeoutException e) {
                throw new AssertionError("still running", e);
            }
        }
    }

    private byte[] slowly(byte[] key, byte[] value) {
        loading.countDown();
        try {
            mayLand.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return value;
    }

    private Run<byte[]> flying(byte[] value) throws InterruptedException {
        Run<byte[]> run = new Run<>(() -> loads.getOrLoad(store, KEY, key -> slowly(key, value)));
        loading.await();
        return run;
    }

    private List<Run<byte[]>> waiters(int count, AtomicInteger theirLoads) throws InterruptedException {
        List<Run<byte[]>> waiters = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            waiters.add(new Run<>(() -> loads.getOrLoad(store, KEY, key -> {
                theirLoads.incrementAndGet();
                return VALUE;
            })));
        }
        for (Run<byte[]> waiter : waiters) {
            waiter.awaitWaiting();
        }
        return waiters;
    }

    @Test
    void presentValueIsNotLoaded() {
        store.put(KEY, VALUE);
        assertThat(loads.getOrLoad(store, KEY, key -> {
                    throw new AssertionError("loaded");
                }))
                .isEqualTo(VALUE);
    }

    @Test
    void oneLoadsAndTheOthersGetCopies() throws Exception {
        Run<byte[]> loader = flying(VALUE);
        AtomicInteger theirLoads = new AtomicInteger();
        List<Run<byte[]>> waiters = waiters(10, theirLoads);
        mayLand.countDown();
        byte[] loaded = loader.outcome();
        assertThat(loaded).isEqualTo(VALUE);
        for (Run<byte[]> waiter : waiters) {
            assertThat(waiter.outcome()).isEqualTo(VALUE).isNotSameAs(loaded);
        }
        assertThat(theirLoads).hasValue(0);
        assertThat(store.get(KEY)).isEqualTo(VALUE);
    }

    @Test
    void nullIsSharedAndStoresNothing() throws Exception {
        Run<byte[]> loader = flying(null);
        AtomicInteger theirLoads = new AtomicInteger();
        List<Run<byte[]>> waiters = waiters(3, theirLoads);
        mayLand.countDown();
        assertThat(loader.outcome()).isNull();
        for (Run<byte[]> waiter : waiters) {
            assertThat(waiter.outcome()).isNull();
        }
        assertThat(theirLoads).hasValue(0);
        assertThat(store.contains(KEY)).isFalse();
    }

    @Test
    void exceptionReachesTheLoaderAndOneOfTheWaitersLoads() throws Exception {
        Run<byte[]> loader = new Run<>(() -> loads.getOrLoad(store, KEY, key -> {
            slowly(key, VALUE);
            throw new UnsupportedOperationException("as planned");
        }));
        loading.await();
        AtomicInteger theirLoads = new AtomicInteger();
        List<Run<byte[]>> waiters = waiters(5, theirLoads);
        mayLand.countDown();
        assertThatThrownBy(loader::outcome).hasRootCauseMessage("as planned");
        for (Run<byte[]> waiter : waiters) {
            assertThat(waiter.outcome()).isEqualTo(VALUE);
        }
        assertThat(theirLoads).hasValue(1);
    }

    @Test
    void writeInBetweenWins() throws Exception {
        Run<byte[]> loader = flying(VALUE);
        store.put(KEY, OTHER);
        mayLand.countDown();
        assertThat(loader.outcome()).isEqualTo(OTHER);
        assertThat(store.get(KEY)).isEqualTo(OTHER);
    }

    @Test
    void loaderOfItsOwnKeyIsRefused() {
        assertThatIllegalStateException()
                .isThrownBy(() -> loads.getOrLoad(store, KEY, key -> loads.getOrLoad(store, key, same -> VALUE)))
                .withMessageContaining("loader");
        assertThat(loads.getOrLoad(store, KEY, key -> VALUE)).isEqualTo(VALUE);
    }

    @Test
    void loaderMayLoadAnotherKey() {
        assertThat(loads.getOrLoad(store, KEY, key -> loads.getOrLoad(store, OTHER, other -> VALUE)))
                .isEqualTo(VALUE);
        assertThat(store.get(OTHER)).isEqualTo(VALUE);
    }

    @Test
    void loadersOfEachOthersKeysAreRefusedInsteadOfWaitingForever() throws Exception {
        CountDownLatch both = new CountDownLatch(2);
        Callable<byte[]> one = () -> loads.getOrLoad(store, KEY, key -> crossing(both, OTHER));
        Callable<byte[]> two = () -> loads.getOrLoad(store, OTHER, key -> crossing(both, KEY));
        List<Run<byte[]>> runs = List.of(new Run<>(one), new Run<>(two));
        int refused = 0;
        for (Run<byte[]> run : runs) {
            try {
                run.outcome();
            } catch (ExecutionException e) {
                assertThat(e).hasCauseInstanceOf(IllegalStateException.class);
                refused++;
            }
        }
        assertThat(refused).isPositive();
    }

    private byte[] crossing(CountDownLatch both, byte[] next) {
        both.countDown();
        try {
            both.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return loads.getOrLoad(store, next, key -> VALUE);
    }

    @Test
    void interruptedWaiterGivesUpAndStaysInterrupted() throws Exception {
        Run<byte[]> loader = flying(VALUE);
        Run<Boolean> waiter = new Run<>(() -> {
            assertThatThrownBy(() -> loads.getOrLoad(store, KEY, key -> VALUE))
                    .isInstanceOf(LoamException.class)
                    .hasMessageContaining("interrupted");
            return Thread.currentThread().isInterrupted();
        });
        waiter.awaitWaiting();
        waiter.thread.interrupt();
        assertThat(waiter.outcome()).isTrue();
        mayLand.countDown();
        assertThat(loader.outcome()).isEqualTo(VALUE);
    }

    @Test
    void sameKeyOfAnotherNamespaceLoadsOnItsOwn() throws Exception {
        Run<byte[]> loader = flying(VALUE);
        assertThat(loads.getOrLoad(store.namespace("other"), KEY, key -> OTHER)).isEqualTo(OTHER);
        mayLand.countDown();
        assertThat(loader.outcome()).isEqualTo(VALUE);
    }

    @Test
    void loaderThatChangesItsKeyHarmsNothing() {
        byte[] key = KEY.clone();
        loads.getOrLoad(store, key, given -> {
            given[0] = 9;
            return VALUE;
        });
        assertThat(key).isEqualTo(KEY);
        assertThat(store.get(KEY)).isEqualTo(VALUE);
    }
}
