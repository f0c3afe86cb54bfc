package io.loam.heap;

import io.loam.memory.Membarrier;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets operations in, and one thread be alone; see "Threads" in the package's description. Also finds each thread its lane.
 */
final class Gate {

    private static final int SHARED_LANES = 32;
    private static final int REMEMBERED = 256;
    private static final long WAIT_NANOS = 20_000;

    /**
     * Lanes by their owners' ids, to find most without a ThreadLocal. Races are harmless: a lane is taken for a thread's only if it says so itself, and a thread that reads
     * its own name there has written it.
     */
    private final @Nullable Lane[] remembered = new Lane[REMEMBERED];

    /** Kept by platform threads; by a virtual thread only while it is inside of an operation that may call others. */
    private final ThreadLocal<@Nullable Lane> mine = new ThreadLocal<>();

    private final List<Lane> lanes = new CopyOnWriteArrayList<>();
    private final Lane[] shared = new Lane[SHARED_LANES];
    private final ReentrantLock alone = new ReentrantLock();
    private final LaneMaker maker;
    /** Else each entry has a fence. */
    private final boolean membarrier;

    private volatile boolean closed;
    private volatile boolean ended;

    interface LaneMaker {
        Lane make(boolean shared);
    }

    Gate(LaneMaker maker) {
        this(maker, Membarrier.register());
    }

    /** @param membarrier whether this process has registered for it */
    Gate(LaneMaker maker, boolean membarrier) {
        this.maker = maker;
        this.membarrier = membarrier;
        for (int i = 0; i < SHARED_LANES; i++) {
            shared[i] = maker.make(true);
            lanes.add(shared[i]);
        }
    }

    List<Lane> lanes() {
        return lanes;
    }

    /** The calling thread's lane, entered; given back to {@link #exit}. Operations may be nested. */
    Lane enter() {
        Lane lane = current();
        if (lane == null) {
            lane = lane();
        }
        int depth = lane.depth();
        // opaque: the compiler keeps it before the look at the gate; the CPU does through the fence, or that of whoever
        // closes it
        lane.depthOpaque(depth + 1);
        if (depth == 0) {
            if (!membarrier) {
                VarHandle.fullFence();
            }
            if (closed) {
                waitUntilOpen(lane);
            }
        }
        return lane;
    }

    void exit(Lane lane) {
        int depth = lane.depth() - 1;
        // release: pairs with the acquire in alone(): whoever is alone sees what the operation did
        lane.depthRelease(depth);
        if (depth == 0 && lane.isShared()) {
            mine.remove();
            lane.unclaim();
        }
    }

    /** Whether the calling thread is inside of an operation. */
    boolean isEntered() {
        Lane lane = current();
        return lane != null && lane.depth() > 0;
    }

    private void waitUntilOpen(Lane lane) {
        if (alone.isHeldByCurrentThread() && !ended) {
            return;
        }
        do {
            lane.depthRelease(0);
            while (closed) {
                if (ended) {
                    throw new IllegalStateException("the heap is closed");
                }
                LockSupport.parkNanos(WAIT_NANOS);
            }
            lane.depthOpaque(1);
            VarHandle.fullFence();
        } while (closed);
    }

    private Lane lane() {
        Thread thread = Thread.currentThread();
        Lane lane = thread.isVirtual() ? claimShared(thread) : own(thread);
        mine.set(lane);
        if (!lane.isShared()) {
            remembered[place(thread)] = lane;
        }
        return lane;
    }

    private static int place(Thread thread) {
        return (int) thread.threadId() & REMEMBERED - 1;
    }

    private synchronized Lane own(Thread thread) {
        for (Lane lane : lanes) {
            if (lane.adopt(thread)) {
                return lane;
            }
        }
        Lane lane = maker.make(false);
        lane.adopt(thread);
        lanes.add(lane);
        return lane;
    }

    private Lane claimShared(Thread thread) {
        for (int probe = (int) thread.threadId(); ; probe++) {
            Lane lane = shared[probe & SHARED_LANES - 1];
            if (lane.claim()) {
                return lane;
            }
            if ((probe & SHARED_LANES - 1) == 0) {
                LockSupport.parkNanos(WAIT_NANOS);
            }
        }
    }

    /** Runs the action while no other thread is inside of an operation, and none enters. */
    <T> T alone(Supplier<T> action) {
        if (isEntered()) {
            throw new IllegalStateException(
                    "a thread inside of atomic() or operate() can't have the heap alone; call this outside");
        }
        alone.lock();
        boolean outermost = alone.getHoldCount() == 1;
        try {
            if (outermost) {
                closed = true;
                if (membarrier) {
                    Membarrier.barrier();
                } else {
                    VarHandle.fullFence();
                }
                for (Lane lane : lanes) {
                    while (lane.depthAcquire() > 0) {
                        LockSupport.parkNanos(WAIT_NANOS);
                    }
                }
            }
            return action.get();
        } finally {
            if (outermost) {
                closed = ended;
            }
            alone.unlock();
        }
    }

    /** Lets nobody in any more. Called while alone. */
    void end() {
        ended = true;
    }

    boolean isEnded() {
        return ended;
    }

    /** The calling thread's lane if it has one. */
    @Nullable
    Lane current() {
        Thread thread = Thread.currentThread();
        Lane lane = remembered[place(thread)];
        return lane != null && lane.isOwnedBy(thread) ? lane : mine.get();
    }
}
