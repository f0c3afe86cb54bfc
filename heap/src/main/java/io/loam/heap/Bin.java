package io.loam.heap;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** All runs of one size class and type, and which of them have free slots. Safe from any thread. */
final class Bin {

    private static final int MOST_SPARES = 16;

    /** Unique in the heap, counted from 0. */
    final int number;

    final HeapType type;
    final int sizeClass;
    final int slotBytes;
    /** Free slots that a lane keeps at most. */
    final int laneSlots;

    private final Blocks blocks;
    /** Runs with free slots, or not looked at yet, or ended; the last is used first. */
    private final ArrayDeque<Run> listed = new ArrayDeque<>();

    /** Empty runs that are kept for what is allocated next: making a run and ending it cost as much as some hundred allocations. */
    private int spares;

    Bin(int number, HeapType type, int sizeClass, SizeClasses classes, Blocks blocks) {
        this.number = number;
        this.type = type;
        this.sizeClass = sizeClass;
        this.slotBytes = classes.slotBytes(sizeClass);
        this.laneSlots = classes.isSmall(sizeClass) ? Math.clamp((64L << 10) / slotBytes, 4, 256) : 1;
        this.blocks = blocks;
    }

    /** Puts up to {@code most} free slots, at least one, into {@code places}; how many. */
    int refill(long[] places, int most) {
        while (true) {
            synchronized (this) {
                int count = takeListed(places, most);
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

    private int takeListed(long[] places, int most) {
        int count = 0;
        while (count < most && !listed.isEmpty()) {
            Run run = listed.getLast();
            if (!run.ended) {
                blocks.states(run);
                count = run.take(places, count, most - count);
                if (run.spare) {
                    run.spare = false;
                    spares--;
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

    /** Takes back free slots that a lane had; empty runs beyond the spares go back to the space. */
    void spill(long[] places, int from, int to) {
        List<Run> emptied = List.of();
        synchronized (this) {
            Run run = null;
            for (int i = from; i < to; i++) {
                long offset = Run.offsetOf(places[i]);
                if (run == null || !run.holds(offset)) {
                    run = blocks.runOf(offset);
                    list(run);
                }
                run.give(Run.slotOf(places[i]));
                if (run.isEmpty() && !keepAsSpare(run)) {
                    run.ended = true;
                    if (emptied.isEmpty()) {
                        emptied = new ArrayList<>();
                    }
                    emptied.add(run);
                }
            }
        }
        emptied.forEach(blocks::end);
    }

    private boolean keepAsSpare(Run run) {
        if (!run.spare) {
            if (spares >= Math.clamp(blocks.heapSuperblocks() / 64 / run.superblocks, 1, MOST_SPARES)) {
                return false;
            }
            run.spare = true;
            spares++;
        }
        return true;
    }

    /** The spare runs, for the caller to end. */
    synchronized List<Run> giveUpSpares() {
        if (spares == 0) {
            return List.of();
        }
        List<Run> given = new ArrayList<>();
        for (Run run : listed) {
            if (run.spare) {
                run.spare = false;
                run.ended = true;
                given.add(run);
            }
        }
        spares = 0;
        return given;
    }

    /** Forgets all runs; the heap is held alone. */
    synchronized void clear() {
        for (Run run : listed) {
            run.listed = false;
            run.spare = false;
        }
        listed.clear();
        spares = 0;
    }
}
