package io.loam.store.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.memory.HeapMemory;
import io.loam.store.epoch.Epochs;
import io.loam.store.epoch.Reclaimer;
import io.loam.store.log.BlockPool.Purpose;
import java.lang.foreign.MemorySegment;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;

/** A segment of one entry that others retire, free and open anew while somebody who is not pinned looks whether it is dead. */
final class ReusedSegmentTest {

    private static final int BLOCK_BYTES = 4096;
    private static final long UNITS = 5 * BLOCK_BYTES / 8;

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

    private final Geometry geometry = new Geometry(128 * BLOCK_BYTES, BLOCK_BYTES, 4 * BLOCK_BYTES, 16, 1, 2, 1, false);
    private final HeldMemory memory = new HeldMemory(geometry.reservedBytes);
    private final Epochs epochs = new Epochs(memory, 64, geometry.epochOffset, geometry.epochSlots, false);
    private final Reclaimer reclaimer = new Reclaimer(epochs, memory, 144);
    private final BlockTable blocks = new BlockTable(memory, geometry.blockTableOffset);
    private final SegmentTable segments = new SegmentTable(memory, geometry.segmentOffset, geometry.segmentSlots);
    private final BlockPool pool = new BlockPool(memory, geometry, blocks, geometry.poolOffset, 1);
    private final Log log = new Log(
            memory,
            0,
            geometry,
            blocks,
            pool,
            segments,
            new Entries(memory, 0, geometry, blocks, MemorySegment.NULL),
            epochs,
            reclaimer,
            InstantSource.system(),
            128);

    private long append() {
        long location = log.reserve(0, UNITS, 8, Purpose.WRITE);
        assertThat(location).isNotEqualTo(Log.NO_SPACE);
        return location;
    }

    private int segment(long location) {
        return blocks.owner(geometry.blockAt(location));
    }

    @Test
    void theSegmentThatFollowsInItsSlotStays() {
        pool.format(geometry.maximumBlocks);
        log.format();
        log.setRetires();
        long location = append();
        int dying = segment(location);
        assertThat(segments.advance(dying, SegmentTable.SEALED, SegmentTable.CLEANING))
                .isTrue();
        log.abandon(location, UNITS, 8);
        assertThat(segments.advance(dying, SegmentTable.CLEANING, SegmentTable.SEALED))
                .isTrue();

        memory.address = geometry.segmentOffset + (long) SegmentTable.BYTES * dying + 24; // how much is dead
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
        pool.format(geometry.maximumBlocks);
        log.format();
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
