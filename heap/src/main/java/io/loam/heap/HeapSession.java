package io.loam.heap;

import java.util.Arrays;

/**
 * What one thread works on: until it is closed, the objects that it allocates and the offsets it keeps count as reachable for {@link PersistentHeap#collect} and do not
 * move. Objects allocated outside of any session count so until the heap is closed. Its thread's alone, except {@link #close}. Costs 8 bytes of the Java heap for each object that it allocates.
 */
public final class HeapSession implements AutoCloseable {

    private final PersistentHeap heap;
    private long[] allocated = new long[16];
    private int allocatedCount;
    private long[] kept = new long[4];
    private int keptCount;

    HeapSession(PersistentHeap heap) {
        this.heap = heap;
    }

    synchronized void allocated(long offset) {
        if (allocatedCount == allocated.length) {
            allocated = Arrays.copyOf(allocated, allocatedCount * 2);
        }
        allocated[allocatedCount++] = offset;
    }

    /** Counts the object as reachable from now on; gives the offset back. */
    public synchronized long keep(long offset) {
        if (keptCount == kept.length) {
            kept = Arrays.copyOf(kept, keptCount * 2);
        }
        kept[keptCount++] = offset;
        return offset;
    }

    synchronized long[] kept() {
        return Arrays.copyOf(kept, keptCount);
    }

    synchronized long[] allocated() {
        return Arrays.copyOf(allocated, allocatedCount);
    }

    /** Objects that nothing durable leads to are garbage from now on. */
    @Override
    public void close() {
        heap.end(this);
    }
}
