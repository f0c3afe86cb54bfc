package io.loam.memory.persistence;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Memory that outlives the process, little-endian, addressed by offset: every store to it, flush and fence of the durable parts goes through here. What
 * they mean is in the package's description.
 *
 * <p>Every access is checked against the mapping and its lifetime, not against {@link #bytes}: a garbage offset read from the
 * medium must be checked by the caller, who knows what it should be. Atomic modes need natural alignment.
 */
public abstract class PersistentMemory implements AutoCloseable {

    /** What the medium writes at once, in bytes. */
    public static final int LINE = 64;

    private static final ValueLayout.OfLong PLAIN_LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt PLAIN_INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    private final MemorySegment memory;

    PersistentMemory(MemorySegment memory) {
        this.memory = memory;
    }

    /** Called before each store, which may then be made. */
    abstract void storing(long offset, long length);

    /** Called after each store; only a simulation listens. */
    abstract void stored(long offset, long length);

    public abstract Durability durability();

    /** For messages: the file's name. */
    public abstract String name();

    /** The length that may be touched. */
    public abstract long bytes();

    /** The length that {@link #allocate} can reach. */
    public final long reservedBytes() {
        return memory.byteSize();
    }

    /**
     * Makes a range touchable, and sure of its space; growing is durable when this returns.
     *
     * @throws io.loam.memory.MemoryException if the file system is full; nothing has changed then
     */
    public abstract void allocate(long offset, long length);

    /** Gives the space of a range back; false if the medium can't. Its content is undefined until stored again. */
    public abstract boolean release(long offset, long length);

    /** All stores so far to the lines of the range become durable by this thread's next {@link #fence}. */
    public abstract void flush(long offset, long length);

    /** Returns when all that this thread has flushed is durable. */
    public abstract void fence();

    /** {@link #flush}, then {@link #fence}. */
    public final void persist(long offset, long length) {
        flush(offset, length);
        fence();
    }

    public final byte getByte(long offset) {
        return memory.get(ValueLayout.JAVA_BYTE, offset);
    }

    public final int getInt(long offset) {
        return memory.get(PLAIN_INT, offset);
    }

    public final long getLong(long offset) {
        return memory.get(PLAIN_LONG, offset);
    }

    public final long getLongAcquire(long offset) {
        return (long) LONG.getAcquire(memory, offset);
    }

    public final void putByte(long offset, byte value) {
        storing(offset, 1);
        memory.set(ValueLayout.JAVA_BYTE, offset, value);
        stored(offset, 1);
    }

    public final void putInt(long offset, int value) {
        storing(offset, Integer.BYTES);
        memory.set(PLAIN_INT, offset, value);
        stored(offset, Integer.BYTES);
    }

    public final void putLong(long offset, long value) {
        storing(offset, Long.BYTES);
        memory.set(PLAIN_LONG, offset, value);
        stored(offset, Long.BYTES);
    }

    public final void putLongRelease(long offset, long value) {
        storing(offset, Long.BYTES);
        LONG.setRelease(memory, offset, value);
        stored(offset, Long.BYTES);
    }

    public final boolean compareAndSetLong(long offset, long expected, long value) {
        storing(offset, Long.BYTES);
        boolean done = LONG.compareAndSet(memory, offset, expected, value);
        if (done) {
            stored(offset, Long.BYTES);
        }
        return done;
    }

    public final void copyIn(byte[] source, int sourceOffset, long offset, int length) {
        storing(offset, length);
        MemorySegment.copy(source, sourceOffset, memory, ValueLayout.JAVA_BYTE, offset, length);
        stored(offset, length);
    }

    public final void copyIn(MemorySegment source, long sourceOffset, long offset, long length) {
        storing(offset, length);
        MemorySegment.copy(source, sourceOffset, memory, offset, length);
        stored(offset, length);
    }

    public final void copyOut(long offset, byte[] destination, int destinationOffset, int length) {
        MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, offset, destination, destinationOffset, length);
    }

    /** Copies within; overlap is allowed. */
    public final void copy(long from, long to, long length) {
        storing(to, length);
        MemorySegment.copy(memory, from, memory, to, length);
        stored(to, length);
    }

    public final void fill(long offset, long length, byte value) {
        storing(offset, length);
        memory.asSlice(offset, length).fill(value);
        stored(offset, length);
    }

    /** A view of the range, which dies when this memory is closed. */
    public final MemorySegment readOnlyView(long offset, long length) {
        return memory.asSlice(offset, length).asReadOnly();
    }

    /** A view to store through. The stores take part in flushes of their lines like others; a simulation learns of them only then or at a crash. */
    public final MemorySegment writableView(long offset, long length) {
        storing(offset, length);
        exposed(offset, length);
        return memory.asSlice(offset, length);
    }

    /** Called before a writable view is handed out. */
    abstract void exposed(long offset, long length);

    /** As {@link java.lang.foreign.MemorySegment#mismatch}, of two ranges of this memory with one length. */
    public final boolean matches(long offset, byte[] bytes) {
        return MemorySegment.mismatch(
                        memory, offset, offset + bytes.length, MemorySegment.ofArray(bytes), 0, bytes.length)
                < 0;
    }

    /** Ends all views. What was not flushed and fenced may be lost. */
    @Override
    public abstract void close();
}
