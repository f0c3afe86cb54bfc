package io.loam.heap;

import io.loam.memory.persistence.PersistentMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;

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

    private Marker marker(boolean afterCrash) {
        return new Marker(memory, geometry, blocks, space.superblocks(), afterCrash, threads);
    }

    /** No state is known: what is marked is in use, and runs without a mark end. */
    RecoveryReport afterCrash(int undone, boolean readOnly) {
        Marker marker = marker(true);
        marker.mark(rootObjects());
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
        gate.lanes().forEach(Lane::spillAll);
        List<Run> runs = blocks.all();
        Marker marker = marker(false);
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
            if (swept > 0 && run.isEmpty()) {
                run.ended = true;
                dead.add(run);
                superblocks += run.superblocks;
            }
        }
        blocks.endAll(dead);
        blocks.relistAll();
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
        collect();
        CompactionReport report = compactor.compact(held());
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

    void finishCompaction() {
        compactor.recover();
    }
}
