package io.loam.store.index;

/**
 * The descriptor of a subtable. The first line is written before the subtable is published and only read from then on.
 *
 * <pre>
 * offset size name       order   meaning
 *      0    4 geometry   plain   bits 0–5 depth, 8–12 32 minus log2 of buckets per unit, 16–19 units
 *      4   60 units      plain   15 times where a unit starts, in eighths of a block from the data's start
 *     64    8 prefix     plain   the hash bits that all keys share, left-aligned
 *     72    8 successor  release offset of the subtable that takes over (the lower half when split); 0 when none
 *     80    8 upper      plain   offset of the upper half when split; else 0. Written before successor
 *     88    8 keys       add     keys in it
 *     96    8 version    max     no key removed from it had a higher version
 *    104    4 window     plain   first of the hash bits that slots keep
 *    108    4 limit      plain   keys from which it should grow
 *    112    8 seen       max     no key in it has or had a higher version; rounded up
 *    120    8 asked      CAS     1 once resizing has been asked for, 2 once growing found no memory; while keys are copied, in sources and successors, offset of the (first) source
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

    private static final int SHIFT = 8;
    private static final int COUNT = 16;

    private SubtableLayout() {}

    /** Of {@code units} units of 2^{@code unitShift} buckets, at least two. */
    static int geometry(int units, int unitShift, int depth) {
        return depth | 32 - unitShift << SHIFT | units << COUNT;
    }

    static int buckets(int geometry) {
        return units(geometry) << unitShift(geometry);
    }

    static int unitShift(int geometry) {
        return 32 - (geometry >>> SHIFT & 31);
    }

    static int depth(int geometry) {
        return geometry & 63;
    }

    static int units(int geometry) {
        return geometry >>> COUNT;
    }

    /** The word of a directory of 2^{@code bits} that leads to a hash's subtable: 2^{@code bits} plus the hash's top bits. */
    static long directoryWord(long hash, int bits) {
        return (hash >>> 1 | Long.MIN_VALUE) >>> ~bits;
    }

    // The same home in two parts, in few instructions: shifts look at the lowest bits of their count alone.

    /** Where a hash's home is: the unit in the upper half, the place within it as a fraction in the lower half. */
    static long place(long hash, int geometry) {
        return (hash << geometry >>> 32) * (geometry >>> COUNT);
    }

    static long unitOf(long place) {
        return place >>> 32;
    }

    /** The bucket within the unit. */
    static long bucketOf(long place, int geometry) {
        return Integer.toUnsignedLong((int) place >>> (geometry >>> SHIFT));
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
