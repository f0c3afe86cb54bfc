package io.loam.heap;

/** A durable reference with a name: what is reachable from one survives. Safe from any thread. */
public final class Root {

    private final PersistentHeap heap;
    private final int index;
    private final String name;
    private final HeapType type;

    Root(PersistentHeap heap, int index, String name, HeapType type) {
        this.heap = heap;
        this.index = index;
        this.name = name;
        this.type = type;
    }

    public String name() {
        return name;
    }

    /** What it may refer to; opaque: anything. */
    public HeapType type() {
        return type;
    }

    int index() {
        return index;
    }

    /** The object's offset, 0 if none. */
    public long get() {
        return heap.roots().get(index);
    }

    /**
     * Refers to another object, or none (0). Durable when it returns; inside {@link PersistentHeap#atomic}, with it. Whoever follows the
     * root after a crash finds what of the object was durable before: persist it first.
     *
     * @throws IllegalArgumentException if there is no object at the offset, or one of another type
     */
    public void set(long offset) {
        heap.setRoot(this, offset);
    }

    @Override
    public String toString() {
        return "root '" + name + "' of type " + type;
    }
}
