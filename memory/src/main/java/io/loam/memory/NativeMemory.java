package io.loam.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The process's memory through one segment that spans every address. A single constant segment folds its liveness and upper
 * bound checks away, so that an access costs what the machine's own load or store costs (measured in {@code ../perf.md}, T3).
 */
final class NativeMemory extends RawMemory {

    static final NativeMemory INSTANCE = new NativeMemory();

    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    private static final ValueLayout.OfLong PLAIN_LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt PLAIN_INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final VarHandle LONG =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final VarHandle INT =
            ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final VarHandle BYTES = ValueLayout.JAVA_BYTE.varHandle();
    private static final VarHandle ARRAY_LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private NativeMemory() {}

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
        BYTES.setOpaque(ALL, address, value);
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
        return LONG.compareAndSet(ALL, address, expected, value);
    }

    @Override
    public long getAndAddLong(long address, long delta) {
        return (long) LONG.getAndAdd(ALL, address, delta);
    }

    @Override
    public void copyOut(long address, byte[] destination, int offset, int length) {
        MemorySegment.copy(ALL, BYTE, address, destination, offset, length);
    }

    @Override
    public void copyIn(byte[] source, int offset, long address, int length) {
        MemorySegment.copy(source, offset, ALL, BYTE, address, length);
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
        MemorySegment.copy(ALL, from, ALL, to, length);
    }

    @Override
    public void fill(long address, long length, byte value) {
        ALL.asSlice(address, length).fill(value);
    }

    @Override
    public boolean matches(long address, byte[] bytes, int offset, int length) {
        int position = 0;
        for (; position + Long.BYTES <= length; position += Long.BYTES) {
            if (getLong(address + position) != (long) ARRAY_LONG.get(bytes, offset + position)) {
                return false;
            }
        }
        for (; position < length; position++) {
            if (getByte(address + position) != bytes[offset + position]) {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean matches(long addressA, long addressB, long length) {
        return MemorySegment.mismatch(ALL, addressA, addressA + length, ALL, addressB, addressB + length) < 0;
    }

    @Override
    public MemorySegment view(long address, long length) {
        return ALL.asSlice(address, length).asReadOnly();
    }
}
