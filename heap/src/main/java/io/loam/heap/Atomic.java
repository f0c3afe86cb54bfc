package io.loam.heap;

import io.loam.memory.persistence.PersistentMemory;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A failure-atomic update while it runs. Its thread's alone.
 *
 * <p>Ranges are saved to the undo log before they change; at the commit all lines of the ranges and of new objects are flushed, once each, then the log ends.
 * An inner update saves anew what it changes, so that it can be undone alone.
 */
final class Atomic {

    /** Ranges looked at to find whether one is saved already; older ones are just saved again. */
    private static final int LOOK_BACK = 16;

    /** Where an inner update began. */
    record Mark(int saved, int fresh, int freed, int covered, int own) {}

    private final PersistentMemory memory;
    private final Blocks blocks;
    private final UndoLogs logs;
    private @Nullable UndoLog log;
    /** Offset, length, place of the old content; three words each. */
    private long[] saved = new long[24];

    private int savedCount;
    /** Saved ranges from here on need not be saved again. */
    private int coveredFrom;
    /** Offset and length of objects allocated here. */
    private long[] fresh = new long[16];

    private int freshCount;
    /** Objects from here on are the running update's own, not those of the one around it: need not be saved. */
    private int freshFrom;

    private long[] freed = new long[8];
    private int freedCount;
    /** Objects that inner updates have allocated which failed alone: the log may hold ranges of them, so that nobody else may have them before it ends. */
    private long[] undone = new long[0];

    /** An inner update failed alone. */
    private boolean partlyUndone;

    private final ArrayDeque<Consumer<Boolean>> atEnd = new ArrayDeque<>();

    Atomic(PersistentMemory memory, Blocks blocks, UndoLogs logs) {
        this.memory = memory;
        this.blocks = blocks;
        this.logs = logs;
    }

    /** The range may be stored to after this. */
    void save(long offset, long length) {
        if (isFresh(offset, length) || isCovered(offset, length)) {
            return;
        }
        long content = claimLog().append(offset, Math.toIntExact(length), blocks);
        if (savedCount + 3 > saved.length) {
            saved = Arrays.copyOf(saved, saved.length * 2);
        }
        saved[savedCount++] = offset;
        saved[savedCount++] = length;
        saved[savedCount++] = content;
    }

    /** Waits for a log if it has none: so this comes before everything that others may wait for. */
    UndoLog claimLog() {
        UndoLog current = log;
        if (current == null) {
            current = logs.claim();
            log = current;
        }
        return current;
    }

    private boolean isCovered(long offset, long length) {
        int last = Math.max(coveredFrom, savedCount - 3 * LOOK_BACK);
        for (int i = savedCount - 3; i >= last; i -= 3) {
            if (offset >= saved[i] && offset + length <= saved[i] + saved[i + 1]) {
                return true;
            }
        }
        return false;
    }

    private boolean isFresh(long offset, long length) {
        int last = Math.max(freshFrom, freshCount - 2 * LOOK_BACK);
        for (int i = freshCount - 2; i >= last; i -= 2) {
            if (offset >= fresh[i] && offset + length <= fresh[i] + fresh[i + 1]) {
                return true;
            }
        }
        return false;
    }

    /** An object allocated here: made durable by the commit, freed again by a failure. */
    void allocated(long offset, long bytes) {
        if (freshCount + 2 > fresh.length) {
            fresh = Arrays.copyOf(fresh, fresh.length * 2);
        }
        fresh[freshCount++] = offset;
        fresh[freshCount++] = bytes;
    }

    void free(long offset) {
        for (int i = 0; i < freedCount; i++) {
            if (freed[i] == offset) {
                throw new IllegalArgumentException(memory.name() + ": offset 0x" + Long.toHexString(offset)
                        + " is freed twice in one atomic update; free it once");
            }
        }
        if (freedCount == freed.length) {
            freed = Arrays.copyOf(freed, freedCount * 2);
        }
        freed[freedCount++] = offset;
    }

    void atEnd(Consumer<Boolean> action) {
        atEnd.addLast(action);
    }

    void runAtEnd(boolean succeeded) {
        while (!atEnd.isEmpty()) {
            atEnd.removeLast().accept(succeeded && !partlyUndone);
        }
    }

    Mark mark() {
        var mark = new Mark(savedCount, freshCount, freedCount, coveredFrom, freshFrom);
        coveredFrom = savedCount;
        freshFrom = freshCount;
        return mark;
    }

    /** An inner update has succeeded: what it saved covers the outer too. */
    void merge(Mark mark) {
        coveredFrom = mark.covered;
        freshFrom = mark.own;
    }

    /** Undoes an inner update; the objects it allocated are freed in the end. */
    void undo(Mark mark) {
        partlyUndone = true;
        restore(mark.saved);
        // what was saved stays in the log and is restored again if the outer one fails, before what was saved earlier
        coveredFrom = savedCount;
        freedCount = mark.freed;
        undone = joined(undone, offsets(fresh, mark.fresh, freshCount));
        freshCount = mark.fresh;
        freshFrom = mark.own;
    }

    private void restore(int from) {
        for (int i = savedCount - 3; i >= from; i -= 3) {
            memory.copy(saved[i + 2], saved[i], saved[i + 1]);
        }
    }

    private static long[] offsets(long[] pairs, int from, int to) {
        long[] offsets = new long[(to - from) / 2];
        for (int i = 0; i < offsets.length; i++) {
            offsets[i] = pairs[from + 2 * i];
        }
        return offsets;
    }

    /** Makes it all durable; the objects to free now. */
    long[] commit() {
        flushAll(true);
        end();
        return joined(Arrays.copyOf(freed, freedCount), undone);
    }

    /** Undoes it all; the objects to free now. */
    long[] fail() {
        restore(0);
        if (savedCount > 0) {
            flushAll(false);
        }
        end();
        return joined(offsets(fresh, 0, freshCount), undone);
    }

    private static long[] joined(long[] first, long[] second) {
        long[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    private void end() {
        UndoLog current = log;
        if (current != null) {
            current.end(blocks);
            logs.giveBack(current);
            log = null;
        }
    }

    private void flushAll(boolean withFresh) {
        long[] lines = new long[16];
        int count = 0;
        for (int i = 0; i < savedCount; i += 3) {
            lines = add(lines, count, saved[i], saved[i + 1]);
            count += count(saved[i], saved[i + 1]);
        }
        for (int i = 0; withFresh && i < freshCount; i += 2) {
            lines = add(lines, count, fresh[i], fresh[i + 1]);
            count += count(fresh[i], fresh[i + 1]);
        }
        if (count == 0) {
            return;
        }
        Arrays.sort(lines, 0, count);
        for (int i = 0; i < count; ) {
            int end = i + 1;
            while (end < count && lines[end] <= lines[end - 1] + 1) {
                end++;
            }
            memory.flush(lines[i] * PersistentMemory.LINE, (lines[end - 1] - lines[i] + 1) * PersistentMemory.LINE);
            i = end;
        }
        memory.fence();
    }

    private static int count(long offset, long length) {
        return (int) ((offset + length - 1) / PersistentMemory.LINE - offset / PersistentMemory.LINE) + 1;
    }

    private static long[] add(long[] lines, int count, long offset, long length) {
        int more = count(offset, length);
        long[] room =
                count + more > lines.length ? Arrays.copyOf(lines, Math.max(lines.length * 2, count + more)) : lines;
        for (int i = 0; i < more; i++) {
            room[count + i] = offset / PersistentMemory.LINE + i;
        }
        return room;
    }
}
