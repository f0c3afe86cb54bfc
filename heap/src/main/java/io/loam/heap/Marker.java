package io.loam.heap;

import io.loam.memory.persistence.PersistentMemory;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Marks what can be reached. Two ways: after a crash, when no state is known, a mark is the state OLD; in a running heap it is the bit MARK beside the state of a used slot. After a crash inside of a
 * compaction it finishes that on its way: a reference to an object that has moved is rewritten before it is followed.
 *
 * <p>Several threads, each with a stack of its own; one that finds others idle gives half of it away. Nobody changes references meanwhile.
 */
final class Marker {

    private static final VarHandle BYTES = MethodHandles.arrayElementVarHandle(byte[].class);
    private static final long PART_BYTES = 256 << 10;
    private static final int WORTH_SHARING = 256;

    private final PersistentMemory memory;
    private final Blocks blocks;
    private final boolean afterCrash;
    private final @Nullable Forwarding moved;
    private final int threads;
    private final long limit;

    private final ConcurrentLinkedQueue<Work> shared = new ConcurrentLinkedQueue<>();
    private final AtomicInteger idle = new AtomicInteger();
    private final LongAdder marked = new LongAdder();
    private final LongAdder dangling = new LongAdder();

    /** Objects to scan, or a part of one large object. */
    private record Work(long[] objects, long from, long to) {}

    Marker(
            PersistentMemory memory,
            Geometry geometry,
            Blocks blocks,
            int superblocks,
            boolean afterCrash,
            @Nullable Forwarding moved,
            int threads) {
        this.memory = memory;
        this.blocks = blocks;
        this.limit = geometry.offset(superblocks);
        this.afterCrash = afterCrash;
        this.moved = moved;
        this.threads = threads;
    }

    long marked() {
        return marked.sum();
    }

    /** References of typed objects that led to no object. */
    long dangling() {
        return dangling.sum();
    }

    /** Marks what the offsets lead to, themselves included. Those that are no object count as dangling. */
    void mark(long[] roots) {
        mark(roots, false);
    }

    /** As {@link #mark(long[])}, of offsets that may be of no object. */
    void markIfObjects(long[] offsets) {
        mark(offsets, true);
    }

    private void mark(long[] offsets, boolean mayBeNone) {
        var first = new Worker();
        for (long offset : offsets) {
            first.reference(offset, mayBeNone);
        }
        if (threads == 1) {
            first.run();
            first.finish();
            return;
        }
        if (first.height == 0) {
            first.finish();
            return;
        }
        first.giveAll();
        idle.set(0);
        var failure = new AtomicReference<@Nullable Throwable>();
        List<Thread> team = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            Worker worker = i == 0 ? first : new Worker();
            Thread thread =
                    Thread.ofPlatform().daemon().name("loam-marker-" + i).unstarted(worker);
            thread.setUncaughtExceptionHandler((ignored, e) -> {
                failure.compareAndSet(null, e);
                idle.addAndGet(threads);
            });
            team.add(thread);
        }
        team.forEach(Thread::start);
        for (Thread thread : team) {
            join(thread);
        }
        if (failure.get() instanceof Throwable e) {
            throw new HeapException(
                    memory.name() + ": marking failed: " + e + "; run check, then restore the heap from a copy", e);
        }
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private final class Worker implements Runnable, References.Visitor {

        private long[] stack = new long[1024];
        private int height;
        private boolean conservative;
        private boolean rewrote;
        private long count;
        private long lost;

        @Override
        public void run() {
            boolean resting = false;
            while (true) {
                while (height > 0) {
                    scan(stack[--height]);
                    if (height > WORTH_SHARING && idle.get() > 0 && shared.isEmpty()) {
                        giveHalf();
                    }
                }
                if (resting) {
                    if (shared.isEmpty()) {
                        if (idle.get() >= threads) {
                            finish();
                            return;
                        }
                        Thread.onSpinWait();
                        continue;
                    }
                    // before the look for work: whoever counts all as idle knows that none of them has any
                    idle.decrementAndGet();
                    resting = false;
                }
                Work work = shared.poll();
                if (work != null) {
                    take(work);
                } else {
                    resting = true;
                    idle.incrementAndGet();
                }
            }
        }

        /** What this thread has rewritten becomes durable. */
        void finish() {
            if (rewrote) {
                memory.fence();
                rewrote = false;
            }
            marked.add(count);
            dangling.add(lost);
            count = 0;
            lost = 0;
        }

        private void take(Work work) {
            if (work.to > 0) {
                scan(work.objects[0], work.from, work.to);
            } else {
                for (long object : work.objects) {
                    push(object);
                }
            }
        }

        void giveAll() {
            shared.add(new Work(Arrays.copyOf(stack, height), 0, 0));
            height = 0;
        }

        private void giveHalf() {
            int half = height / 2;
            shared.add(new Work(Arrays.copyOf(stack, half), 0, 0));
            System.arraycopy(stack, half, stack, 0, height - half);
            height -= half;
        }

        private void push(long object) {
            if (height == stack.length) {
                stack = Arrays.copyOf(stack, height * 2);
            }
            stack[height++] = object;
        }

        private void scan(long object) {
            Run run = blocks.runOf(object);
            if (run.objectBytes <= PART_BYTES) {
                scan(run, object, 0, run.objectBytes);
            } else {
                for (long from = PART_BYTES; from < run.objectBytes; from += PART_BYTES) {
                    shared.add(new Work(new long[] {object}, from, Math.min(from + PART_BYTES, run.objectBytes)));
                }
                scan(run, object, 0, PART_BYTES);
            }
        }

        private void scan(long object, long from, long to) {
            scan(blocks.runOf(object), object, from, to);
        }

        private void scan(Run run, long object, long from, long to) {
            conservative = run.type.isOpaque();
            References.each(memory, run.type, object, from, to, this);
        }

        @Override
        public void word(long at, long value) {
            long found = value;
            if (moved != null && !conservative) {
                found = moved.follow(at, value);
                rewrote |= found != value;
            }
            reference(found, conservative);
        }

        void reference(long value, boolean mayBeNone) {
            if (value == 0) {
                return;
            }
            Run run = value > 0 && value < limit ? blocks.runAt(value) : null;
            int slot = run == null ? -1 : run.slot(value);
            if (run == null || slot < 0 || !mark(run, slot)) {
                if ((run == null || slot < 0) && !mayBeNone) {
                    lost++;
                }
                return;
            }
            count++;
            if (run.type.hasReferences()) {
                push(value);
            }
        }

        /** False if it was marked before, or is no object. */
        private boolean mark(Run run, int slot) {
            if (afterCrash) {
                byte[] marks = run.marksOrNull();
                if (marks == null) {
                    marks = firstMarks(run);
                }
                return marks[slot] == Run.FREE && change(marks, slot, Run.FREE, Run.OLD);
            }
            byte[] states = blocks.states(run);
            byte state = states[slot];
            if (state != Run.OLD && state != Run.NEW) {
                return false;
            }
            return change(states, slot, state, (byte) (state | Run.MARK));
        }

        /** Of several threads that find an object at once, one marks and scans it. */
        private boolean change(byte[] bytes, int slot, byte from, byte to) {
            if (threads > 1) {
                return BYTES.compareAndSet(bytes, slot, from, to);
            }
            bytes[slot] = to;
            return true;
        }

        private static byte[] firstMarks(Run run) {
            synchronized (run) {
                byte[] marks = run.marksOrNull();
                if (marks == null) {
                    marks = new byte[run.slots];
                    run.setMarks(marks);
                }
                return marks;
            }
        }
    }
}
