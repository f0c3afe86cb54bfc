package io.loam.store.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.Store;
import io.loam.store.UpdatePolicy;
import io.loam.store.sequence.Setup;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** What cleaning does with the room that a smaller value left in an entry. */
class SpareRoomTest {
    private static final int KEYS = 400;

    private static final Setup SETUP =
            Setup.TINY.with(UpdatePolicy.IN_PLACE).withBlockBytes(8 << 10).withBlocks(256, 256);

    private static byte[] key(int id) {
        return ByteBuffer.allocate(8).putLong(id).array();
    }

    private static void putAll(Store store, int from, int to, int valueBytes) {
        for (int id = from; id < to; id++) {
            store.put(key(id), new byte[valueBytes]);
        }
    }

    /** Every other key is deleted, so that cleaning has something to gain. */
    private static void thinOut(Store store, int keys) {
        for (int id = 1; id < keys; id += 2) {
            assertThat(store.delete(key(id))).isTrue();
        }
        store.clean();
    }

    @Test
    void staysWhileThereIsMemory() {
        try (Store store = SETUP.open()) {
            putAll(store, 0, KEYS, 120);
            putAll(store, 0, KEYS, 80);
            long copied = store.stats().cleanerCopiedBytes();
            thinOut(store, KEYS);
            assertThat(store.stats().cleanerCopiedBytes()).isGreaterThan(copied);
            long appended = store.stats().appendedBytes();
            for (int id = 0; id < KEYS; id += 2) {
                store.put(key(id), new byte[120]);
            }
            assertThat(store.stats().appendedBytes()).isEqualTo(appended);
            assertThat(StoreChecker.check(store)).isEmpty();
        }
    }

    @Test
    void goesWhenItIsMostOfTheEntry() {
        try (Store store = SETUP.open()) {
            putAll(store, 0, KEYS, 200);
            putAll(store, 0, KEYS, 8);
            thinOut(store, KEYS);
            assertThat(store.stats().liveLogBytes()).isLessThan(KEYS / 2 * 80L);
            assertThat(StoreChecker.check(store)).isEmpty();
        }
    }
}
