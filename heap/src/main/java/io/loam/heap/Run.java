package io.loam.heap;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One or more superblocks divided into slots of one size and type, as the Java heap knows them; a large object is the one slot of its run.
 *
 * <p>Threads: the states are bytes, so that threads that own different slots can store them without a lock: a slot in a lane is that thread's, a slot in use
 * is whoever frees it. {@link #taken} and what belongs to it are guarded by the run's bin.
 */
final class Run {

    /** States of a slot. */
    static final byte FREE = 0;

    /** In use: reachable, in the list of an open session, or garbage. */
    static final byte OLD = 1;
    /** In use, allocated since the heap was opened and outside of any session: kept until it is settled or freed. */
    static final byte NEW = 2;
    /** Freed, and not to be used again yet. */
    static final byte RESTING = 3;
    /** Added to a state by a marker. */
    static final byte MARK = 0x40;

    private static final long[] NONE = {};
    private static final int MAGIC_SHIFT = 45;
    private static final int PLACE_SHIFT = 48;

    final int superblock;
    final int superblocks;
    final int kind;
    final long start;
    final int slots;
    /** The size of a slot; of a large object, of its superblocks. */
    final long slotBytes;
    /** What may be used of a slot: of a large object, what was asked for. */
    final long objectBytes;

    final HeapType type;
    final @Nullable Bin bin;
    /** The bin's, here to be near; -1: none. */
    final int binNumber;

    private final long magic;

    private volatile byte @Nullable [] states;

    /** What a marker found after a crash; becomes the states when the run is first looked at. */
    private volatile byte @Nullable [] marks;

    /** Set: in use or in a lane. Made with the states, before anybody can change one. */
    private long[] taken = NONE;

    private int takenCount;
    /** Whether the bin lists it as one with free slots. */
    boolean listed;

    boolean ended;
    /** Whether the bin keeps it though it is empty. */
    boolean spare;
    /** While its objects move out of it: offset of the table of where they go; see {@link Forwarding}. */
    long forwarding;
    /** Whether the bitmap in the file may differ from the states. */
    boolean changed;

    Run(int superblock, Lines.Header header, Geometry geometry, HeapType type, @Nullable Bin bin) {
        this.superblock = superblock;
        this.superblocks = header.superblocks();
        this.kind = header.kind();
        this.start = geometry.offset(superblock);
        this.type = type;
        this.bin = bin;
        this.binNumber = bin == null ? -1 : bin.number;
        long bytes = geometry.offset(superblocks);
        if (kind == Lines.SLOTS) {
            slotBytes = header.bytes();
            objectBytes = slotBytes;
            slots = (int) (bytes / slotBytes);
            magic = superblocks == 1 ? ((1L << MAGIC_SHIFT) + slotBytes - 1) / slotBytes : 0;
        } else {
            slotBytes = bytes;
            objectBytes = header.bytes();
            slots = 1;
            magic = 0;
        }
    }

    /** The slot that begins at the offset, or -1 if none does. */
    int slot(long offset) {
        long distance = offset - start;
        // exact in one superblock: distance < 2^20, and the rounded-up inverse errs by less than 2^20 / 2^45
        int slot = (int) (magic != 0 ? distance * magic >>> MAGIC_SHIFT : distance / slotBytes);
        return slot * slotBytes == distance && slot < slots ? slot : -1;
    }

    /** Whether the offset lies in the run. */
    boolean holds(long offset) {
        return offset >= start && offset - start < slots * slotBytes;
    }

    long offset(int slot) {
        return start + slot * slotBytes;
    }

    /** A slot as lanes keep it: its offset in the lower 48 bits, its number above. */
    long place(int slot) {
        return offset(slot) | (long) slot << PLACE_SHIFT;
    }

    static long place(long offset, int slot) {
        return offset | (long) slot << PLACE_SHIFT;
    }

    static long offsetOf(long place) {
        return place & (1L << PLACE_SHIFT) - 1;
    }

    static int slotOf(long place) {
        return (int) (place >>> PLACE_SHIFT);
    }

    /** Null if they have not been looked at since the heap was opened. */
    byte @Nullable [] statesOrNull() {
        return states;
    }

    /** All slots are free: the run is new, and nobody else knows it. */
    void begin() {
        taken = new long[slots + 63 >>> 6];
        changed = true;
        states = new byte[slots];
    }

    /** Makes the slots known. Under the run's monitor. */
    void setStates(byte[] loaded) {
        countTaken(loaded);
        // volatile: pairs with statesOrNull: whoever finds the states finds what is taken
        states = loaded;
    }

    byte @Nullable [] marksOrNull() {
        return marks;
    }

    void setMarks(byte[] found) {
        marks = found;
    }

    private void countTaken(byte[] known) {
        long[] bits = new long[slots + 63 >>> 6];
        int count = 0;
        for (int i = 0; i < slots; i++) {
            if (known[i] != FREE) {
                bits[i >>> 6] |= 1L << i;
                count++;
            }
        }
        taken = bits;
        takenCount = count;
    }

    /** Takes up to {@code most} free slots into {@code places} from {@code count} on; the new count. Under the bin's lock. */
    int take(long[] places, int count, int most) {
        long[] bits = taken;
        changed = true;
        int left = most;
        for (int word = 0; word < bits.length && left > 0; word++) {
            long free = ~bits[word];
            while (free != 0 && left > 0) {
                int slot = (word << 6) + Long.numberOfTrailingZeros(free);
                if (slot >= slots) {
                    break;
                }
                free &= free - 1;
                bits[word] |= 1L << slot;
                takenCount++;
                places[count++] = place(slot);
                left--;
            }
        }
        return count;
    }

    /** Makes a slot free to be taken. Under the bin's lock. */
    void give(int slot) {
        long[] bits = taken;
        if ((bits[slot >>> 6] & 1L << slot) == 0) {
            throw new AssertionError("slot " + slot + " of superblock " + superblock + " was not taken");
        }
        bits[slot >>> 6] &= ~(1L << slot);
        takenCount--;
        changed = true;
    }

    /** The states were changed from outside: what is taken is counted anew. The heap is held alone. */
    void recount() {
        countTaken(Objects.requireNonNull(states));
        changed = true;
    }

    boolean isFull() {
        return takenCount == slots;
    }

    /** Slots that are not free. The heap is held alone, and no lane has any. */
    int taken() {
        return takenCount;
    }

    boolean isEmpty() {
        return takenCount == 0;
    }

    /** Slots in use now. Approximate while others allocate and free. */
    int used() {
        byte[] known = states;
        if (known == null) {
            return 0;
        }
        int used = 0;
        for (byte state : known) {
            used += (state & ~MARK) == OLD || (state & ~MARK) == NEW ? 1 : 0;
        }
        return used;
    }

    @Override
    public String toString() {
        return "run of superblock " + superblock + ", " + slots + " slots of " + slotBytes + " bytes of type "
                + type.name() + (states == null ? "" : ", " + used() + " used");
    }
}
