package io.loam.heap;

/**
 * Sizes of slots: multiples of 16 up to 128, then eight for each doubling. So a slot wastes at most 12.5 % of itself, not counting
 * the rounding to 16.
 */
final class SizeClasses {

    private static final int GRANULE_SHIFT = 4;
    private static final int EXACT = 8;
    private static final int EXACT_LOG = 7;
    /** Runs of one superblock hold slots up to this part of it. */
    private static final int SMALL_PART_SHIFT = 3;
    /** Slots of longer runs hold up to this many superblocks. */
    private static final int MEDIUM_SUPERBLOCKS_SHIFT = 3;

    private static final int MOST_SUPERBLOCKS = 64;

    /** Sizes up to this one are looked up: which way a computation goes is hard to predict. */
    private static final int TABLE_BYTES = 1024;
    /** The class of each number of granules. */
    private static final byte[] TABLE = table();

    private final int shift;
    private final int[] bytes;
    private final int[] superblocks;

    SizeClasses(int superblockShift) {
        shift = superblockShift;
        int count = index(1L << superblockShift + MEDIUM_SUPERBLOCKS_SHIFT) + 1;
        bytes = new int[count];
        superblocks = new int[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = size(i);
            superblocks[i] = runLength(bytes[i]);
        }
    }

    /** The smallest class for so many bytes, more than 0. */
    static int index(long size) {
        return size <= TABLE_BYTES ? TABLE[(int) (size + (1 << GRANULE_SHIFT) - 1) >>> GRANULE_SHIFT] : compute(size);
    }

    private static byte[] table() {
        byte[] table = new byte[(TABLE_BYTES >>> GRANULE_SHIFT) + 1];
        for (int granules = 1; granules < table.length; granules++) {
            table[granules] = (byte) compute((long) granules << GRANULE_SHIFT);
        }
        return table;
    }

    private static int compute(long size) {
        if (size <= 1 << EXACT_LOG) {
            return (int) (size - 1 >>> GRANULE_SHIFT);
        }
        int log = 63 - Long.numberOfLeadingZeros(size - 1);
        return (log - EXACT_LOG) * 8 + (int) (size - 1 >>> log - 3);
    }

    private static int size(int index) {
        if (index < EXACT) {
            return index + 1 << GRANULE_SHIFT;
        }
        int log = EXACT_LOG + (index - EXACT) / 8;
        return 9 + (index - EXACT) % 8 << log - 3;
    }

    /** Superblocks of a run: few, but so many that at most a sixteenth is left over behind the last slot. */
    private int runLength(int slotBytes) {
        if (slotBytes <= 1 << shift - SMALL_PART_SHIFT) {
            return 1;
        }
        int least = (int) ((slotBytes + (1L << shift) - 1) >>> shift);
        for (int n = least; n <= MOST_SUPERBLOCKS; n++) {
            long run = (long) n << shift;
            if (run % slotBytes <= run >>> 4) {
                return n;
            }
        }
        throw new AssertionError("no run length for slots of " + slotBytes);
    }

    int count() {
        return bytes.length;
    }

    int slotBytes(int index) {
        return bytes[index];
    }

    int superblocks(int index) {
        return superblocks[index];
    }

    /** The largest slot; anything larger is a run of its own. */
    int largestSlot() {
        return bytes[bytes.length - 1];
    }

    /** Whether a lane may keep several free ones. */
    boolean isSmall(int index) {
        return bytes[index] <= 1 << shift - SMALL_PART_SHIFT;
    }
}
