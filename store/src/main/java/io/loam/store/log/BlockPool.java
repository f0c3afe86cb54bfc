package io.loam.store.log;

import io.loam.memory.RawMemory;
import io.loam.store.crash.CrashPoint;
import java.util.Arrays;
import java.util.BitSet;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * Free blocks, by groups of 2 MiB, and the budget.
 *
 * <p>A block is taken from a group that is partly used if there is one, then from a free group whose memory is committed, then from one that the
 * kernel has not given yet or got back. So free groups stay whole and can be given back, and no more memory is touched than was in use at
 * the peak. While groups are being emptied ({@link #emptyGroups}), theirs are the last of the partly used ones.
 *
 * <pre>
 * offset size name      order   meaning
 *      0    8 lock      CAS     guards all that follows; 0 or who holds it
 *      8    8 free      opaque  blocks that may still be taken: budget minus blocks in use
 *     16    8 used      opaque  blocks in use
 *     24    8 budget    opaque  blocks that may be in use at a time
 *     32    8 reserve   opaque  blocks that only the cleaner may take (low half), and how many of those the index may (high half)
 *     40    8 –
 *     48    8 lent      opaque  blocks of the reserve that cleaning has taken and will give back
 *     56    8 most lent plain   what lent may grow to in the present pass
 *     64    8 per node  plain   groups of the node that are partly used; padded to 64
 *      +    8 per participant add  claimed: blocks that writers of the process wait for whose turn it is; padded to 64
 *      +      per group         plain   8 free blocks, 8 since when the group is free (nanos; 0: not committed), 8 per 64 blocks: bit set = free
 * </pre>
 *
 * <p>All of it but since and the loans follows from the owners in the {@link BlockTable}: {@link #rebuild}. With several NUMA nodes each owns an equal run of groups; a node's caller prefers its own.
 *
 * <p><b>The reserve</b> is what writers leave for cleaning, so that a pass can always be completed. What a pass takes it gives back, and more, when its sources have been freed: until then
 * it counts as <em>lent</em>, and writers leave so much less. Otherwise each pass would first take away the blocks that writers still have, and stall them. I1: free + lent is never below the
 * reserve because of writers. A pass lends at most what it was going to copy, and only if that and what is still lent fit in the reserve; so what it found free when it began stays
 * free for it, whatever writers do.
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

    /** So many groups' worth of free blocks in partly used groups is left alone. */
    private static final int MOST_SCATTERED = 4;

    private static final int FREE = 8;
    private static final int USED = 16;
    private static final int BUDGET = 24;
    private static final int RESERVE = 32;
    private static final int LENT = 48;
    private static final int MOST_LENT = 56;
    private static final int PARTIAL = 64;
    /** A group has at most 512 blocks (of 4 KiB). */
    private static final int MAX_MASK_WORDS = 8;

    private final RawMemory memory;
    private final Geometry geometry;
    private final BlockTable blocks;
    private final long base;
    private final int groups;
    private final int maskWords;
    private final int groupBytes;
    private final int nodes;
    private final long groupTable;
    private final long claims;
    private final long holder;
    /** Group of the last allocation on each node; only a hint. */
    private final int[] hints;

    /** Groups that are being emptied. Changed under the lock, by one thread at a time. */
    private final BitSet emptying = new BitSet();

    static long bytes(int groups, int groupBlocks, int nodes, int participants) {
        return groupTable(nodes, participants) + (long) groups * groupBytes(maskWords(groupBlocks));
    }

    private static long claims(int nodes) {
        return PARTIAL + (8L * nodes + 63 & -64);
    }

    private static long groupTable(int nodes, int participants) {
        return claims(nodes) + (8L * participants + 63 & -64);
    }

    private static int maskWords(int groupBlocks) {
        return Math.max(1, Math.min(MAX_MASK_WORDS, groupBlocks / 64));
    }

    private static int groupBytes(int maskWords) {
        return 8 * (maskWords + 2);
    }

    /** @param holder number of the process among the participants, plus 1: what the lock's word is while it holds it */
    public BlockPool(RawMemory memory, Geometry geometry, BlockTable blocks, long base, long holder) {
        this.memory = memory;
        this.geometry = geometry;
        this.blocks = blocks;
        this.base = base;
        this.holder = holder;
        this.nodes = geometry.nodes;
        this.groups = (geometry.maximumBlocks + geometry.groupBlocks - 1) / geometry.groupBlocks;
        this.groupTable = base + groupTable(nodes, geometry.participants);
        this.claims = base + claims(nodes);
        this.maskWords = maskWords(geometry.groupBlocks);
        this.groupBytes = groupBytes(maskWords);
        this.hints = new int[nodes];
        Arrays.setAll(hints, this::firstGroup);
    }

    /** Makes a pool of zeroed memory whose blocks are all free. */
    public void format(int budgetBlocks) {
        for (int block = 0; block < geometry.maximumBlocks; block++) {
            blocks.setOwner(block, BlockTable.FREE);
        }
        memory.putLongOpaque(base + BUDGET, budgetBlocks);
        rebuild();
    }

    /** Makes everything anew that follows from the blocks' owners, after whoever held the lock died. Nobody else holds it. */
    public void rebuild() {
        long used = 0;
        for (int group = 0; group < groups; group++) {
            used += rebuildGroup(group);
        }
        for (int node = 0; node < nodes; node++) {
            long partial = 0;
            for (int group = firstGroup(node); group < lastGroup(node); group++) {
                partial += isPartial(group, memory.getLong(group(group))) ? 1 : 0;
            }
            memory.putLong(base + PARTIAL + 8L * node, partial);
        }
        memory.putLongOpaque(base + USED, used);
        memory.putLongRelease(base + FREE, budgetBlocks() - used);
    }

    /** Takes the lock from a process that died with it, if it did, and puts in order what it guards; and forgets what the process waited for. */
    public void inherit(int participant) {
        memory.putLongOpaque(claims + 8L * participant, 0);
        if (memory.compareAndSetLong(base, participant + 1, holder)) {
            rebuild();
            SpinLock.unlock(memory, base);
        }
    }

    /** Takes the lock; {@code meanwhile} is run again and again: whoever holds it may die, and nobody else but the caller {@link #inherit} it. */
    private void lock(Runnable meanwhile) {
        for (int spins = 0; !SpinLock.tryLock(memory, base, holder); spins++) {
            if (spins % 100 == 99) {
                meanwhile.run();
            }
            SpinLock.backOff(spins);
        }
    }

    /** Makes what segments and the index do not own free, by {@code isOwned}. Nobody else takes or frees. {@code meanwhile} is run again and again until the lock is free. */
    public void freeUnowned(IntPredicate isOwned, Runnable meanwhile) {
        lock(meanwhile);
        try {
            for (int block = 0; block < geometry.maximumBlocks; block++) {
                if (blocks.owner(block) != BlockTable.FREE && !isOwned.test(block)) {
                    blocks.setOwner(block, BlockTable.FREE);
                }
            }
            rebuild();
        } finally {
            SpinLock.unlock(memory, base);
        }
    }

    /** The used blocks of a group. */
    private int rebuildGroup(int group) {
        int first = group * geometry.groupBlocks;
        int size = groupSize(group);
        long[] masks = new long[maskWords];
        int free = 0;
        for (int bit = 0; bit < size; bit++) {
            if (blocks.owner(first + bit) == BlockTable.FREE) {
                masks[bit >>> 6] |= 1L << (bit & 63);
                free++;
            }
        }
        long address = group(group);
        for (int word = 0; word < maskWords; word++) {
            memory.putLong(address + 16 + word * 8L, masks[word]);
        }
        memory.putLongOpaque(address, free);
        long since = memory.getLong(address + 8);
        if (free < size) {
            memory.putLong(address + 8, 1);
        } else if (since == 1) {
            memory.putLong(address + 8, System.nanoTime() | 2);
        }
        return size - free;
    }

    /** offset 0: free count of the group, 8: since, 16: masks. */
    private long group(int group) {
        return groupTable + (long) group * groupBytes;
    }

    private int firstGroup(int node) {
        return (int) ((long) groups * node / nodes);
    }

    private int lastGroup(int node) {
        return firstGroup(node + 1);
    }

    /** How many blocks only the cleaner may take, and how many of those the index may. */
    public void setReserve(int blocks, int forIndex) {
        memory.putLongOpaque(base + RESERVE, (long) forIndex << 32 | blocks);
    }

    public int reserveBlocks() {
        return (int) memory.getLongOpaque(base + RESERVE);
    }

    private int indexReserveBlocks() {
        return (int) (memory.getLongOpaque(base + RESERVE) >>> 32);
    }

    public int budgetBlocks() {
        return (int) memory.getLongOpaque(base + BUDGET);
    }

    /**
     * Sets the budget to {@code wanted}, or lowers it as far as the cleaner can still go on with what is in use now; whether it is {@code wanted}. What is in use and the budget
     * are compared under the lock, so that free stays positive.
     */
    public boolean approachBudget(int wanted) {
        SpinLock.lock(memory, base, holder);
        try {
            long least = memory.getLong(base + USED) + keep(Purpose.INDEX);
            int budget = (int) Math.max(wanted, Math.min(least, budgetBlocks()));
            changeBudget(budget);
            return budget == wanted;
        } finally {
            SpinLock.unlock(memory, base);
        }
    }

    /** Changes the budget; free may become negative, then nothing is given out until enough came back. */
    public void setBudgetBlocks(int budget) {
        setBudgetBlocks(budget, () -> {});
    }

    /** As {@link #setBudgetBlocks(int)}; {@code meanwhile} is run again and again until the lock is free. */
    public void setBudgetBlocks(int budget, Runnable meanwhile) {
        lock(meanwhile);
        try {
            changeBudget(budget);
        } finally {
            SpinLock.unlock(memory, base);
        }
    }

    private void changeBudget(int budget) {
        memory.putLongOpaque(base + FREE, memory.getLong(base + FREE) + budget - budgetBlocks());
        memory.putLongOpaque(base + BUDGET, budget);
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
        memory.getAndAddLong(claims + 8 * (holder - 1), count);
    }

    public void unclaim(int count) {
        memory.getAndAddLong(claims + 8 * (holder - 1), -count);
    }

    public long claimedBlocks() {
        long sum = 0;
        for (long participant = 0; participant < geometry.participants; participant++) {
            sum += memory.getLongOpaque(claims + 8 * participant);
        }
        return sum;
    }

    private long keep(Purpose purpose) {
        return switch (purpose) {
            case WRITE -> keptForCleaning() + indexReserveBlocks() + claimedBlocks();
            case WRITE_IN_TURN -> keptForCleaning() + indexReserveBlocks();
            case INDEX -> keptForCleaning();
            case CLEAN -> 0;
        };
    }

    private long keptForCleaning() {
        return Math.max(0, reserveBlocks() - indexReserveBlocks() - lent());
    }

    private long lent() {
        return memory.getLongOpaque(base + LENT);
    }

    /** Blocks that writers may take before they have to wait. */
    public long stock() {
        return freeBlocks() - keep(Purpose.WRITE);
    }

    /** A pass begins that copies so many blocks' worth: it may take as many on loan from the reserve, if that leaves it enough; whether it does. */
    public boolean lend(long count) {
        int heads = geometry.nodes * geometry.survivorsPerNode; // each may leave a block half used
        SpinLock.lock(memory, base, holder);
        try {
            boolean fits = lent() + count + heads <= reserveBlocks() - indexReserveBlocks();
            memory.putLong(base + MOST_LENT, lent() + (fits ? count : 0));
            return fits;
        } finally {
            SpinLock.unlock(memory, base);
        }
    }

    /** A pass failed: what it took does not come back with its sources. */
    public void endLoan() {
        endLoan(() -> {});
    }

    /** As {@link #endLoan()}; {@code meanwhile} is run again and again until the lock is free. */
    public void endLoan(Runnable meanwhile) {
        lock(meanwhile);
        try {
            memory.putLong(base + MOST_LENT, 0);
            memory.putLongOpaque(base + LENT, 0);
        } finally {
            SpinLock.unlock(memory, base);
        }
    }

    /** Takes {@code into.length} blocks for {@code owner}, all or none; whether it did. */
    boolean allocate(Purpose purpose, int node, int owner, int[] into) {
        SpinLock.lock(memory, base, holder);
        try {
            if (memory.getLong(base + FREE) - into.length < keep(purpose)) {
                return false;
            }
            for (int i = 0; i < into.length; i++) {
                into[i] = take(node);
                CrashPoint.at("block-chosen");
                blocks.setOwner(into[i], owner);
                blocks.setNext(into[i], -1);
                blocks.setUsedUnits(into[i], 0);
                blocks.setFirstUnit(into[i], 0);
            }
            memory.putLongOpaque(base + FREE, memory.getLong(base + FREE) - into.length);
            memory.putLongOpaque(base + USED, memory.getLong(base + USED) + into.length);
            if (purpose == Purpose.CLEAN) {
                long most = memory.getLong(base + MOST_LENT);
                memory.putLongOpaque(base + LENT, Math.max(lent(), Math.min(lent() + into.length, most)));
            }
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
        int last = lastGroup(node);
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
        int last = lastGroup(node);
        int hint = hints[node];
        int full = groupSize(hint);
        long freeInHint = memory.getLong(group(hint));
        if (freeInHint > 0 && freeInHint < full && !emptying.get(hint)) {
            return takeIn(hint, node);
        }
        int leaving = -1;
        int committed = -1;
        int fresh = -1;
        boolean anyPartial = memory.getLong(base + PARTIAL + 8L * node) > 0;
        for (int i = first; i < last; i++) {
            long address = group(i);
            long free = memory.getLong(address);
            if (free == 0) {
                continue;
            }
            if (free < groupSize(i)) {
                if (!emptying.get(i)) {
                    return takeIn(i, node);
                }
                leaving = i;
                continue;
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
        int group = leaving >= 0 ? leaving : committed >= 0 ? committed : fresh;
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
        boolean is = isPartial(group, after);
        if (isPartial(group, before) != is) {
            long partial = base + PARTIAL + 8L * node;
            memory.putLong(partial, memory.getLong(partial) + (is ? 1 : -1));
        }
    }

    private boolean isPartial(int group, long free) {
        return free > 0 && free < groupSize(group);
    }

    /**
     * Gives blocks back.
     *
     * @param owner who has them
     * @throws IllegalStateException if one of them is another's: what is in it stays
     */
    public void free(int owner, int... freed) {
        SpinLock.lock(memory, base, holder);
        try {
            for (int block : freed) {
                if (blocks.owner(block) != owner) {
                    throw new IllegalStateException("block " + block + " is freed by " + owner + " and belongs to "
                            + blocks.owner(block) + "; the store is damaged");
                }
            }
            for (int block : freed) {
                freeOne(block);
                CrashPoint.at("block-freed");
            }
            memory.putLongOpaque(base + FREE, memory.getLong(base + FREE) + freed.length);
            memory.putLongOpaque(base + USED, memory.getLong(base + USED) - freed.length);
            long repaid = Math.min(lent(), freed.length);
            memory.putLongOpaque(base + LENT, lent() - repaid);
            memory.putLong(base + MOST_LENT, memory.getLong(base + MOST_LENT) - repaid);
        } finally {
            SpinLock.unlock(memory, base);
        }
    }

    private void freeOne(int block) {
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
     * What is to be moved so that groups become free.
     *
     * @param blocks in use in the groups that are to be emptied
     * @param room free blocks in the other groups that are in use
     */
    public record Emptying(int blocks, int room) {}

    /**
     * Chooses the least used groups to be emptied, as many as the others have room for; from now on their free blocks are taken last. None, if that would free too little to be
     * worth copying. By one thread at a time.
     *
     * @param spare blocks that the other groups keep free
     */
    public Emptying emptyGroups(int spare) {
        // by use, the least used first
        long[] inUse = IntStream.range(0, groups)
                .mapToLong(group -> (groupSize(group) - memory.getLongOpaque(group(group))) << 32 | group)
                .filter(word -> word >>> 32 != 0)
                .sorted()
                .toArray();
        int room = 0;
        int used = 0;
        for (long word : inUse) {
            used += (int) (word >>> 32);
            room += groupSize((int) word) - (int) (word >>> 32);
        }
        int toEmpty = 0;
        BitSet chosen = new BitSet();
        int kept = used / 32 + spare;
        if (room > kept + used / 32 + MOST_SCATTERED * geometry.groupBlocks) {
            for (long word : inUse) {
                if (room - groupSize((int) word) < kept) {
                    break;
                }
                chosen.set((int) word);
                toEmpty += (int) (word >>> 32);
                room -= groupSize((int) word);
            }
        }
        SpinLock.lock(memory, base, holder);
        try {
            emptying.clear();
            emptying.or(chosen);
        } finally {
            SpinLock.unlock(memory, base);
        }
        return new Emptying(toEmpty, room + toEmpty);
    }

    /** Ends what {@link #emptyGroups} began. */
    public void keepGroups() {
        if (!emptying.isEmpty()) {
            SpinLock.lock(memory, base, holder);
            try {
                emptying.clear();
            } finally {
                SpinLock.unlock(memory, base);
            }
        }
    }

    /** Whether the block lies in a group that is being emptied. For the thread that called {@link #emptyGroups}. */
    public boolean isToMove(int block) {
        return emptying.get(block / geometry.groupBlocks);
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
            SpinLock.lock(memory, base, holder);
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
