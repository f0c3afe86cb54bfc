package io.loam.store.index;

/**
 * The descriptor of a subtable. The first line is written before the subtable is published and only read from then on.
 *
 * <pre>
 * offset size name       order   meaning
 *      0    4 geometry   plain   bits 0–19 buckets, 20–25 log2 of buckets per unit, 26–31 depth
 *      4   60 units      plain   15 times where a unit starts, in eighths of a block from the data's start
 *     64    8 prefix     plain   the hash bits that all keys share, left-aligned
 *     72    8 successor  release offset of the subtable that takes over (the lower half when split); 0 when none
 *     80    8 upper      plain   offset of the upper half when split; else 0. Written before successor
 *     88    8 keys       add     keys in it
 *     96    8 version    max     no key removed from it had a higher version
 *    104    4 window     plain   first of the hash bits that slots keep
 *    108    4 limit      plain   keys from which it should grow
 *    112    8 seen       max     no key in it has or had a higher version; rounded up
 *    120    8 asked      CAS     1 once resizing has been asked for, 2 once growing found no memory
 * </pre>
 *
 * <p>It is followed in the descriptor's slot by nothing; the blocks' numbers follow from the units.
 */
final class SubtableLayout {

    static final int BYTES = 128;
    static final int UNITS = 4;
    static final int PREFIX = 64;
    static final int SUCCESSOR = 72;
    static final int UPPER = 80;
    static final int KEYS = 88;
    static final int VERSION = 96;
    static final int WINDOW = 104;
    static final int LIMIT = 108;
    static final int SEEN = 112;
    static final int ASKED = 120;

    static final int MIN_UNITS = 8;
    static final int MAX_UNITS = 15;

    private static final int SHIFT = 20;
    private static final int DEPTH = 26;

    private SubtableLayout() {}

    static int geometry(int buckets, int unitShift, int depth) {
        return buckets | unitShift << SHIFT | depth << DEPTH;
    }

    static int buckets(int geometry) {
        return geometry & (1 << SHIFT) - 1;
    }

    static int unitShift(int geometry) {
        return geometry >>> SHIFT & 63;
    }

    static int depth(int geometry) {
        return geometry >>> DEPTH;
    }

    static int units(int geometry) {
        return buckets(geometry) >>> unitShift(geometry);
    }

    /** The home bucket of a hash. */
    static int home(long hash, int geometry) {
        return (int) ((hash << depth(geometry) >>> 32) * buckets(geometry) >>> 32);
    }

    /** The least value of the 32 hash bits below the prefix for which the home is {@code bucket}. */
    static long firstPosition(int bucket, int geometry) {
        long buckets = buckets(geometry);
        return (((long) bucket << 32) + buckets - 1) / buckets;
    }
}
