package io.loam.store.index;

import java.util.Arrays;

/** The buckets that one transaction has locked. */
public final class HeldBuckets {

    private long[] buckets = new long[8];
    private int count;

    void add(long bucket) {
        if (count == buckets.length) {
            buckets = Arrays.copyOf(buckets, 2 * count);
        }
        buckets[count++] = bucket;
    }

    boolean contains(long bucket) {
        for (int i = 0; i < count; i++) {
            if (buckets[i] == bucket) {
                return true;
            }
        }
        return false;
    }

    /** Unlocks all. */
    public void release(Index index) {
        for (int i = 0; i < count; i++) {
            index.unlock(buckets[i]);
        }
        count = 0;
    }

    public int count() {
        return count;
    }

    public long bucket(int i) {
        return buckets[i];
    }
}
