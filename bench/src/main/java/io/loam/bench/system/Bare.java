package io.loam.bench.system;

import io.loam.memory.RawMemory;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The limit: what this machine and these accessors allow a store that does nothing but find, compare the key and copy. Open
 * addressing over slots of 16 bytes (key; length in the upper 24 bits and offset in the lower 40), load at most 0.75, values one
 * after the other in an arena. No header, version, pin, lock, reclamation or resize, so it is no store: concurrent writes tear.
 *
 * <p>{@code --update in-place} overwrites the value where it lies. {@code --update append} copies the value to the next place of a ring of
 * the thread's own and rewrites the slot as it was: the stores of an append without the life of one, as {@code limit.c} has it.
 */
public final class Bare extends SystemUnderTest {

    private static final RawMemory MEMORY = RawMemory.ofProcess();
    private static final int SLOT_SHIFT = 4;
    private static final int LENGTH_SHIFT = 40;
    private static final long OFFSET_MASK = (1L << LENGTH_SHIFT) - 1;
    private static final long RING_BYTES = 512L << 20;

    private final HugeArena arena = new HugeArena();
    private final long slots;
    private final long mask;
    private final long data;
    private final long dataBytes;
    private final long ringBytes;
    private final int strideBytes;
    private final boolean inPlace;
    private long used;
    private long size;
    private final AtomicInteger sessions = new AtomicInteger();

    public Bare(Setup setup) {
        if (setup.keyBytes() != Long.BYTES) {
            throw new IllegalArgumentException(
                    "key of " + setup.keyBytes() + " bytes; bare knows only keys of 8 bytes");
        }
        long count = Long.highestOneBit(Math.max(64, setup.records() * 4 / 3)) << 1;
        mask = count - 1;
        slots = arena.allocate(count << SLOT_SHIFT);
        strideBytes = (setup.maxValueBytes() + 7) & ~7;
        dataBytes = setup.records() * strideBytes;
        data = arena.allocate(dataBytes + strideBytes + 64);
        inPlace = setup.inPlace();
        ringBytes = Math.min(RING_BYTES, Math.max(dataBytes / 2, strideBytes * 2L));
    }

    private long slotOf(long key) {
        long i = Mix.mix(key) & mask;
        for (; ; ) {
            long slot = slots + (i << SLOT_SHIFT);
            long found = MEMORY.getLong(slot);
            if (found == key || found == 0) {
                return slot;
            }
            i = (i + 1) & mask;
        }
    }

    private synchronized void insert(long key, byte[] value, int length) {
        long slot = slotOf(key);
        if (MEMORY.getLong(slot) == 0) {
            if (used + strideBytes > dataBytes) {
                throw new RefusedException("the arena is full", new IllegalStateException());
            }
            MEMORY.copyIn(value, 0, data + used, length);
            MEMORY.putLong(slot + 8, (long) length << LENGTH_SHIFT | used);
            MEMORY.putLongRelease(slot, key);
            used += strideBytes;
            size++;
        }
    }

    @Override
    public Session newSession() {
        sessions.incrementAndGet();
        return new BareSession();
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public boolean readsWholeValues() {
        return false;
    }

    @Override
    public void close() {
        arena.close();
    }

    private final class BareSession extends Session {
        private long ring;
        private long position;
        private long[] places = new long[16];
        private long sink;

        @Override
        public int get(long key, byte[] into) {
            long slot = slotOf(key);
            if (MEMORY.getLong(slot) != key) {
                return ABSENT;
            }
            return copyOut(MEMORY.getLong(slot + 8), into);
        }

        private int copyOut(long place, byte[] into) {
            int length = (int) (place >>> LENGTH_SHIFT);
            MEMORY.copyOut(data + (place & OFFSET_MASK), into, 0, length);
            return length;
        }

        /** Three passes, so that the misses of a pass overlap: slots; keys and the first two lines of values; copies. */
        @Override
        public int getBatch(long[] keys, byte[][] into, int[] lengths, int count) {
            if (places.length < count) {
                places = new long[count];
            }
            long touched = 0;
            for (int i = 0; i < count; i++) {
                long slot = slots + ((Mix.mix(keys[i]) & mask) << SLOT_SHIFT);
                places[i] = slot;
                touched ^= MEMORY.getLong(slot);
            }
            for (int i = 0; i < count; i++) {
                long slot = places[i];
                if (MEMORY.getLong(slot) != keys[i]) {
                    slot = slotOf(keys[i]);
                    if (MEMORY.getLong(slot) == 0) {
                        places[i] = -1;
                        continue;
                    }
                }
                long place = MEMORY.getLong(slot + 8);
                places[i] = place;
                long address = data + (place & OFFSET_MASK);
                touched ^= MEMORY.getLong(address) ^ MEMORY.getLong(address + 64);
            }
            sink += touched;
            int present = 0;
            for (int i = 0; i < count; i++) {
                long place = places[i];
                lengths[i] = place == -1 ? ABSENT : copyOut(place, into[i]);
                present += place == -1 ? 0 : 1;
            }
            return present;
        }

        @Override
        public void put(long key, byte[] value, int length) {
            long slot = slotOf(key);
            if (MEMORY.getLong(slot) != key) { // empty, or taken by another key since we looked
                insert(key, value, length);
            } else if (inPlace) {
                long place = MEMORY.getLong(slot + 8);
                MEMORY.copyIn(value, 0, data + (place & OFFSET_MASK), length);
                if ((int) (place >>> LENGTH_SHIFT) != length) {
                    MEMORY.putLong(slot + 8, (long) length << LENGTH_SHIFT | place & OFFSET_MASK);
                }
            } else {
                append(slot, value, length);
            }
        }

        private void append(long slot, byte[] value, int length) {
            if (ring == 0) {
                ring = arena.allocate(ringBytes);
                MEMORY.fill(ring, ringBytes, (byte) 1);
            }
            if (position + strideBytes > ringBytes) {
                position = 0;
            }
            MEMORY.copyIn(value, 0, ring + position, length);
            position += strideBytes;
            MEMORY.putLongRelease(slot + 8, MEMORY.getLong(slot + 8));
        }

        @Override
        public boolean delete(long key) {
            throw new UnsupportedOperationException("bare is the limit of get and put; it can't delete");
        }
    }
}
