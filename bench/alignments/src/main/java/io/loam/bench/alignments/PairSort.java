package io.loam.bench.alignments;

/** Sorts pointers by keys of 8 bytes: radix, low bytes first; then those of equal keys by comparison. */
final class PairSort {

    private static final int RADIX_BITS = 11;
    private static final int RADIX = 1 << RADIX_BITS;

    private PairSort() {}

    /** Compares what two pointers lead to. */
    interface Order {
        int compare(long a, long b);
    }

    /** By keys that are not negative; stable. Digits that all keys share cost one pass over the keys, no move. */
    static void sort(long[] keys, long[] values) {
        long[] fromKeys = keys;
        long[] fromValues = values;
        long[] toKeys = new long[keys.length];
        long[] toValues = new long[keys.length];
        for (int shift = 0; shift < Long.SIZE; shift += RADIX_BITS) {
            int[] starts = new int[RADIX + 1];
            for (long key : fromKeys) {
                starts[digit(key, shift) + 1]++;
            }
            if (keys.length == 0 || starts[digit(fromKeys[0], shift) + 1] == keys.length) {
                continue;
            }
            for (int i = 0; i < RADIX; i++) {
                starts[i + 1] += starts[i];
            }
            for (int i = 0; i < fromKeys.length; i++) {
                int place = starts[digit(fromKeys[i], shift)]++;
                toKeys[place] = fromKeys[i];
                toValues[place] = fromValues[i];
            }
            long[] swap = fromKeys;
            fromKeys = toKeys;
            toKeys = swap;
            swap = fromValues;
            fromValues = toValues;
            toValues = swap;
        }
        if (fromKeys != keys) {
            System.arraycopy(fromKeys, 0, keys, 0, keys.length);
            System.arraycopy(fromValues, 0, values, 0, keys.length);
        }
    }

    private static int digit(long key, int shift) {
        return (int) (key >>> shift) & RADIX - 1;
    }

    /** Sorts each run of equal keys by an order. */
    static void sortRuns(long[] keys, long[] values, Order order) {
        long[] scratch = new long[values.length];
        for (int start = 0; start < keys.length; ) {
            int end = start + 1;
            while (end < keys.length && keys[end] == keys[start]) {
                end++;
            }
            if (end - start > 1) {
                merge(values, scratch, start, end, order);
            }
            start = end;
        }
    }

    private static void merge(long[] values, long[] scratch, int start, int end, Order order) {
        if (end - start <= 8) {
            for (int i = start + 1; i < end; i++) {
                long value = values[i];
                int at = i;
                for (; at > start && order.compare(values[at - 1], value) > 0; at--) {
                    values[at] = values[at - 1];
                }
                values[at] = value;
            }
            return;
        }
        int middle = start + end >>> 1;
        merge(values, scratch, start, middle, order);
        merge(values, scratch, middle, end, order);
        System.arraycopy(values, start, scratch, start, end - start);
        for (int at = start, left = start, right = middle; at < end; at++) {
            boolean takeLeft = right == end || left < middle && order.compare(scratch[left], scratch[right]) <= 0;
            values[at] = takeLeft ? scratch[left++] : scratch[right++];
        }
    }
}
