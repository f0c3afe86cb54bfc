package io.loam.store;

/** How a present key gets a new value. */
public enum UpdatePolicy {
    /** Always appended to the log (Nibble). */
    APPEND,
    /** Overwritten where it lies if it fits and the whole entry has at most 2 KiB (or 1/32 of a block, if that is less), else appended (Nibble-2). */
    IN_PLACE
}
