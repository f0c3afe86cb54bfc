package io.loam.store.engine;

import io.loam.store.ValueView;
import java.lang.foreign.MemorySegment;

/** A value where it lies, or a validated copy of one that may be overwritten in place. */
record EntryView(MemorySegment[] pieces, long length, long version, long expiresAtMillis, int type, long storedBytes)
        implements ValueView {

    @Override
    public int segmentCount() {
        return pieces.length;
    }

    @Override
    public MemorySegment segment(int index) {
        return pieces[index];
    }

    @Override
    public MemorySegment asContiguous(MemorySegment scratch) {
        if (pieces.length == 1) {
            return pieces[0];
        }
        if (scratch.byteSize() < length) {
            throw new IllegalArgumentException("scratch of " + scratch.byteSize() + " bytes for a value of " + length);
        }
        copyTo(scratch);
        return scratch.asSlice(0, length).asReadOnly();
    }

    private void copyTo(MemorySegment target) {
        long position = 0;
        for (MemorySegment piece : pieces) {
            MemorySegment.copy(piece, 0, target, position, piece.byteSize());
            position += piece.byteSize();
        }
    }

    @Override
    public byte[] toByteArray() {
        if (length > Integer.MAX_VALUE - 8) {
            throw new IllegalStateException(
                    "the value has " + length + " bytes, more than an array holds; read its segments");
        }
        byte[] bytes = new byte[(int) length];
        copyTo(MemorySegment.ofArray(bytes));
        return bytes;
    }
}
