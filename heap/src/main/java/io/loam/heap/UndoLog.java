package io.loam.heap;

import io.loam.memory.persistence.PersistentMemory;
import java.util.ArrayList;
import java.util.List;

/**
 * One undo log: old content of what an atomic update is about to change.
 *
 * <pre>
 * offset size name       order    meaning
 *      0    8 generation release  checked word: records of this generation count
 *     64      records    plain
 * </pre>
 *
 * A record, a multiple of 8 bytes:
 *
 * <pre>
 * offset size name     order    meaning
 *      0    4 checksum plain    CRC32C of the rest, the generation, the log and the place
 *      4    4 length   plain    bytes of old content; -1: the log goes on elsewhere
 *      8    8 target   plain    offset of what was changed; or of where the log goes on
 *     16      content  plain    old content; or, 8 bytes, how long the log is there
 * </pre>
 *
 * <p>A record is durable before the store that it covers; the generation is advanced, durably, after the stores are. Used by one thread at a time.
 */
final class UndoLog {

    private static final int RECORDS = 64;
    private static final int CONTENT = 16;
    private static final int GOES_ON = -1;
    private static final int GOES_ON_BYTES = CONTENT + 8;
    private static final long LEAST_EXTENSION = 64 << 10;

    private final PersistentMemory memory;
    private final long start;
    private final int index;
    private final int bytes;
    private long generation;
    private long at;
    private long end;
    private final List<Run> extensions = new ArrayList<>();

    /** @throws HeapException if the generation is damaged */
    UndoLog(PersistentMemory memory, Geometry geometry, int index) {
        this.memory = memory;
        this.start = geometry.log(index);
        this.index = index;
        this.bytes = geometry.logBytes();
        long word = memory.getLongAcquire(start);
        if (!Checksum.holds(word, start)) {
            throw new HeapException(memory.name() + ", undo log " + index + " at offset 0x" + Long.toHexString(start)
                    + ": its check bits do not fit word 0x" + Long.toHexString(word)
                    + "; restore the heap from a copy");
        }
        generation = Checksum.payload(word);
        rewind();
    }

    private void rewind() {
        at = start + RECORDS;
        end = start + bytes;
    }

    /** Saves a range; durable when it returns. The offset of the old content in the log. */
    long append(long target, int length, Blocks blocks) {
        long size = CONTENT + (length + 7L & -8);
        if (at + size + GOES_ON_BYTES > end) {
            extend(size + GOES_ON_BYTES, blocks);
        }
        long record = at;
        memory.putInt(record + 4, length);
        memory.putLong(record + 8, target);
        memory.copy(target, record + CONTENT, length);
        memory.putInt(record, checksum(record, CONTENT - 4 + length));
        memory.flush(record, CONTENT + length);
        memory.fence();
        at += size;
        return record + CONTENT;
    }

    private void extend(long least, Blocks blocks) {
        Run run = blocks.carveLarge(HeapType.BYTES, Math.max(least, LEAST_EXTENSION), Lines.INTERNAL);
        extensions.add(run);
        memory.putInt(at + 4, GOES_ON);
        memory.putLong(at + 8, run.start);
        memory.putLong(at + CONTENT, run.slotBytes);
        memory.putInt(at, checksum(at, GOES_ON_BYTES - 4));
        // fenced with the record that follows
        memory.flush(at, GOES_ON_BYTES);
        at = run.start;
        end = run.start + run.slotBytes;
    }

    private int checksum(long record, int length) {
        return Checksum.of(memory, record + 4, length, generation << 20 ^ (long) index << 52 ^ record);
    }

    /** Makes the records, if there are any, those of the past; durable when it returns. What they cover is durable already. */
    void end(Blocks blocks) {
        if (at == start + RECORDS) {
            return;
        }
        advance();
        extensions.forEach(blocks::end);
        extensions.clear();
    }

    private void advance() {
        generation++;
        memory.putLongRelease(start, Checksum.word(generation, start));
        memory.persist(start, 8);
        rewind();
    }

    /** After a crash: undoes what the log covers; durable when it returns. How many records there were. */
    int recover(long limit) {
        List<long[]> records = new ArrayList<>();
        while (true) {
            int length = at + GOES_ON_BYTES <= end ? memory.getInt(at + 4) : 0;
            if (length == GOES_ON && holds(at, GOES_ON_BYTES - 4)) {
                long next = memory.getLong(at + 8);
                end = next + memory.getLong(at + CONTENT);
                at = next;
            } else if (length > 0 && at + CONTENT + length <= end && holds(at, CONTENT - 4 + length)) {
                records.add(new long[] {memory.getLong(at + 8), at + CONTENT, length});
                at += CONTENT + (length + 7L & -8);
            } else {
                break;
            }
        }
        for (long[] record : records.reversed()) {
            if (record[0] < 0 || record[0] + record[2] > limit) {
                throw new HeapException(memory.name() + ", undo log " + index + ": a record for offset 0x"
                        + Long.toHexString(record[0]) + ", which is outside of the heap; restore the heap from a copy");
            }
            memory.copy(record[1], record[0], record[2]);
            memory.flush(record[0], record[2]);
        }
        if (!records.isEmpty()) {
            memory.fence();
            advance();
        }
        rewind();
        return records.size();
    }

    private boolean holds(long record, int length) {
        return memory.getInt(record) == checksum(record, length);
    }
}
