package io.loam.store.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.Store;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Who has the store to himself finds no cleaner at work in it. */
class PausedCleanerTest {
    private static final byte[] VALUE = new byte[1000];

    /** A pass that was being made while the cleaner was told to pause began all the same: what is live was moved while it was counted, or cleared. */
    @Test
    void no_pass_is_under_way_while_the_cleaner_pauses() {
        try (Store store = Store.builder()
                .capacityBytes(4 << 20)
                .blockBytes(4096)
                .segmentBytes(16 * 4096)
                .headsPerNode(2)
                .writeTimeoutMillis(120_000)
                .open()) {
            int keys = 0;
            while (store.stats().utilisation() < 0.9) {
                store.put(key(keys++), VALUE);
            }
            int count = keys;
            AtomicBoolean stop = new AtomicBoolean();
            CompletableFuture<Void> writer = CompletableFuture.runAsync(
                    () -> {
                        SplittableRandom random = new SplittableRandom(1);
                        while (!stop.get()) {
                            store.put(key(random.nextInt(count)), VALUE);
                        }
                    },
                    task -> Thread.ofPlatform().start(task));
            Engine engine = ((LogStore) store).engine;
            AtomicInteger atWork = new AtomicInteger();
            try {
                SplittableRandom random = new SplittableRandom(2);
                int atRest = 0;
                for (int i = 0; i < 10_000; i++) {
                    long until = System.nanoTime() + random.nextInt(200_000); // the cleaner needs time to begin
                    while (System.nanoTime() < until) {
                        Thread.onSpinWait();
                    }
                    boolean ran = engine.exclusively(() -> {
                        if (engine.cleaner.isCleaning()) {
                            atWork.incrementAndGet();
                        }
                    });
                    atRest += ran ? 1 : 0; // not if the writer has no CPU for as long as one waits for it
                }
                assertThat(atRest).isGreaterThan(9_900);
            } finally {
                stop.set(true);
            }
            writer.join();
            assertThat(atWork).hasValue(0);
            assertThat(StoreChecker.check(store)).isEmpty();
        }
    }

    private static byte[] key(int id) {
        return ByteBuffer.allocate(8).putLong(id * 0x9E3779B97F4A7C15L).array();
    }
}
