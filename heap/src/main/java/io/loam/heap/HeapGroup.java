package io.loam.heap;

import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Ranges that become durable together in the background, so that the writer need not stall: after {@link #seal} the group is a ticket that can be asked or waited for. Filled by one thread.
 */
public final class HeapGroup {

    private final PersistentHeap heap;
    private long[] ranges = new long[16];
    private int count;
    private boolean sealed;
    private final CountDownLatch durable = new CountDownLatch(1);
    private volatile @Nullable Throwable failure;

    HeapGroup(PersistentHeap heap) {
        this.heap = heap;
    }

    /** What was stored to the range so far is part of the group. */
    public void add(long offset, long length) {
        if (sealed) {
            throw new IllegalStateException("the group is sealed; begin another");
        }
        heap.checkAccess(offset, length);
        if (count == ranges.length) {
            ranges = Arrays.copyOf(ranges, count * 2);
        }
        ranges[count++] = offset;
        ranges[count++] = length;
    }

    /** Gives the group to the background; itself, as the ticket. */
    public HeapGroup seal() {
        if (!sealed) {
            sealed = true;
            heap.submit(this);
        }
        return this;
    }

    /** Whether all of the group is durable. */
    public boolean isDurable() {
        return durable.getCount() == 0 && failure == null;
    }

    /**
     * Waits until all of it is durable; false if that took longer.
     *
     * @throws HeapException if the medium refused it
     */
    public boolean await(long timeout, TimeUnit unit) throws InterruptedException {
        if (!sealed) {
            throw new IllegalStateException("seal the group first");
        }
        boolean done = durable.await(timeout, unit);
        if (failure instanceof Throwable e) {
            throw new HeapException(
                    heap.name() + ": a group could not be made durable: " + e.getMessage()
                            + "; add its ranges to a new group to try again",
                    e);
        }
        return done;
    }

    int size() {
        return count;
    }

    long range(int index) {
        return ranges[index];
    }

    /** @param reason null if all is durable */
    void done(@Nullable Throwable reason) {
        failure = reason;
        durable.countDown();
    }
}
