package io.loam.bench.system;

/** One thread's way into a system under test. Not thread-safe; holds the buffers that spare the hot loop any allocation. */
public abstract class Session {

    /** Returned by {@link #get} for a key that is absent. */
    public static final int ABSENT = -1;

    /** Copies the value to {@code into} (or, where the system hands out references, to nowhere: see {@link #value}); returns its length. */
    public abstract int get(long key, byte[] into);

    /** The bytes of the last value read: {@code into} itself, or the reference that the system handed out. */
    public byte[] value(byte[] into) {
        return into;
    }

    /**
     * Stores the first {@code length} bytes of {@code value}.
     *
     * @throws RefusedException when the system is full
     */
    public abstract void put(long key, byte[] value, int length);

    public abstract boolean delete(long key);

    /** Reads {@code count} keys; lengths as {@link #get} returns them. Systems that have a batch form override this. */
    public int getBatch(long[] keys, byte[][] into, int[] lengths, int count) {
        int present = 0;
        for (int i = 0; i < count; i++) {
            lengths[i] = get(keys[i], into[i]);
            if (lengths[i] >= 0) {
                present++;
            }
        }
        return present;
    }

    /** The bytes of value {@code i} of the last batch. */
    public byte[] batchValue(byte[][] into, int i) {
        return into[i];
    }
}
