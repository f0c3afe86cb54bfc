package io.loam.memory;

import java.lang.foreign.MemorySegment;

/**
 * Memory addressed by a {@code long}, little-endian, with the access modes that a concurrent layout needs.
 *
 * <p>The protocols of the store are written over this type and not over {@link MemorySegment}, for two reasons: with one
 * implementation loaded the calls are monomorphic and compile to bare loads and stores, and a test can put {@link HeapMemory}
 * beneath the very same code so that a model checker sees every access.
 *
 * <p><b>Contract.</b> The caller owns the bounds: an address must lie in memory that is mapped for as long as the access lasts, and a
 * length read from shared memory must be checked <em>before</em> it is used here. Atomic modes ({@code Opaque}, {@code Acquire},
 * {@code Release}, {@code Volatile}, compare-and-set, get-and-add) need natural alignment; plain ones do not. Modes mean what they
 * mean in {@link java.lang.invoke.VarHandle}.
 */
public abstract class RawMemory {

    /** The process's own memory; addresses are machine addresses. */
    public static RawMemory ofProcess() {
        Platform.check();
        return NativeMemory.INSTANCE;
    }

    /**
     * The same address, which is a multiple of 8, in a form from which the compiler knows both: accesses to it, and to places a known distance behind it, compile to fewer
     * instructions. For hot paths.
     */
    public abstract long within(long address);

    public abstract byte getByte(long address);

    public abstract void putByte(long address, byte value);

    public abstract byte getByteOpaque(long address);

    public abstract void putByteOpaque(long address, byte value);

    public abstract int getInt(long address);

    public abstract void putInt(long address, int value);

    public abstract int getIntAcquire(long address);

    public abstract void putIntRelease(long address, int value);

    public abstract long getLong(long address);

    public abstract void putLong(long address, long value);

    public abstract long getLongOpaque(long address);

    public abstract void putLongOpaque(long address, long value);

    public abstract long getLongAcquire(long address);

    public abstract void putLongRelease(long address, long value);

    public abstract long getLongVolatile(long address);

    public abstract void putLongVolatile(long address, long value);

    public abstract boolean compareAndSetLong(long address, long expected, long value);

    public abstract long getAndAddLong(long address, long delta);

    /** Copies {@code length} bytes at {@code address} to {@code destination} from {@code offset} on; the array's bounds are checked. */
    public abstract void copyOut(long address, byte[] destination, int offset, int length);

    /** Copies {@code length} bytes of {@code source} from {@code offset} on to {@code address}; the array's bounds are checked. */
    public abstract void copyIn(byte[] source, int offset, long address, int length);

    /** Copies {@code length} bytes at {@code address} into {@code destination}; the segment's bounds and lifetime are checked. */
    public abstract void copyOut(long address, MemorySegment destination, long offset, long length);

    /** Copies {@code length} bytes of {@code source} to {@code address}; the segment's bounds and lifetime are checked. */
    public abstract void copyIn(MemorySegment source, long offset, long address, long length);

    /** Copies {@code length} bytes; the ranges do not overlap. */
    public abstract void copy(long from, long to, long length);

    /** Sets {@code length} bytes to {@code value}. */
    public abstract void fill(long address, long length, byte value);

    /** Whether the {@code length} bytes at {@code address} equal those of {@code bytes} from {@code offset} on. */
    public abstract boolean matches(long address, byte[] bytes, int offset, int length);

    /** Whether two ranges hold the same {@code length} bytes. */
    public abstract boolean matches(long addressA, long addressB, long length);
}
