package io.loam.store.log;

import io.loam.memory.RawMemory;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Free blocks, by groups of 2 MiB, and the budget.
 *
 * <p>A block is taken from a group that is partly used if there is one, then from a free group whose memory is committed, then from one that the
 * kernel has not given yet or got back. So free groups stay whole and can be given back, and no more memory is touched than was in use at
 * the peak.
 *
 * <pre>
 * offset size name      order   meaning
 *      0    8 lock      CAS     guards all that follows
 *      8    8 free      opaque  blocks that may still be taken: budget minus blocks in use
 *     16    8 used      opaque  blocks in use
 *     24    8 hint      plain   group of the last allocation
 *     64   16 per group         free mask words of up to 64 blocks are kept as {mask, since}: bit set = free; since = when the group became free, nanos; 0 = not committed
 * </pre>
 *
 * <p>With several NUMA nodes each owns an equal run of groups; a node's caller prefers its own.
 */
public final class BlockPool {

    /** Who asks: decides how much must stay behind. */
    public enum Purpose {
        WRITE,
        /** A writer whose turn it is after waiting. */
        WRITE_IN_TURN,
        INDEX,
        CLEAN
    }

    private static final int FREE = 8;
    private static final int USED = 16;
    private static final int GROUPS = 64;
    /** A group has at most 512 blocks (of 4 KiB): 8 mask words and its since word, padded to 16 words. */
    private static final int MAX_MASK_WORDS = 8;

    private final RawMemory memory;
    private final Geometry geometry;
    private final BlockTable blocks;
    private final long base;
    private final int groups;
    private final int maskWords;
    private final int groupBytes;
    private final int nodes;
    private final AtomicInteger claimed = new AtomicInteger();
    private volatile int reserveBlocks;
    private volatile int indexReserveBlocks;
    private volatile int budgetBlocks;
    private final int[] partial;
    private final int[] hints;

    static long bytes(int groups, int groupBlocks) {
        return GROUPS + (long) groups * groupBytes(maskWords(groupBlocks));
    }

    private static int maskWords(int groupBlocks) {
        return Math.max(1, Math.min(MAX_MASK_WORDS, groupBlocks / 64));
    }

    private static int groupBytes(int maskWords) {
        return 8 * (maskWords + 2);
    }

    /**
     * @param budgetBlocks blocks that may be in use at a time
     */
    public BlockPool(RawMemory memory, Geometry geometry, BlockTable blocks, long base, int budgetBlocks) {
        this.memory = memory;
        this.geometry = geometry;
        this.blocks = blocks;
        this.base = base;
        this.nodes = geometry.nodes;
        this.groups = (geometry.maximumBlocks + geometry.groupBlocks - 1) / geometry.groupBlocks;
        this.maskWords = maskWords(geometry.groupBlocks);
        this.groupBytes = groupBytes(maskWords);
        this.budgetBlocks = budgetBlocks;
        this.partial = new int[nodes];
        this.hints = new int[nodes];
        for (int block = 0; block < geometry.maximumBlocks; block++) {
            int bit = block % geometry.groupBlocks;
            long word = group(block / geometry.groupBlocks) + 16 + (bit >>> 6) * 8L;
            memory.putLong(word, memory.getLong(word) | 1L << (bit & 63));
            blocks.setOwner(block, BlockTable.FREE);
        }
        for (int group = 0; group < groups; group++) {
            memory.putLong(
                    group(group),
                    Math.min(geometry.groupBlocks, geometry.maximumBlocks - group * geometry.groupBlocks));
        }
        Arrays.setAll(hints, node -> firstGroup(node));
        memory.putLongRelease(base + FREE, budgetBlocks);
    }

    /** offset 0: free count of the group, 8: since, 16: masks. */
    private long group(int group) {
        return base + GROUPS + (long) group * groupBytes;
    }

    private int firstGroup(int node) {
        return (int) ((long) groups * node / nodes);
    }

    /** How many blocks only the cleaner may take, and how many of those the index may. */
    public void setReserve(int blocks, int forIndex) {
        reserveBlocks = blocks;
        indexReserveBlocks = forIndex;
    }

    public int reserveBlocks() {
        return reserveBlocks;
    }

