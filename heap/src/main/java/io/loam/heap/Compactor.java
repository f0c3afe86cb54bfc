package io.loam.heap;

import io.loam.memory.persistence.PersistentMemory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Moves typed objects out of sparse runs, while the heap is held alone and its garbage is gone.
 *
 * <p>Order, each durable before the next: copies; the pairs (from, to); the forwarding word, from which on recovery finishes what is left; every reference; the ends of the old runs; the forwarding word cleared.
 */
final class Compactor {

    private final PersistentMemory memory;
    private final Geometry geometry;
    private final Blocks blocks;
    private final Space space;
    private final Roots roots;

    Compactor(PersistentMemory memory, Geometry geometry, Blocks blocks, Space space, Roots roots) {
        this.memory = memory;
        this.geometry = geometry;
        this.blocks = blocks;
        this.space = space;
        this.roots = roots;
    }

    /** Offsets that moved and where to; in the order of the moves. */
    private static final class Moves {
        long[] from = new long[64];
        long[] to = new long[64];
        int count;
        long bytes;

        void add(long source, long target) {
            if (count == from.length) {
                from = Arrays.copyOf(from, count * 2);
                to = Arrays.copyOf(to, count * 2);
            }
            from[count] = source;
            to[count++] = target;
        }
    }

    /** @param held what sessions keep */
    CompactionReport compact(long[] held) {
        long begin = System.nanoTime();
        int freeBefore = space.free();
        List<Run> runs = blocks.all();
        Set<Run> pinned = pinned(runs, held);
        Map<Bin, List<Run>> byBin = new HashMap<>();
        for (Run run : runs) {
            if (run.bin != null && !run.type.isOpaque()) {
                byBin.computeIfAbsent(run.bin, ignored -> new ArrayList<>()).add(run);
            }
        }
        var moves = new Moves();
        List<Run> emptied = new ArrayList<>();
        byBin.values().forEach(ofBin -> move(ofBin, pinned, moves, emptied));
        if (moves.count > 0) {
            memory.fence();
            finish(moves, emptied);
        }
        blocks.relistAll();
        long stayed = pinned.stream()
                .filter(run -> run.bin != null && run.used() * 2L < run.slots)
                .count();
        return new CompactionReport(
                moves.count, moves.bytes, space.free() - freeBefore, stayed, System.nanoTime() - begin);
    }

    private void finish(Moves moves, List<Run> emptied) {
        long[] from = Arrays.copyOf(moves.from, moves.count);
        long[] to = Arrays.copyOf(moves.to, moves.count);
        Run list;
        try {
            list = blocks.carveLarge(HeapType.BYTES, Forwarding.bytes(moves.count), Lines.INTERNAL);
        } catch (HeapFullException e) {
            undo(to);
            throw e;
        }
        new Forwarding(memory, list.start).write(from, to);
        HeapLayout.setForwarding(memory, list.start);
        var moved = new HashMap<Long, Long>(moves.count * 4 / 3 + 1);
        for (int i = 0; i < from.length; i++) {
            moved.put(from[i], to[i]);
        }
        Set<Run> gone = new HashSet<>(emptied);
        boolean any = false;
        for (Run run : blocks.all()) {
            if (!gone.contains(run) && run.kind != Lines.INTERNAL && run.type.hasReferences() && !run.type.isOpaque()) {
                any |= rewriteAll(run, moved);
            }
        }
        if (any) {
            memory.fence();
        }
        blocks.endAll(emptied);
        HeapLayout.setForwarding(memory, 0);
        blocks.end(list);
    }

    /** No reference was changed: the copies are forgotten. */
    private void undo(long[] copies) {
        for (long copy : copies) {
            Run run = blocks.runOf(copy);
            blocks.states(run)[run.slot(copy)] = Run.FREE;
            run.recount();
        }
        blocks.relistAll();
    }

    /** Runs with an object that must stay. */
    private Set<Run> pinned(List<Run> runs, long[] held) {
        var pinned = new HashSet<Run>();
        for (Root root : roots.all()) {
            pin(roots.get(root.index()), pinned);
        }
        for (long offset : held) {
            pin(offset, pinned);
        }
        for (Run run : runs) {
            byte[] states = blocks.states(run);
            for (int slot = 0; slot < states.length; slot++) {
                if (states[slot] == Run.NEW || states[slot] == Run.RESTING) {
                    pinned.add(run);
                }
                if (run.type.isOpaque() && states[slot] != Run.FREE) {
                    References.each(
                            memory, run.type, run.offset(slot), 0, run.objectBytes, (at, value) -> pin(value, pinned));
                }
            }
        }
        return pinned;
    }

