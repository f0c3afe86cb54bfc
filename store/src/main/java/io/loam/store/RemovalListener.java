package io.loam.store;

/** Told of every value that leaves the store. Its exceptions are logged and dropped. */
@FunctionalInterface
public interface RemovalListener {

    /** Why a value left. */
    enum Cause {
        /** A delete or clear of one key. Clearing and dropping whole namespaces is not reported key by key. */
        DELETED,
        /** A put over it. */
        REPLACED,
        /** Its time had come; reported when it is noticed, not at the instant. */
        EXPIRED,
        /** Dropped to make room. */
        EVICTED
    }

    /**
     * Whether the listener wants to be told of values with these type bits that leave for this reason. Asked before the value is copied, so a listener that wants few costs the others
     * nothing; called by any thread, under locks: it must answer at once, and always the same.
     */
    default boolean wants(Cause cause, int type) {
        return true;
    }

    /** {@code value} is empty if it was longer than an array can be. */
    void removed(String namespace, byte[] key, byte[] value, Cause cause);
}
