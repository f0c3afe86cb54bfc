package io.loam.memory.region;

import io.loam.memory.RawMemory;

/**
 * The words of a {@link RegionLock}, little-endian, naturally aligned.
 *
 * <pre>
 *   offset           size  name    order     meaning
 *        0              8  writer  volatile  identity of who holds it exclusively, or is waiting for the readers to leave; with bit 63
 *                                            set, of who is recovering it; 0 for nobody
 *        8              8  died    volatile  0, or the slot + 1 of a holder that died, with the identity &lt;&lt; 16 of who was told
 *       16             48  –                 zero
 *       64 + 64 · slot  8  cell    volatile  generation &lt;&lt; 32 | how often the participant in that slot holds it shared
 * </pre>
 *
 * <p>A cell has a cache line of its own, so that readers of different processes do not slow each other down.
 */
final class LockLayout {

    static final int BYTES = 64 + 64 * Liveness.MAX_SLOTS;

    static final long RECOVERING = 1L << 63;

    private static final int DIED = 8;
    private static final int CELLS = 64;
    private static final int CELL_BYTES = 64;

    private LockLayout() {}

    static long writerVolatile(RawMemory memory, long lock) {
        return memory.getLongVolatile(lock);
    }

    static boolean casWriter(RawMemory memory, long lock, long expected, long identity) {
        return memory.compareAndSetLong(lock, expected, identity);
    }

    static void setWriterVolatile(RawMemory memory, long lock, long identity) {
        memory.putLongVolatile(lock, identity);
    }

    static long diedVolatile(RawMemory memory, long lock) {
        return memory.getLongVolatile(lock + DIED);
    }

    static boolean casDied(RawMemory memory, long lock, long expected, long died) {
        return memory.compareAndSetLong(lock + DIED, expected, died);
    }

    static void setDiedVolatile(RawMemory memory, long lock, long died) {
        memory.putLongVolatile(lock + DIED, died);
    }

    static long cellAddress(long lock, int slot) {
        return lock + CELLS + (long) slot * CELL_BYTES;
    }
}