    private void pin(long offset, Set<Run> pinned) {
        Run run = offset > 0 ? blocks.runAt(offset) : null;
        if (run != null && run.slot(offset) >= 0) {
            pinned.add(run);
        }
    }

    /** Fills the fullest runs of a bin from the emptiest, until they meet. Copies are flushed, not fenced. */
    private void move(List<Run> runs, Set<Run> pinned, Moves moves, List<Run> emptied) {
        runs.sort(Comparator.comparingInt(Run::used));
        int source = 0;
        int target = runs.size() - 1;
        int freeSlot = 0;
        while (source < target) {
            Run from = runs.get(source);
            if (pinned.contains(from)) {
                source++;
                continue;
            }
            // only whole runs are worth it: is there room for all of this one?
            if (roomIn(runs, source + 1, target, freeSlot) < from.used()) {
                return;
            }
            byte[] states = blocks.states(from);
            for (int slot = 0; slot < from.slots; slot++) {
                if (states[slot] == Run.FREE) {
                    continue;
                }
                Run to = runs.get(target);
                while ((freeSlot = nextFree(to, freeSlot)) < 0) {
                    to = runs.get(--target);
                    freeSlot = 0;
                }
                copy(from.offset(slot), to, freeSlot, moves);
            }
            from.ended = true;
            emptied.add(from);
            source++;
        }
    }

    private int roomIn(List<Run> runs, int from, int to, int firstSlot) {
        int room = 0;
        for (int i = to; i >= from; i--) {
            byte[] states = blocks.states(runs.get(i));
            for (int slot = i == to ? firstSlot : 0; slot < states.length; slot++) {
                room += states[slot] == Run.FREE ? 1 : 0;
            }
            if (room >= runs.get(from - 1).slots) {
                break;
            }
        }
        return room;
    }

    private int nextFree(Run run, int from) {
        byte[] states = blocks.states(run);
        for (int slot = from; slot < states.length; slot++) {
            if (states[slot] == Run.FREE) {
                return slot;
            }
        }
        return -1;
    }

    private void copy(long source, Run run, int slot, Moves moves) {
        long target = run.offset(slot);
        memory.copy(source, target, run.slotBytes);
        memory.flush(target, run.slotBytes);
        blocks.states(run)[slot] = Run.OLD;
        run.recount();
        moves.add(source, target);
        moves.bytes += run.slotBytes;
    }

    private boolean rewriteAll(Run run, Map<Long, Long> moved) {
        boolean any = false;
        byte[] states = blocks.states(run);
        for (int slot = 0; slot < states.length; slot++) {
            if (states[slot] != Run.FREE) {
                any |= rewrite(run, run.offset(slot), moved);
            }
        }
        return any;
    }

    private boolean rewrite(Run run, long object, Map<Long, Long> moved) {
        boolean[] any = new boolean[1];
        References.each(memory, run.type, object, 0, run.objectBytes, (at, value) -> {
            Long to = moved.get(value);
            if (to != null) {
                memory.putLongRelease(at, to);
                memory.flush(at, Long.BYTES);
                any[0] = true;
            }
        });
        return any[0];
    }

    /** After a crash: rewrites every reference that can be reached, if a compaction had come so far. No state of a slot is known. */
    void recover() {
        long start = HeapLayout.forwarding(memory);
        if (start == 0) {
            return;
        }
        Map<Long, Long> moved = new Forwarding(memory, start).read(geometry.offset(space.superblocks()));
        Map<Run, BitSet> reached = new HashMap<>();
        var pending = new ArrayDeque<Long>();
        for (Root root : roots.all()) {
            reach(roots.get(root.index()), reached, pending);
        }
        boolean any = false;
        while (!pending.isEmpty()) {
            long object = pending.removeLast();
            Run run = blocks.runOf(object);
            if (!run.type.isOpaque()) {
                any |= rewrite(run, object, moved);
            }
            References.each(
                    memory, run.type, object, 0, run.objectBytes, (at, value) -> reach(value, reached, pending));
        }
        if (any) {
            memory.fence();
        }
        HeapLayout.setForwarding(memory, 0);
    }

    private void reach(long offset, Map<Run, BitSet> reached, ArrayDeque<Long> pending) {
        Run run = offset > 0 ? blocks.runAt(offset) : null;
        int slot = run == null ? -1 : run.slot(offset);
        if (run == null || slot < 0) {
            return;
        }
        BitSet known = reached.computeIfAbsent(run, ignored -> new BitSet(run.slots));
        if (!known.get(slot)) {
            known.set(slot);
            if (run.type.hasReferences()) {
                pending.addLast(offset);
            }
        }
    }
}
