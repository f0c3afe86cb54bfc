package io.loam.memory.space;

import io.loam.memory.RawMemory;
import io.loam.memory.region.Access;
import io.loam.memory.region.Region;
import io.loam.memory.region.RegionException;
import io.loam.memory.region.RegionLock;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * A thread's place among the address spaces: which one it is in, and every access to what that one has.
 *
 * <p>A context belongs to the thread, platform or virtual, that has made it. {@link #current} gives a thread its own; code that switches
 * or dereferences often keeps it in a variable.
 *
 * <p>Pointers are addresses from a region's base on, the same in every process. Each access checks that the space that the thread is in
 * has a region there, that the whole access lies in it, and that it may be written if it is a write; else it throws a {@link
 * PointerException} and touches nothing. Values are little-endian. Plain accesses need no alignment; acquire, release, volatile and
 * compare-and-set accesses need a natural one, else {@link IllegalArgumentException}, and mean what they mean in {@link VarHandle}.
 *
 * <p>If another process shortens the file of a region, accesses beyond its end throw an {@link InternalError}.
 */
public final class Context {

    private static final ThreadLocal<Context> CURRENT = ThreadLocal.withInitial(Context::new);
    private static final RawMemory MEMORY = RawMemory.ofProcess();
    private static final VarHandle ID = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int OUTSIDE = 0;

    private final Thread owner = Thread.currentThread();
    /** Which of the places the thread is in; the rest is what entering would make of it. */
    private int current = OUTSIDE;
    /** How many stays are open. */
    private int depth;

    /** The place of an attachment, by its index, or of another one by now; {@link #OUTSIDE} if it has none yet. */
    private int[] placeOf = new int[8];

    private Place[] places = {new Place(Table.NONE)};
    /** The same places' tables, one load nearer. */
    private Table[] tables = {Table.NONE};
    /** For each place the thread is in, the id of its table, else 0: the announcement, which others read. */
    private volatile long[] announced = new long[1];
    /** What a copy in progress uses beside the region that is being resolved. */
    private @Nullable AttachedRegion keep;

    /** A context for the calling thread, outside of any address space. */
    public Context() {
        Contexts.add(this);
    }

    /** The calling thread's own context. */
    public static Context current() {
        return CURRENT.get();
    }

    Thread owner() {
        return owner;
    }

    /** Whether the thread is inside a table whose id is one of those, in whatever depth of nesting. */
    boolean isInside(LongPredicate ids) {
        // volatile: pairs with the store of makePlace, which comes before the announcement in the new array
        long[] all = announced;
        for (int i = 0; i < all.length; i++) {
            // acquire: pairs with the opaque store of enter by the fences around it, and with the release store of
            // leave
            long id = (long) ID.getAcquire(all, i);
            if (id != 0 && ids.test(id)) {
                return true;
            }
        }
        return false;
    }

    /** The attachment that the thread is in; null if it is in none. */
    public @Nullable Attachment inside() {
        return tables[current].attachment();
    }

    /**
     * Enters an address space, waiting for the locks of its lockable regions: shared where the space has a region for reading, exclusive
     * where for writing.
     */
    public Switch enter(Attachment attachment) {
        return enter(attachment, Long.MAX_VALUE);
    }

    /**
     * Enters an address space if its locks can be had in time.
     *
     * @param timeoutNanos 0 or less only tries
     * @throws RegionException TIMEOUT; WOULD_DEADLOCK if an outer stay holds a lock shared that this needs exclusively, or holds one that
     *     comes later in the order and this one is not free; the context stays where it was
     * @throws IllegalStateException if the attachment is closed, or this is not the thread's own context
     */
    public Switch enter(Attachment attachment, long timeoutNanos) {
        if (Thread.currentThread() != owner) {
            throw new IllegalStateException("this is the context of thread " + owner.getName());
        }
        if (attachment.isStale()) {
            attachment.refresh();
        }
        Table next = attachment.table();
        int index = attachment.index();
        int[] known = placeOf;
        int at = index < known.length ? known[index] : OUTSIDE;
        if (tables[at] != next) {
            at = makePlace(attachment, next);
        }
        Place place = places[at];
        if (place.stays == 0) {
            announce(at, next.id());
            if (attachment.table() != next) {
                // replaced or closed meanwhile
                withdraw(at);
                return enter(attachment, timeoutNanos);
            }
            if (place.grants.length != 0) {
                lock(at, place, timeoutNanos);
            }
        }
        Switch stay = new Switch(this, place, at, current, depth);
        place.stays++;
        depth++;
        current = at;
        return stay;
    }

    /** Lets others know, before the table is looked at again, that this thread is about to use it. */
    private void announce(int at, long id) {
        // opaque: the compiler keeps the reading of the table behind it, and the fence of the one who looks, or the one
        // here, the CPU
        ID.setOpaque(announced, at, id);
        if (!Contexts.MEMBARRIER) {
            VarHandle.fullFence();
        }
    }

    private void withdraw(int at) {
        // release: all accesses of the stay come before others see that it has ended
        ID.setRelease(announced, at, 0L);
    }

    /**
     * A place for a table that this thread has not been in: one that it is not in, or a new one. References are stored here alone, since a
     * collector makes storing them in an old object cost more than all the rest of a switch.
     */
    private int makePlace(Attachment attachment, Table next) {
        attachment.checkOpen();
        int index = attachment.index();
        if (index >= placeOf.length) {
            placeOf = Arrays.copyOf(placeOf, 2 * index);
        }
        int at = placeOf[index];
        if (at == OUTSIDE || places[at].stays != 0 || isOfAnother(at, attachment)) {
            at = 1;
            while (at < places.length && (places[at].stays != 0 || tables[at].isCurrent())) {
                at++;
            }
            if (at == places.length) {
                places = Arrays.copyOf(places, 2 * at);
                tables = Arrays.copyOf(tables, 2 * at);
                Arrays.fill(places, at, 2 * at, places[OUTSIDE]);
                Arrays.fill(tables, at, 2 * at, Table.NONE);
                announced = Arrays.copyOf(announced, 2 * at);
            }
        }
        places[at] = new Place(next);
        tables[at] = next;
        placeOf[index] = at;
        return at;
    }

    private boolean isOfAnother(int at, Attachment attachment) {
        return tables[at].attachment() != attachment && tables[at].isCurrent();
    }

    private void lock(int at, Place place, long timeoutNanos) {
        if (depth == 0 && place.locks.length == 1) {
            RegionLock.Grant grant = place.locks[0].acquire(place.exclusively[0], timeoutNanos);
            place.grants[0] = (byte) grant.ordinal();
            if (grant == RegionLock.Grant.NONE) {
                withdraw(at);
                throw notInTime(place.table.locks()[0]);
            }
        } else {
            lockAll(at, place, timeoutNanos);
        }
    }

    /** Takes the locks in ascending order of region numbers. */
    private void lockAll(int at, Place place, long timeoutNanos) {
        int taken = 0;
        try {
            long start = timeoutNanos == Long.MAX_VALUE ? 0 : System.nanoTime();
            for (; taken < place.locks.length; taken++) {
                long left = timeoutNanos == Long.MAX_VALUE ? timeoutNanos : timeoutNanos - (System.nanoTime() - start);
                RegionLock.Grant grant = depth == 0 ? locked(place, taken, left) : nested(place, taken, left);
                place.grants[taken] = (byte) grant.ordinal();
            }
        } finally {
            if (taken < place.locks.length) {
                unlock(place, taken);
                withdraw(at);
            }
        }
    }

    private static RegionLock.Grant locked(Place place, int which, long timeoutNanos) {
        RegionLock.Grant grant = place.locks[which].acquire(place.exclusively[which], timeoutNanos);
        if (grant == RegionLock.Grant.NONE) {
            throw notInTime(place.table.locks()[which]);
        }
        return grant;
    }

    private static RegionException notInTime(AttachedRegion region) {
        return new RegionException(
                RegionException.Reason.TIMEOUT,
                "the lock of " + region + " was held by others all the time; wait longer, or see who has it attached");
    }

    /** NONE if an outer stay holds the lock. */
    private RegionLock.Grant nested(Place place, int which, long timeoutNanos) {
        AttachedRegion region = place.table.locks()[which];
        long highest = 0;
        for (Place outer : places) {
            AttachedRegion[] locks = outer.table.locks();
            for (int i = 0; i < locks.length && outer.stays != 0; i++) {
                if (outer.grants[i] != Place.NONE) {
                    highest = Math.max(highest, locks[i].region().number());
                    if (locks[i].member().uuid().equals(region.member().uuid())) {
                        if (place.exclusively[which] && !outer.exclusively[i]) {
                            throw new RegionException(
                                    RegionException.Reason.WOULD_DEADLOCK,
                                    "this thread holds the lock of " + region
                                            + " for reading and now asks for writing; enter for writing first, or leave");
                        }
                        return RegionLock.Grant.NONE;
                    }
                }
            }
        }
        if (region.region().number() > highest) {
            return locked(place, which, timeoutNanos);
        }
        RegionLock.Grant grant = place.locks[which].acquire(place.exclusively[which], 0);
        if (grant == RegionLock.Grant.NONE) {
            throw new RegionException(
                    RegionException.Reason.WOULD_DEADLOCK,
                    "the lock of " + region + " is held, and this thread holds the lock of a younger region (number "
                            + highest
                            + "), so that it can't wait; leave first, or enter in the order in which the regions were created");
        }
        return grant;
    }

    private static void unlock(Place place, int taken) {
        for (int i = taken - 1; i >= 0; i--) {
            byte grant = place.grants[i];
            if (grant != Place.NONE) {
                place.grants[i] = Place.NONE;
                place.locks[i].release(place.exclusively[i], Place.GRANTS[grant]);
            }
        }
    }

    void leave(Switch stay) {
        if (stay.isOver() || stay.depth() != depth - 1 || Thread.currentThread() != owner) {
            throw new IllegalStateException("a stay in " + stay.place().table.attachment()
                    + " is left by its own thread, once, and after those entered later");
        }
        Place place = stay.place();
        depth--;
        current = stay.outer();
        if (--place.stays == 0) {
            if (place.grants.length != 0) {
                unlock(place, place.grants.length);
            }
            withdraw(stay.at());
        }
    }

    /** Where a pointer leads that the table has not let through, or why it leads nowhere. */
    long resolve(long pointer, int bytes, Access access) {
        Table inside = tables[current];
        Attachment attachment = inside.attachment();
        if (attachment == null) {
            throw new PointerException(
                    PointerException.Reason.NOT_INSIDE, pointer, "the thread is in no address space; enter one first");
        }
        AttachedRegion region = inside.find(pointer);
        if (region == null) {
            throw new PointerException(
                    PointerException.Reason.WRONG_SPACE,
                    pointer,
                    "address space " + attachment.name() + " has nothing there" + attachment.whoseIs(pointer));
        }
        if (!region.isDetached()) {
            long end = pointer - region.region().base() + bytes;
            attachment.revive(this, inside, region, end, keep);
            if (region.isDetached()) {
                return resolve(pointer, bytes, access);
            }
            if (end > region.mappedBytes()) {
                throw new PointerException(
                        PointerException.Reason.OUT_OF_BOUNDS,
                        pointer,
                        bytes + " bytes there are not all inside " + region + " of address space " + attachment.name());
            }
            if (access == Access.WRITE && region.member().access() == Access.READ) {
                throw new PointerException(
                        PointerException.Reason.READ_ONLY,
                        pointer,
                        region + " is attached to address space " + attachment.name() + " for reading");
            }
            return pointer + region.delta();
        }
        throw new PointerException(
                PointerException.Reason.DETACHED,
                pointer,
                region + " has been taken out of address space " + attachment.name());
    }

    private long readable(long pointer, int bytes) {
        return checkedTable(pointer).readable(this, pointer, bytes);
    }

    private long writable(long pointer, int bytes) {
        return checkedTable(pointer).writable(this, pointer, bytes);
    }

    private Table checkedTable(long pointer) {
        if (Thread.currentThread() != owner) {
            throw wrongThread(pointer);
        }
        return tables[current];
    }

    private PointerException wrongThread(long pointer) {
        return new PointerException(
                PointerException.Reason.WRONG_THREAD,
                pointer,
                "thread " + Thread.currentThread().getName() + " uses the context of thread " + owner.getName());
    }

    public byte getByte(long pointer) {
        return MEMORY.getByte(readable(pointer, Byte.BYTES));
    }

    public void putByte(long pointer, byte value) {
        MEMORY.putByte(writable(pointer, Byte.BYTES), value);
    }

    public int getInt(long pointer) {
        return MEMORY.getInt(readable(pointer, Integer.BYTES));
    }

    public void putInt(long pointer, int value) {
        MEMORY.putInt(writable(pointer, Integer.BYTES), value);
    }

    public long getLong(long pointer) {
        return MEMORY.getLong(readable(pointer, Long.BYTES));
    }

    public void putLong(long pointer, long value) {
        MEMORY.putLong(writable(pointer, Long.BYTES), value);
    }

    public long getLongAcquire(long pointer) {
        return MEMORY.getLongAcquire(readable(pointer, Long.BYTES));
    }

    public void putLongRelease(long pointer, long value) {
        MEMORY.putLongRelease(writable(pointer, Long.BYTES), value);
    }

    public long getLongVolatile(long pointer) {
        return MEMORY.getLongVolatile(readable(pointer, Long.BYTES));
    }

    public void putLongVolatile(long pointer, long value) {
        MEMORY.putLongVolatile(writable(pointer, Long.BYTES), value);
    }

    public boolean compareAndSetLong(long pointer, long expected, long value) {
        return MEMORY.compareAndSetLong(writable(pointer, Long.BYTES), expected, value);
    }

    public long getAndAddLong(long pointer, long delta) {
        return MEMORY.getAndAddLong(writable(pointer, Long.BYTES), delta);
    }

    /** Copies {@code length} bytes at a pointer into an array. */
    public void copyOut(long pointer, byte[] destination, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, destination.length);
        if (length > 0) {
            MEMORY.copyOut(readable(pointer, length), destination, offset, length);
        }
    }

    /** Copies {@code length} bytes of an array to a pointer. */
    public void copyIn(byte[] source, int offset, long pointer, int length) {
        Objects.checkFromIndexSize(offset, length, source.length);
        if (length > 0) {
            MEMORY.copyIn(source, offset, writable(pointer, length), length);
        }
    }

    /** Copies {@code length} bytes at a pointer into a segment; up to 2 GiB. */
    public void copyOut(long pointer, MemorySegment destination, long offset, long length) {
        if (checkedLength(length) > 0) {
            MEMORY.copyOut(readable(pointer, (int) length), destination, offset, length);
        }
    }

    /** Copies {@code length} bytes of a segment to a pointer; up to 2 GiB. */
    public void copyIn(MemorySegment source, long offset, long pointer, long length) {
        if (checkedLength(length) > 0) {
            MEMORY.copyIn(source, offset, writable(pointer, (int) length), length);
        }
    }

    /** Copies {@code length} bytes, up to 2 GiB, from one pointer to another; the ranges do not overlap. */
    public void copy(long from, long to, long length) {
        if (checkedLength(length) > 0) {
            int bytes = (int) length;
            long source = readable(from, bytes);
            // resolving the second must not unmap what the first has found
            keep = tables[current].find(from);
            try {
                MEMORY.copy(source, writable(to, bytes), bytes);
            } finally {
                keep = null;
            }
        }
    }

    /** Sets {@code length} bytes at a pointer, up to 2 GiB. */
    public void fill(long pointer, long length, byte value) {
        if (checkedLength(length) > 0) {
            MEMORY.fill(writable(pointer, (int) length), length, value);
        }
    }

    private static long checkedLength(long length) {
        if (length < 0 || length > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("a length is 0 to " + Integer.MAX_VALUE + ", " + length + " given");
        }
        return length;
    }

    /** The region that a pointer leads into in the space the thread is in; null if none. */
    public @Nullable Region regionOf(long pointer) {
        AttachedRegion region = checkedTable(pointer).find(pointer);
        return region == null || region.isDetached() ? null : region.region();
    }
}
