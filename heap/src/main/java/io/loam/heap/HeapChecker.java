package io.loam.heap;

import io.loam.memory.persistence.PersistentMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Audits the invariants of a heap that is held alone: lines, free space, roots, and every reference that can be reached. */
final class HeapChecker {

    private static final int MOST_PROBLEMS = 100;

    private final PersistentMemory memory;
    private final Geometry geometry;
    private final Blocks blocks;
    private final Space space;
    private final Roots roots;
    private final List<String> problems = new ArrayList<>();
    private final Map<Run, BitSet> reached = new HashMap<>();
    /** Objects to look into, a stack. */
    private long[] pending = new long[1024];

    private int pendingCount;
    private long reachable;

    HeapChecker(PersistentMemory memory, Geometry geometry, Blocks blocks, Space space, Roots roots) {
        this.memory = memory;
        this.geometry = geometry;
        this.blocks = blocks;
        this.space = space;
        this.roots = roots;
    }

    CheckReport check() {
        long used = checkSpace();
        for (Root root : roots.all()) {
            long offset = roots.get(root.index());
            if (offset != 0) {
                reach(offset, "root '" + root.name() + "'", root.type(), false);
            }
        }
        while (pendingCount > 0) {
            long object = pending[--pendingCount];
            Run run = blocks.runOf(object);
            References.each(
                    memory,
                    run.type,
                    object,
                    0,
                    run.objectBytes,
                    (at, value) -> reach(
                            value,
                            "the reference at 0x" + Long.toHexString(at) + " of type " + run.type,
                            HeapType.OPAQUE,
                            run.type.isOpaque()));
        }
        return new CheckReport(List.copyOf(problems), reachable, used - reachable);
    }

    private void problem(String text) {
        if (problems.size() < MOST_PROBLEMS) {
            problems.add(text);
        }
    }

    private long checkSpace() {
        var lines = new Lines(memory, geometry);
        Lines.Reader reader = lines.reader(space.superblocks());
        var covered = new BitSet();
        covered.set(0, geometry.firstSuperblock());
        long used = 0;
        long taken = 0;
        for (Run run : blocks.all()) {
            int end = run.superblock + run.superblocks;
            if (covered.nextSetBit(run.superblock) >= 0 && covered.nextSetBit(run.superblock) < end) {
                problem("the " + run + " overlaps another");
            }
            covered.set(run.superblock, end);
            taken += run.superblocks;
            blocks.states(run);
            used += run.used();
            Lines.Header header = reader.read(run.superblock);
            if (header == null || header.superblocks() != run.superblocks || header.typeId() != run.type.id()) {
                problem("the " + run + " is not what its line says: " + header);
            }
            for (int inside = run.superblock + 1; inside < end; inside++) {
                if (!lines.isEmpty(inside)) {
                    problem("superblock " + inside + " is inside of the " + run + " and has a header");
                }
            }
        }
        int lastEnd = -1;
        for (Map.Entry<Integer, Integer> piece : space.pieces().entrySet()) {
            int from = piece.getKey();
            int to = from + piece.getValue();
            if (from == lastEnd) {
                problem("free superblocks from " + from + " on were not joined to those before");
            }
            lastEnd = to;
            for (int superblock = from; superblock < to; superblock++) {
                if (covered.get(superblock)) {
                    problem("superblock " + superblock + " is free and in use");
                }
                if (!lines.isEmpty(superblock)) {
                    problem("superblock " + superblock + " is free and has a header");
                }
            }
            covered.set(from, to);
        }
        if (covered.nextClearBit(0) < space.superblocks()) {
            problem("superblock " + covered.nextClearBit(0) + " is neither free nor in a run");
        }
        if (geometry.firstSuperblock() + taken + space.free() != space.superblocks()) {
            problem(geometry.firstSuperblock() + " superblocks of tables, " + taken + " of runs and " + space.free()
                    + " free are not " + space.superblocks());
        }
        return used;
    }

    private void reach(long offset, String from, HeapType wanted, boolean mayBeNone) {
        Run run = offset > 0 ? blocks.runAt(offset) : null;
        int slot = run == null ? -1 : run.slot(offset);
        if (run == null || slot < 0) {
            if (!mayBeNone && offset != 0) {
                problem(from + " leads to 0x" + Long.toHexString(offset) + ", where no object begins");
            }
            return;
        }
        int state = blocks.states(run)[slot] & ~Run.MARK;
        if (state != Run.OLD && state != Run.NEW) {
            if (!mayBeNone) {
                problem(from + " leads to 0x" + Long.toHexString(offset) + ", which is not in use");
            }
            return;
        }
        if (!wanted.isOpaque() && run.type != wanted) {
            problem(from + " of type " + wanted + " leads to 0x" + Long.toHexString(offset) + " of type " + run.type);
        }
        BitSet known = reached.computeIfAbsent(run, ignored -> new BitSet(run.slots));
        if (!known.get(slot)) {
            known.set(slot);
            reachable++;
            if (run.type.hasReferences()) {
                if (pendingCount == pending.length) {
                    pending = Arrays.copyOf(pending, pendingCount * 2);
                }
                pending[pendingCount++] = offset;
            }
        }
    }
}
