package io.loam.store.index;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * A resizing under way, in pieces that any thread may claim: first each block of the successors is zeroed, then, once they are linked, the homes of the sources
 * are moved. Source and sibling, lower and upper are addresses of descriptors; 0: none.
 *
 * <p>Inserts into its subtables keep to a schedule: the more pieces have been claimed, the more keys there may be. Who is ahead of it helps by a piece. The last key that the
 * schedule allows leaves half of the successors' room, for the pieces of threads that have lost their CPU.
 */
final class Resize {

    /** Homes in a piece: some 40 microseconds of work. */
    private static final int HOMES = 32;

    /** A block to zero counts as so many pieces of homes, for its first use may cost a page fault. */
    private static final int BLOCK_WEIGHT = 8;

    static final int NONE = -1;

    final long source;
    final long sibling;
    final long lower;
    final long upper;
    private final int[] blocks;
    private final int sourceHomes;
    private final int siblingHomes;
    private final int sourcePieces;
    private final int pieces;
    private final long firstKeys;
    private final long mostKeys;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger zeroed = new AtomicInteger();
    private final AtomicInteger moved = new AtomicInteger();
    private volatile boolean linked;

    /**
     * @param blocks those of the successors
     * @param firstKeys how many keys there are
     * @param mostKeys how many there may be when all have been moved
     */
    Resize(
            long source,
            long sibling,
            long lower,
            long upper,
            int[] blocks,
            int sourceHomes,
            int siblingHomes,
            long firstKeys,
            long mostKeys) {
        this.source = source;
        this.sibling = sibling;
        this.lower = lower;
        this.upper = upper;
        this.blocks = blocks;
        this.sourceHomes = sourceHomes;
        this.siblingHomes = siblingHomes;
        this.sourcePieces = piecesOf(sourceHomes);
        this.pieces = blocks.length + sourcePieces + piecesOf(siblingHomes);
        this.firstKeys = firstKeys;
        this.mostKeys = mostKeys;
    }

    /** The same one, begun and linked by another process that is gone: what is left is to move homes. */
    static Resize goOn(
            long source, long sibling, long lower, long upper, int sourceHomes, int siblingHomes, long mostKeys) {
        Resize resize =
                new Resize(source, sibling, lower, upper, new int[0], sourceHomes, siblingHomes, mostKeys, mostKeys);
        resize.setLinked();
        return resize;
    }

    private static int piecesOf(int homes) {
        return (homes + HOMES - 1) / HOMES;
    }

    boolean concerns(long descriptor) {
        return descriptor == lower || descriptor == source || descriptor == upper || descriptor == sibling;
    }

    /** A piece that is the caller's now, or {@link #NONE}: all have been claimed, or a block is still being zeroed. */
    int claim() {
        while (true) {
            int piece = next.get();
            if (piece == pieces || (piece >= blocks.length && !linked)) {
                return NONE;
            }
            if (next.compareAndSet(piece, piece + 1)) {
                return piece;
            }
        }
    }

    /** Whether the piece is a block to be zeroed. */
    boolean isBlock(int piece) {
        return piece < blocks.length;
    }

    int block(int piece) {
        return blocks[piece];
    }

    long table(int piece) {
        return piece - blocks.length < sourcePieces ? source : sibling;
    }

    int firstHome(int piece) {
        int number = piece - blocks.length;
        return HOMES * (number < sourcePieces ? number : number - sourcePieces);
    }

    /** The home after the last of a piece. */
    int endHome(int piece) {
        return Math.min(firstHome(piece) + HOMES, table(piece) == source ? sourceHomes : siblingHomes);
    }

    /** A piece of zeroing is done; whether it was the last, after which the caller links the successors. */
    boolean blockDone() {
        return zeroed.incrementAndGet() == blocks.length;
    }

    /** A piece of homes is done; whether it was the last, after which the caller publishes the successors. */
    boolean homesDone() {
        return moved.incrementAndGet() == pieces - blocks.length;
    }

    /** The successors can be reached from the sources: homes may be moved from now on. */
    void setLinked() {
        linked = true;
    }

    boolean isLinked() {
        return linked;
    }

    /** So many keys the subtables may have together now. */
    long allowedKeys() {
        int claimed = next.get();
        if (claimed == pieces) {
            return mostKeys;
        }
        long weight = claimed + (BLOCK_WEIGHT - 1L) * Math.min(claimed, blocks.length);
        long whole = pieces + (BLOCK_WEIGHT - 1L) * blocks.length;
        return firstKeys + (mostKeys - firstKeys) * weight / (2 * whole);
    }
}
