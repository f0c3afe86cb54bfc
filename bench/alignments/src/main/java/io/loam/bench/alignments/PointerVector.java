package io.loam.bench.alignments;

import io.loam.memory.space.Context;

/** Pointers in a region: how many, then they. */
record PointerVector(Context context, long base) {

    static long bytes(long count) {
        return 8 + 8 * count;
    }

    int size() {
        return Math.toIntExact(context.getLong(base));
    }

    long get(int index) {
        return context.getLong(base + 8 + 8L * index);
    }

    long[] toArray() {
        long[] all = new long[size()];
        for (int i = 0; i < all.length; i++) {
            all[i] = get(i);
        }
        return all;
    }

    void set(int index, long pointer) {
        context.putLong(base + 8 + 8L * index, pointer);
    }

    void setSize(int size) {
        context.putLong(base, size);
    }
}