    public int budgetBlocks() {
        return budgetBlocks;
    }

    /** Changes the budget; free may become negative, then nothing is given out until enough came back. */
    public void setBudgetBlocks(int budget) {
        SpinLock.lock(memory, base);
        try {
            memory.putLongOpaque(base + FREE, memory.getLong(base + FREE) + budget - budgetBlocks);
            budgetBlocks = budget;
        } finally {
            SpinLock.unlock(memory, base);
        }
    }

    /** Blocks that may still be taken, the reserve included; negative while the budget is exceeded. */
    public long freeBlocks() {
        return memory.getLongOpaque(base + FREE);
    }

    public long usedBlocks() {
        return memory.getLongOpaque(base + USED);
    }

    /** Whether a writer would get a block now. */
    public boolean hasSpaceFor(Purpose purpose, int count) {
        return freeBlocks() - count >= keep(purpose);
    }

    /** A writer whose turn it is waits for this many blocks: until {@link #unclaim}, other writers leave as many. */
    public void claim(int count) {
        claimed.addAndGet(count);
    }

    public void unclaim(int count) {
        claimed.addAndGet(-count);
    }

    public int claimedBlocks() {
        return claimed.get();
    }

    private long keep(Purpose purpose) {
        return switch (purpose) {
            case WRITE -> reserveBlocks + claimedBlocks();
            case WRITE_IN_TURN -> reserveBlocks;
            case INDEX -> reserveBlocks - indexReserveBlocks;
            case CLEAN -> 0;
        };
    }

    /** Takes {@code into.length} blocks for {@code owner}, all or none; whether it did. */
    boolean allocate(Purpose purpose, int node, int owner, int[] into) {
        SpinLock.lock(memory, base);
        try {
            if (memory.getLong(base + FREE) - into.length < keep(purpose)) {
                return false;
            }
            for (int i = 0; i < into.length; i++) {
                into[i] = take(node);
                blocks.setOwner(into[i], owner);
                blocks.setNext(into[i], -1);
                blocks.setUsedUnits(into[i], 0);
                blocks.setFirstUnit(into[i], 0);
            }
            memory.putLongOpaque(base + FREE, memory.getLong(base + FREE) - into.length);
            memory.putLongOpaque(base + USED, memory.getLong(base + USED) + into.length);
            return true;
        } finally {
            SpinLock.unlock(memory, base);
        }
    }

    /** Takes {@code count} blocks for the index, or null. */
    public int[] allocateIndex(int count) {
        int[] taken = new int[count];
        return allocate(Purpose.INDEX, 0, BlockTable.INDEX, taken) ? taken : NONE;
    }

    public static final int[] NONE = new int[0];

    /** Whether the blocks of {@code node} itself have room; the other nodes' serve otherwise. */
    public boolean nodeHasFree(int node) {
        int last = node + 1 == nodes ? groups : firstGroup(node + 1);
        for (int group = firstGroup(node); group < last; group++) {
            if (memory.getLongOpaque(group(group)) > 0) {
                return true;
            }
        }
        return false;
    }

    /** The node whose run the block lies in. */
    public int nodeOf(int block) {
        int group = block / geometry.groupBlocks;
        int node = 0;
        while (node + 1 < nodes && group >= firstGroup(node + 1)) {
            node++;
        }
        return node;
    }

    private int take(int node) {
        for (int i = 0; i < nodes; i++) {
            int block = takeFrom((node + i) % nodes);
            if (block >= 0) {
                return block;
            }
        }
        throw new IllegalStateException("the pool counts free blocks but has none; the store is damaged");
    }

    private int takeFrom(int node) {
        int first = firstGroup(node);
        int last = node + 1 == nodes ? groups : firstGroup(node + 1);
        int hint = hints[node];
        int full = groupSize(hint);
        long freeInHint = memory.getLong(group(hint));
        if (freeInHint > 0 && freeInHint < full) {
            return takeIn(hint, node);
        }
        int committed = -1;
        int fresh = -1;
        boolean anyPartial = partial[node] > 0;
        for (int i = first; i < last; i++) {
            long address = group(i);
            long free = memory.getLong(address);
            if (free == 0) {
                continue;
            }
            if (free < groupSize(i)) {
                return takeIn(i, node);
            }
            if (memory.getLong(address + 8) != 0) {
                committed = committed < 0 ? i : committed;
            } else {
                fresh = fresh < 0 ? i : fresh;
            }
            if (!anyPartial && committed >= 0) {
                break;
            }
        }
        int group = committed >= 0 ? committed : fresh;
        return group < 0 ? -1 : takeIn(group, node);
    }

