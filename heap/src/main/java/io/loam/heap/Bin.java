package io.loam.heap;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** All runs of one size class and type, and which of them have free slots. Safe from any thread. */
final class Bin {

    final HeapType type;
    final int sizeClass;
    final int slotBytes;
    /** Free slots that a lane keeps at most. */
    final int laneSlots;

    private final Blocks blocks;
    /** Runs with free slots, or not looked at yet, or ended; the last is used first. */
    private final ArrayDeque<Run> listed = new ArrayDeque<>();

    private @Nullable Run spare;

    Bin(HeapType type, int sizeClass, SizeClasses classes, Blocks blocks) {
        this.type = type;
        this.sizeClass = sizeClass;
        this.slotBytes = classes.slotBytes(sizeClass);
        this.laneSlots = classes.isSmall(sizeClass) ? Math.clamp((64L << 10) / slotBytes, 4, 256) : 1;
        this.blocks = blocks;
    }

    /** Puts up to {@code most} free slots, at least one, into {@code offsets}; how many. */
    int refill(long[] offsets, int most) {
        while (true) {
            synchronized (this) {
                int count = takeListed(offsets, most);
                if (count > 0) {
                    return count;
                }
            }
            Run run = blocks.carve(this);
            synchronized (this) {
                list(run);
            }
        }
    }

    private int takeListed(long[] offsets, int most) {
        int count = 0;
        while (count < most && !listed.isEmpty()) {
            Run run = listed.getLast();
            if (!run.ended) {
                blocks.states(run);
                count = run.take(offsets, count, most - count);
                if (run == spare) {
                    spare = null;
                }
            }
            if (run.ended || run.isFull()) {
                run.listed = false;
                listed.removeLast();
            }
        }
        return count;
    }

    synchronized void list(Run run) {
        if (!run.listed) {
            run.listed = true;
            listed.addFirst(run);
        }
    }

    /** Takes back free slots that a lane had; empty runs but one go back to the space. */
    void spill(long[] offsets, int from, int to) {
        Run[] emptied = new Run[to - from];
        int count = 0;
        synchronized (this) {
            Run run = null;
            for (int i = from; i < to; i++) {
                if (run == null || !run.holds(offsets[i])) {
                    run = blocks.runOf(offsets[i]);
                    list(run);
                }
                run.give(run.slot(offsets[i]));
                if (run.isEmpty() && run != spare) {
                    if (spare == null) {
                        spare = run;
                    } else {
                        run.ended = true;
                        emptied[count++] = run;
                    }
                }
            }
        }
        for (int i = 0; i < count; i++) {
            blocks.end(emptied[i]);
        }
    }

    /** The empty run kept back, for the caller to end; null if there is none. */
    synchronized @Nullable Run giveUpSpare() {
        Run run = spare;
        spare = null;
        if (run != null) {
            run.ended = true;
        }
        return run;
    }

    /** Forgets all runs; the heap is held alone. */
    synchronized void clear() {
        listed.forEach(run -> run.listed = false);
        listed.clear();
        spare = null;
    }
}
