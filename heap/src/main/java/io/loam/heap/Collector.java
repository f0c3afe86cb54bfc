package io.loam.heap;

import io.loam.memory.persistence.PersistentMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** Finds what is reachable and frees the rest: after a crash, and in a running heap while held alone. */
final class Collector {

    private final PersistentMemory memory;
    private final Geometry geometry;
    private final Blocks blocks;
    private final Space space;
    private final Roots roots;
    private final Gate gate;
    private final int threads;
    private final Compactor compactor;
    private final Set<HeapSession> sessions = new HashSet<>();

    Collector(
            PersistentMemory memory,
            Geometry geometry,
            Blocks blocks,
            Space space,
            Roots roots,
            Gate gate,
            int threads) {
        this.memory = memory;
        this.geometry = geometry;
        this.blocks = blocks;
        this.space = space;
        this.roots = roots;
        this.gate = gate;
        this.threads = threads;
        this.compactor = new Compactor(memory, geometry, blocks, space, roots);
    }

    synchronized void begin(HeapSession session) {
        sessions.add(session);
    }

    synchronized void end(HeapSession session) {
        sessions.remove(session);
    }

    private long[] rootObjects() {
        return roots.all().stream()
                .mapToLong(root -> roots.get(root.index()))
                .filter(offset -> offset != 0)
                .toArray();
    }

    private Marker marker(boolean afterCrash, @Nullable Forwarding moved) {
        return new Marker(memory, geometry, blocks, space.superblocks(), afterCrash, moved, threads);
    }

    /** No state is known: what is marked is in use, and runs without a mark end; those that a compaction had emptied among them. */
    RecoveryReport afterCrash(int undone, boolean readOnly) {
        Forwarding moved = readOnly ? null : Forwarding.read(memory, blocks, geometry.offset(space.superblocks()));
        Marker marker = marker(true, moved);
        marker.mark(rootObjects());
        if (moved != null) {
            HeapLayout.setForwarding(memory, 0);
        }
        List<Run> dead = new ArrayList<>();
        long superblocks = 0;
        for (Run run : blocks.all()) {
            if (run.marksOrNull() == null) {
                if (readOnly) {
                    run.setMarks(new byte[run.slots]);
                } else {
                    dead.add(run);
                    superblocks += run.superblocks;
                }
            }
        }
        blocks.endAll(dead);
        return new RecoveryReport(true, undone, marker.marked(), marker.dangling(), superblocks, 0);
    }

    /** The heap is held alone. */
    synchronized CollectionReport collect() {
        long begin = System.nanoTime();
        var event = new HeapEvents.Collection();
        event.begin();
        gate.lanes().forEach(Lane::spillAll);
        List<Run> runs = blocks.all();
        Marker marker = marker(false, null);
        marker.mark(onlineRoots(runs));
        marker.markIfObjects(held());
        long freed = 0;
        long superblocks = 0;
        List<Run> dead = new ArrayList<>();
        for (Run run : runs) {
            if (run.ended) {
                continue;
            }
            int swept = sweep(run);
            freed += swept;
            if (swept > 0) {
                run.recount();
            }
            if ((swept > 0 || run.bin != null) && run.isEmpty()) {
                run.ended = true;
                dead.add(run);
                superblocks += run.superblocks;
            }
        }
        blocks.endAll(dead);
        blocks.relistAll();
        event.heap = memory.name();
        event.objects = marker.marked();
        event.freed = freed;
        event.commit();
        return new CollectionReport(marker.marked(), freed, marker.dangling(), superblocks, System.nanoTime() - begin);
    }

    /** Roots, and every object that was allocated outside of sessions and not settled. */
    private long[] onlineRoots(List<Run> runs) {
        long[] found = rootObjects();
        int count = found.length;
        for (Run run : runs) {
            byte[] states = blocks.states(run);
            for (int slot = 0; slot < states.length; slot++) {
                if (states[slot] == Run.NEW) {
                    if (count == found.length) {
                        found = Arrays.copyOf(found, count * 2 + 16);
                    }
                    found[count++] = run.offset(slot);
                }
            }
        }
        return Arrays.copyOf(found, count);
    }

    /** Frees used slots without a mark, takes the marks away; how many were freed. */
    private static int sweep(Run run) {
        byte[] states = java.util.Objects.requireNonNull(run.statesOrNull());
        int freed = 0;
        for (int slot = 0; slot < states.length; slot++) {
            byte state = states[slot];
            if ((state & Run.MARK) != 0) {
                states[slot] = (byte) (state & ~Run.MARK);
            } else if (state == Run.OLD) {
                states[slot] = Run.FREE;
                freed++;
            }
        }
        return freed;
    }

    /** The heap is held alone. */
    synchronized CompactionReport compact() {
        long begin = System.nanoTime();
        int before = space.free();
        var event = new HeapEvents.Compaction();
        event.begin();
        collect();
        CompactionReport report = compactor.compact(held());
        event.heap = memory.name();
        event.moved = report.moved();
        event.superblocksFreed = space.free() - before;
        event.commit();
        return new CompactionReport(
                report.moved(),
                report.movedBytes(),
                space.free() - before,
                report.pinnedRuns(),
                System.nanoTime() - begin);
    }

    /** What sessions keep and have allocated; some of it may have been freed since, and its place be another object's. */
    private long[] held() {
        return sessions.stream()
                .flatMapToLong(
                        session -> LongStream.concat(Arrays.stream(session.kept()), Arrays.stream(session.allocated())))
                .toArray();
    }
}
