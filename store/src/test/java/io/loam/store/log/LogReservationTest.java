package io.loam.store.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.store.log.BlockPool.Purpose;
import org.junit.jupiter.api.Test;

/** Reservations follow each other without a gap and without an overlap. */
final class LogReservationTest {

    private final Log log = new PlainLog().log;

    /** Forbidden: an overhead below 0 takes a unit from the head's position, so that the next entry lies over the end of this one. */
    @Test
    void overheadBeyondTheEntryIsRefused() {
        long first = log.reserve(0, 10, 16, Purpose.WRITE);
        for (long overhead : new long[] {-390, -1, 81}) {
            assertThatThrownBy(() -> log.reserve(0, 10, overhead, Purpose.WRITE))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> log.reserveInOpenBlock(10, overhead)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(log.reserve(0, 5, 40, Purpose.WRITE)).isEqualTo(first + 80);
    }
}
