package io.loam.heap.structure;

import io.loam.heap.HeapType;
import io.loam.heap.PersistentHeap;
import io.loam.heap.Root;
import java.util.concurrent.locks.StampedLock;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One writer, and readers that look whether one came between.
 *
 * <p>A writer inside of {@code atomic} keeps the lock to its end. Such updates take the heap's turn first, so that those that keep several locks never wait for each other; a writer outside of one
 * holds one lock only, for the one operation. The order is: an update's log, the turn, locks. So a writer outside of an update begins none while it has the lock: the logs may all be of updates that wait for it.
 */
final class StructureLock {

    private static final int OPTIMISTIC_TRIES = 3;

    private final PersistentHeap heap;
    private final StampedLock lock = new StampedLock();
    /** Who keeps it to the end of an atomic update. */
    private volatile @Nullable Thread keeper;

    StructureLock(PersistentHeap heap) {
        this.heap = heap;
    }

    /**
     * The object under the root of this name, made if there is none. Its maker enters the heap before it takes the root's monitor: else it could wait, with the monitor, for a collection that waits for
     * somebody inside of the heap who wants the monitor.
     *
     * @throws IllegalStateException if it is to be made inside of an atomic update, which could undo it under whoever has found it
     */
    static long header(PersistentHeap heap, String name, HeapType type, LongSupplier maker) {
        Root known = heap.findRoot(name);
        if (heap.isAtomic() && (known == null || known.get() == 0)) {
            throw new IllegalStateException(heap.name() + " has no structure '" + name
                    + "' yet, and an atomic update can't make one; open it before, outside of atomic()");
        }
        Root root = heap.root(name, type);
        return heap.operate(() -> {
            synchronized (root) {
                if (root.get() == 0) {
                    root.set(maker.getAsLong());
                }
                return root.get();
            }
        });
    }

    <T extends @Nullable Object> T write(Supplier<T> action) {
        return heap.operate(() -> writeLocked(action));
    }

    /** As {@link #write}, of an action that stores more than one word: an atomic update. */
    <T extends @Nullable Object> T update(Supplier<T> action) {
        return heap.atomic(() -> write(action));
    }

    private <T extends @Nullable Object> T writeLocked(Supplier<T> action) {
        if (keeper == Thread.currentThread()) {
            return action.get();
        }
        if (heap.isAtomic()) {
            heap.takeTurn();
            long stamp = lock.writeLock();
            keeper = Thread.currentThread();
            heap.afterAtomic(ignored -> {
                keeper = null;
                lock.unlockWrite(stamp);
            });
            return action.get();
        }
        long stamp = lock.writeLock();
        try {
            return action.get();
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    /** What the action read at one moment. It may be run several times, and while what it reads changes: then it may give or throw anything, and is run again. */
    <T extends @Nullable Object> T read(Reading<T> action) {
        return heap.operate(() -> readValid(action));
    }

    private <T extends @Nullable Object> T readValid(Reading<T> action) {
        if (keeper == Thread.currentThread()) {
            return action.read(() -> true);
        }
        for (int i = 0; i < OPTIMISTIC_TRIES; i++) {
            long stamp = lock.tryOptimisticRead();
            if (stamp != 0) {
                try {
                    T result = action.read(() -> lock.validate(stamp));
                    if (lock.validate(stamp)) {
                        return result;
                    }
                } catch (RuntimeException e) {
                    if (lock.validate(stamp)) {
                        throw e;
                    }
                }
            }
        }
        long stamp = lock.readLock();
        try {
            return action.read(() -> true);
        } finally {
            lock.unlockRead(stamp);
        }
    }

    interface Reading<T extends @Nullable Object> {
        T read(Validity validity);
    }

    /** Whether what was read so far is of one moment. */
    interface Validity {
        boolean holds();

        /** A length that may be used, since it is no garbage. */
        default int checked(int length) {
            if (!holds() || length < 0) {
                throw new IllegalStateException("a length of " + length + " was read");
            }
            return length;
        }
    }
}
