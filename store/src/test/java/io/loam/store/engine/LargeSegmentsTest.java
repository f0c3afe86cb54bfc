package io.loam.store.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.Store;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Segments that are a large part of the store must not make the cleaner run out of room to copy them to. */
class LargeSegmentsTest {
    private static final int BLOCK_BYTES = 4096;
    private static final byte[] VALUE = new byte[1000];

    /** Whether writers were refused with cleaning still possible: a reserve smaller than a segment, or a look at the log while what had been cleaned was being freed. */
    @ParameterizedTest
    @CsvSource({"16, 512, 0.85, 2", "16, 256, 0.9, 2", "4, 16, 0.95, 8"})
    void overwriting_is_never_refused(int capacityMiB, int segmentBlocks, double live, int writers) {
        try (Store store = open((long) capacityMiB << 20, segmentBlocks)) {
            int keys = fill(store, live);
            long writes = 6 * store.capacityBytes() / VALUE.length;
            List<CompletableFuture<Void>> running = new ArrayList<>();
            for (int writer = 0; writer < writers; writer++) {
                SplittableRandom random = new SplittableRandom(writer);
                running.add(CompletableFuture.runAsync(
                        () -> {
                            for (long i = 0; i < writes / writers; i++) {
                                store.put(key(random.nextInt(keys)), VALUE);
                            }
                        },
                        task -> Thread.ofPlatform().start(task)));
            }
            running.forEach(CompletableFuture::join);
            assertThat(store.stats().refusedWrites()).isZero();
            assertThat(StoreChecker.check(store)).isEmpty();
        }
    }

    /** Lowering the capacity leaves the cleaner its reserve: it reaches what is live, and the store can be overwritten afterwards. */
    @Test
    void capacity_is_lowered_to_what_is_live() {
        try (Store store = open(32 << 20, 256)) {
            int keys = fill(store, 0.9);
            for (int id = 0; id < keys; id += 2) {
                assertThat(store.delete(key(id))).isTrue();
            }
            store.setCapacityBytes(22 << 20);
            assertThat(store.capacityBytes()).isEqualTo(22 << 20);
            for (int round = 0; round < 4; round++) {
                for (int id = 1; id < keys; id += 2) {
                    store.put(key(id), VALUE);
                }
            }
            assertThat(store.stats().refusedWrites()).isZero();
            assertThat(store.size()).isEqualTo(keys / 2);
            assertThat(StoreChecker.check(store)).isEmpty();
        }
    }

    private static Store open(long capacityBytes, int segmentBlocks) {
        return Store.builder()
                .capacityBytes(capacityBytes)
                .blockBytes(BLOCK_BYTES)
                .segmentBytes(segmentBlocks * BLOCK_BYTES)
                .headsPerNode(2)
                .writeTimeoutMillis(20_000)
                .open();
    }

    private static int fill(Store store, double live) {
        int keys = 0;
        while (store.stats().utilisation() < live) {
            for (int i = 0; i < 20; i++) {
                store.put(key(keys++), VALUE);
            }
        }
        return keys;
    }

    private static byte[] key(int id) {
        return ByteBuffer.allocate(8).putLong(id * 0x9E3779B97F4A7C15L).array();
    }
}
