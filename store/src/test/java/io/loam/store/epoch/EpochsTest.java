package io.loam.store.epoch;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.memory.HeapMemory;
import org.junit.jupiter.api.Test;

class EpochsTest {

    private static final int SLOTS = 4;

    private final Epochs epochs = new Epochs(new HeapMemory(64 + SLOTS * Epochs.SLOT_BYTES), 0, 64, SLOTS, false);

    /**
     * A segment that is sealed after the look may have been written to by a thread that pinned after it: taken for safe, it would be cleaned before that thread has published its entry.
     */
    @Test
    void lookThatFoundNobodyPinnedSaysNothingOfTagsTakenLater() {
        long oldest = epochs.oldestPin();
        long pin = epochs.pin();
        long tag = epochs.retireTag();

        assertThat(tag).isGreaterThanOrEqualTo(oldest);
        assertThat(epochs.isSafe(tag)).isFalse();
        epochs.unpin(pin);
        assertThat(epochs.isSafe(tag)).isTrue();
    }

    @Test
    void whatIsKnownToBeSafeStaysSafeUnderLaterPins() {
        long tag = epochs.retireTag();
        assertThat(epochs.isSafe(tag)).isTrue();

        long pin = epochs.pin();
        assertThat(epochs.isSafe(tag)).isTrue();
        epochs.unpin(pin);
    }
}
