package io.loam.store.log;

import io.loam.memory.RawMemory;

/**
 * What each segment is and holds.
 *
 * <pre>
 * offset size name      order    meaning
 *      0    4 state     release  FREE, HEAD, SEALED, CLEANING, RETIRED
 *      4    4 flags     CAS      bit 0: holds one entry larger than a segment and is never copied; bit 1: doubtful; bits 2–31: log clock when opened
 *      8    4 first     plain    first block
 *     12    4 blocks    plain    number of blocks
 *     16    8 appended  opaque   low half: units of 8 bytes in entries; high half: bytes of those that are not user bytes
 *     24    8 dead      add      the same two halves, of entries that are no longer live
 *     32    8 created   plain    log clock when opened; survivors: mean of their entries' segments
 *     40    8 nanos     plain    the same in System.nanoTime
 *     48    8 sealTag   plain    epoch tag of sealing; a candidate once that is safe
 *     56    8 millis    plain    wall-clock of opening: base of the expiry classes
 *     64   64 expiring  add      units with an expiry, in 8 classes by how long after millis they expire
 * </pre>
 *
 * <p>Live = appended − dead, read one after the other: a hint that errs by what is in flight; both halves are signed differences, so
 * order does not matter. The expiry classes' upper bounds make a segment whose bytes have all expired look empty, and never one whose
 * bytes have not.
 *
 * <p>A segment is doubtful when a process died while it counted: up to what that was about too much may be counted as live, never too little. It is cleaned when there is time, whatever it
 * holds, and its counts are gone with it.
 */
public final class SegmentTable {

    static final int BYTES = 128;

    public static final int FREE = 0;
    public static final int HEAD = 1;
    public static final int SEALED = 2;
    public static final int CLEANING = 3;
    public static final int RETIRED = 4;

    private static final long CLOCK_MASK = (1L << 30) - 1;
    private static final int CLOCK_SHIFT = 2;
    private static final long OVERSIZED = 1L << 32;
    private static final long DOUBTFUL = 2L << 32;

    private static final long[] CLASS_MILLIS = {
        1_000, 10_000, 60_000, 600_000, 3_600_000L, 36_000_000L, 360_000_000L, Long.MAX_VALUE / 4
    };

    private final RawMemory memory;
    private final long table;
    private final int slots;

    public SegmentTable(RawMemory memory, long table, int slots) {
        this.memory = memory;
        this.table = table;
        this.slots = slots;
    }

    public int slots() {
        return slots;
    }

    private long at(int segment) {
        return table + ((long) segment << 7);
    }

    public int state(int segment) {
        return memory.getIntAcquire(at(segment));
    }

    void setState(int segment, int state) {
        memory.putIntRelease(at(segment), state);
    }

    /** One step of the life cycle; false if somebody else took it. */
    public boolean advance(int segment, int from, int to) {
        long word = memory.getLongAcquire(at(segment));
        return (int) word == from && memory.compareAndSetLong(at(segment), word, word & 0xFFFF_FFFF_0000_0000L | to);
    }

    /** State, flags and opening clock in one: a slot that has them again, sealed, has held the same segment throughout, as the clock goes on before a segment of one entry is sealed. */
    long incarnation(int segment) {
        return memory.getLongAcquire(at(segment));
    }

    static boolean isSealedOversized(long incarnation) {
        return (int) incarnation == SEALED && (incarnation & OVERSIZED) != 0;
    }

    /** Retires the segment that was in the slot when its incarnation was read; false if it has changed its state since. */
    boolean retire(int segment, long incarnation) {
        return memory.compareAndSetLong(at(segment), incarnation, incarnation & 0xFFFF_FFFF_0000_0000L | RETIRED);
    }

    /** Claims a free slot and opens a segment in it, or -1 when there is none. */
    int open(boolean oversized, long created, long nanos, long millis, int firstHint) {
        long flags = (created & CLOCK_MASK) << CLOCK_SHIFT + 32 | (oversized ? OVERSIZED : 0);
        for (int i = 0; i < slots; i++) {
            int segment = (firstHint + i) % slots;
            long word = memory.getLongAcquire(at(segment));
            if ((int) word == FREE && memory.compareAndSetLong(at(segment), word, flags | HEAD)) {
                long address = at(segment);
                memory.putInt(address + 8, -1);
                memory.putInt(address + 12, 0);
                memory.putLongOpaque(address + 16, 0);
                memory.putLongOpaque(address + 24, 0);
                memory.putLong(address + 32, created);
                memory.putLong(address + 40, nanos);
                memory.putLong(address + 48, 0);
                memory.putLong(address + 56, millis);
                memory.fill(address + 64, 64, (byte) 0);
                return segment;
            }
        }
        return -1;
    }

