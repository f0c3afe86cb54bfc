package io.loam.store.cleaner;

import io.loam.store.epoch.Epochs;
import io.loam.store.log.BlockTable;
import io.loam.store.log.Geometry;
import io.loam.store.log.Log;
import io.loam.store.log.SegmentTable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/** Chooses the segments of a pass. */
final class CleaningPolicy {

    /**
     * A sealed segment that nothing can be added to any more.
     *
     * @param live units that must be copied
     * @param score the greater the better to clean
     */
    record Candidate(int segment, int blocks, long live, long created, double score) {}

    private final Geometry geometry;
    private final SegmentTable segments;
    private final BlockTable blocks;
    private final Log log;
    private final Epochs epochs;

    CleaningPolicy(Geometry geometry, SegmentTable segments, BlockTable blocks, Log log, Epochs epochs) {
        this.geometry = geometry;
        this.segments = segments;
        this.blocks = blocks;
        this.log = log;
        this.epochs = epochs;
    }

    /** Whether the last {@link #candidates} left out a segment that will be one, or whose blocks will be free. */
    private volatile boolean leftOut;

    boolean hasLeftOut() {
        return leftOut;
    }

    /**
     * How good it is to clean a segment now rather than later. Cleaning costs (1 − e) / e for each unit gained, with e the empty share; that falls as entries die, at a rate of
     * (1 − e) / e² · h, with h the rate at which one entry dies. Those go first whose cost falls the slowest (Lomet and Luo's minimum declining cost). h is what the segment
     * itself showed: −ln(1 − e) / lived. When all entries die at one rate the emptiest goes first; a hot one is given time.
     */
    static double score(double live, double lived) {
        double empty = 1 - live;
        return empty <= 0 ? 0 : empty * empty * lived / (live * -Math.log(live));
    }

    /** Segments of one entry each, which are never copied but may be evicted, oldest first. */
    List<Candidate> oversized(int most) {
        List<Candidate> found = new ArrayList<>();
        long oldestPin = epochs.oldestPin();
        for (int segment = 0; segment < segments.slots(); segment++) {
            if (segments.state(segment) == SegmentTable.SEALED
                    && segments.isOversized(segment)
                    && segments.sealTag(segment) < oldestPin) {
                found.add(new Candidate(segment, segments.blockCount(segment), 0, segments.created(segment), 0));
            }
        }
        found.sort(Comparator.comparingLong(Candidate::created));
        return found.subList(0, Math.min(most, found.size()));
    }

    List<Candidate> candidates(long nowMillis) {
        List<Candidate> found = new ArrayList<>();
        long oldestPin = epochs.oldestPin();
        long now = log.now();
        boolean excluded = false;
        for (int segment = 0; segment < segments.slots(); segment++) {
            int state = segments.state(segment);
            if (state == SegmentTable.CLEANING || state == SegmentTable.RETIRED) {
                excluded = true;
            }
            if (state != SegmentTable.SEALED || segments.isOversized(segment)) {
                continue;
            }
            if (segments.sealTag(segment) >= oldestPin) {
                excluded = true; // pinned threads may still publish into it
                continue;
            }
            int blocks = segments.blockCount(segment);
            long live = Math.max(0, segments.liveUnits(segment) - segments.expiredUnits(segment, nowMillis));
            double share = Math.min(1, (double) live / ((long) blocks * geometry.blockUnits));
            long lived = Math.max(1, segments.lived(segment, now));
            found.add(new Candidate(
                    segment,
                    blocks,
                    live,
                    segments.created(segment),
                    live == 0 ? Double.MAX_VALUE : score(share, lived)));
        }
        leftOut = excluded;
        return found;
    }

