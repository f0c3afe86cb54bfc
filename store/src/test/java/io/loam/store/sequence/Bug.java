package io.loam.store.sequence;

/** Mistakes that {@link HeapStore} makes when asked to: each must be found by one of the testers. */
public enum Bug {
    /** A shorter value over a longer one keeps the old length. */
    STALE_TAIL,
    /** A put is acknowledged and forgotten. */
    LOST_PUT,
    /** A deleted key comes back at its next read. */
    RESURRECTION,
    /** Versions start at 1 again after a delete. */
    VERSION_RESTARTS,
    /** put-if-absent takes an expired entry for a present one. */
    EXPIRED_BLOCKS_INSERT,
    /** A refused write has dropped the old value. */
    REFUSAL_DROPS_OLD,
    /** A scan leaves out the last key of its order. */
    SCAN_MISSES,
    /** Eviction without telling the listener. */
    SILENT_EVICTION,
    /** A transaction that is refused has done its first write. */
    TORN_TRANSACTION,
    /** A byte of the third block of a long value is wrong. */
    THIRD_BLOCK,
    /** What a guard reads is overwritten in place. */
    GUARD_OVERWRITTEN,
    /** replace-by-version ignores the version. */
    VERSION_IGNORED,
    /** clear leaves a key. */
    CLEAR_LEAVES,
    /** Full at a tenth of the capacity. */
    REFUSES_EARLY,
    /** Deleting needs memory. */
    DELETE_REFUSED,
    /** A dropped namespace can still be read. */
    DROPPED_READABLE,
    /** append forgets the expiry. */
    APPEND_FORGETS_EXPIRY,
    /** A replaced value is not reported. */
    REPLACEMENT_UNREPORTED,
    /** Reads see the value before the last one for a while. */
    STALE_READ,
    /** add reads and writes in two steps. */
    ADD_NOT_ATOMIC,
    /** compute reads and writes in two steps. */
    COMPUTE_NOT_ATOMIC,
    /** A key is absent for a moment while it is overwritten. */
    ABSENT_WHILE_REPLACED,
    /** A value is overwritten in two halves that a reader can see. */
    TORN_VALUE,
    /** Transactions write one key after another. */
    TRANSACTION_NOT_ISOLATED
}
