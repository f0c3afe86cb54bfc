package io.loam.store.cleaner;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.cleaner.CleaningPolicy.Candidate;
import io.loam.store.epoch.Epochs;
import io.loam.store.log.BlockPool.Purpose;
import io.loam.store.log.Log;
import io.loam.store.log.PlainLog;
import io.loam.store.log.SegmentTable;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which segments are candidates, and what their scores follow. */
class CleaningPolicyTest {

    private static final int UNITS = 16;

    private final PlainLog plain = new PlainLog();
    private final Log log = plain.log;
    private final SegmentTable segments = plain.segments;
    private final Epochs epochs = plain.epochs;
    private final CleaningPolicy policy = new CleaningPolicy(PlainLog.GEOMETRY, segments, plain.blocks, log, epochs);

    CleaningPolicyTest() {
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
