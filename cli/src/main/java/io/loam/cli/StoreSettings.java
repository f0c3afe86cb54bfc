package io.loam.cli;

import io.loam.store.FullPolicy;
import io.loam.store.UpdatePolicy;

/** The options of a store that the commands offer. */
public record StoreSettings(long capacityBytes, UpdatePolicy update, FullPolicy full) {}
