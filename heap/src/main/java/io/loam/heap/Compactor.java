package io.loam.heap;

import io.loam.memory.persistence.PersistentMemory;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Moves typed objects out of sparse runs, while the heap is held alone and its garbage is gone.
 *
 * <p>Order, each durable before the next: copies and the {@link Forwarding} of them; the forwarding word, from which on recovery finishes what is left; every reference; the ends of the old runs; the
 * forwarding word cleared. If there is no room to note all moves at once, it goes round by round; each looks at every reference.
 */
final class Compactor {

    /** The notes may take this part of the heap, if that much is not free already. */
    private static final int NOTES_PART = 32;

    private final PersistentMemory memory;
    private final Geometry geometry;
    private final Blocks blocks;
    private final Space space;
    private final Roots roots;
    private long moved;
    private long movedBytes;

    Compactor(PersistentMemory memory, Geometry geometry, Blocks blocks, Space space, Roots roots) {
        this.memory = memory;
        this.geometry = geometry;
        this.blocks = blocks;
        this.space = space;
        this.roots = roots;
    }

    /**
     * What is to be done with the runs of one bin.
     *
     * @param sources are emptied
     * @param targets take their objects, the first first
     * @param cut whether there were more sources than could be noted
     */
    private record Plan(List<Run> sources, List<Run> targets, boolean cut) {}

    /**
     * Every free superblock is in the space, none a bin's spare.
     *
     * @param held what sessions keep
     */
    CompactionReport compact(long[] held) {
        long begin = System.nanoTime();
        int freeBefore = space.free();
        moved = 0;
        movedBytes = 0;
        Set<Run> pinned = pinned(held);
        while (round(pinned)) {
            // each round ends at least one run
        }
        blocks.relistAll();
        long stayed = pinned.stream()
                .filter(run -> run.bin != null && run.taken() * 2L < run.slots)
                .count();
        return new CompactionReport(moved, movedBytes, space.free() - freeBefore, stayed, System.nanoTime() - begin);
    }

    /** Whether there is more to do than there was room to note. */
    private boolean round(Set<Run> pinned) {
        Map<Bin, List<Run>> byBin = new HashMap<>();
        for (Run run : blocks.all()) {
            if (run.bin != null && !run.type.isOpaque()) {
                byBin.computeIfAbsent(run.bin, ignored -> new ArrayList<>()).add(run);
            }
        }
        int grown = Math.min(space.largestPossible(), Math.max(1, space.superblocks() / NOTES_PART));
        long room = geometry.offset(Math.max(1, Math.max(space.largestFree(), grown)));
        List<Plan> plans = new ArrayList<>();
        List<Run> sources = new ArrayList<>();
        for (List<Run> ofBin : byBin.values()) {
            Plan plan = plan(ofBin, pinned, room - Forwarding.bytes(sources));
            plans.add(plan);
            sources.addAll(plan.sources);
        }
        if (!sources.isEmpty()) {
            move(plans, sources);
        }
        return !sources.isEmpty() && plans.stream().anyMatch(Plan::cut);
    }

    /** As many as possible of the emptiest runs, so that the others have free slots enough; those that must stay are filled first. */
    private static Plan plan(List<Run> runs, Set<Run> pinned, long room) {
        List<Run> movable = new ArrayList<>();
        List<Run> targets = new ArrayList<>();
        long free = 0;
        for (Run run : runs) {
            (pinned.contains(run) ? targets : movable).add(run);
            free += run.slots - run.taken();
        }
        movable.sort(Comparator.comparingInt(Run::taken));
        long objects = 0;
        int count = 0;
        boolean cut = false;
        for (Run run : movable) {
            free -= run.slots - run.taken();
            objects += run.taken();
            if (objects > free) {
                break;
            }
            room -= Forwarding.bytes(run);
            if (room < 0) {
                cut = true;
                break;
            }
            count++;
        }
        targets.addAll(movable.subList(count, movable.size()).reversed());
        return new Plan(movable.subList(0, count), targets, cut);
    }

    private void move(List<Plan> plans, List<Run> sources) {
        Run notes = carveNotes(Forwarding.bytes(sources));
        Forwarding forwarding = Forwarding.begin(memory, blocks, notes.start, sources);
        plans.forEach(plan -> copyAll(plan, forwarding));
        forwarding.seal();
        HeapLayout.setForwarding(memory, notes.start);
        sources.forEach(run -> run.ended = true);
        boolean any = false;
        for (Run run : blocks.all()) {
            if (!run.ended && run.type.hasReferences() && !run.type.isOpaque()) {
                any |= rewriteAll(run, forwarding);
            }
        }
        if (any) {
            memory.fence();
        }
        blocks.endAll(sources);
        HeapLayout.setForwarding(memory, 0);
        blocks.end(notes);
    }

    private Run carveNotes(long bytes) {
        try {
            return blocks.carveLarge(HeapType.BYTES, bytes, Lines.INTERNAL);
        } catch (HeapFullException e) {
            throw new HeapFullException(
                    memory.name() + " has no free superblock to note in where objects move; free some objects first: "
                            + e.getMessage(),
                    e);
        }
    }

    /** Runs with an object that must stay. */
    private Set<Run> pinned(long[] held) {
        var pinned = new HashSet<Run>();
        for (Root root : roots.all()) {
            pin(roots.get(root.index()), pinned);
        }
        for (long offset : held) {
            pin(offset, pinned);
        }
        for (Run run : blocks.all()) {
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

    /** Copies are flushed, not fenced. */
    private void copyAll(Plan plan, Forwarding forwarding) {
        int target = -1;
        int free = -1;
        for (Run from : plan.sources) {
            byte[] states = blocks.states(from);
            for (int slot = 0; slot < from.slots; slot++) {
                if (states[slot] == Run.FREE) {
                    forwarding.put(from, slot, 0);
                    continue;
                }
                while (free < 0) {
                    free = nextFree(plan.targets.get(++target), 0);
                }
                Run to = plan.targets.get(target);
                memory.copy(from.offset(slot), to.offset(free), from.slotBytes);
                memory.flush(to.offset(free), from.slotBytes);
                blocks.states(to)[free] = Run.OLD;
                forwarding.put(from, slot, to.offset(free));
                moved++;
                movedBytes += from.slotBytes;
                free = nextFree(to, free + 1);
            }
        }
        for (int i = 0; i <= target; i++) {
            plan.targets.get(i).recount();
        }
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

    private boolean rewriteAll(Run run, Forwarding forwarding) {
        boolean[] any = new boolean[1];
        byte[] states = blocks.states(run);
        for (int slot = 0; slot < states.length; slot++) {
            if (states[slot] == Run.OLD || states[slot] == Run.NEW) {
                References.each(
                        memory,
                        run.type,
                        run.offset(slot),
                        0,
                        run.objectBytes,
                        (at, value) -> any[0] |= forwarding.follow(at, value) != value);
            }
        }
        return any[0];
    }
}
