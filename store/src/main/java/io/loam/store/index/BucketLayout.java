package io.loam.store.index;

/**
 * A bucket: one cache line.
 *
 * <pre>
 * offset size name    order    meaning
 *      0    8 control release  bytes 0–6: the slots' tags, 0 when free; byte 7: bit 7 LOCKED, 6 MOVED, 5 BUSY, 0–4 farthest alternate in use
 *      8   56 slots   release  7 words; 0 when free
 * </pre>
 *
 * <p>A slot's word: bits 3–47 location (a multiple of 8), bits 0–2 and 48–49 which alternate of the key's home this bucket is (0: the home), bits 50–63
 * hash bits from the subtable's window on, so that resizing need not read the key.
 */
final class BucketLayout {

    static final int BYTES = 64;
    static final int SLOTS = 7;
    static final int ALTERNATES = 31;

    static final long LOCKED = 1L << 63;
    /** The home's keys have been copied to a successor of the subtable. */
    static final long MOVED = 1L << 62;
    /** A transaction is publishing; readers wait. */
    static final long BUSY = 1L << 61;

    private static final int FARTHEST_SHIFT = 56;
    static final long FARTHEST_MASK = 31L << FARTHEST_SHIFT;

    static final long LOCATION = 0x0000_FFFF_FFFF_FFF8L;
    static final int WINDOW_BITS = 14;
    private static final int WINDOW_SHIFT = 64 - WINDOW_BITS;

    private static final long EACH_TAG = 0x0001_0101_0101_0101L;
    private static final long EACH_TOP = 0x0080_8080_8080_8080L;

    private BucketLayout() {}

    static int farthest(long control) {
        return (int) (control >>> FARTHEST_SHIFT) & 31;
    }

    static long withFarthest(long control, int alternate) {
        return control & ~FARTHEST_MASK | (long) alternate << FARTHEST_SHIFT;
    }

    /** The tag of a hash: 1 to 255. */
    static long tag(long hash) {
        long tag = hash & 0xFF;
        return tag == 0 ? 1 : tag;
    }

    /** The top bit of each tag byte that may equal {@code tag}; a byte above a true match may match falsely. */
    static long candidates(long control, long tag) {
        long difference = control ^ tag * EACH_TAG;
        return difference - EACH_TAG & ~difference & EACH_TOP;
    }

    /** The first free slot, or {@link #SLOTS} if there is none. */
    static int freeSlot(long control) {
        long free = control - EACH_TAG & ~control & EACH_TOP;
        return free == 0 ? SLOTS : Long.numberOfTrailingZeros(free) >>> 3;
    }

    /** Distance from the bucket to the slot's word that a candidate bit names. */
    static int slotOffset(long candidates) {
        return Long.numberOfTrailingZeros(candidates) + 1; // 7, 15, … become 8, 16, …
    }

    static long withTag(long control, int slot, long tag) {
        return control & ~(0xFFL << (slot << 3)) | tag << (slot << 3);
    }

    static long tagAt(long control, int slot) {
        return control >>> (slot << 3) & 0xFF;
    }

    static long word(long location, int alternate, long window) {
        return location | alternate & 7 | (long) (alternate >>> 3) << 48 | window << WINDOW_SHIFT;
    }

    static int alternate(long word) {
        return (int) word & 7 | ((int) (word >>> 48) & 3) << 3;
    }

    static long window(long word) {
        return word >>> WINDOW_SHIFT;
    }

    static long withAlternate(long word, int alternate) {
        return word & ~(7L | 3L << 48) | alternate & 7 | (long) (alternate >>> 3) << 48;
    }

    static long withLocation(long word, long location) {
        return word & ~LOCATION | location;
    }

    static long windowOf(long hash, int from) {
        return hash << from >>> WINDOW_SHIFT;
    }

    /** The home of which a bucket is alternate {@code number}; the bucket itself for 0. */
    static int homeOf(int bucket, int number, int buckets) {
        if (number == 0) {
            return bucket;
        }
        return number == 1 ? bucket ^ 1 : Math.floorMod(bucket - number * (2 * number + 3), buckets);
    }

    /** The bucket that is alternate {@code number} of {@code home}; a bijection of homes for each number. */
    static int alternateBucket(int home, int number, int buckets) {
        if (number == 1) {
            return home ^ 1;
        }
        return (home + number * (2 * number + 3)) % buckets;
    }
}
