package io.loam.cli;

import io.loam.store.FullPolicy;
import io.loam.store.UpdatePolicy;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The options of a store that the commands offer.
 *
 * @param region where other processes find it, or null for a store of this process alone
 */
public record StoreSettings(
        long capacityBytes,
        UpdatePolicy update,
        FullPolicy full,
        @Nullable Path region) {}
