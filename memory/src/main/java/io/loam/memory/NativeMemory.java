package io.loam.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * The process's memory through one segment that spans every address. A single constant segment folds its liveness and upper
 * bound checks away, so that an access costs what the machine's own load or store costs.
 *
 * <p>Memory in {@link SharedRange} is only touched by Java's own loads, stores and copies, whose faults the JVM turns into an {@link
 * InternalError}; a fault in native code would end the process.
 */
final class NativeMemory extends RawMemory {

    static final NativeMemory INSTANCE = new NativeMemory();

    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    private static final long ALIGNED_USER_SPACE = (1L << 47) - 8;
    private static final ValueLayout.OfLong PLAIN_LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt PLAIN_INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final VarHandle LONG =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final VarHandle INT =
            ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final VarHandle BYTES = ValueLayout.JAVA_BYTE.varHandle();
    private static final VarHandle ARRAY_LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /**
     * Up to these lengths a critical downcall to glibc's memcpy beats {@link MemorySegment#copy}. Measured with {@code CopyBenchmark}
     * (random probes of 1.2 GiB in huge pages, length read from memory, CPU time per operation on Zen 4): out 100 bytes 121 ns instead
     * of 170, 256 bytes 140 instead of 195, 512 bytes 200 instead of 218, 1 KiB equal; in 100 bytes 142 instead of 173, 256 bytes 156
     * instead of 213, appended 256 bytes equal; from native to native 100 bytes 129 instead of 186, 256 bytes worse.
     *
     * <p>From the cache all these take 4 to 10 ns: the probable cause is that the instructions and stores of a copy fill the CPU's
     * window, so that fewer misses of neighbouring operations overlap. Copied by 8-byte words, 100 bytes cost 390 ns (230 ns unrolled).
     */
    private static final int CALL_OUT_BYTES_MAX = 512;

    private static final int CALL_IN_BYTES_MAX = 256;
    private static final int CALL_ACROSS_BYTES_MAX = 128;

    private static final boolean CALLS_PAY = Native.copiesFast();

    private NativeMemory() {}

    @Override
    public long within(long address) {
        return address & ALIGNED_USER_SPACE;
    }

    @Override
    public byte getByte(long address) {
        return ALL.get(BYTE, address);
    }

    @Override
    public void putByte(long address, byte value) {
        ALL.set(BYTE, address, value);
    }

    @Override
    public byte getByteOpaque(long address) {
        return (byte) BYTES.getOpaque(ALL, address);
    }

    @Override
    public void putByteOpaque(long address, byte value) {
        if (SharedRange.contains(address)) {
            // Interpreted, a VarHandle's store of a byte is an xchg, which the JVM's handler of faults can't step over
            // on x86: it ends the process. A plain store between two fences is no less than opaque.
            VarHandle.releaseFence();
            ALL.set(BYTE, address, value);
            VarHandle.releaseFence();
        } else {
            BYTES.setOpaque(ALL, address, value);
        }
    }

    @Override
    public int getInt(long address) {
        return ALL.get(PLAIN_INT, address);
    }

    @Override
    public void putInt(long address, int value) {
        ALL.set(PLAIN_INT, address, value);
    }

    @Override
    public int getIntAcquire(long address) {
        return (int) INT.getAcquire(ALL, address);
    }

    @Override
    public void putIntRelease(long address, int value) {
        INT.setRelease(ALL, address, value);
    }

    @Override
    public long getLong(long address) {
        return ALL.get(PLAIN_LONG, address);
    }

    @Override
    public void putLong(long address, long value) {
        ALL.set(PLAIN_LONG, address, value);
    }

    @Override
    public long getLongOpaque(long address) {
        return (long) LONG.getOpaque(ALL, address);
    }

    @Override
    public void putLongOpaque(long address, long value) {
        LONG.setOpaque(ALL, address, value);
    }

    @Override
    public long getLongAcquire(long address) {
        return (long) LONG.getAcquire(ALL, address);
    }

    @Override
    public void putLongRelease(long address, long value) {
        LONG.setRelease(ALL, address, value);
    }

    @Override
    public long getLongVolatile(long address) {
        return (long) LONG.getVolatile(ALL, address);
    }

    @Override
    public void putLongVolatile(long address, long value) {
        LONG.setVolatile(ALL, address, value);
    }

    @Override
    public boolean compareAndSetLong(long address, long expected, long value) {
        if (SharedRange.contains(address)) {
            // The interpreter's compare-and-set is the one access that the JVM does not expect to fault: look first.
            // Compiled code
            // drops this.
            long ignored = getLong(address);
        }
        return LONG.compareAndSet(ALL, address, expected, value);
    }

    @Override
    public long getAndAddLong(long address, long delta) {
        return (long) LONG.getAndAdd(ALL, address, delta);
    }

