package io.loam.heap.structure;

import io.loam.heap.HeapType;
import io.loam.heap.ObjectLayout;
import io.loam.heap.PersistentHeap;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.AbstractList;
import java.util.Objects;
import java.util.RandomAccess;
import org.jspecify.annotations.Nullable;

/**
 * A list in a heap: an array of references that doubles. At its end an element is added or removed by words of 8 bytes; elsewhere in an atomic update that moves those behind it.
 *
 * <pre>
 * header   offset size name      meaning
 *               0    8 size      elements
 *               8    8 capacity  of the table
 *              16    8 table     reference to an array of references
 *              24    8 reserved  zero
 * element       0    4 bytes     length
 *               4      bytes
 * </pre>
 *
 * <p>Elements may not be null. Safe from any thread.
 */
public final class PersistentList<E> extends AbstractList<E> implements RandomAccess {

    private static final int FIRST = 8;
    private static final int TABLE = 16;
    private static final int CONTENT = 4;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ObjectLayout HEADER =
            new ObjectLayout("loam.list", 0, 32, new long[] {1 << TABLE / 8}, 0, new long[0]);
    private static final ObjectLayout REFERENCES = ObjectLayout.references("loam.list.table");

    private final PersistentHeap heap;
    private final HeapCodec<E> elements;
    private final HeapType tableType;
    private final long header;
    private final StructureLock lock;

    private PersistentList(PersistentHeap heap, String name, HeapCodec<E> elements) {
        this.heap = heap;
        this.elements = elements;
        tableType = heap.type(REFERENCES);
        lock = new StructureLock(heap);
        HeapType headerType = heap.type(HEADER);
        header = StructureLock.header(heap, name, headerType, () -> {
            long table = heap.allocate(tableType, FIRST * 8L, memory -> {});
            return heap.allocate(headerType, memory -> {
                memory.set(LONG, 8, FIRST);
                memory.set(LONG, TABLE, table);
            });
        });
    }

    /**
     * The list under the root of this name, made if there is none. One object for each list and heap at a time: it holds the lock.
     *
     * @throws IllegalArgumentException if the root is of another type
     * @throws IllegalStateException if it is to be made inside of {@link PersistentHeap#atomic}, which could undo that
     */
    public static <E> PersistentList<E> open(PersistentHeap heap, String name, HeapCodec<E> elements) {
        return new PersistentList<>(heap, name, elements);
    }

    private long slot(long index) {
        return heap.getReference(header + TABLE) + index * 8;
    }

    private int count() {
        return (int) heap.getReference(header);
    }

    @Override
    public int size() {
        return lock.read(validity -> count());
    }

    @Override
    public E get(int index) {
        byte[] bytes = lock.read(validity -> {
            int count = count();
            if (validity.holds()) {
                Objects.checkIndex(index, count);
            }
            return content(heap.getReference(slot(index)), validity);
        });
        return elements.decode(bytes);
    }

    private byte[] content(long element, StructureLock.Validity validity) {
        byte[] bytes = new byte[validity.checked(heap.getInt(element))];
        heap.get(element + CONTENT, bytes);
        return bytes;
    }

    private long element(E element) {
        byte[] bytes = elements.encode(Objects.requireNonNull(element, "an element of a PersistentList can't be null"));
        long added = heap.allocate(heap.bytes(), CONTENT + bytes.length, memory -> {
            memory.set(INT, 0, bytes.length);
            MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, CONTENT, bytes.length);
        });
        // not linked yet, but nobody collects before this operation ends
        heap.settle(added);
        return added;
    }

    private void store(long at, long value) {
        heap.setReference(at, value);
        heap.persist(at, 8);
    }

    private void storeCount(int count) {
        heap.putLong(header, count);
        heap.persist(header, 8);
    }

    /** Durable when it returns. */
    @Override
    public E set(int index, E element) {
        byte[] before = lock.write(() -> {
            Objects.checkIndex(index, count());
            long old = heap.getReference(slot(index));
            byte[] replaced = content(old, () -> true);
            store(slot(index), element(element));
            heap.free(old);
            return replaced;
        });
        return elements.decode(before);
    }

    /** Durable when it returns. */
    @Override
    public void add(int index, E element) {
        boolean done = lock.write(() -> {
            int count = count();
            Objects.checkIndex(index, count + 1);
            if (index < count || count == capacity()) {
                return false;
            }
            append(count, element);
            return true;
        });
        if (!done) {
            lock.update(() -> {
                int count = count();
                Objects.checkIndex(index, count + 1);
                if (count == capacity()) {
                    grow(count);
                }
                if (index == count) {
                    append(count, element);
                } else {
                    insert(index, count, element);
                }
                return true;
            });
        }
    }

    private long capacity() {
        return heap.getLong(header + 8);
    }

    /** Behind the last element nothing counts: a reference that a crash left there is overwritten, and its object freed. */
    private void append(int count, E element) {
        long at = slot(count);
        long left = heap.getReference(at);
        store(at, element(element));
        storeCount(count + 1);
        if (left != 0) {
            heap.free(left);
        }
        modCount++;
    }

    /** In an atomic update. */
    private void insert(int index, int count, E element) {
        long left = heap.getReference(slot(count));
        long added = element(element);
        MemorySegment moved = heap.modify(slot(index), (count - index + 1) * 8L);
        MemorySegment.copy(moved, 0, moved, 8, (count - index) * 8L);
        moved.set(LONG, 0, added);
        heap.putLong(header, count + 1);
        if (left != 0) {
            heap.free(left);
        }
        modCount++;
    }

    /** Another table, in an atomic update: one word would not do, since the capacity changes with it. */
    private void grow(int count) {
        long old = heap.getReference(header + TABLE);
        long table = heap.allocate(tableType, count * 16L);
        heap.settle(table);
        MemorySegment.copy(heap.readOnlyView(old), 0, heap.view(table), 0, count * 8L);
        heap.putLong(header + 8, count * 2L);
        heap.setReference(header + TABLE, table);
        heap.free(old);
    }

    /** Durable when it returns. */
    @Override
    public E remove(int index) {
        byte[] removed = lock.<byte @Nullable []>write(() -> {
            Objects.checkIndex(index, count());
            return index == count() - 1 ? removeLast(index) : null;
        });
        if (removed == null) {
            removed = lock.update(() -> {
                Objects.checkIndex(index, count());
                return index == count() - 1 ? removeLast(index) : close(index);
            });
        }
        return elements.decode(removed);
    }

    private byte[] removeLast(int index) {
        long old = heap.getReference(slot(index));
        byte[] removed = content(old, () -> true);
        storeCount(index);
        store(slot(index), 0);
        heap.free(old);
        modCount++;
        return removed;
    }

    /** In an atomic update. */
    private byte[] close(int index) {
        int count = count();
        long old = heap.getReference(slot(index));
        byte[] removed = content(old, () -> true);
        MemorySegment moved = heap.modify(slot(index), (count - index) * 8L);
        MemorySegment.copy(moved, 8, moved, 0, (count - index - 1) * 8L);
        moved.set(LONG, (count - index - 1) * 8L, 0);
        heap.putLong(header, count - 1);
        heap.free(old);
        modCount++;
        return removed;
    }

    /** One by one from the end, each durable. */
    @Override
    public void clear() {
        boolean more = true;
        while (more) {
            more = lock.write(() -> {
                int count = count();
                if (count > 0) {
                    removeLast(count - 1);
                }
                return count > 1;
            });
        }
    }
}
