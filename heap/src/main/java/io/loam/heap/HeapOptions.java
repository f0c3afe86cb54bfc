package io.loam.heap;

import io.loam.memory.persistence.Durability;
import java.util.function.Consumer;

/**
 * How a heap is made and used. Immutable; each method gives a changed copy.
 *
 * @param durability what a fence promises; not stored in the heap
 * @param initialBytes a new heap's first size
 * @param maximumBytes what a new heap may grow to, tables included; fixed when it is made, and at most 4 million superblocks
 * @param superblockBytes of a new heap: a power of two from 4 KiB to 1 MiB
 * @param roots of a new heap: how many names it can hold
 * @param types of a new heap: how many it can hold
 * @param logs of a new heap: how many atomic updates can run at once
 * @param logBytes of a new heap: size of each of their logs; longer ones take superblocks
 * @param checked whether every access is checked to lie in one object that is in use
 * @param restMillis how long freed memory rests before it is used again; 0: not at all
 * @param restBytes how much rests at most
 * @param markers threads that mark at most; 0: one for each processor
 * @param recover whether to find out by marking what is in use though the heap was closed: for one with a damaged bitmap
 * @param protectMillis 0: not at all; else the file is write-protected outside of update windows, which are closed so often; see {@link #withProtection}
 */
public record HeapOptions(
        Durability durability,
        long initialBytes,
        long maximumBytes,
        int superblockBytes,
        int roots,
        int types,
        int logs,
        int logBytes,
        boolean checked,
        long restMillis,
        long restBytes,
        int markers,
        boolean recover,
        long protectMillis) {

    private static final long MOST_SUPERBLOCKS = 1L << 22;

    public HeapOptions {
        if (Integer.bitCount(superblockBytes) != 1 || superblockBytes < 4096 || superblockBytes > 1 << 20) {
            throw new IllegalArgumentException(
                    "superblockBytes " + superblockBytes + "; allowed: powers of two from 4096 to 1048576");
        }
        if (initialBytes <= 0 || maximumBytes < initialBytes || maximumBytes / superblockBytes > MOST_SUPERBLOCKS) {
            throw new IllegalArgumentException("initialBytes " + initialBytes + " and maximumBytes " + maximumBytes
                    + "; allowed: 1 <= initialBytes <= maximumBytes <= " + MOST_SUPERBLOCKS * superblockBytes
                    + " with superblocks of " + superblockBytes);
        }
        between("roots", roots, 1, 1 << 20);
        between("types", types, 1, Types.MOST);
        between("logs", logs, 1, 1 << 12);
        between("logBytes", logBytes, 512, 1 << 24);
        between("markers", markers, 0, 1 << 10);
        if (logBytes % 64 != 0) {
            throw new IllegalArgumentException("logBytes " + logBytes + "; allowed: multiples of 64");
        }
        if (restMillis < 0 || restBytes < 0 || protectMillis < 0) {
            throw new IllegalArgumentException("restMillis " + restMillis + ", restBytes " + restBytes
                    + ", protectMillis " + protectMillis + "; allowed: 0 or more");
        }
    }

    private static void between(String name, int value, int low, int high) {
        if (value < low || value > high) {
            throw new IllegalArgumentException(name + " " + value + "; allowed: " + low + " to " + high);
        }
    }

    /** 64 MiB that can grow to 64 GiB, superblocks of 64 KiB, 4096 roots, 1000 types, MSYNC, nothing rests. */
    public static HeapOptions defaults() {
        return new Draft().options();
    }

    /** What options are made from: the defaults, or others to be changed. */
    private static final class Draft {
        Durability durability = Durability.MSYNC;
        long initialBytes = 64L << 20;
        long maximumBytes = 64L << 30;
        int superblockBytes = 64 << 10;
        int roots = 4096;
        int types = 1000;
        int logs = 64;
        int logBytes = 16 << 10;
        boolean checked;
        long restMillis;
        long restBytes = 64L << 20;
        int markers;
        boolean recover;
        long protectMillis;

        Draft() {}

        Draft(HeapOptions from) {
            durability = from.durability;
            initialBytes = from.initialBytes;
            maximumBytes = from.maximumBytes;
            superblockBytes = from.superblockBytes;
            roots = from.roots;
            types = from.types;
            logs = from.logs;
            logBytes = from.logBytes;
            checked = from.checked;
            restMillis = from.restMillis;
            restBytes = from.restBytes;
            markers = from.markers;
            recover = from.recover;
            protectMillis = from.protectMillis;
        }

        HeapOptions options() {
            return new HeapOptions(
                    durability,
                    initialBytes,
                    maximumBytes,
                    superblockBytes,
                    roots,
                    types,
                    logs,
                    logBytes,
                    checked,
                    restMillis,
                    restBytes,
                    markers,
                    recover,
                    protectMillis);
        }
    }

    private HeapOptions with(Consumer<Draft> change) {
        var draft = new Draft(this);
        change.accept(draft);
        return draft.options();
    }

    public HeapOptions withDurability(Durability wanted) {
        return with(draft -> draft.durability = wanted);
    }

    public HeapOptions withSize(long initial, long maximum) {
        return with(draft -> {
            draft.initialBytes = initial;
            draft.maximumBytes = maximum;
        });
    }

    public HeapOptions withSuperblockBytes(int bytes) {
        return with(draft -> draft.superblockBytes = bytes);
    }

    public HeapOptions withTables(int wantedRoots, int wantedTypes, int wantedLogs, int wantedLogBytes) {
        return with(draft -> {
            draft.roots = wantedRoots;
            draft.types = wantedTypes;
            draft.logs = wantedLogs;
            draft.logBytes = wantedLogBytes;
        });
    }

    public HeapOptions withChecks(boolean wanted) {
        return with(draft -> draft.checked = wanted);
    }

    public HeapOptions withRest(long millis, long bytes) {
        return with(draft -> {
            draft.restMillis = millis;
            draft.restBytes = bytes;
        });
    }

    public HeapOptions withMarkers(int threads) {
        return with(draft -> draft.markers = threads);
    }

    public HeapOptions withRecovery(boolean wanted) {
        return with(draft -> draft.recover = wanted);
    }

    /**
     * Write-protects the file but for 64 KiB around each store that the heap makes. Such windows are closed together, all {@code millis} milliseconds, while no operation is under way; so a stray store
     * ends the JVM instead of damaging the heap, unless it hits a window that is still open. Views of objects may then be stored to only inside of the
     * {@link PersistentHeap#operate} or {@link PersistentHeap#atomic} that they were got in.
     */
    public HeapOptions withProtection(long millis) {
        return with(draft -> draft.protectMillis = millis);
    }
}
