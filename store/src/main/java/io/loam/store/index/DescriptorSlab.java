package io.loam.store.index;

import io.loam.memory.RawMemory;
import io.loam.store.log.BlockPool;
import io.loam.store.log.Geometry;
import java.util.ArrayDeque;

/** Hands out room for subtable descriptors from blocks of the pool; descriptors of several indexes share a block. */
public final class DescriptorSlab {

    private final RawMemory memory;
    private final long base;
    private final Geometry geometry;
    private final BlockPool pool;
    private final ArrayDeque<Long> free = new ArrayDeque<>();

    public DescriptorSlab(RawMemory memory, long base, Geometry geometry, BlockPool pool) {
        this.memory = memory;
        this.base = base;
        this.geometry = geometry;
        this.pool = pool;
    }

    /** The offset of a zeroed descriptor, or 0 when there is no memory. */
    synchronized long allocate() {
        if (free.isEmpty()) {
            int[] block = pool.allocateIndex(1);
            if (block.length == 0) {
                return 0;
            }
            long start = geometry.blockOffset(block[0]);
            for (long at = 0; at + SubtableLayout.BYTES <= geometry.blockBytes; at += SubtableLayout.BYTES) {
                free.add(start + at);
            }
        }
        long descriptor = free.remove();
        memory.fill(base + descriptor, SubtableLayout.BYTES, (byte) 0);
        return descriptor;
    }

    synchronized void free(long descriptor) {
        free.add(descriptor);
    }
}
