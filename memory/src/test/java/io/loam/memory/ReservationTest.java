package io.loam.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

final class ReservationTest {

    private static final long HUGE = 2L << 20;
    private static final RawMemory MEMORY = RawMemory.ofProcess();

    @Test
    void addressIsAlignedAndRangeIsZero() {
        for (long alignment : new long[] {1, 8, 4096, 1 << 16, HUGE, 1L << 30}) {
            try (Reservation reservation = Reservation.reserve(3 * HUGE, alignment)) {
                assertThat(reservation.address() % alignment).isZero();
                assertThat(reservation.bytes()).isEqualTo(3 * HUGE);
                assertThat(MEMORY.getLong(reservation.address())).isZero();
                assertThat(MEMORY.getLong(reservation.address() + 3 * HUGE - 8)).isZero();
                MEMORY.putLong(reservation.address() + 3 * HUGE - 8, 42);
                assertThat(MEMORY.getLong(reservation.address() + 3 * HUGE - 8)).isEqualTo(42);
            }
        }
    }

    @Test
    void lengthIsRoundedUpToWholePages() {
        try (Reservation reservation = Reservation.reserve(1, 1)) {
            assertThat(reservation.bytes()).isEqualTo(Reservation.pageBytes());
        }
    }

    @Test
    void viewShowsTheContentUntilItsArenaIsClosed() {
        try (Reservation reservation = Reservation.reserve(HUGE, HUGE);
                Arena arena = Arena.ofShared()) {
            MEMORY.putLong(reservation.address() + 8, 42);
            MemorySegment view = reservation.view(arena).asSlice(8, 8);
            assertThat(view.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(42);
            assertThat(view.isReadOnly()).isTrue();
            assertThat(reservation.view(arena).byteSize()).isEqualTo(reservation.bytes());
            Arena other = Arena.ofShared();
            MemorySegment ended = reservation.view(other).asSlice(8, 8);
            other.close();
            assertThatThrownBy(() -> ended.get(ValueLayout.JAVA_LONG, 0)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void reservingMoreThanPhysicalMemoryUsesNone() {
        long before = ProcessMemory.rssBytes();
        try (Reservation reservation = Reservation.reserve(1L << 40, HUGE)) {
            assertThat(reservation.bytes()).isEqualTo(1L << 40);
            assertThat(ProcessMemory.rssBytes() - before).isLessThan(64 << 20);
        }
    }

    @Test
    void absurdSizeIsRefusedWithItsReason() {
        for (long bytes : new long[] {1L << 60, Long.MAX_VALUE}) {
            assertThatThrownBy(() -> Reservation.reserve(bytes, HUGE))
                    .isInstanceOf(MemoryException.class)
                    .hasMessageContaining("mmap of " + bytes + " bytes")
                    .hasMessageContaining("ENOMEM (12, out of memory")
                    .extracting(e -> ((MemoryException) e).errno())
                    .isEqualTo(12);
        }
    }

    @Test
    void impossibleArgumentsAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> Reservation.reserve(0, HUGE));
        assertThatIllegalArgumentException().isThrownBy(() -> Reservation.reserve(-1, HUGE));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Reservation.reserve(4096, 3))
                .withMessageContaining("3 given");
        assertThatIllegalArgumentException().isThrownBy(() -> Reservation.reserve(4096, Long.MIN_VALUE));
    }

    @Test
    void rangesOutsideOrAcrossPagesAreRefused() {
        try (Reservation reservation = Reservation.reserve(HUGE, HUGE)) {
            long page = Reservation.pageBytes();
            assertThatIllegalArgumentException().isThrownBy(() -> reservation.release(-page, page));
            assertThatIllegalArgumentException().isThrownBy(() -> reservation.release(0, -page));
            assertThatIllegalArgumentException().isThrownBy(() -> reservation.release(HUGE, page));
            assertThatIllegalArgumentException().isThrownBy(() -> reservation.release(page, Long.MAX_VALUE & -page));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> reservation.populate(1, page))
                    .withMessageContaining("whole pages");
            assertThatIllegalArgumentException().isThrownBy(() -> reservation.collapse(0, 1));
            assertThatIllegalArgumentException().isThrownBy(() -> reservation.bindToNode(0, page, -1));
            reservation.release(HUGE, 0);
        }
    }

    @Test
    void releasedRangeReadsZero() {
        try (Reservation reservation = Reservation.reserve(2 * HUGE, HUGE)) {
            reservation.adviseHugePages(0, 2 * HUGE, true);
            MEMORY.fill(reservation.address(), 2 * HUGE, (byte) 7);
            reservation.release(HUGE, HUGE);
            assertThat(MEMORY.getByte(reservation.address() + HUGE - 1)).isEqualTo((byte) 7);
            for (long offset = HUGE; offset < 2 * HUGE; offset += 8) {
                assertThat(MEMORY.getLong(reservation.address() + offset)).isZero();
            }
            MEMORY.putLong(reservation.address() + HUGE, 9);
            assertThat(MEMORY.getLong(reservation.address() + HUGE)).isEqualTo(9);
        }
    }

