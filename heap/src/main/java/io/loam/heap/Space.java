package io.loam.heap;

import io.loam.memory.MemoryException;
import io.loam.memory.persistence.PersistentMemory;
import java.util.BitSet;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The superblocks that no run covers, as the Java heap knows them: best fit, lowest first among equals; neighbours are one. Grows the file when nothing fits.
 * Safe from any thread.
 */
final class Space {

    private static final int LEAST_GROWTH = 16;
    private static final int MOST_GROWTH_SHIFT = 26;

    private final PersistentMemory memory;
    private final Geometry geometry;
    /** First superblock to count. */
    private final TreeMap<Integer, Integer> byStart = new TreeMap<>();
    /** Count in the upper half, first superblock in the lower. */
    private final TreeSet<Long> bySize = new TreeSet<>();

    /** Free ones that may have no room in the file: given back, or not known since the heap was opened. */
    private final BitSet hollow = new BitSet();

    private int superblocks;
    private int free;

    Space(PersistentMemory memory, Geometry geometry, int superblocks) {
        this.memory = memory;
        this.geometry = geometry;
        this.superblocks = superblocks;
        hollow.set(0, superblocks);
    }

    /** Superblocks of the file, tables included. */
    synchronized int superblocks() {
        return superblocks;
    }

    synchronized int free() {
        return free;
    }

    synchronized int largestFree() {
        return bySize.isEmpty() ? 0 : (int) (bySize.last() >>> 32);
    }

    /** The largest run that could be had, growing included. */
    synchronized int largestPossible() {
        var last = byStart.lastEntry();
        int tail = last != null && last.getKey() + last.getValue() == superblocks ? last.getValue() : 0;
        return Math.max(largestFree(), tail + geometry.superblocks() - superblocks);
    }

    /** @throws HeapFullException if there is no room and the heap can't grow enough; nothing has changed then */
    synchronized int take(int count) {
        int start = takeFree(count);
        while (start < 0) {
            grow(count);
            start = takeFree(count);
        }
        return start;
    }

    /** As {@link #take}, without growing: -1 if nothing fits. */
    synchronized int takeFree(int count) {
        Long fit = bySize.ceiling((long) count << 32);
        if (fit == null) {
            return -1;
        }
        int start = fit.intValue();
        int length = (int) (fit >>> 32);
        fill(start, count);
        remove(start, length);
        if (length > count) {
            insert(start + count, length - count);
        }
        return start;
    }

    /** Makes sure of room in the file. */
    private void fill(int start, int count) {
        int end = start + count;
        for (int from = hollow.nextSetBit(start); from >= 0 && from < end; from = hollow.nextSetBit(from)) {
            int to = Math.min(end, hollow.nextClearBit(from));
            try {
                memory.allocate(geometry.offset(from), geometry.offset(to - from));
            } catch (MemoryException e) {
                throw new HeapFullException(
                        memory.name() + " has free superblocks, but no room for them in the file system: "
                                + e.getMessage(),
                        e);
            }
            hollow.clear(from, to);
        }
    }

    /** Gives the room of all free superblocks back, if the memory can; how many bytes. */
    synchronized long trim() {
        long bytes = 0;
        for (Map.Entry<Integer, Integer> piece : byStart.entrySet()) {
            int start = piece.getKey();
            int end = start + piece.getValue();
            // before: a release that fails half-way has made holes too
            hollow.set(start, end);
            if (memory.release(geometry.offset(start), geometry.offset(end - start))) {
                bytes += geometry.offset(piece.getValue());
            }
        }
        return bytes;
    }

    /** The caller has cleared the header durably. */
    synchronized void give(int start, int count) {
        int from = start;
        int length = count;
        var before = byStart.lowerEntry(start);
        if (before != null && before.getKey() + before.getValue() == start) {
            remove(before.getKey(), before.getValue());
            from = before.getKey();
            length += before.getValue();
        }
        Integer after = byStart.get(start + count);
        if (after != null) {
            remove(start + count, after);
            length += after;
        }
        insert(from, length);
    }

    private void insert(int start, int length) {
        byStart.put(start, length);
        bySize.add((long) length << 32 | start);
        free += length;
    }

    private void remove(int start, int length) {
        byStart.remove(start);
        bySize.remove((long) length << 32 | start);
        free -= length;
    }

    private void grow(int count) {
        var last = byStart.lastEntry();
        int tail = last != null && last.getKey() + last.getValue() == superblocks ? last.getValue() : 0;
        int needed = count - tail;
        if (needed > geometry.superblocks() - superblocks) {
            throw new HeapFullException(memory.name() + " is full: " + ((long) count << geometry.shift())
                    + " bytes in one piece are asked for, " + ((long) largestPossible() << geometry.shift())
                    + " can be had at most, growing to its maximum of " + geometry.maximumBytes()
                    + " bytes; free objects, collect or compact, or copy it into a heap with a larger maximum");
        }
        int wanted = Math.clamp(
                superblocks / 8, LEAST_GROWTH, Math.max(LEAST_GROWTH, 1 << MOST_GROWTH_SHIFT - geometry.shift()));
        int step = Math.min(geometry.superblocks() - superblocks, Math.max(needed, wanted));
        try {
            extend(step);
        } catch (HeapFullException e) {
            if (step == needed) {
                throw e;
            }
            extend(needed);
        }
    }

    /** The file first, then the size word: a crash between leaves a longer file, which no one minds. */
    private void extend(int count) {
        var event = new HeapEvents.Growth();
        event.begin();
        try {
            allocate(memory, geometry, superblocks, count);
        } catch (MemoryException e) {
            throw new HeapFullException(
                    memory.name() + " can't grow by " + ((long) count << geometry.shift()) + " bytes: "
                            + e.getMessage(),
                    e);
        }
        HeapLayout.setSuperblocks(memory, superblocks + count);
        give(superblocks, count);
        superblocks += count;
        event.heap = memory.name();
        event.bytes = geometry.offset(count);
        event.commit();
    }

    /** Room in the file for superblocks and for what the tables hold of them. */
    private static void allocate(PersistentMemory memory, Geometry geometry, int first, int count) {
        memory.allocate(geometry.offset(first), geometry.offset(count));
        memory.allocate(geometry.line(first), (long) count * Geometry.LINE_BYTES);
        memory.allocate(geometry.bitmap(first), (long) count * geometry.bitmapStride());
    }

    /**
     * Room for a new heap with {@code count} superblocks beside those of the tables; all that it will have.
     *
     * @throws HeapFullException if the file system has none
     */
    static int begin(PersistentMemory memory, Geometry geometry, int count) {
        int first = geometry.firstSuperblock();
        try {
            memory.allocate(0, geometry.line(0));
            allocate(memory, geometry, first, count);
        } catch (MemoryException e) {
            throw new HeapFullException(
                    memory.name() + " can't be made with " + ((long) count << geometry.shift()) + " bytes: "
                            + e.getMessage(),
                    e);
        }
        return first + count;
    }

    /** For the picture of the heap. */
    synchronized TreeMap<Integer, Integer> pieces() {
        return new TreeMap<>(byStart);
    }
}
