package io.loam.heap;

import io.loam.memory.persistence.PersistentMemory;
import java.util.HashMap;
import java.util.Map;

/**
 * Where objects have moved to, in a run of the heap's own while a compaction rewrites the references.
 *
 * <pre>
 * offset size name     order    meaning
 *      0    8 count    plain    of pairs
 *      8    8 checksum plain    CRC32C of the pairs
 *     16      pairs    plain    8 bytes from, 8 bytes to
 * </pre>
 */
final class Forwarding {

    private static final int PAIRS = 16;
    private static final int PAIR_BYTES = 16;
    private static final int PART = 1 << 20;

    private final PersistentMemory memory;
    private final long start;

    Forwarding(PersistentMemory memory, long start) {
        this.memory = memory;
        this.start = start;
    }

    static long bytes(long count) {
        return PAIRS + count * PAIR_BYTES;
    }

    /** Durable when it returns. */
    void write(long[] from, long[] to) {
        memory.putLong(start, from.length);
        for (int i = 0; i < from.length; i++) {
            memory.putLong(start + PAIRS + (long) i * PAIR_BYTES, from[i]);
            memory.putLong(start + PAIRS + (long) i * PAIR_BYTES + 8, to[i]);
        }
        memory.putLong(start + 8, checksum(from.length));
        memory.persist(start, bytes(from.length));
    }

    private long checksum(long count) {
        long sum = count;
        for (long at = 0; at < count * PAIR_BYTES; at += PART) {
            sum = Checksum.of(memory, start + PAIRS + at, (int) Math.min(PART, count * PAIR_BYTES - at), sum)
                    & 0xFFFF_FFFFL;
        }
        return sum;
    }

    /** @throws HeapException if they are damaged */
    Map<Long, Long> read(long limit) {
        long count = memory.getLong(start);
        if (count < 0 || count > (limit - start) / PAIR_BYTES || memory.getLong(start + 8) != checksum(count)) {
            throw new HeapException(memory.name() + ", moved objects at offset 0x" + Long.toHexString(start)
                    + ": their checksum does not fit; restore the heap from a copy");
        }
        var moved = new HashMap<Long, Long>((int) (count * 4 / 3) + 1);
        for (long i = 0; i < count; i++) {
            long at = start + PAIRS + i * PAIR_BYTES;
            moved.put(memory.getLong(at), memory.getLong(at + 8));
        }
        return moved;
    }
}
