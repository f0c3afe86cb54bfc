package io.loam.heap;

import io.loam.memory.persistence.Durability;
import io.loam.memory.persistence.SimulatedMemory;

/** Heaps of a few superblocks of 4 KiB, so that a test meets every edge soon. */
final class SmallHeap {

    static final HeapOptions OPTIONS = HeapOptions.defaults()
            .withDurability(Durability.SIMULATED)
            .withSize(4 * 4096, 64 * 4096)
            .withSuperblockBytes(4096)
            .withTables(6, 12, 2, 512);

    private SmallHeap() {}

    static SimulatedMemory memory() {
        return memory(OPTIONS);
    }

    static SimulatedMemory memory(HeapOptions options) {
        return new SimulatedMemory(0, options.maximumBytes());
    }

    static PersistentHeap create() {
        return PersistentHeap.create(memory(), OPTIONS);
    }
}
