package io.loam.heap.structure;

import io.loam.heap.PersistentHeap;
import java.util.function.LongSupplier;

/**
 * How many entries lie behind one {@link StructureLock}: counted when first asked for, then kept up to date; unknown again after an atomic update that was undone.
 *
 * <p>Changed under the lock for writing alone, so that no change falls between the counting and its result; read without.
 */
final class EntryCount {

    private static final long UNKNOWN = -1;

    private final PersistentHeap heap;
    private volatile long known = UNKNOWN;

    EntryCount(PersistentHeap heap) {
        this.heap = heap;
    }

    /** Inside of the lock for writing. */
    @SuppressWarnings("NonAtomicOperationOnVolatileField") // one writer at a time
    void add(int change) {
        if (known == UNKNOWN) {
            return;
        }
        known += change;
        if (heap.isAtomic()) {
            // runs before the lock is given up, which was taken before
            heap.afterAtomic(succeeded -> {
                if (!succeeded) {
                    known = UNKNOWN;
                }
            });
        }
    }

    /**
     * Inside of an atomic update it counts anew, and keeps the lock to the update's end.
     *
     * @param counting counts them, inside of the lock
     */
    long get(StructureLock lock, LongSupplier counting) {
        // inside of an atomic update a part of it may have been undone alone
        boolean atomic = heap.isAtomic();
        long count = known;
        if (count != UNKNOWN && !atomic) {
            return count;
        }
        return lock.write(() -> {
            if (atomic) {
                return counting.getAsLong();
            }
            if (known == UNKNOWN) {
                known = counting.getAsLong();
            }
            return known;
        });
    }
}
