package io.loam.store.crash;

import io.loam.memory.HeapMemory;
import java.lang.foreign.MemorySegment;

/** Memory whose user can be made to die at any of its stores: that one and all later ones are not done; of a bulk copy half is. */
public final class DyingMemory extends HeapMemory {

    /** The end of whoever uses the memory. */
    public static final class Death extends Error {
        private static final long serialVersionUID = 1;

        Death() {
            super("killed", null, false, false);
        }
    }

    private long left = Long.MAX_VALUE;
    private long stores;

    public DyingMemory(long bytes) {
        super(bytes);
    }

    /** Lets {@code stores} stores happen, and no more until {@link #live}. */
    public void dieAfter(long most) {
        left = most;
    }

    public void live() {
        left = Long.MAX_VALUE;
    }

    /** How many stores there were. */
    public long stores() {
        return stores;
    }

    private void store() {
        if (left == 0) {
            throw new Death();
        }
        left--;
        stores++;
    }

    @Override
    public void putByte(long address, byte value) {
        store();
        super.putByte(address, value);
    }

    @Override
    public void putByteOpaque(long address, byte value) {
        store();
        super.putByteOpaque(address, value);
    }

    @Override
    public void putInt(long address, int value) {
        store();
        super.putInt(address, value);
    }

    @Override
    public void putIntRelease(long address, int value) {
        store();
        super.putIntRelease(address, value);
    }

    @Override
    public void putLong(long address, long value) {
        store();
        super.putLong(address, value);
    }

    @Override
    public void putLongOpaque(long address, long value) {
        store();
        super.putLongOpaque(address, value);
    }

    @Override
    public void putLongRelease(long address, long value) {
        store();
        super.putLongRelease(address, value);
    }

    @Override
    public void putLongVolatile(long address, long value) {
        store();
        super.putLongVolatile(address, value);
    }

    @Override
    public boolean compareAndSetLong(long address, long expected, long value) {
        store();
        return super.compareAndSetLong(address, expected, value);
    }

    @Override
    public long getAndAddLong(long address, long delta) {
        store();
        return super.getAndAddLong(address, delta);
    }

    @Override
    public void copyIn(byte[] source, int offset, long address, int length) {
        super.copyIn(source, offset, address, left == 0 ? length / 2 : length);
        store();
    }

    @Override
    public void copyIn(MemorySegment source, long offset, long address, long length) {
        super.copyIn(source, offset, address, left == 0 ? length / 2 : length);
        store();
    }

    @Override
    public void copy(long from, long to, long length) {
        super.copy(from, to, left == 0 ? length / 2 : length);
        store();
    }

    @Override
    public void fill(long address, long length, byte value) {
        super.fill(address, left == 0 ? length / 2 : length, value);
        store();
    }
}