    @Override
    public void copyOut(long address, byte[] destination, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, destination.length);
        if (length <= 2 * Long.BYTES) {
            copyOutSmall(address, destination, offset, length);
        } else if (length > CALL_OUT_BYTES_MAX || !CALLS_PAY || SharedRange.contains(address)) {
            MemorySegment.copy(ALL, BYTE, address, destination, offset, length);
        } else if (offset == 0) {
            Native.copyOut(address, MemorySegment.ofArray(destination), length);
        } else {
            Native.copyOut(address, MemorySegment.ofArray(destination).asSlice(offset, length), length);
        }
    }

    /** Two words that overlap in the middle, so that every length from 8 to 16 takes the same path. */
    private void copyOutSmall(long address, byte[] destination, int offset, int length) {
        if (length >= Long.BYTES) {
            long first = getLong(address);
            long last = getLong(address + length - Long.BYTES);
            ARRAY_LONG.set(destination, offset, first);
            ARRAY_LONG.set(destination, offset + length - Long.BYTES, last);
        } else {
            for (int i = 0; i < length; i++) {
                destination[offset + i] = getByte(address + i);
            }
        }
    }

    @Override
    public void copyIn(byte[] source, int offset, long address, int length) {
        Objects.checkFromIndexSize(offset, length, source.length);
        if (length <= 2 * Long.BYTES) {
            copyInSmall(source, offset, address, length);
        } else if (length > CALL_IN_BYTES_MAX || !CALLS_PAY || SharedRange.contains(address)) {
            MemorySegment.copy(source, offset, ALL, BYTE, address, length);
        } else if (offset == 0) {
            Native.copyIn(MemorySegment.ofArray(source), address, length);
        } else {
            Native.copyIn(MemorySegment.ofArray(source).asSlice(offset, length), address, length);
        }
    }

    private void copyInSmall(byte[] source, int offset, long address, int length) {
        if (length >= Long.BYTES) {
            long first = (long) ARRAY_LONG.get(source, offset);
            long last = (long) ARRAY_LONG.get(source, offset + length - Long.BYTES);
            putLong(address, first);
            putLong(address + length - Long.BYTES, last);
        } else {
            for (int i = 0; i < length; i++) {
                putByte(address + i, source[offset + i]);
            }
        }
    }

    @Override
    public void copyOut(long address, MemorySegment destination, long offset, long length) {
        MemorySegment.copy(ALL, address, destination, offset, length);
    }

    @Override
    public void copyIn(MemorySegment source, long offset, long address, long length) {
        MemorySegment.copy(source, offset, ALL, address, length);
    }

    @Override
    public void copy(long from, long to, long length) {
        if (length > CALL_ACROSS_BYTES_MAX
                || length < 0
                || !CALLS_PAY
                || SharedRange.contains(from)
                || SharedRange.contains(to)) {
            MemorySegment.copy(ALL, from, ALL, to, length);
        } else {
            Native.copy(from, to, length);
        }
    }

    @Override
    public void fill(long address, long length, byte value) {
        ALL.asSlice(address, length).fill(value);
    }

    @Override
    public boolean matches(long address, byte[] bytes, int offset, int length) {
        if (length == Long.BYTES) {
            return getLong(address) == (long) ARRAY_LONG.get(bytes, offset);
        }
        return matchesAny(address, bytes, offset, length);
    }

    private boolean matchesAny(long address, byte[] bytes, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        if (length < Long.BYTES) {
            return matchesSmall(address, bytes, offset, length);
        }
        int last = length - Long.BYTES;
        for (int position = 0; position < last; position += Long.BYTES) {
            if (getLong(address + position) != (long) ARRAY_LONG.get(bytes, offset + position)) {
                return false;
            }
        }
        // the last word may overlap the one before
        return getLong(address + last) == (long) ARRAY_LONG.get(bytes, offset + last);
    }

    private boolean matchesSmall(long address, byte[] bytes, int offset, int length) {
        for (int i = 0; i < length; i++) {
            if (getByte(address + i) != bytes[offset + i]) {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean matches(long addressA, long addressB, long length) {
        if (SharedRange.contains(addressA) || SharedRange.contains(addressB)) {
            return matchesShared(addressA, addressB, length);
        }
        return MemorySegment.mismatch(ALL, addressA, addressA + length, ALL, addressB, addressB + length) < 0;
    }

    /** By plain loads: the JVM's compiled comparison is a stub whose faults end the process. */
    private boolean matchesShared(long addressA, long addressB, long length) {
        long position = 0;
        for (; position <= length - Long.BYTES; position += Long.BYTES) {
            if (getLong(addressA + position) != getLong(addressB + position)) {
                return false;
            }
        }
        for (; position < length; position++) {
            if (getByte(addressA + position) != getByte(addressB + position)) {
                return false;
            }
        }
        return true;
    }
}
