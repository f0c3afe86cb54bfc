package io.loam.store.engine;

import io.loam.memory.region.MappedRegion;
import io.loam.store.log.Geometry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The memory of a shared store: a region of data and one of control. */
record SharedMemory(MappedRegion data, MappedRegion control) implements StoreMemory {

    @Override
    public long address() {
        return data.address();
    }

    @Override
    public long epochWord() {
        return control.address() + SharedLayout.EPOCH;
    }

    @Override
    public long epochSlots() {
        return control.address() + SharedLayout.EPOCH_SLOTS;
    }

    @Override
    public MemorySegment view(Arena arena) {
        return data.view(arena);
    }

    @Override
    public void prepare(EngineOptions options, Geometry geometry) {
        // a region's space is allocated, and zero
    }

    @Override
    public boolean isReleasable() {
        return false;
    }

    @Override
    public void release(long offset, long bytes) {
        throw new UnsupportedOperationException("a region keeps its memory");
    }

    @Override
    public void discard() {
        // others use it
    }

    @Override
    public void close() {
        data.close();
        control.close();
    }
}
