package io.loam.store.engine;

import io.loam.store.log.Geometry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** What a store lies in: memory of this process, or a region that others map too. */
interface StoreMemory extends AutoCloseable {

    /** The first byte of the store. */
    long address();

    /** The epoch's word. */
    long epochWord();

    /** The epoch slots of all processes. */
    long epochSlots();

    MemorySegment view(Arena arena);

    /** Gets a new store's memory ready for use. */
    void prepare(EngineOptions options, Geometry geometry);

    /** Whether what is free may go back to the kernel, by {@link #release}. */
    boolean isReleasable();

    void release(long offset, long bytes);

    /** The store is closed: late readers may see zeros from now on, or what is there. */
    void discard();

    /** Nobody can access it any more. */
    @Override
    void close();
}
