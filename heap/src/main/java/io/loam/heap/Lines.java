package io.loam.heap;

import io.loam.memory.persistence.PersistentMemory;
import org.jspecify.annotations.Nullable;

/**
 * The line of each superblock: the header of the run that begins there.
 *
 * <pre>
 * offset size name        order    meaning
 *      0    8 word        release  0: no run begins here; else bits 0–31 CRC32C of the rest, 32–39 kind, 40–47 size class, 48–63 type
 *      8    8 superblocks plain    of the run
 *     16    8 bytes       plain    of a slot; of a large object, what was asked for
 *     24    8 epoch       plain    of the heap when the run was made
 *     32   32 reserved    plain    zero
 * </pre>
 *
 * <p>The word is stored last when a run begins and cleared when it ends, so that at every crash the line is whole or no header.
 */
final class Lines {

    static final int SLOTS = 1;
    static final int LARGE = 2;
    /** Memory of the heap's own: more of an undo log, or the notes of a compaction. Free after recovery. */
    static final int INTERNAL = 3;

    private static final long CRC = 0xFFFF_FFFFL;
    private static final int CHECKED_BYTES = Geometry.LINE_BYTES - 8;

    /** A header that was read and checked. */
    record Header(int kind, int sizeClass, int typeId, int superblocks, long bytes, long epoch) {}

    private final PersistentMemory memory;
    private final Geometry geometry;

    Lines(PersistentMemory memory, Geometry geometry) {
        this.memory = memory;
        this.geometry = geometry;
    }

    /** Durable when it returns. The line held no header durably before. */
    void publish(int superblock, Header header) {
        long line = geometry.line(superblock);
        memory.putLong(line + 8, header.superblocks);
        memory.putLong(line + 16, header.bytes);
        memory.putLong(line + 24, header.epoch);
        long fields = (long) header.kind << 32 | (long) header.sizeClass << 40 | (long) header.typeId << 48;
        // release: the fields before it in the same line are on the medium if it is
        memory.putLongRelease(line, fields | crc(line, fields, superblock));
        memory.persist(line, Geometry.LINE_BYTES);
    }

    /** Durable when it returns. */
    void clear(int superblock) {
        long line = geometry.line(superblock);
        memory.putLongRelease(line, 0);
        memory.persist(line, 8);
    }

    /** As {@link #clear}, of several at once. */
    void clear(int[] superblocks) {
        for (int superblock : superblocks) {
            memory.putLongRelease(geometry.line(superblock), 0);
            memory.flush(geometry.line(superblock), 8);
        }
        if (superblocks.length > 0) {
            memory.fence();
        }
    }

    private long crc(long line, long fields, int superblock) {
        return Checksum.of(memory, line + 8, CHECKED_BYTES, seed(fields, superblock)) & CRC;
    }

    private static long seed(long fields, int superblock) {
        return fields ^ superblock;
    }

    boolean isEmpty(int superblock) {
        return memory.getLong(geometry.line(superblock)) == 0;
    }

    /** Reads lines of a heap of {@code limit} superblocks, one after another. Used by one thread. */
    Reader reader(int limit) {
        return new Reader(limit);
    }

    /** See {@link #reader}. */
    final class Reader {

        private final int limit;
        /** A heap has many lines: nothing is made anew for each. */
        private final Checksum.Repeated checksum = new Checksum.Repeated(memory, CHECKED_BYTES);

        private Reader(int limit) {
            this.limit = limit;
        }

        /**
         * The header of the run that begins here, or null if none does.
         *
         * @throws HeapException if the line is damaged
         */
        @Nullable
        Header read(int superblock) {
            long line = geometry.line(superblock);
            long word = memory.getLongAcquire(line);
            if (word == 0) {
                return null;
            }
            long crc = checksum.of(line + 8, seed(word & ~CRC, superblock)) & CRC;
            if (crc != (word & CRC)) {
                throw new HeapException(place(superblock) + ": header checksum " + Long.toHexString(crc) + ", stored "
                        + Long.toHexString(word & CRC) + "; run check, then restore the heap from a copy");
            }
            var header = new Header(
                    (int) (word >>> 32) & 0xFF,
                    (int) (word >>> 40) & 0xFF,
                    (int) (word >>> 48) & 0xFFFF,
                    (int) memory.getLong(line + 8),
                    memory.getLong(line + 16),
                    memory.getLong(line + 24));
            if (header.superblocks < 1 || header.superblocks > limit - superblock) {
                throw new HeapException(place(superblock) + ": a run of " + header.superblocks
                        + " superblocks does not fit into the heap; run check, then restore the heap from a copy");
            }
            return header;
        }
    }

    private String place(int superblock) {
        return memory.name() + ", superblock " + superblock + " (line at offset 0x"
                + Long.toHexString(geometry.line(superblock)) + ")";
    }
}