    /**
     * The best candidates whose live units fit into {@code freeBlocks}, at most {@code mostLive} units of them, from old to young; empty if they would not gain a block.
     */
    List<Candidate> choose(List<Candidate> candidates, long freeBlocks, long mostLive) {
        List<Candidate> sorted = new ArrayList<>(candidates);
        sorted.sort(Comparator.comparingDouble(Candidate::score).reversed());
        List<Candidate> chosen = gaining(sorted, freeBlocks, mostLive);
        if (chosen.isEmpty()) {
            // age can prefer old full segments over young empty ones; when that gains nothing, take the emptiest
            sorted.sort(Comparator.comparingDouble(candidate -> (double) candidate.live() / candidate.blocks()));
            chosen = gaining(sorted, freeBlocks, Long.MAX_VALUE);
        }
        chosen.sort(Comparator.comparingLong(Candidate::created));
        return chosen;
    }

    /** The candidates with the most blocks that {@code leave} names, any at all, whose live units fit into {@code freeBlocks}, at most {@code mostLive} of them. */
    List<Candidate> mostlyIn(IntPredicate leave, long freeBlocks, long mostLive, long nowMillis) {
        int[] leaving = new int[segments.slots()];
        for (int block = 0; block < geometry.maximumBlocks; block++) {
            int owner = blocks.owner(block);
            if (owner >= 0 && leave.test(block)) {
                leaving[owner]++;
            }
        }
        List<Candidate> sorted = new ArrayList<>(candidates(nowMillis));
        sorted.removeIf(candidate -> leaving[candidate.segment()] == 0);
        sorted.sort(Comparator.comparingInt(candidate -> -leaving[candidate.segment()]));
        List<Candidate> chosen = new ArrayList<>();
        long live = 0;
        for (Candidate candidate : sorted) {
            if (blocksFor(live + candidate.live()) <= freeBlocks && live + candidate.live() <= mostLive) {
                chosen.add(candidate);
                live += candidate.live();
            }
        }
        chosen.sort(Comparator.comparingLong(Candidate::created));
        return chosen;
    }

    /** Sealed segments whose counts are doubtful, as many as fit into {@code freeBlocks}, at most {@code mostLive} units: when they have been cleaned, all is counted right. */
    List<Candidate> doubtful(long freeBlocks, long mostLive, long nowMillis) {
        if (!hasDoubtful()) {
            return List.of();
        }
        List<Candidate> chosen = new ArrayList<>();
        long live = 0;
        for (Candidate candidate : candidates(nowMillis)) {
            if (isDoubtful(candidate.segment())
                    && blocksFor(live + candidate.live()) <= freeBlocks
                    && (live == 0 || live + candidate.live() <= mostLive)) {
                chosen.add(candidate);
                live += candidate.live();
            }
        }
        return chosen;
    }

    boolean hasDoubtful() {
        return IntStream.range(0, segments.slots()).anyMatch(this::isDoubtful);
    }

    private boolean isDoubtful(int segment) {
        return segments.state(segment) == SegmentTable.SEALED && segments.isDoubtful(segment);
    }

    /** The candidate with the least to copy, alone; empty if that is more than {@code mostLive}. */
    static List<Candidate> emptiest(List<Candidate> candidates, long mostLive) {
        return candidates.stream()
                .min(Comparator.comparingLong(Candidate::live))
                .filter(candidate -> candidate.live() <= mostLive)
                .stream()
                .toList();
    }

    private List<Candidate> gaining(List<Candidate> sorted, long freeBlocks, long mostLive) {
        List<Candidate> chosen = new ArrayList<>();
        long live = 0;
        long blocks = 0;
        for (Candidate candidate : sorted) {
            if (candidate.live() > 0 && blocksFor(live + candidate.live()) > freeBlocks) {
                continue;
            }
            if (live > 0 && live + candidate.live() > mostLive) {
                break;
            }
            chosen.add(candidate);
            live += candidate.live();
            blocks += candidate.blocks();
            if (mostLive == Long.MAX_VALUE && blocks - blocksFor(live) >= 2) {
                break;
            }
        }
        return blocks - blocksFor(live) >= 1 ? chosen : new ArrayList<>();
    }

    /** Blocks that so many units take in survivors, with what small entries leave unused at block ends. */
    long blocksFor(long live) {
        long unused = geometry.smallEntryBytes / 16;
        return live == 0 ? 0 : (live + geometry.blockUnits - 1) / (geometry.blockUnits - unused);
    }
}
