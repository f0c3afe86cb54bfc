package io.loam.store.index;

import io.loam.memory.RawMemory;
import io.loam.store.log.BlockPool;
import io.loam.store.log.Geometry;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

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

    /**
     * Takes over what another process, which is gone, has left.
     *
     * @param used offsets of the descriptors in use
     * @param later runs what is to be done when no reader is left in the others
     * @return the blocks that hold them
     */
    public synchronized Set<Integer> adopt(Set<Long> used, Consumer<Runnable> later) {
        free.clear();
        List<Long> unused = new ArrayList<>();
        Set<Integer> slabs = new TreeSet<>();
        used.forEach(descriptor -> slabs.add(geometry.blockAt(descriptor)));
        for (int block : slabs) {
            long start = geometry.blockOffset(block);
            for (long at = 0; at + SubtableLayout.BYTES <= geometry.blockBytes; at += SubtableLayout.BYTES) {
                if (!used.contains(start + at)) {
                    unused.add(start + at);
                }
            }
        }
        later.accept(() -> addAll(unused));
        return slabs;
    }

    private synchronized void addAll(List<Long> unused) {
        free.addAll(unused);
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