    @Test
    void residentMemoryFollowsPopulateAndRelease() {
        long bytes = 256L << 20;
        try (Reservation reservation = Reservation.reserve(bytes, HUGE)) {
            long before = ProcessMemory.rssBytes();
            reservation.populate(0, bytes);
            assertThat(ProcessMemory.rssBytes() - before).isBetween(bytes - (32 << 20), bytes + (96 << 20));
            assertThat(ProcessMemory.peakRssBytes()).isGreaterThan(bytes);
            long full = ProcessMemory.rssBytes();
            reservation.release(0, bytes);
            assertThat(full - ProcessMemory.rssBytes()).isGreaterThan(bytes - (96 << 20));
        }
    }

    @Test
    void populatingMoreThanTheMachineHasIsRefusedAndTakesNothing() {
        long bytes = ProcessMemory.physicalBytes() + (1L << 30) & -HUGE;
        try (Reservation reservation = Reservation.reserve(bytes, HUGE)) {
            long before = ProcessMemory.rssBytes();
            assertThatThrownBy(() -> reservation.populate(0, bytes))
                    .isInstanceOf(MemoryException.class)
                    .hasMessageContaining("populating " + bytes + " bytes")
                    .hasMessageContaining("ENOMEM")
                    .hasMessageContaining("the machine has");
            assertThat(ProcessMemory.rssBytes() - before).isLessThan(64 << 20);
        }
    }

    @Test
    void populateKeepsContent() {
        try (Reservation reservation = Reservation.reserve(HUGE, HUGE)) {
            MEMORY.putLong(reservation.address() + 4096, 11);
            reservation.populate(0, HUGE);
            assertThat(MEMORY.getLong(reservation.address() + 4096)).isEqualTo(11);
        }
    }

    @Test
    void adviceAndBindingKeepContent() {
        try (Reservation reservation = Reservation.reserve(2 * HUGE, HUGE)) {
            MEMORY.fill(reservation.address(), 2 * HUGE, (byte) 5);
            reservation.adviseHugePages(0, 2 * HUGE, true);
            reservation.collapse(0, 2 * HUGE);
            reservation.adviseHugePages(0, 2 * HUGE, false);
            reservation.bindToNode(0, 2 * HUGE, 0);
            reservation.bindToNode(0, 2 * HUGE, 1000);
            for (long offset = 0; offset < 2 * HUGE; offset += 512) {
                assertThat(MEMORY.getByte(reservation.address() + offset)).isEqualTo((byte) 5);
            }
        }
    }

    @Test
    void discardedReservationStaysReadableAndIsAllZero() {
        try (Reservation reservation = Reservation.reserve(HUGE, HUGE)) {
            MEMORY.fill(reservation.address(), HUGE, (byte) 7);
            reservation.discard();
            reservation.protectReadOnly();
            for (long offset = 0; offset < HUGE; offset += 8) {
                assertThat(MEMORY.getLong(reservation.address() + offset)).isZero();
            }
        }
    }

    @Test
    void closedReservationRefusesEveryCall() {
        Reservation reservation = Reservation.reserve(HUGE, HUGE);
        reservation.close();
        reservation.close();
        assertThatThrownBy(() -> reservation.release(0, HUGE))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        assertThatThrownBy(() -> reservation.populate(0, HUGE)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> reservation.collapse(0, HUGE)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> reservation.bindToNode(0, HUGE, 0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> reservation.adviseHugePages(0, HUGE, true)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(reservation::discard).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(reservation::protectReadOnly).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void closeRacingWithReleaseNeverTouchesForeignMemory() throws InterruptedException {
        for (int round = 0; round < 50; round++) {
            Reservation reservation = Reservation.reserve(HUGE, HUGE);
            AtomicReference<Throwable> end = new AtomicReference<>();
            Thread releaser = Thread.ofPlatform().start(() -> {
                try {
                    while (true) {
                        reservation.release(0, HUGE);
                    }
                } catch (Throwable t) {
                    end.set(t);
                }
            });
            reservation.populate(0, HUGE);
            reservation.close();
            try (Reservation next = Reservation.reserve(HUGE, HUGE)) {
                MEMORY.fill(next.address(), HUGE, (byte) 3);
                releaser.join();
                assertThat(MEMORY.getByte(next.address())).isEqualTo((byte) 3);
            }
            assertThat(end.get()).isInstanceOf(IllegalStateException.class);
        }
    }
}