    public boolean isOversized(int segment) {
        return (incarnation(segment) & OVERSIZED) != 0;
    }

    /** Whether the counts may be too high. */
    public boolean isDoubtful(int segment) {
        return (incarnation(segment) & DOUBTFUL) != 0;
    }

    void setDoubtful(int segment) {
        long word;
        do {
            word = incarnation(segment);
        } while (!memory.compareAndSetLong(at(segment), word, word | DOUBTFUL));
    }

    /** By how much the log clock has advanced to {@code now} since the segment was opened, which for survivors is not how old their entries are. */
    public long lived(int segment, long now) {
        return now - (memory.getInt(at(segment) + 4) >>> CLOCK_SHIFT) & CLOCK_MASK;
    }

    public int firstBlock(int segment) {
        return memory.getInt(at(segment) + 8);
    }

    void setFirstBlock(int segment, int block) {
        memory.putInt(at(segment) + 8, block);
    }

    public int blockCount(int segment) {
        return memory.getInt(at(segment) + 12);
    }

    void setBlockCount(int segment, int count) {
        memory.putInt(at(segment) + 12, count);
    }

    private static long pack(long units, long overhead) {
        return overhead << 32 | units;
    }

    void addAppended(int segment, long units, long overhead) {
        memory.getAndAddLong(at(segment) + 16, pack(units, overhead));
    }

    /** Counts an entry of the segment as no longer live. */
    void addDead(int segment, long units, long overhead) {
        memory.getAndAddLong(at(segment) + 24, pack(units, overhead));
    }

    /** As {@link #addDead}, for all that a cleaner moved out of a block. */
    public void addDeadOf(int segment, long units, long overhead) {
        if (units != 0) {
            addDead(segment, units, overhead);
        }
    }

    /** Moves {@code bytes} of an entry that stays live from user bytes to overhead (negative: back). */
    void shiftToOverhead(int segment, long bytes) {
        memory.getAndAddLong(at(segment) + 16, bytes << 32);
    }

    public long appendedUnits(int segment) {
        return memory.getLongOpaque(at(segment) + 16) & 0xFFFF_FFFFL;
    }

    long appendedWord(int segment) {
        return memory.getLongOpaque(at(segment) + 16);
    }

    long deadWord(int segment) {
        return memory.getLongOpaque(at(segment) + 24);
    }

    /** Units of entries the index points to; negative for a moment when a closing block's are not counted yet. */
    public long liveUnits(int segment) {
        return (appendedWord(segment) & 0xFFFF_FFFFL) - (deadWord(segment) & 0xFFFF_FFFFL);
    }

    public long created(int segment) {
        return memory.getLong(at(segment) + 32);
    }

    public long createdNanos(int segment) {
        return memory.getLong(at(segment) + 40);
    }

    void setCreated(int segment, long created, long nanos) {
        memory.putLong(at(segment) + 32, created);
        memory.putLong(at(segment) + 40, nanos);
    }

    public long sealTag(int segment) {
        return memory.getLong(at(segment) + 48);
    }

    void setSealTag(int segment, long tag) {
        memory.putLong(at(segment) + 48, tag);
    }

    void setAppended(int segment, long units, long overhead) {
        memory.putLongOpaque(at(segment) + 16, pack(units, overhead));
    }

    /** Counts all that was appended as dead. */
    void setDead(int segment) {
        memory.putLongOpaque(at(segment) + 24, appendedWord(segment));
    }

    private int expiryClass(int segment, long expiresAt) {
        long after = expiresAt - memory.getLong(at(segment) + 56);
        int index = 0;
        while (after > CLASS_MILLIS[index] && index < CLASS_MILLIS.length - 1) {
            index++;
        }
        return index;
    }

    /** Counts units of a live entry that expires (negative: it is no longer live). */
    void addExpiring(int segment, long expiresAt, long units) {
        memory.getAndAddLong(at(segment) + 64 + 8L * expiryClass(segment, expiresAt), units);
    }

    /** Units of live entries that have surely expired by {@code nowMillis}. */
    public long expiredUnits(int segment, long nowMillis) {
        long age = nowMillis - memory.getLong(at(segment) + 56);
        long units = 0;
        for (int i = 0; i < CLASS_MILLIS.length && CLASS_MILLIS[i] < age; i++) {
            units += memory.getLongOpaque(at(segment) + 64 + 8L * i);
        }
        return Math.max(0, units);
    }
}
