package io.loam.heap;

/**
 * Where things are in a heap's file; see the package's description. Offsets and sizes in bytes; a superblock's number is its offset divided by its size.
 *
 * @param shift log2 of the superblock's size
 */
record Geometry(int shift, long maximumBytes, int roots, int types, int logs, int logBytes) {

    static final int HEADER_BYTES = 4096;
    static final int ROOT_BYTES = 128;
    static final int TYPE_BYTES = 256;
    static final int LINE_BYTES = 64;
    static final int BITMAP_HEADER_BYTES = 64;

    static Geometry of(HeapOptions options) {
        return new Geometry(
                Integer.numberOfTrailingZeros(options.superblockBytes()),
                options.maximumBytes() + options.superblockBytes() - 1 & -options.superblockBytes(),
                options.roots(),
                options.types(),
                options.logs(),
                options.logBytes());
    }

    int superblockBytes() {
        return 1 << shift;
    }

    long root(int index) {
        return HEADER_BYTES + (long) index * ROOT_BYTES;
    }

    long type(int index) {
        return root(roots) + (long) index * TYPE_BYTES;
    }

    long log(int index) {
        return type(types) + (long) index * logBytes;
    }

    /** Superblocks that the file may have, tables included. */
    int superblocks() {
        return (int) (maximumBytes >>> shift);
    }

    long line(int superblock) {
        return log(logs) + (long) superblock * LINE_BYTES;
    }

    int bitmapStride() {
        return BITMAP_HEADER_BYTES + (superblockBytes() / 128 + 63 & -64);
    }

    long bitmap(int superblock) {
        return line(superblocks()) + (long) superblock * bitmapStride();
    }

    /** The first superblock of objects: all before are tables. */
    int firstSuperblock() {
        return (int) ((bitmap(superblocks()) + superblockBytes() - 1) >>> shift);
    }

    long offset(int superblock) {
        return (long) superblock << shift;
    }
}
