package io.loam.store.log;

import io.loam.memory.RawMemory;

/**
 * The open end of a log: a block and the place in it where the next entry goes.
 *
 * <pre>
 * offset size name     order   meaning
 *      0    8 lock     CAS     0, or number of the process that holds it, plus 1; held while the head moves to another block
 *      8    8 position CAS     bits 0–19 overhead bytes in this block, 20–37 units used, 38–63 block
 *     16    4 segment  plain   its segment slot, or -1; under the lock
 *     20    4 last     plain   its last block; under the lock
 *     24    8 asked    opaque  in a shared store: 1 when the leader wants the segment sealed
 *     32   32 reserved plain   keeps heads on lines of their own
 * </pre>
 *
 * <p>A reservation is one CAS that moves the position and counts the overhead, so the units used when the head leaves a block are exact. The head
 * itself is closed when its block number is {@link #NO_BLOCK} and no units are left. In a shared store a head belongs to one participant, or to the leader, and nobody else changes it;
 * reservations are made under the lock.
 */
final class Head {

    static final int BYTES = 64;
    static final int NO_BLOCK = (1 << 26) - 1;
    private static final int UNITS_SHIFT = 20;
    private static final int BLOCK_SHIFT = 38;
    private static final long UNITS_MASK = (1 << 18) - 1;

    private final RawMemory memory;
    private final long address;
    private final Geometry geometry;
    final int node;
    private final long holder;

    /** @param holder what the lock's word is while this process holds it; not 0 */
    Head(RawMemory memory, long address, Geometry geometry, int node, long holder) {
        this.holder = holder;
        this.memory = memory;
        this.address = address;
        this.geometry = geometry;
        this.node = node;
    }

    /** Makes a closed head of zeroed memory, or of the head of a dead process. */
    void format() {
        memory.putLongRelease(address + 8, closed());
        setSegment(-1, -1);
        askSealing(false);
        unlock();
    }

    boolean isSealingAsked() {
        return memory.getLongOpaque(address + 24) != 0;
    }

    void askSealing(boolean asked) {
        memory.putLongOpaque(address + 24, asked ? 1 : 0);
    }

    private long closed() {
        return word(NO_BLOCK, geometry.blockUnits, 0);
    }

    static long word(int block, long units, long overhead) {
        return (long) block << BLOCK_SHIFT | units << UNITS_SHIFT | overhead;
    }

    static int block(long word) {
        return (int) (word >>> BLOCK_SHIFT);
    }

    static long units(long word) {
        return word >>> UNITS_SHIFT & UNITS_MASK;
    }

    static long overhead(long word) {
        return word & (1 << UNITS_SHIFT) - 1;
    }

    /** Reserves units in the open block; the location, or -1 if they don't fit. */
    long tryReserve(long units, long overhead) {
        while (true) {
            long word = memory.getLongAcquire(address + 8);
            long used = units(word);
            if (used + units > geometry.blockUnits) {
                return -1;
            }
            if (memory.compareAndSetLong(address + 8, word, word + (units << UNITS_SHIFT) + overhead)) {
                return geometry.blockOffset(block(word)) + (used << 3);
            }
        }
    }

    long position() {
        return memory.getLongAcquire(address + 8);
    }

    boolean move(long from, long to) {
        return memory.compareAndSetLong(address + 8, from, to);
    }

    /** Leaves the block; what its position was. */
    long leave() {
        while (true) {
            long word = position();
            if (move(word, closed())) {
                return word;
            }
        }
    }

    void lock() {
        SpinLock.lock(memory, address, holder);
    }

    boolean tryLock() {
        return SpinLock.tryLock(memory, address, holder);
    }

    void unlock() {
        SpinLock.unlock(memory, address);
    }

    int segment() {
        return memory.getInt(address + 16);
    }

    int lastBlock() {
        return memory.getInt(address + 20);
    }

    void setSegment(int segment, int lastBlock) {
        memory.putInt(address + 16, segment);
        memory.putInt(address + 20, lastBlock);
    }
}
