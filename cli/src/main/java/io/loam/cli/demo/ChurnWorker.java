package io.loam.cli.demo;

import io.loam.cli.Failure;
import io.loam.store.Store;
import io.loam.store.StoreFullException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Overwrites, deletes, re-inserts and reads its own objects at random. Few are absent at a time, so that the utilisation stays; the counters are
 * written by its thread and read by any.
 */
final class ChurnWorker implements Runnable {
    private static final int READ_PERCENT = 10;
    private static final int DELETE_PERCENT = 10;
    /** One in this many of its objects may be absent at a time. */
    private static final int OBJECTS_PER_ABSENT = 200;

    private static final int REFUSALS_IN_A_ROW = 50;

    private final Churn churn;
    private final Store store;
    private final List<DemoObject> objects;
    private final SplittableRandom random;
    private final ArrayDeque<DemoObject> absent = new ArrayDeque<>();
    private final byte[] scratch;
    private int refusalsInARow;

    @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes
    volatile long writtenBytes;

    @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes
    volatile long overwrites;

    @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes
    volatile long insertions;

    @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes
    volatile long deletions;

    @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes
    volatile long reads;

    @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes
    volatile long refusals;

    @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes
    volatile long longestWriteNanos;

    ChurnWorker(Churn churn, Store store, List<DemoObject> objects, long seed) {
        this.churn = churn;
        this.store = store;
        this.objects = objects;
        this.random = new SplittableRandom(seed);
        this.scratch =
                new byte[objects.stream().mapToInt(o -> o.source.length).max().orElse(0)];
    }

    long operations() {
        return overwrites + insertions + deletions + reads;
    }

    @Override
    public void run() {
        try {
            while (churn.goesOn() && !objects.isEmpty()) {
                step(objects.get(random.nextInt(objects.size())), random.nextInt(100));
            }
        } catch (RuntimeException | Error e) {
            churn.fail("worker " + Thread.currentThread().getName() + ": "
                    + e.getClass().getSimpleName() + ": " + Failure.describe(e));
        }
    }

    private void step(DemoObject object, int dice) {
        if (dice < READ_PERCENT) {
            read(object);
        } else if (object.stored == DemoObject.ABSENT) {
            return;
        } else if (dice < READ_PERCENT + DELETE_PERCENT) {
            delete(object);
        } else if (write(object)) {
            overwrites++;
        }
    }

    private void delete(DemoObject object) {
        if (!store.delete(object.key)) {
            churn.fail("MISMATCH: " + object.keyText() + " was stored but delete did not find it");
            return;
        }
        deletions++;
        object.stored = DemoObject.ABSENT;
        absent.add(object);
        if (absent.size() > objects.size() / OBJECTS_PER_ABSENT) {
            DemoObject oldest = absent.remove();
            if (write(oldest)) {
                insertions++;
            } else {
                absent.add(oldest);
            }
        }
    }

    /** Writes the next generation; whether the store took it. */
    private boolean write(DemoObject object) {
        int generation = ++object.last;
        Generation.encode(object.source, generation, scratch);
        MemorySegment key = MemorySegment.ofArray(object.key);
        MemorySegment value = MemorySegment.ofArray(scratch).asSlice(0, object.source.length);
        long start = System.nanoTime();
        try {
            store.put(key, value);
            refusalsInARow = 0;
        } catch (StoreFullException e) {
            refused(e);
            return false;
        } finally {
            longestWriteNanos = Math.max(longestWriteNanos, System.nanoTime() - start);
        }
        object.stored = generation;
        writtenBytes += object.userBytes();
        return true;
    }

    private void refused(StoreFullException e) {
        refusals++;
        if (++refusalsInARow >= REFUSALS_IN_A_ROW) {
            churn.fail("the store refused " + REFUSALS_IN_A_ROW + " writes in a row: " + Failure.describe(e));
        }
    }

    private void read(DemoObject object) {
        String wrong = Verification.check(store, object, object.source, scratch);
        reads++;
        if (wrong != null) {
            churn.fail(wrong);
        }
    }
}
