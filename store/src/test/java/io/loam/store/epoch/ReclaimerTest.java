package io.loam.store.epoch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.memory.HeapMemory;
import io.loam.memory.RawMemory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReclaimerTest {

    private static final int SLOTS = 4;

    private final RawMemory memory = new HeapMemory(64 + SLOTS * Epochs.SLOT_BYTES);
    private final Epochs epochs = new Epochs(memory, 0, 64, SLOTS, false);
    private final Reclaimer reclaimer = new Reclaimer(epochs, memory, 8);

    @Test
    void whatWasRetiredIsFreedOnceThoseWhoMaySeeItAreGone() {
        List<String> freed = new ArrayList<>();
        long pin = epochs.pin();
        reclaimer.retire(() -> freed.add("block"));

        assertThat(reclaimer.reclaim()).isFalse();
        epochs.unpin(pin);
        assertThat(reclaimer.reclaim()).isTrue();
        assertThat(freed).containsExactly("block");
        assertThat(reclaimer.pending()).isZero();
    }

    /** Forbidden: memory lost for ever, or counted as about to be free, because what came before it could not be freed. */
    @Test
    void failureOfOneDoesNotKeepTheOthersFromBeingFreed() {
        List<String> freed = new ArrayList<>();
        reclaimer.retire(() -> freed.add("first"));
        reclaimer.retire(() -> {
            throw new IllegalStateException("not freed");
        });
        reclaimer.retire(() -> freed.add("last"));

        assertThatThrownBy(reclaimer::reclaim).hasMessage("not freed");
        assertThat(freed).containsExactly("first", "last");
        assertThat(reclaimer.pending()).isZero();
    }
}
