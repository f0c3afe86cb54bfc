package io.loam.memory.region;

/** What a region is mapped or attached for. */
public enum Access {
    READ,
    WRITE
}
