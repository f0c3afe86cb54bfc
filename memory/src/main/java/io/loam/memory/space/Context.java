package io.loam.memory.space;

import io.loam.memory.RawMemory;
import io.loam.memory.region.Access;
import io.loam.memory.region.Region;
import io.loam.memory.region.RegionException;
import io.loam.memory.region.RegionLock;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
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
    private static final VarHandle INNERMOST;

    static {
        try {
            INNERMOST = MethodHandles.lookup().findVarHandle(Context.class, "innermost", Switch.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Thread owner = Thread.currentThread();
    private Table table = Table.NONE;
    /** The announcement that others look at; written by the owner alone. */
    private @Nullable Switch innermost;
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

    // acquire: pairs with the opaque store of enter by the fences around it, and with the release store of leave
    @Nullable
    Switch innermostAcquire() {
        return (Switch) INNERMOST.getAcquire(this);
    }

    /** The attachment that the thread is in; null if it is in none. */
    public @Nullable Attachment inside() {
        return table.attachment();
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
        Switch outer = innermost;
        Table next = attachment.table();
        Switch stay = new Switch(this, next, outer);
        // opaque: the compiler keeps the reading of the table behind it, and the fence of the one who looks, or the one
        // here, the CPU
        INNERMOST.setOpaque(this, stay);
        if (!Contexts.MEMBARRIER) {
            VarHandle.fullFence();
        }
        if (attachment.table() != next || attachment.isClosed()) {
            INNERMOST.setRelease(this, outer);
            attachment.checkOpen();
            return enter(attachment, timeoutNanos);
        }
        if (next.locks().length != 0) {
            lock(stay, timeoutNanos);
        }
        table = next;
        return stay;
    }

    /** Takes the locks in ascending order of region numbers. */
    private void lock(Switch stay, long timeoutNanos) {
        AttachedRegion[] locks = stay.table().locks();
        int taken = 0;
        try {
            if (stay.outer() == null && locks.length == 1) {
                stay.grants[0] = locked(locks[0], timeoutNanos);
                taken = 1;
                return;
            }
            long start = timeoutNanos == Long.MAX_VALUE ? 0 : System.nanoTime();
            for (; taken < locks.length; taken++) {
                long left = timeoutNanos == Long.MAX_VALUE ? timeoutNanos : timeoutNanos - (System.nanoTime() - start);
                stay.grants[taken] = nested(stay, locks[taken], left);
            }
        } finally {
            if (taken < locks.length) {
                unlock(stay, taken);
                INNERMOST.setRelease(this, stay.outer());
            }
        }
    }

    private static boolean exclusively(AttachedRegion region) {
        return region.member().access() == Access.WRITE;
    }

    private static RegionLock.Grant locked(AttachedRegion region, long timeoutNanos) {
        RegionLock.Grant grant = region.lock().acquire(exclusively(region), timeoutNanos);
        if (grant == RegionLock.Grant.NONE) {
            throw new RegionException(
                    RegionException.Reason.TIMEOUT,
                    "the lock of " + region
                            + " was held by others all the time; wait longer, or see who has it attached");
        }
        return grant;
    }

    /** NONE if an outer stay holds the lock. */
    private static RegionLock.Grant nested(Switch stay, AttachedRegion region, long timeoutNanos) {
        long highest = 0;
        for (Switch outer = stay.outer(); outer != null; outer = outer.outer()) {
            AttachedRegion[] locks = outer.table().locks();
            for (int i = 0; i < locks.length; i++) {
                if (outer.grants[i] != RegionLock.Grant.NONE) {
                    highest = Math.max(highest, locks[i].region().number());
                    if (locks[i].member().uuid().equals(region.member().uuid())) {
                        if (exclusively(region) && !exclusively(locks[i])) {
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
            return locked(region, timeoutNanos);
        }
        RegionLock.Grant grant = region.lock().acquire(exclusively(region), 0);
        if (grant == RegionLock.Grant.NONE) {
            throw new RegionException(
                    RegionException.Reason.WOULD_DEADLOCK,
                    "the lock of " + region + " is held, and this thread holds the lock of a younger region (number "
                            + highest
                            + "), so that it can't wait; leave first, or enter in the order in which the regions were created");
        }
        return grant;
    }

    private static void unlock(Switch stay, int taken) {
        AttachedRegion[] locks = stay.table().locks();
        for (int i = taken - 1; i >= 0; i--) {
            if (stay.grants[i] != RegionLock.Grant.NONE) {
                locks[i].lock().release(exclusively(locks[i]), stay.grants[i]);
            }
        }
    }

    void leave(Switch stay) {
        if (innermost != stay || Thread.currentThread() != owner) {
            throw new IllegalStateException("a stay in " + stay.table().attachment()
                    + " is left by its own thread, once, and after those entered later");
        }
        int locks = stay.grants.length;
        if (locks != 0) {
            unlock(stay, locks);
        }
        Switch outer = stay.outer();
        table = outer == null ? Table.NONE : outer.table();
        // release: all accesses of the stay come before others see that it has ended
        INNERMOST.setRelease(this, outer);
    }

    /** Where a pointer leads that the table has not let through, or why it leads nowhere. */
    long resolve(long pointer, int bytes, Access access) {
        Table inside = table;
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
        return table;
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
            keep = table.find(from);
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
