package io.loam.store.engine;

import io.loam.memory.Topology;
import io.loam.store.Eviction;
import io.loam.store.FullPolicy;
import io.loam.store.UpdatePolicy;
import java.time.InstantSource;

/**
 * The options of a store after defaults have been filled in and checked. Sizes in bytes.
 *
 * @param marks whether there is room for reference marks, so that entries may be evicted
 * @param exclusive whether nobody else may have a shared store open meanwhile
 */
public record EngineOptions(
        long capacityBytes,
        long maximumCapacityBytes,
        int blockBytes,
        int segmentBytes,
        int headsPerNode,
        int cleanersPerNode,
        int epochSlots,
        UpdatePolicy updatePolicy,
        FullPolicy fullPolicy,
        Eviction eviction,
        boolean floodResistant,
        long writeTimeoutMillis,
        long releaseDelayMillis,
        boolean hugePages,
        boolean prefault,
        InstantSource clock,
        Topology topology,
        long hashSeed,
        boolean marks,
        boolean exclusive) {

    EngineOptions withEpochSlots(int count) {
        return new EngineOptions(
                capacityBytes,
                maximumCapacityBytes,
                blockBytes,
                segmentBytes,
                headsPerNode,
                cleanersPerNode,
                count,
                updatePolicy,
                fullPolicy,
                eviction,
                floodResistant,
                writeTimeoutMillis,
                releaseDelayMillis,
                hugePages,
                prefault,
                clock,
                topology,
                hashSeed,
                marks,
                exclusive);
    }
}
