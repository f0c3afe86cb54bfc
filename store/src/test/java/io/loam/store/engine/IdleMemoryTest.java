package io.loam.store.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.memory.Topology;
import io.loam.store.Store;
import io.loam.store.StoreStats;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a store that is left alone keeps of the memory that most of its entries took. */
class IdleMemoryTest {
    private static final int VALUE_BYTES = 100;
    private static final int BLOCK_BYTES = 64 << 10;
    /** Whole blocks of live entries, and a little more, stay of each ten blocks. */
    private static final int RUN = 2 * BLOCK_BYTES / (VALUE_BYTES + 20);

    private static final long CAPACITY = 128L << 20;

    /** What is left fills its blocks, so no cleaning is due; but there is some of it in each 2 MiB. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void dense_blocks_in_all_groups_are_moved_together_while_they_are_read(int nodes) {
        try (Store store = open(nodes)) {
            int keys = fill(store);
            IntPredicate stays = id -> id / RUN % 10 == 0;
            for (int id = 0; id < keys; id++) {
                if (!stays.test(id)) {
                    assertThat(store.delete(key(id))).isTrue();
                }
            }
            CompletableFuture.runAsync(() -> {
                        for (int round = 0; round < 20 || residentBytes(store) > allowed(store); round++) {
                            check(store, keys, stays);
                        }
                    })
                    .orTimeout(120, TimeUnit.SECONDS)
                    .join();
            check(store, keys, stays);
            assertThat(StoreChecker.check(store)).isEmpty();
        }
    }

    /** The cleaner copies what is left together; only then the groups that it leaves can be given back. */
    @Test
    void what_is_left_of_random_deletes_is_moved_together() throws Exception {
        try (Store store = open(1)) {
            int keys = fill(store);
            IntPredicate stays = id -> (id * 0x9E3779B97F4A7C15L >>> 40) % 10 == 0;
            for (int id = 0; id < keys; id++) {
                if (!stays.test(id)) {
                    assertThat(store.delete(key(id))).isTrue();
                }
            }
            awaitLittleResident(store);
            check(store, keys, stays);
            assertThat(StoreChecker.check(store)).isEmpty();
        }
    }

    /** Moving ends: a store that stays idle copies nothing any more. */
    @Test
    void a_store_at_rest_stops_copying() throws Exception {
        try (Store store = open(1)) {
            int keys = fill(store);
            for (int id = 0; id < keys; id++) {
                if (id / RUN % 10 != 0) {
                    store.delete(key(id));
                }
            }
            awaitLittleResident(store);
            long before;
            long after = store.stats().cleanerCopiedBytes();
            int rounds = 0;
            do {
                before = after;
                Thread.sleep(Duration.ofMillis(500));
                after = store.stats().cleanerCopiedBytes();
            } while (after != before && ++rounds < 60);
            assertThat(after).isEqualTo(before);
        }
    }

    private static Store open(int nodes) {
        return Store.builder()
                .capacityBytes(CAPACITY)
                .blockBytes(BLOCK_BYTES)
                .segmentBytes(BLOCK_BYTES)
                .headsPerNode(1)
                .topology(Topology.simulated(nodes, 1))
                .releaseDelayMillis(10)
                .writeTimeoutMillis(10_000)
                .open();
    }

    private static int fill(Store store) {
        byte[] value = new byte[VALUE_BYTES];
        int keys = (int) (CAPACITY * 7 / 10 / (VALUE_BYTES + 28));
        for (int id = 0; id < keys; id++) {
            value[0] = (byte) id;
            store.put(key(id), value);
        }
        return keys;
    }

    private static byte[] key(int id) {
        return ByteBuffer.allocate(8).putLong(id).array();
    }

    private static void check(Store store, int keys, IntPredicate stays) {
        for (int id = 0; id < keys; id++) {
            if (stays.test(id)) {
                byte[] value = store.get(key(id));
                assertThat(value).as("key %d", id).isNotNull().hasSize(VALUE_BYTES);
                assertThat(value[0]).isEqualTo((byte) id);
            }
        }
    }

    private static long residentBytes(Store store) {
        StoreStats stats = store.stats();
        return stats.logBytes() + stats.indexBytes() + stats.freeBytes() - stats.releasedBytes();
    }

    private static long allowed(Store store) {
        return store.stats().liveUserBytes() * 3 / 2 + (16 << 20);
    }

    private static void awaitLittleResident(Store store) throws InterruptedException {
        long above = residentBytes(store) - allowed(store);
        for (int i = 0; i < 1200 && above > 0; i++) {
            Thread.sleep(Duration.ofMillis(50));
            above = residentBytes(store) - allowed(store);
        }
        assertThat(above).isLessThanOrEqualTo(0);
    }
}
