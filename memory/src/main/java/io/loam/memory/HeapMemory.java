package io.loam.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;

/**
 * Memory in a {@code long[]}, for tests: model checkers see accesses to arrays, not to native memory. Addresses are byte offsets
 * into the array. Every access goes to the aligned word that holds it, so that atomic and plain accesses meet on the same array
 * element; an access may not straddle two words unless it is a bulk copy.
 */
public class HeapMemory extends RawMemory {

    private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

    private final long[] words;

    /** Zeroed memory of {@code bytes} bytes, rounded up to a word. */
    public HeapMemory(long bytes) {
        words = new long[Math.toIntExact((bytes + 7) >>> 3)];
    }

    private static int index(long address) {
        return Math.toIntExact(address >>> 3);
    }

    private static int shift(long address) {
        return ((int) address & 7) << 3;
    }

    private static int aligned(long address) {
        if ((address & 7) != 0) {
            throw new IllegalArgumentException("address " + address + " is not aligned to 8 bytes");
        }
        return index(address);
    }

    @Override
    public long within(long address) {
        return address;
    }

    @Override
    public byte getByte(long address) {
        return (byte) (words[index(address)] >>> shift(address));
    }

    @Override
    public void putByte(long address, byte value) {
        int shift = shift(address);
        int index = index(address);
        words[index] = (words[index] & ~(0xFFL << shift)) | (value & 0xFFL) << shift;
    }

    @Override
    public byte getByteOpaque(long address) {
        return (byte) ((long) WORD.getOpaque(words, index(address)) >>> shift(address));
    }

    @Override
    public void putByteOpaque(long address, byte value) {
        int shift = shift(address);
        int index = index(address);
        while (true) {
            long old = (long) WORD.getOpaque(words, index);
            if (WORD.compareAndSet(words, index, old, (old & ~(0xFFL << shift)) | (value & 0xFFL) << shift)) {
                return;
            }
        }
    }

    @Override
    public int getInt(long address) {
        if ((address & 3) == 0) {
            return (int) (words[index(address)] >>> shift(address));
        }
        int value = 0;
        for (int i = 3; i >= 0; i--) {
            value = value << 8 | (getByte(address + i) & 0xFF);
        }
        return value;
    }

    @Override
    public void putInt(long address, int value) {
        for (int i = 0; i < 4; i++) {
            putByte(address + i, (byte) (value >>> (i << 3)));
        }
    }

    @Override
    public int getIntAcquire(long address) {
        return (int) ((long) WORD.getAcquire(words, index(address)) >>> shift(address));
    }

    @Override
    public void putIntRelease(long address, int value) {
        int shift = shift(address);
        int index = index(address);
        while (true) {
            long old = (long) WORD.getOpaque(words, index);
            if (WORD.compareAndSet(
                    words, index, old, (old & ~(0xFFFF_FFFFL << shift)) | (value & 0xFFFF_FFFFL) << shift)) {
                return;
            }
        }
    }

    @Override
    public long getLong(long address) {
        int shift = shift(address);
        int index = index(address);
        return shift == 0 ? words[index] : words[index] >>> shift | words[index + 1] << (64 - shift);
    }

    @Override
    public void putLong(long address, long value) {
        if ((address & 7) == 0) {
            words[index(address)] = value;
        } else {
            for (int i = 0; i < 8; i++) {
                putByte(address + i, (byte) (value >>> (i << 3)));
            }
        }
    }

    @Override
    public long getLongOpaque(long address) {
        return (long) WORD.getOpaque(words, aligned(address));
    }

    @Override
    public void putLongOpaque(long address, long value) {
        WORD.setOpaque(words, aligned(address), value);
    }

    @Override
    public long getLongAcquire(long address) {
        return (long) WORD.getAcquire(words, aligned(address));
    }

    @Override
    public void putLongRelease(long address, long value) {
        WORD.setRelease(words, aligned(address), value);
    }

    @Override
    public long getLongVolatile(long address) {
        return (long) WORD.getVolatile(words, aligned(address));
    }

    @Override
    public void putLongVolatile(long address, long value) {
        WORD.setVolatile(words, aligned(address), value);
    }

    @Override
    public boolean compareAndSetLong(long address, long expected, long value) {
        return WORD.compareAndSet(words, aligned(address), expected, value);
    }

    @Override
    public long getAndAddLong(long address, long delta) {
        return (long) WORD.getAndAdd(words, aligned(address), delta);
    }

    @Override
    public void copyOut(long address, byte[] destination, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, destination.length);
        for (int i = 0; i < length; i++) {
            destination[offset + i] = getByte(address + i);
        }
    }

    @Override
    public void copyIn(byte[] source, int offset, long address, int length) {
        Objects.checkFromIndexSize(offset, length, source.length);
        for (int i = 0; i < length; i++) {
            putByte(address + i, source[offset + i]);
        }
    }

    @Override
    public void copyOut(long address, MemorySegment destination, long offset, long length) {
        for (long i = 0; i < length; i++) {
            destination.set(ValueLayout.JAVA_BYTE, offset + i, getByte(address + i));
        }
    }

    @Override
    public void copyIn(MemorySegment source, long offset, long address, long length) {
        for (long i = 0; i < length; i++) {
            putByte(address + i, source.get(ValueLayout.JAVA_BYTE, offset + i));
        }
    }

    @Override
    public void copy(long from, long to, long length) {
        for (long i = 0; i < length; i++) {
            putByte(to + i, getByte(from + i));
        }
    }

    @Override
    public void fill(long address, long length, byte value) {
        for (long i = 0; i < length; i++) {
            putByte(address + i, value);
        }
    }

    @Override
    public boolean matches(long address, byte[] bytes, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        for (int i = 0; i < length; i++) {
            if (getByte(address + i) != bytes[offset + i]) {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean matches(long addressA, long addressB, long length) {
        for (long i = 0; i < length; i++) {
            if (getByte(addressA + i) != getByte(addressB + i)) {
                return false;
            }
        }
        return true;
    }
}
