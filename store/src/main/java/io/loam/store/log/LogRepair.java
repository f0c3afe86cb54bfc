package io.loam.store.log;

import java.util.BitSet;
import java.util.Set;

/**
 * Puts the log in order after processes died, while nobody writes. It costs by what they were appending to, and a look at the tables of segments and blocks; not by what the store holds.
 *
 * <p>A segment that is open and that nobody appends to any more becomes sealed. The blocks of its chain hold entries and fillers without a gap, for a filler of a reservation's size lies in
 * its place before the head is moved past it, a block is in the chain before the head is, and how much of a block is used is said before the head leaves it. What is reserved and was never
 * published is dead, but counts as live: the segment is doubtful, and cleaned when there is time. Blocks that say a segment owns them and are not in its chain become free.
 *
 * <p>All of it can be done again from the beginning.
 */
public final class LogRepair {

    private final Geometry geometry;
    private final BlockTable blocks;
    private final BlockPool pool;
    private final SegmentTable segments;
    private final Entries entries;
    private final Log log;

    public LogRepair(
            Geometry geometry, BlockTable blocks, BlockPool pool, SegmentTable segments, Entries entries, Log log) {
        this.geometry = geometry;
        this.blocks = blocks;
        this.pool = pool;
        this.segments = segments;
        this.entries = entries;
        this.log = log;
    }

    /**
     * Does it all.
     *
     * @param dead numbers of the dead processes
     * @param ledToo whether the one that cleaned is among them
     * @param meanwhile is run again and again while the pool's lock is waited for
     */
    public void run(Set<Integer> dead, boolean ledToo, Runnable meanwhile) {
        BitSet open = log.closeHeadsOf(dead, ledToo);
        BitSet chained = new BitSet();
        for (int segment = 0; segment < segments.slots(); segment++) {
            int state = segments.state(segment);
            if (state == SegmentTable.HEAD && !open.get(segment)) {
                close(segment);
            } else if (state == SegmentTable.CLEANING && ledToo) {
                segments.setDoubtful(segment); // what was moved of a block is counted when all of it has been
            }
            if (segments.state(segment) != SegmentTable.FREE) {
                chain(segment, chained);
            }
        }
        pool.freeUnowned(block -> blocks.owner(block) == BlockTable.INDEX || chained.get(block), meanwhile);
    }

    /** An entry of which a dead process was about to say that it is dead: then its segment counts too much as live. */
    public void doubt(long location) {
        int segment = segmentOf(location);
        if (segment >= 0 && !segments.isOversized(segment)) {
            segments.setDoubtful(segment);
        }
    }

    /** The location of the one entry of the segment that {@code location} is in, or -1 if it has more. */
    public long oversizedAt(long location) {
        int segment = segmentOf(location);
        return segment >= 0
                        && segments.isOversized(segment)
                        && segments.state(segment) != SegmentTable.FREE
                        && isOwn(segments.firstBlock(segment), segment)
                ? geometry.blockOffset(segments.firstBlock(segment))
                : -1;
    }

    /** Nothing points to the one entry of the segment. */
    public void bury(long location) {
        segments.setDead(segmentOf(location));
    }

    /** -1: none. */
    private int segmentOf(long location) {
        return location < geometry.dataOffset || geometry.blockAt(location) >= geometry.maximumBlocks
                ? -1
                : blocks.owner(geometry.blockAt(location));
    }

    private void close(int segment) {
        segments.setDoubtful(segment);
        if (segments.isOversized(segment)) {
            segments.setState(segment, SegmentTable.RETIRED); // never published; freed as what is retired
            return;
        }
        int count = 0;
        long units = 0;
        long overhead = 0;
        for (int block = segments.firstBlock(segment); isOwn(block, segment); block = blocks.next(block)) {
            count++;
            long used = blocks.usedUnits(block);
            long position = blocks.firstUnit(block);
            while (position < used) {
                long location = geometry.blockOffset(block) + (position << 3);
                long header = entries.headerAcquire(location);
                long size = entries.units(location, header);
                if (size <= 0) {
                    throw new IllegalStateException("segment " + segment + ", block " + block + ", unit " + position
                            + ": no entry; the store is damaged");
                }
                units += size;
                overhead += entries.isFiller(header) ? 0 : entries.overhead(location, header);
                position += size;
            }
            blocks.checkWalked(block, position, geometry.blockUnits);
        }
        if (count == 0) {
            segments.setState(segment, SegmentTable.FREE);
            return;
        }
        segments.setBlockCount(segment, count);
        segments.setAppended(segment, units, overhead);
        log.seal(segment);
    }

    private void chain(int segment, BitSet chained) {
        int block = segments.firstBlock(segment);
        for (int i = 0; i < segments.blockCount(segment) && isOwn(block, segment); i++) {
            chained.set(block);
            block = blocks.next(block);
        }
    }

    private boolean isOwn(int block, int segment) {
        return block >= 0 && block < geometry.maximumBlocks && blocks.owner(block) == segment;
    }
}
