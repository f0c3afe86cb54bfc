package io.loam.store.stress;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.Guard;
import io.loam.store.Store;
import io.loam.store.ValueView;
import io.loam.store.sequence.Setup;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Virtual threads may come in any number. */
class VirtualThreadStressTest {
    private static final int KEYS = 2_000;

    @Test
    void hundredThousandVirtualThreadsUseOneStore() throws InterruptedException {
        int threads = Math.max(100_000, Scale.of(100_000));
        try (Store store = Setup.TINY
                .withBlockBytes(16 << 10)
                .withBlocks(1024, 1024)
                .withNodes(0)
                .withWriteTimeoutMillis(100_000)
                .open()) {
            for (long key = 0; key < KEYS; key++) {
                store.put(Stamp.key(key), new Stamp(key, 0, 0, 200, 0).toBytes());
            }
            AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
            AtomicInteger done = new AtomicInteger();
            CountDownLatch finished = new CountDownLatch(threads);
            for (int i = 0; i < threads; i++) {
                int number = i;
                Thread.ofVirtual().start(() -> {
                    try {
                        visit(store, number);
                        done.incrementAndGet();
                    } catch (Throwable e) {
                        failure.compareAndSet(null, e);
                    } finally {
                        finished.countDown();
                    }
                });
            }
            assertThat(finished.await(120, TimeUnit.SECONDS))
                    .as("all end; %d did", done.get())
                    .isTrue();
            Throwable first = failure.get();
            if (first != null) {
                throw new AssertionError(first);
            }
            assertThat(store.stats().oldestGuard()).isNull();
            WholeValuesStressTest.accountsAgree(store);
        }
    }

    private static void visit(Store store, int number) {
        long key = number % KEYS;
        try (Guard guard = store.guard()) {
            ValueView view = Objects.requireNonNull(guard.get(Stamp.key(key)));
            Stamp.check(Reader.bytesOf(view), key);
            Thread.yield();
            Stamp.check(Reader.bytesOf(view), key);
        }
        store.read(Stamp.key(key), view -> {
            Thread.yield();
            return Stamp.check(Reader.bytesOf(view), key);
        });
        store.put(
                Stamp.key(key),
                new Stamp(key, number, 1, 40 + ThreadLocalRandom.current().nextInt(2000), 0).toBytes());
        Stamp.check(Objects.requireNonNull(store.get(Stamp.key(key))), key);
        long own = 1_000_000L + number;
        store.put(Stamp.key(own), new Stamp(own, 1, 1, 64, 0).toBytes());
        Thread.yield();
        Stamp.check(Objects.requireNonNull(store.get(Stamp.key(own)), "own key is gone"), own);
        if (!store.delete(Stamp.key(own))) {
            throw new AssertionError("own key was absent");
        }
    }
}
