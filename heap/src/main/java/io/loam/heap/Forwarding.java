package io.loam.heap;

import io.loam.memory.persistence.PersistentMemory;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the objects of runs that are to end have gone: a table for each of these runs, in one run of the heap's own, from the copying until every reference is rewritten. It takes a word of the Java heap
 * for each run.
 *
 * <pre>
 * offset size name     order    meaning
 *      0    8 count    plain    of runs
 *      8    8 bytes    plain    of all this
 *     16    8 checksum plain    CRC32C of what follows
 *     24      runs     plain    for each: 8 bytes where it begins, 8 bytes where its table does
 *             tables   plain    8 bytes for each slot: where its object is now; 0: it had none
 * </pre>
 */
final class Forwarding {

    private static final int BYTES = 8;
    private static final int CHECKSUM = 16;
    private static final int RUNS = 24;
    private static final int RUN_BYTES = 16;
    private static final int PART = 1 << 20;

    private final PersistentMemory memory;
    private final Blocks blocks;
    private final long start;

    private Forwarding(PersistentMemory memory, Blocks blocks, long start) {
        this.memory = memory;
        this.blocks = blocks;
        this.start = start;
    }

    /** What one run takes. */
    static long bytes(Run run) {
        return RUN_BYTES + (long) run.slots * Long.BYTES;
    }

    /** What all of them take. */
    static long bytes(List<Run> runs) {
        return RUNS + runs.stream().mapToLong(Forwarding::bytes).sum();
    }

    /** Of objects that are about to be copied: {@link #put} each slot of each run, then {@link #seal}. */
    static Forwarding begin(PersistentMemory memory, Blocks blocks, long start, List<Run> runs) {
        memory.putLong(start, runs.size());
        memory.putLong(start + BYTES, bytes(runs));
        long at = start + RUNS;
        long table = at + (long) runs.size() * RUN_BYTES;
        for (Run run : runs) {
            memory.putLong(at, run.start);
            memory.putLong(at + 8, table);
            run.forwarding = table;
            at += RUN_BYTES;
            table += (long) run.slots * Long.BYTES;
        }
        return new Forwarding(memory, blocks, start);
    }

    void put(Run run, int slot, long to) {
        memory.putLong(run.forwarding + (long) slot * Long.BYTES, to);
    }

    /** Durable when it returns, and so is what this thread has flushed before. */
    void seal() {
        long bytes = memory.getLong(start + BYTES);
        memory.putLong(start + CHECKSUM, checksum(bytes));
        memory.persist(start, bytes);
    }

    private long checksum(long bytes) {
        long sum = bytes;
        for (long at = RUNS; at < bytes; at += PART) {
            sum = Checksum.of(memory, start + at, (int) Math.min(PART, bytes - at), sum) & 0xFFFF_FFFFL;
        }
        return sum;
    }

    /**
     * What a crash left of a compaction; null if none had come so far. Runs that ended before the crash are nobody's any more.
     *
     * @throws HeapException if it is damaged
     */
    static @Nullable Forwarding read(PersistentMemory memory, Blocks blocks, long limit) {
        long start = HeapLayout.forwarding(memory);
        if (start == 0) {
            return null;
        }
        var found = new Forwarding(memory, blocks, start);
        if (!found.isWhole(limit)) {
            throw new HeapException(memory.name() + ", moved objects at offset 0x" + Long.toHexString(start)
                    + ": their checksum does not fit; restore the heap from a copy");
        }
        long end = start + RUNS + memory.getLong(start) * RUN_BYTES;
        for (long at = start + RUNS; at < end; at += RUN_BYTES) {
            Run run = blocks.runAt(memory.getLong(at));
            if (run != null && run.start == memory.getLong(at)) {
                run.forwarding = memory.getLong(at + 8);
            }
        }
        return found;
    }

    private boolean isWhole(long limit) {
        if (start > limit - RUNS) {
            return false;
        }
        long count = memory.getLong(start);
        long bytes = memory.getLong(start + BYTES);
        return bytes >= RUNS
                && bytes <= limit - start
                && count >= 0
                && count <= (bytes - RUNS) / RUN_BYTES
                && memory.getLong(start + CHECKSUM) == checksum(bytes);
    }

    /** Rewrites the reference {@code value} at {@code at} if its object has moved, and flushes it; where the object is. */
    long follow(long at, long value) {
        Run run = blocks.runAt(value);
        int slot = run == null || run.forwarding == 0 ? -1 : run.slot(value);
        if (run == null || slot < 0) {
            return value;
        }
        long to = memory.getLong(run.forwarding + (long) slot * Long.BYTES);
        if (to == 0) {
            return value;
        }
        memory.putLongRelease(at, to);
        memory.flush(at, Long.BYTES);
        return to;
    }
}
