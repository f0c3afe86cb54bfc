package io.loam.store;

/** What happens to a write when memory is full. */
public enum FullPolicy {
    /** The write is refused with {@link StoreFullException}. */
    REJECT,
    /** The cleaner drops cold entries, see {@link Eviction}. */
    EVICT
}
