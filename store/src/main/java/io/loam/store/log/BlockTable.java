package io.loam.store.log;

import io.loam.memory.RawMemory;

/**
 * What each block belongs to.
 *
 * <pre>
 * offset size name    order   meaning
 *      0    4 owner   plain   segment slot, or one of FREE, INDEX
 *      4    4 next    plain   the block that follows in the segment, or -1
 *      8    4 used    plain   units of 8 bytes with entries, set when the block is closed
 *     12    4 first   plain   units that belong to an entry begun in an earlier block
 * </pre>
 *
 * <p>Written by whoever allocates or frees the block, before it is published through a head, a directory or the pool's lock.
 */
public final class BlockTable {

    static final int BYTES = 16;
    public static final int FREE = -1;
    public static final int INDEX = -2;

    private final RawMemory memory;
    private final long table;

    public BlockTable(RawMemory memory, long table) {
        this.memory = memory;
        this.table = table;
    }

    private long at(int block) {
        return table + ((long) block << 4);
    }

    public int owner(int block) {
        return memory.getInt(at(block));
    }

    void setOwner(int block, int owner) {
        memory.putInt(at(block), owner);
    }

    public int next(int block) {
        return memory.getInt(at(block) + 4);
    }

    void setNext(int block, int next) {
        memory.putInt(at(block) + 4, next);
    }

    public int usedUnits(int block) {
        return memory.getInt(at(block) + 8);
    }

    void setUsedUnits(int block, int units) {
        memory.putInt(at(block) + 8, units);
    }

    public int firstUnit(int block) {
        return memory.getInt(at(block) + 12);
    }

    void setFirstUnit(int block, int units) {
        memory.putInt(at(block) + 12, units);
    }

    /**
     * Checks that a walk over the entries of a closed block, whose last ended at {@code position}, came to where they end: there, or where the block's last entry ends in the blocks
     * after it. Not for a segment of one entry.
     *
     * @throws IllegalStateException if not: the walk was out of step with the entries, and what it passed over may be live
     */
    public void checkWalked(int block, long position, int blockUnits) {
        long beyond = position - usedUnits(block);
        int at = block;
        boolean ok = beyond == 0 || (beyond > 0 && usedUnits(block) == blockUnits);
        while (ok && beyond > 0) {
            at = next(at);
            long here = Math.min(beyond, blockUnits);
            ok = at >= 0 && firstUnit(at) == here;
            beyond -= here;
        }
        if (!ok) {
            throw new IllegalStateException("the entries of block " + block + " end at unit " + position
                    + " instead of " + usedUnits(block) + "; the store is damaged");
        }
    }
}
