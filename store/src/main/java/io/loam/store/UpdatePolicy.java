package io.loam.store;

/** How a present key gets a new value. */
public enum UpdatePolicy {
    /** Always appended to the log (Nibble). */
    APPEND,
    /** Overwritten where it lies if it fits and is at most 4 KiB, else appended (Nibble-2). */
    IN_PLACE
}
