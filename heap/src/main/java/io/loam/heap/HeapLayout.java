package io.loam.heap;

import io.loam.memory.persistence.PersistentMemory;
import java.util.random.RandomGenerator;

/**
 * The first 4 KiB of a heap.
 *
 * <pre>
 * offset size name        order    meaning
 *      0    8 magic       release  "LOAMHEAP"; stored last
 *      8    4 version     plain    1
 *     12    4 shift       plain    log2 of a superblock's bytes
 *     16    8 maximum     plain    bytes the file may grow to
 *     24    8 identity    plain    random
 *     32    4 roots       plain    slots for roots
 *     36    4 types       plain    slots for types
 *     40    4 logs        plain    undo logs
 *     44    4 logBytes    plain    size of one
 *     48    8 created     plain    milliseconds since 1970
 *     56    4 checksum    plain    CRC32C of bytes 0–55
 *     64    8 state       release  checked word: bit 0 dirty, bits 1–47 epoch, from 1
 *    128    8 size        release  checked word: number of superblocks, those of the tables included
 *    192    8 forwarding  release  checked word: run with the tables of a compaction under way (Forwarding), or 0
 * </pre>
 */
final class HeapLayout {

    static final long MAGIC = 0x50414548_4D414F4CL;
    static final int VERSION = 1;

    private static final int SHIFT = 12;
    private static final int CHECKSUM = 56;
    private static final int CHECKED_BYTES = 56;
    static final long STATE = 64;
    static final long SIZE = 128;
    static final long FORWARDING = 192;

    private HeapLayout() {}

    /** Writes a heap without objects into zeroed memory, clean. Durable by the next fence; no heap at all before. */
    static void create(PersistentMemory memory, Geometry geometry, int superblocks) {
        memory.putLongRelease(STATE, Checksum.word(2, STATE));
        memory.putLongRelease(SIZE, Checksum.word(superblocks, SIZE));
        memory.persist(STATE, SIZE + 8 - STATE);
        // until the magic word is there the rest is no heap; with it, it is a whole one: one line keeps its order
        memory.putLong(8, (long) geometry.shift() << 32 | VERSION);
        memory.putLong(16, geometry.maximumBytes());
        memory.putLong(24, RandomGenerator.getDefault().nextLong());
        memory.putLong(32, (long) geometry.types() << 32 | geometry.roots());
        memory.putLong(40, (long) geometry.logBytes() << 32 | geometry.logs());
        memory.putLong(48, System.currentTimeMillis());
        byte[] bytes = new byte[CHECKED_BYTES + Long.BYTES];
        memory.copyOut(0, bytes, 0, CHECKED_BYTES);
        for (int i = 0; i < Long.BYTES; i++) {
            bytes[i] = (byte) (MAGIC >>> 8 * i);
        }
        memory.putInt(CHECKSUM, Checksum.of(bytes, CHECKED_BYTES, 0));
        memory.putLongRelease(0, MAGIC);
        // fenced with the state word, which comes next
        memory.flush(0, PersistentMemory.LINE);
    }

    /** @throws HeapException if this is no heap, another version's, or damaged */
    static Geometry read(PersistentMemory memory) {
        String name = memory.name();
        if (memory.bytes() < Geometry.HEADER_BYTES) {
            throw new HeapException(name + " has " + memory.bytes()
                    + " bytes, less than a heap's header: it is no heap, or" + " was cut off; restore it from a copy");
        }
        if (memory.getLong(0) != MAGIC) {
            throw new HeapException(
                    name + " is no heap: it does not begin with LOAMHEAP; if making it was interrupted, delete it"
                            + " and make it again");
        }
        int version = memory.getInt(8);
        if (version != VERSION) {
            throw new HeapException(name + " is a heap of version " + version + ", this is for version " + VERSION
                    + "; open it with the release that made it and copy its objects");
        }
        if (memory.getInt(CHECKSUM) != Checksum.of(memory, 0, CHECKED_BYTES, 0)) {
            throw new HeapException(
                    name + ", header at offset 0: its checksum does not fit; restore the heap from a copy");
        }
        var geometry = new Geometry(
                memory.getInt(SHIFT),
                memory.getLong(16),
                memory.getInt(32),
                memory.getInt(36),
                memory.getInt(40),
                memory.getInt(44));
        long least = geometry.offset(geometry.firstSuperblock());
        if (memory.bytes() < least) {
            throw cutOff(name, memory.bytes(), least);
        }
        return geometry;
    }

    private static HeapException cutOff(String name, long bytes, long least) {
        return new HeapException(name + " has " + bytes + " bytes but its header tells of " + least
                + ": the file was cut off; restore it from a copy");
    }

    static long createdMillis(PersistentMemory memory) {
        return memory.getLong(48);
    }

    static boolean isDirty(PersistentMemory memory) {
        return (payload(memory, STATE, "state") & 1) != 0;
    }

    static long epoch(PersistentMemory memory) {
        return payload(memory, STATE, "state") >>> 1;
    }

    /** Durable when it returns. */
    static void setState(PersistentMemory memory, boolean dirty, long epoch) {
        memory.putLongRelease(STATE, Checksum.word(epoch << 1 | (dirty ? 1 : 0), STATE));
        memory.persist(STATE, 8);
    }

    /** @throws HeapException if the file is shorter */
    static int superblocks(PersistentMemory memory, Geometry geometry) {
        long count = payload(memory, SIZE, "size");
        if (count < geometry.firstSuperblock() || count > geometry.superblocks()) {
            throw new HeapException(memory.name() + ", size at offset " + SIZE + ": " + count
                    + " superblocks are impossible; restore the heap from a copy");
        }
        long bytes = count << geometry.shift();
        if (memory.bytes() < bytes) {
            throw cutOff(memory.name(), memory.bytes(), bytes);
        }
        return (int) count;
    }

    /** Durable when it returns. */
    static void setSuperblocks(PersistentMemory memory, int count) {
        memory.putLongRelease(SIZE, Checksum.word(count, SIZE));
        memory.persist(SIZE, 8);
    }

    static long forwarding(PersistentMemory memory) {
        return payload(memory, FORWARDING, "forwarding");
    }

    /** Durable when it returns. */
    static void setForwarding(PersistentMemory memory, long run) {
        memory.putLongRelease(FORWARDING, Checksum.word(run, FORWARDING));
        memory.persist(FORWARDING, 8);
    }

    private static long payload(PersistentMemory memory, long place, String what) {
        long word = memory.getLongAcquire(place);
        if (!Checksum.holds(word, place)) {
            throw new HeapException(
                    memory.name() + ", " + what + " at offset " + place + ": its check bits do not fit word 0x"
                            + Long.toHexString(word) + "; restore the heap from a copy");
        }
        return Checksum.payload(word);
    }
}
