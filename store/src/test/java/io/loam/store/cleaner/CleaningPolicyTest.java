package io.loam.store.cleaner;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.memory.HeapMemory;
import io.loam.memory.RawMemory;
import io.loam.store.cleaner.CleaningPolicy.Candidate;
import io.loam.store.epoch.Epochs;
import io.loam.store.epoch.Reclaimer;
import io.loam.store.log.BlockPool;
import io.loam.store.log.BlockPool.Purpose;
import io.loam.store.log.BlockTable;
import io.loam.store.log.Entries;
import io.loam.store.log.Geometry;
import io.loam.store.log.Log;
import io.loam.store.log.SegmentTable;
import java.lang.foreign.MemorySegment;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which segments are candidates, and what their scores follow. */
class CleaningPolicyTest {

    private static final int BLOCK_BYTES = 4096;
    private static final int UNITS = 16;

    private final Geometry geometry = new Geometry(128 * BLOCK_BYTES, BLOCK_BYTES, 4 * BLOCK_BYTES, 16, 1, 2, 1, false);
    private final RawMemory memory = new HeapMemory(geometry.reservedBytes);
    private final Epochs epochs = new Epochs(memory, 64, geometry.epochOffset, geometry.epochSlots, false);
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
            new Reclaimer(epochs, memory, 144),
            InstantSource.system(),
            128);
    private final CleaningPolicy policy = new CleaningPolicy(geometry, segments, blocks, log, epochs);

    CleaningPolicyTest() {
        pool.format(geometry.maximumBlocks);
        log.format();
        log.setRetires();
    }

    /** Appends entries to a head of its own, of which every other is dead at once. */
    private void fill(int head, int entries) {
        for (int i = 0; i < entries; i++) {
            long location = log.reserve(head, UNITS, 8, Purpose.WRITE);
            if (i % 2 == 0) {
                log.abandon(location, UNITS, 8);
            }
        }
    }

    @Test
    void segmentIsNoCandidateWhileAWriterFromBeforeItsSealingIsPinned() {
        long pin = epochs.pin();
        fill(0, 10);
        log.sealHeads(1);
        assertThat(policy.candidates(0)).isEmpty();
        assertThat(policy.hasLeftOut()).isTrue();
        epochs.unpin(pin);
        assertThat(policy.candidates(0)).hasSize(1);
        assertThat(policy.hasLeftOut()).isFalse();
    }

    @Test
    void newCandidateHasItsScoreAtOnceAndItGrowsWithAgeThoughNothingDies() {
        fill(0, 50);
        log.sealHeads(1);
        List<Candidate> young = policy.candidates(0);
        assertThat(young).hasSize(1);
        assertThat(young.getFirst().score()).isPositive();
        fill(1, 1_000); // blocks opened are the log's time
        Candidate old = policy.candidates(0).stream()
                .filter(candidate -> candidate.segment() == young.getFirst().segment())
                .findFirst()
                .orElseThrow();
        assertThat(old.live()).isEqualTo(young.getFirst().live());
        assertThat(old.score()).isGreaterThan(young.getFirst().score());
    }
}