    private int groupSize(int group) {
        return Math.min(geometry.groupBlocks, geometry.maximumBlocks - group * geometry.groupBlocks);
    }

    private int takeIn(int group, int node) {
        hints[node] = group;
        long address = group(group);
        long free = memory.getLong(address);
        countPartial(node, group, free, free - 1);
        memory.putLongOpaque(address, free - 1);
        memory.putLong(address + 8, 1); // committed, and not free as a whole
        for (int word = 0; word < maskWords; word++) {
            long at = address + 16 + word * 8L;
            long mask = memory.getLong(at);
            if (mask != 0) {
                memory.putLong(at, mask & (mask - 1));
                return group * geometry.groupBlocks + word * 64 + Long.numberOfTrailingZeros(mask);
            }
        }
        throw new IllegalStateException(
                "group " + group + " counts " + free + " free blocks but has none; the store is damaged");
    }

    private void countPartial(int node, int group, long before, long after) {
        int size = groupSize(group);
        boolean was = before > 0 && before < size;
        boolean is = after > 0 && after < size;
        if (was != is) {
            partial[node] += is ? 1 : -1;
        }
    }

    /** Gives blocks back. */
    public void free(int... freed) {
        SpinLock.lock(memory, base);
        try {
            for (int block : freed) {
                freeOne(block);
            }
            memory.putLongOpaque(base + FREE, memory.getLong(base + FREE) + freed.length);
            memory.putLongOpaque(base + USED, memory.getLong(base + USED) - freed.length);
        } finally {
            SpinLock.unlock(memory, base);
        }
    }

    private void freeOne(int block) {
        if (blocks.owner(block) == BlockTable.FREE) {
            throw new IllegalStateException("block " + block + " is freed twice; the store is damaged");
        }
        blocks.setOwner(block, BlockTable.FREE);
        int group = block / geometry.groupBlocks;
        int bit = block % geometry.groupBlocks;
        long address = group(group);
        long at = address + 16 + (bit >>> 6) * 8L;
        long mask = memory.getLong(at);
        if ((mask & 1L << (bit & 63)) != 0) {
            throw new IllegalStateException("block " + block + " was free already; the store is damaged");
        }
        memory.putLong(at, mask | 1L << (bit & 63));
        long free = memory.getLong(address) + 1;
        countPartial(nodeOf(block), group, free - 1, free);
        memory.putLongOpaque(address, free);
        if (free == groupSize(group)) {
            memory.putLong(address + 8, System.nanoTime() | 2);
        }
    }

    /**
     * Gives groups that have been free for {@code delayNanos} to {@code release}, whose argument is the group's offset; they count as not committed then.
     * The lock is held for one group at a time.
     *
     * @return how many groups were released
     */
    public int releaseIdle(long delayNanos, java.util.function.LongConsumer release) {
        int released = 0;
        for (int group = 0; group < groups; group++) {
            long address = group(group);
            if (memory.getLongOpaque(address) != groupSize(group) || memory.getLongOpaque(address + 8) == 0) {
                continue;
            }
            SpinLock.lock(memory, base);
            try {
                long since = memory.getLong(address + 8);
                if (memory.getLong(address) == groupSize(group)
                        && since != 0
                        && System.nanoTime() - since >= delayNanos) {
                    release.accept(geometry.blockOffset(group * geometry.groupBlocks));
                    memory.putLong(address + 8, 0);
                    released++;
                }
            } finally {
                SpinLock.unlock(memory, base);
            }
        }
        return released;
    }

    /** Bytes of free blocks in groups that are not committed. */
    public long releasedBytes() {
        long blocksReleased = 0;
        for (int group = 0; group < groups; group++) {
            if (memory.getLongOpaque(group(group) + 8) == 0) {
                blocksReleased += groupSize(group);
            }
        }
        return blocksReleased << geometry.blockShift;
    }
}
