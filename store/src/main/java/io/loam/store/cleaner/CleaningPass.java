package io.loam.store.cleaner;

import io.loam.store.cleaner.CleaningPolicy.Candidate;
import io.loam.store.log.BlockTable;
import io.loam.store.log.SegmentTable;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;

/** The blocks of some segments, handed out one by one to whoever cleans. */
final class CleaningPass {

    final int[] segments;
    private final int[] blocks;
    private final int[] segmentOfBlock;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicIntegerArray left;
    private final AtomicIntegerArray failed;
    final AtomicInteger segmentsLeft;
    /** Entries at least this cold are evicted; 256: none. */
    final int evictFrom;
    /** Whether entries lose their spare room. Set before the pass is published. */
    boolean trims;
    /** Whether a block was done with or at least an entry moved. */
    volatile boolean gained;

    CleaningPass(List<Candidate> chosen, SegmentTable table, BlockTable blockTable, int evictFrom) {
        this.evictFrom = evictFrom;
        segments = chosen.stream().mapToInt(Candidate::segment).toArray();
        int total = 0;
        for (int segment : segments) {
            total += table.blockCount(segment);
        }
        blocks = new int[total];
        segmentOfBlock = new int[total];
        left = new AtomicIntegerArray(segments.length);
        failed = new AtomicIntegerArray(segments.length);
        segmentsLeft = new AtomicInteger(segments.length);
        int at = 0;
        for (int i = 0; i < segments.length; i++) {
            int block = table.firstBlock(segments[i]);
            left.set(i, table.blockCount(segments[i]));
            for (int j = 0; j < table.blockCount(segments[i]); j++) {
                blocks[at] = block;
                segmentOfBlock[at++] = i;
                block = blockTable.next(block);
            }
        }
    }

    /** The next unit of work, or -1. */
    int take() {
        return next.get() >= blocks.length ? -1 : claim();
    }

    private int claim() {
        int unit = next.getAndIncrement();
        return unit < blocks.length ? unit : -1;
    }

    int block(int unit) {
        return blocks[unit];
    }

    /** Records that a unit is done. Returns the index of the segment if it was the last of it, else -1. */
    int done(int unit, boolean ok) {
        int index = segmentOfBlock[unit];
        if (!ok) {
            failed.set(index, 1);
        }
        return left.decrementAndGet(index) == 0 ? index : -1;
    }

    boolean hasFailed(int index) {
        return failed.get(index) != 0;
    }
}
