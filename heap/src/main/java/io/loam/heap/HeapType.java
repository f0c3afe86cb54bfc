package io.loam.heap;

import org.jspecify.annotations.Nullable;

/** A type as one heap knows it: what {@link PersistentHeap#allocate(HeapType)} wants. Its id never changes while the heap exists. */
public final class HeapType {

    static final int OPAQUE_ID = 0;
    static final int BYTES_ID = 1;
    static final int FIRST_ID = 2;

    /** Unknown content: the collector takes every word that is the offset of an object for a reference. */
    static final HeapType OPAQUE = new HeapType(OPAQUE_ID, null, "opaque");
    /** Content without references. */
    static final HeapType BYTES = new HeapType(BYTES_ID, null, "bytes");

    private final int id;
    private final @Nullable ObjectLayout layout;
    private final String name;
    /** Offsets of the references in the prefix. */
    final int[] prefixReferences;

    final int prefixBytes;
    final int elementBytes;
    final int[] elementReferences;
    /** The least size of an object. */
    final int leastBytes;
    /** Whether a new object is zeroed, so that what it seems to refer to is nothing. */
    final boolean beginsAsZeros;

    private HeapType(int id, @Nullable ObjectLayout layout, String name) {
        this.id = id;
        this.layout = layout;
        this.name = name;
        this.prefixBytes = layout == null ? 0 : layout.prefixBytes();
        this.leastBytes = Math.max(1, prefixBytes);
        this.elementBytes = layout == null ? 0 : layout.elementBytes();
        this.prefixReferences = layout == null ? new int[0] : offsets(layout.prefixReferences());
        this.elementReferences = layout == null ? new int[0] : offsets(layout.elementReferences());
        this.beginsAsZeros = prefixReferences.length + elementReferences.length > 0;
    }

    HeapType(int id, ObjectLayout layout) {
        this(id, layout, layout.toString());
    }

    private static int[] offsets(long[] bitmap) {
        int[] offsets = new int[ObjectLayout.MOST_BYTES / Long.BYTES];
        int count = 0;
        for (int word = 0; word < offsets.length; word++) {
            if (ObjectLayout.holds(bitmap, word)) {
                offsets[count++] = word * Long.BYTES;
            }
        }
        return java.util.Arrays.copyOf(offsets, count);
    }

    public int id() {
        return id;
    }

    public String name() {
        return name;
    }

    /** Null for the two types that every heap has. */
    public @Nullable ObjectLayout layout() {
        return layout;
    }

    boolean isOpaque() {
        return id == OPAQUE_ID;
    }

    /** Whether the collector looks into objects of this type. */
    boolean hasReferences() {
        return isOpaque() || prefixReferences.length + elementReferences.length > 0;
    }

    @Override
    public String toString() {
        return name;
    }
}
