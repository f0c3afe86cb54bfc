package io.loam.store.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.memory.HeapMemory;
import io.loam.store.epoch.Reclaimer;
import io.loam.store.log.BlockPool.Purpose;
import org.junit.jupiter.api.Test;

/** A segment of one entry that others retire, free and open anew while somebody who is not pinned looks whether it is dead. */
final class ReusedSegmentTest {

    private static final long UNITS = 5 * PlainLog.BLOCK_BYTES / 8;

    /** Runs an action after the next opaque read of an address. */
    private static final class HeldMemory extends HeapMemory {
        private long address = -1;
        private Runnable action = () -> {};

        HeldMemory(long bytes) {
            super(bytes);
        }

        @Override
        public long getLongOpaque(long address) {
            long word = super.getLongOpaque(address);
            if (address == this.address) {
                this.address = -1;
                action.run();
            }
            return word;
        }
    }

    private final HeldMemory memory = new HeldMemory(PlainLog.GEOMETRY.reservedBytes);
    private final PlainLog plain = new PlainLog(memory);
    private final Log log = plain.log;
    private final SegmentTable segments = plain.segments;
    private final Reclaimer reclaimer = plain.reclaimer;

    private long append() {
        long location = log.reserve(0, UNITS, 8, Purpose.WRITE);
        assertThat(location).isNotEqualTo(Log.NO_SPACE);
        return location;
    }

    private int segment(long location) {
        return plain.blocks.owner(PlainLog.GEOMETRY.blockAt(location));
    }

    @Test
    void theSegmentThatFollowsInItsSlotStays() {
        log.setRetires();
        long location = append();
        int dying = segment(location);
        assertThat(segments.advance(dying, SegmentTable.SEALED, SegmentTable.CLEANING))
                .isTrue();
        log.abandon(location, UNITS, 8);
        assertThat(segments.advance(dying, SegmentTable.CLEANING, SegmentTable.SEALED))
                .isTrue();

        memory.address = PlainLog.GEOMETRY.segmentOffset + (long) SegmentTable.BYTES * dying + 24; // how much is dead
        memory.action = () -> {
            log.retireIfDead(dying);
            assertThat(reclaimer.reclaim()).isTrue();
            for (long other = append(); segment(other) != dying; other = append()) {
                log.abandon(other, UNITS, 8);
                assertThat(reclaimer.reclaim()).isTrue();
            }
        };
        log.retireIfDead(dying);

        assertThat(memory.address).as("others came between").isEqualTo(-1);
        assertThat(segments.state(dying)).isEqualTo(SegmentTable.SEALED);
        assertThat(segments.liveUnits(dying)).isEqualTo(UNITS);
    }

    /** Of the processes that share a log one retires; the others leave what they find dead to it. */
    @Test
    void whoDoesNotRetireLeavesADeadSegmentToWhoDoes() {
        long location = append();
        int dead = segment(location);
        log.abandon(location, UNITS, 8);
        assertThat(segments.state(dead)).isEqualTo(SegmentTable.SEALED);
        assertThat(reclaimer.pending()).isZero();

        log.setRetires();
        log.retireLeft();
        assertThat(segments.state(dead)).isEqualTo(SegmentTable.RETIRED);
        assertThat(reclaimer.reclaim()).isTrue();
        assertThat(segments.state(dead)).isEqualTo(SegmentTable.FREE);
    }
}
