package io.loam.heap.structure;

import io.loam.heap.HeapType;
import io.loam.heap.ObjectLayout;
import io.loam.heap.PersistentHeap;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An ordered map in a heap: a B+-tree whose nodes are never changed but for one reference at a time. An insert writes a new leaf, and new nodes above as far as it splits,
 * and links them by one word; so nothing is logged, and a crash finds the old tree or the new one.
 *
 * <pre>
 * header  offset size name       meaning
 *              0    8 root       reference to a node
 *              8    8 reserved   zero
 * leaf         0    4 count      of entries
 *              4    4 kind       1
 *              8    8 reserved   zero
 *             16  120 prefixes   the first 8 bytes of each key, as a number
 *            136  120 entries    references, in the order of the keys
 * inner        0    4 count      of children
 *              4    4 kind       2
 *              8    8 reserved   zero
 *             16  120 prefixes   of the separators
 *            136  120 separators references to copies of keys: child i + 1 holds keys from separator i on
 *            256  128 children   references
 * entry        0    4 keyBytes
 *              4    4 valueBytes
 *              8      key, value
 * </pre>
 *
 * <p>One writer at a time; readers take no lock. Keys are in the order of their codec's bytes, unsigned. Neither keys nor values may be null. Safe from any thread. An iteration
 * shows what each leaf held when it came to it.
 */
public final class PersistentTree<K, V> extends AbstractMap<K, V> {

    private static final int FANOUT = 15;
    private static final int CHILDREN = FANOUT + 1;
    private static final int KIND = 4;
    private static final int LEAF = 1;
    private static final int INNER = 2;
    private static final int PREFIXES = 16;
    private static final int ENTRIES = PREFIXES + FANOUT * 8;
    private static final int CHILD = ENTRIES + FANOUT * 8;
    private static final int VALUE_BYTES = 4;
    private static final int KEY = 8;
    private static final int MOST_HEIGHT = 64;
    private static final int FEW = FANOUT / 4;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final ObjectLayout HEADER_LAYOUT =
            new ObjectLayout("loam.tree", 0, 16, new long[] {1}, 0, new long[0]);
    private static final ObjectLayout LEAF_LAYOUT =
            new ObjectLayout("loam.tree.leaf", 0, CHILD, words(ENTRIES, FANOUT), 0, new long[0]);
    private static final ObjectLayout INNER_LAYOUT = new ObjectLayout(
            "loam.tree.inner", 0, CHILD + CHILDREN * 8, words(ENTRIES, FANOUT + CHILDREN), 0, new long[0]);

    private final PersistentHeap heap;
    private final HeapCodec<K> keys;
    private final HeapCodec<V> values;
    private final HeapType leafType;
    private final HeapType innerType;
    private final long header;
    private final StructureLock lock;
    private final EntryCount count;

    private static long[] words(int from, int count) {
        return new long[] {((1L << count) - 1) << from / 8};
    }

    private PersistentTree(PersistentHeap heap, String name, HeapCodec<K> keys, HeapCodec<V> values) {
        this.heap = heap;
        this.keys = keys;
        this.values = values;
        leafType = heap.type(LEAF_LAYOUT);
        innerType = heap.type(INNER_LAYOUT);
        HeapType headerType = heap.type(HEADER_LAYOUT);
        lock = new StructureLock(heap);
        count = new EntryCount(heap);
        header = StructureLock.header(heap, name, headerType, () -> {
            long leaf = heap.allocate(leafType, memory -> memory.set(INT, KIND, LEAF));
            return heap.allocate(headerType, memory -> memory.set(LONG, 0, leaf));
        });
    }

    /**
     * The tree under the root of this name, made if there is none. One object for each tree and heap at a time: it holds the lock.
     *
     * @throws IllegalArgumentException if the root is of another type
     * @throws IllegalStateException if it is to be made inside of {@link PersistentHeap#atomic}, which could undo that
     */
    public static <K, V> PersistentTree<K, V> open(
            PersistentHeap heap, String name, HeapCodec<K> keys, HeapCodec<V> values) {
        return new PersistentTree<>(heap, name, keys, values);
    }

    // ---- reading

    private static long prefix(byte[] key) {
        long prefix = 0;
        for (int i = 0; i < Long.BYTES; i++) {
            prefix = prefix << 8 | (i < key.length ? key[i] & 0xFF : 0);
        }
        return prefix;
    }

