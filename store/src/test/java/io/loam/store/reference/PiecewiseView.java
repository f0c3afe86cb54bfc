package io.loam.store.reference;

import io.loam.store.Entry;
import io.loam.store.ValueView;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** A view of a copy, cut into pieces as a store with a log may do: one up to 2 KiB, else several of uneven lengths. */
final class PiecewiseView implements ValueView {

    private static final int SMALL_BYTES = 2 << 10;
    private static final int PIECE_BYTES = 1531;

    private final Entry entry;
    private final List<MemorySegment> pieces = new ArrayList<>();

    PiecewiseView(Entry entry) {
        this.entry = entry;
        MemorySegment whole = MemorySegment.ofArray(entry.value()).asReadOnly();
        long step = whole.byteSize() <= SMALL_BYTES ? SMALL_BYTES : PIECE_BYTES;
        for (long offset = 0; offset < whole.byteSize(); offset += step) {
            pieces.add(whole.asSlice(offset, Math.min(step, whole.byteSize() - offset)));
        }
    }

    @Override
    public long length() {
        return entry.value().length;
    }

    @Override
    public int segmentCount() {
        return pieces.size();
    }

    @Override
    public MemorySegment segment(int index) {
        return pieces.get(index);
    }

    @Override
    public MemorySegment asContiguous(MemorySegment scratch) {
        if (pieces.size() <= 1) {
            return pieces.isEmpty() ? scratch.asSlice(0, 0).asReadOnly() : pieces.getFirst();
        }
        MemorySegment copy = scratch.asSlice(0, length());
        copy.copyFrom(MemorySegment.ofArray(entry.value()));
        return copy.asReadOnly();
    }

    @Override
    public byte[] toByteArray() {
        return entry.value().clone();
    }

    @Override
    public long version() {
        return entry.version();
    }

    @Override
    public long expiresAtMillis() {
        return entry.expiresAtMillis();
    }

    @Override
    public int type() {
        return entry.type();
    }

    @Override
    public long storedBytes() {
        return length();
    }
}