    private byte[] keyOf(long entry, StructureLock.Validity validity) {
        byte[] key = new byte[validity.checked(heap.getInt(entry))];
        heap.get(entry + KEY, key);
        return key;
    }

    private byte[] valueOf(long entry, StructureLock.Validity validity) {
        int keyBytes = heap.getInt(entry);
        byte[] value = new byte[validity.checked(heap.getInt(entry + VALUE_BYTES))];
        heap.get(entry + KEY + keyBytes, value);
        return value;
    }

    private boolean isLeaf(long node) {
        return heap.getInt(node + KIND) == LEAF;
    }

    private int count(long node, StructureLock.Validity validity) {
        int count = heap.getInt(node);
        if (count < 0 || count > CHILDREN) {
            validity.checked(-1);
        }
        return count;
    }

    private int compare(long node, int index, byte[] key, long prefix, StructureLock.Validity validity) {
        int byPrefix = Long.compareUnsigned(prefix, heap.getLong(node + PREFIXES + index * 8L));
        return byPrefix != 0
                ? byPrefix
                : Arrays.compareUnsigned(key, keyOf(heap.getReference(node + ENTRIES + index * 8L), validity));
    }

    /** The first of the node's keys that is not below; negative − 1 if it is above. */
    private int search(long node, int count, byte[] key, StructureLock.Validity validity) {
        long prefix = prefix(key);
        int low = 0;
        int high = count - 1;
        while (low <= high) {
            int middle = low + high >>> 1;
            int order = compare(node, middle, key, prefix, validity);
            if (order == 0) {
                return middle;
            }
            if (order > 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return -low - 1;
    }

    private int childIndex(long inner, byte[] key, StructureLock.Validity validity) {
        int index = search(inner, count(inner, validity) - 1, key, validity);
        return index >= 0 ? index + 1 : -index - 1;
    }

    private long child(long inner, int index) {
        return heap.getReference(inner + CHILD + index * 8L);
    }

    @SuppressWarnings("unchecked")
    private byte[] encodeKey(@Nullable Object key) {
        return keys.encode((K) java.util.Objects.requireNonNull(key, "a key of a PersistentTree can't be null"));
    }

    @Override
    public @Nullable V get(@Nullable Object key) {
        byte[] encoded = encodeKey(key);
        byte[] value = lock.<byte @Nullable []>read(validity -> {
            long node = heap.getReference(header);
            for (int level = 0; level < MOST_HEIGHT; level++) {
                if (isLeaf(node)) {
                    int index = search(node, count(node, validity), encoded, validity);
                    return index < 0 ? null : valueOf(heap.getReference(node + ENTRIES + index * 8L), validity);
                }
                node = child(node, childIndex(node, encoded, validity));
            }
            throw new IllegalStateException("the tree is too high");
        });
        return value == null ? null : values.decode(value);
    }

    @Override
    public boolean containsKey(@Nullable Object key) {
        return get(key) != null;
    }

    /** What one leaf holds from a key on, and where the next leaf begins; null: it was the last. */
    private record Chunk<K, V>(List<Map.Entry<K, V>> entries, byte @Nullable [] next) {}

    private Chunk<K, V> chunk(byte[] from) {
        return lock.read(validity -> {
            long node = heap.getReference(header);
            byte @Nullable [] next = null;
            for (int level = 0; level < MOST_HEIGHT; level++) {
                if (isLeaf(node)) {
                    return leafFrom(node, from, next, validity);
                }
                int index = childIndex(node, from, validity);
                if (index < count(node, validity) - 1) {
                    next = keyOf(heap.getReference(node + ENTRIES + index * 8L), validity);
                }
                node = child(node, index);
            }
            throw new IllegalStateException("the tree is too high");
        });
    }

    private Chunk<K, V> leafFrom(long leaf, byte[] from, byte @Nullable [] next, StructureLock.Validity validity) {
        int index = search(leaf, count(leaf, validity), from, validity);
        var entries = new ArrayList<Map.Entry<K, V>>();
        for (int i = index >= 0 ? index : -index - 1; i < count(leaf, validity); i++) {
            long entry = heap.getReference(leaf + ENTRIES + i * 8L);
            byte[] key = keyOf(entry, validity);
            byte[] value = valueOf(entry, validity);
            if (validity.holds()) {
                entries.add(new WritableEntry<>(this, keys.decode(key), values.decode(value)));
            }
        }
        return new Chunk<>(entries, next);
    }

    /** Leaf by leaf. */
    private final class Leaves implements Iterator<List<Map.Entry<K, V>>> {

        private byte @Nullable [] next;
        private final byte @Nullable [] end;

        Leaves(byte[] from, byte @Nullable [] end) {
            this.next = from;
            this.end = end;
        }

        @Override
        public boolean hasNext() {
            return next != null;
        }

        @Override
        public List<Map.Entry<K, V>> next() {
            byte[] from = next;
            if (from == null) {
                throw new NoSuchElementException();
            }
            Chunk<K, V> chunk = chunk(from);
            byte[] last = end;
            if (last == null) {
                next = chunk.next();
                return chunk.entries();
            }
            next = chunk.next() != null && Arrays.compareUnsigned(chunk.next(), last) < 0 ? chunk.next() : null;
            return chunk.entries().stream()
                    .filter(entry -> Arrays.compareUnsigned(keys.encode(entry.getKey()), last) < 0)
                    .toList();
        }
    }

    /** Entries with keys from {@code from} on, below {@code to}, in order; read leaf by leaf as the iteration goes on. */
    public Iterable<Map.Entry<K, V>> range(K from, K to) {
        byte[] first = encodeKey(from);
        byte[] end = encodeKey(to);
        return () -> new EntryIterator<>(this, new Leaves(first, end));
    }

    /** Entries with keys from {@code from} on, in order. */
    public Iterable<Map.Entry<K, V>> from(K from) {
        byte[] first = encodeKey(from);
        return () -> new EntryIterator<>(this, new Leaves(first, null));
    }

    /** The entry with the least key that is not below, or null. */
    public Map.@Nullable Entry<K, V> ceilingEntry(K key) {
        Iterator<Map.Entry<K, V>> entries = from(key).iterator();
        return entries.hasNext() ? entries.next() : null;
    }

    /** The entry with the least key, or null. */
    public Map.@Nullable Entry<K, V> firstEntry() {
        Iterator<Map.Entry<K, V>> entries = entrySet().iterator();
        return entries.hasNext() ? entries.next() : null;
    }

    // ---- writing

    /** Not linked yet, but nobody collects before this operation ends. */
    private long entry(byte[] key, byte[] value) {
        return settled(heap.allocate(heap.bytes(), (long) KEY + key.length + value.length, memory -> {
            memory.set(INT, 0, key.length);
            memory.set(INT, VALUE_BYTES, value.length);
            MemorySegment.copy(key, 0, memory, ValueLayout.JAVA_BYTE, KEY, key.length);
            MemorySegment.copy(value, 0, memory, ValueLayout.JAVA_BYTE, KEY + (long) key.length, value.length);
        }));
    }

    private long settled(long object) {
        heap.settle(object);
        return object;
    }

    /** A node in the Java heap, while it is changed. */
    private static final class Draft {
        final long[] prefixes = new long[CHILDREN + 1];
        final long[] entries = new long[CHILDREN + 1];
        final long[] children = new long[CHILDREN + 2];
        final boolean leaf;
        /** Of entries or separators. */
        int count;

        Draft(boolean leaf) {
            this.leaf = leaf;
        }

        void insert(int index, long prefix, long entry) {
            open(prefixes, index);
            open(entries, index);
            prefixes[index] = prefix;
            entries[index] = entry;
            count++;
        }

        void insertChild(int index, long prefix, long separator, long child) {
            System.arraycopy(children, index + 1, children, index + 2, count - index);
            children[index + 1] = child;
            insert(index, prefix, separator);
        }

        private void open(long[] array, int index) {
            System.arraycopy(array, index, array, index + 1, count - index);
        }

        void remove(int index) {
            System.arraycopy(prefixes, index + 1, prefixes, index, count - index - 1);
            System.arraycopy(entries, index + 1, entries, index, count - index - 1);
            count--;
        }

        /** The child, and the separator before it, or behind it for the first. */
        void removeChild(int child) {
            System.arraycopy(children, child + 1, children, child, count - child);
            remove(Math.max(0, child - 1));
        }

        Draft tail(int from) {
            var tail = new Draft(leaf);
            tail.count = count - from;
            System.arraycopy(prefixes, from, tail.prefixes, 0, tail.count);
            System.arraycopy(entries, from, tail.entries, 0, tail.count);
            if (!leaf) {
                System.arraycopy(children, from, tail.children, 0, tail.count + 1);
            }
            return tail;
        }
    }

    private Draft draft(long node) {
        var draft = new Draft(isLeaf(node));
        draft.count = heap.getInt(node) - (draft.leaf ? 0 : 1);
        for (int i = 0; i < draft.count; i++) {
            draft.prefixes[i] = heap.getLong(node + PREFIXES + i * 8L);
            draft.entries[i] = heap.getLong(node + ENTRIES + i * 8L);
        }
        for (int i = 0; !draft.leaf && i <= draft.count; i++) {
            draft.children[i] = child(node, i);
        }
        return draft;
    }

    private long write(Draft draft) {
        return settled(heap.allocate(draft.leaf ? leafType : innerType, memory -> {
            memory.set(INT, 0, draft.leaf ? draft.count : draft.count + 1);
            memory.set(INT, KIND, draft.leaf ? LEAF : INNER);
            for (int i = 0; i < draft.count; i++) {
                memory.set(LONG, PREFIXES + i * 8L, draft.prefixes[i]);
                memory.set(LONG, ENTRIES + i * 8L, draft.entries[i]);
            }
            for (int i = 0; !draft.leaf && i <= draft.count; i++) {
                memory.set(LONG, CHILD + i * 8L, draft.children[i]);
            }
        }));
    }

    /** The way from the root to the leaf of a key: nodes, and where the reference to each is. */
    private final class Path {
        final long[] node = new long[MOST_HEIGHT];
        final long[] at = new long[MOST_HEIGHT];
        final int[] index = new int[MOST_HEIGHT];
        /** Of the leaf. */
        int last;

        Path(byte[] key) {
            at[0] = header;
            node[0] = heap.getReference(header);
            while (!isLeaf(node[last])) {
                int child = childIndex(node[last], key, () -> true);
                index[last] = child;
                at[last + 1] = node[last] + CHILD + child * 8L;
                node[last + 1] = heap.getReference(at[last + 1]);
                last++;
            }
        }

        long leaf() {
            return node[last];
        }
    }

    private void link(long at, long node) {
        heap.setReference(at, node);
        heap.persist(at, 8);
    }

    /** Durable when it returns. */
    @Override
    public @Nullable V put(K key, V value) {
        byte[] encodedKey = encodeKey(key);
        byte[] encodedValue =
                values.encode(java.util.Objects.requireNonNull(value, "a value of a PersistentTree can't be null"));
        byte[] before = lock.<byte @Nullable []>write(() -> {
            var path = new Path(encodedKey);
            long leaf = path.leaf();
            int index = search(leaf, heap.getInt(leaf), encodedKey, () -> true);
            long added = entry(encodedKey, encodedValue);
            if (index >= 0) {
                long at = leaf + ENTRIES + index * 8L;
                long old = heap.getReference(at);
                byte[] replaced = valueOf(old, () -> true);
                link(at, added);
                heap.free(old);
                return replaced;
            }
            Draft draft = draft(leaf);
            draft.insert(-index - 1, prefix(encodedKey), added);
            replace(path, draft);
            count.add(1);
            return null;
        });
        return before == null ? null : values.decode(before);
    }

    /** Puts the draft in the place of the path's leaf, splitting what is too full; frees the nodes replaced. */
    private void replace(Path path, Draft leaf) {
        Draft draft = leaf;
        int level = path.last;
        while (draft.count > FANOUT) {
            int middle = draft.count / 2;
            Draft right = draft.leaf ? draft.tail(middle) : draft.tail(middle + 1);
            long prefix = draft.prefixes[middle];
            // of a leaf the separator is a copy of its key; of an inner node it moves up
            long separator =
                    draft.leaf ? entry(keyOf(draft.entries[middle], () -> true), new byte[0]) : draft.entries[middle];
            draft.count = middle;
            long leftNode = write(draft);
            long rightNode = write(right);
            Draft above;
            int index = 0;
            if (level == 0) {
                above = new Draft(false);
            } else {
                above = draft(path.node[level - 1]);
                index = path.index[level - 1];
            }
            above.children[index] = leftNode;
            above.insertChild(index, prefix, separator, rightNode);
            draft = above;
            level--;
        }
        link(level < 0 ? header : path.at[level], write(draft));
        for (int i = path.last; i >= Math.max(0, level); i--) {
            heap.free(path.node[i]);
        }
    }

    /** Durable when it returns. */
    @Override
    public @Nullable V remove(@Nullable Object key) {
        byte[] encoded = encodeKey(key);
        byte[] before = lock.<byte @Nullable []>write(() -> {
            var path = new Path(encoded);
            int index = search(path.leaf(), heap.getInt(path.leaf()), encoded, () -> true);
            if (index < 0) {
                return null;
            }
            long old = heap.getReference(path.leaf() + ENTRIES + index * 8L);
            byte[] removed = valueOf(old, () -> true);
            Draft draft = draft(path.leaf());
            draft.remove(index);
            if (draft.count == 0 && path.last > 0) {
                dropLeaf(path);
            } else if (draft.count <= FEW && path.last > 0 && mergeLeaf(path, draft)) {
                // done
            } else {
                link(path.at[path.last], write(draft));
                heap.free(path.leaf());
            }
            heap.free(old);
            count.add(-1);
            return removed;
        });
        return before == null ? null : values.decode(before);
    }

    /** Unlinks the path's leaf, and the nodes above it that it was the only child of. */
    private void dropLeaf(Path path) {
        int level = path.last - 1;
        while (level > 0 && heap.getInt(path.node[level]) == 1) {
            level--;
        }
        Draft above = draft(path.node[level]);
        if (above.count == 0) {
            // the root's only child goes: an empty leaf is what is left
            link(header, write(new Draft(true)));
            freePath(path, 0);
            return;
        }
        int gone = path.index[level];
        long separator = above.entries[Math.max(0, gone - 1)];
        above.removeChild(gone);
        link(path.at[level], write(above));
        freePath(path, level);
        heap.free(separator);
    }

    private void freePath(Path path, int from) {
        for (int i = path.last; i >= from; i--) {
            heap.free(path.node[i]);
        }
    }

    /** Joins the path's leaf, which has become the draft, with a neighbour, if they fit into one. */
    private boolean mergeLeaf(Path path, Draft draft) {
        long parent = path.node[path.last - 1];
        int index = path.index[path.last - 1];
        int children = heap.getInt(parent);
        int left = index + 1 < children ? index : index - 1;
        if (left < 0) {
            return false;
        }
        long neighbour = child(parent, left == index ? index + 1 : left);
        Draft other = draft(neighbour);
        if (other.count + draft.count > FANOUT - FEW) {
            return false;
        }
        Draft first = left == index ? draft : other;
        Draft second = left == index ? other : draft;
        for (int i = 0; i < second.count; i++) {
            first.insert(first.count, second.prefixes[i], second.entries[i]);
        }
        long merged = write(first);
        Draft above = draft(parent);
        long separator = above.entries[left];
        above.children[left] = merged;
        above.removeChild(left + 1);
        if (above.count == 0 && path.last == 1) {
            link(header, merged);
        } else {
            link(path.at[path.last - 1], write(above));
        }
        heap.free(parent);
        heap.free(path.leaf());
        heap.free(neighbour);
        heap.free(separator);
        return true;
    }

    // ---- the whole

    /** Counted over at the first call; exact when nobody writes. */
    @Override
    public int size() {
        long entries = count.get(lock, () -> count(heap.getReference(header)));
        return (int) Math.min(entries, Integer.MAX_VALUE);
    }

    private long count(long node) {
        int here = heap.getInt(node);
        if (isLeaf(node)) {
            return here;
        }
        long sum = 0;
        for (int i = 0; i < here; i++) {
            sum += count(child(node, i));
        }
        return sum;
    }

    /** One by one, each durable. */
    @Override
    public void clear() {
        for (Map.Entry<K, V> first = firstEntry(); first != null; first = firstEntry()) {
            remove(first.getKey());
        }
    }

    @Override
    public Set<Map.Entry<K, V>> entrySet() {
        return new AbstractSet<>() {
            @Override
            public Iterator<Map.Entry<K, V>> iterator() {
                return new EntryIterator<>(PersistentTree.this, new Leaves(new byte[0], null));
            }

            @Override
            public int size() {
                return PersistentTree.this.size();
            }
        };
    }
}
