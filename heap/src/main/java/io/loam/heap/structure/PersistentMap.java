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
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A hash map in a heap. Grows by linear hashing: one bucket is split at a time, so that no operation waits for a whole resizing.
 *
 * <pre>
 * header  offset size name      meaning
 *              0    8 buckets   how many there are, 64 or more
 *              8    8 reserved  zero
 *             16  320 segments  references to arrays of buckets: the first 64, the next 64, the next 128, the next 256 …
 * node         0    8 next      reference to the next node of the bucket
 *              8    4 hash      of the key
 *             12    4 keyBytes
 *             16    4 valueBytes
 *             20    4 reserved  zero
 *             24      key, value
 * </pre>
 *
 * <p>A node never changes but for {@code next}; another value of a key is another node in its place. Writers of one of 64 stripes exclude each other; a bucket and those it is
 * split into are of one stripe. Iteration shows each key that is present throughout once. Neither keys nor values may be null. Safe from any thread.
 */
public final class PersistentMap<K, V> extends AbstractMap<K, V> {

    private static final int STRIPES = 64;
    private static final int FIRST = 64;
    private static final int SEGMENTS = 40;
    private static final int SEGMENT_REFERENCES = 16;
    private static final int HASH = 8;
    private static final int KEY_BYTES = 12;
    private static final int VALUE_BYTES = 16;
    private static final int KEY = 24;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final ObjectLayout HEADER = new ObjectLayout(
            "loam.map", 0, SEGMENT_REFERENCES + SEGMENTS * 8, new long[] {((1L << SEGMENTS) - 1) << 2}, 0, new long[0]);
    private static final ObjectLayout BUCKETS = ObjectLayout.references("loam.map.buckets");
    private static final ObjectLayout NODE = new ObjectLayout("loam.map.node", 0, KEY, new long[] {1}, 0, new long[0]);

    private final PersistentHeap heap;
    private final HeapCodec<K> keys;
    private final HeapCodec<V> values;
    private final HeapType bucketsType;
    private final HeapType nodeType;
    private final long header;
    private final StructureLock[] stripes = new StructureLock[STRIPES];
    private final ReentrantLock growing = new ReentrantLock();
    /** Of each stripe. */
    private final EntryCount[] counts = new EntryCount[STRIPES];

    private PersistentMap(PersistentHeap heap, String name, HeapCodec<K> keys, HeapCodec<V> values) {
        this.heap = heap;
        this.keys = keys;
        this.values = values;
        bucketsType = heap.type(BUCKETS);
        nodeType = heap.type(NODE);
        HeapType headerType = heap.type(HEADER);
        header = StructureLock.header(heap, name, headerType, () -> {
            long first = heap.allocate(bucketsType, FIRST * 8L, memory -> {});
            return heap.allocate(headerType, memory -> {
                memory.set(LONG, 0, FIRST);
                memory.set(LONG, SEGMENT_REFERENCES, first);
            });
        });
        for (int i = 0; i < STRIPES; i++) {
            stripes[i] = new StructureLock(heap);
            counts[i] = new EntryCount(heap);
        }
    }

    /**
     * The map under the root of this name, made if there is none. One object for each map and heap at a time: it holds the locks.
     *
     * @throws IllegalArgumentException if the root is of another type
     * @throws IllegalStateException if it is to be made inside of {@link PersistentHeap#atomic}, which could undo that
     */
    public static <K, V> PersistentMap<K, V> open(
            PersistentHeap heap, String name, HeapCodec<K> keys, HeapCodec<V> values) {
        return new PersistentMap<>(heap, name, keys, values);
    }

    private static int hash(byte[] key) {
        long h = 0x9E3779B97F4A7C15L ^ key.length;
        int i = 0;
        for (; i + 8 <= key.length; i += 8) {
            long word = 0;
            for (int j = 7; j >= 0; j--) {
                word = word << 8 | key[i + j] & 0xFF;
            }
            h = mix(h ^ word);
        }
        for (; i < key.length; i++) {
            h = h * 31 + key[i];
        }
        return (int) mix(h);
    }

    private static long mix(long x) {
        long y = (x ^ x >>> 32) * 0xD6E8FEB86659FD93L;
        return y ^ y >>> 29;
    }

    private StructureLock stripe(int hash) {
        return stripes[hash & STRIPES - 1];
    }

    /** Where the reference to the bucket's first node is. */
    private long bucket(int hash) {
        long buckets = heap.getReference(header);
        long whole = Long.highestOneBit(buckets);
        long low = hash & whole * 2 - 1;
        return bucketAt(low < buckets ? low : low - whole);
    }

    private long bucketAt(long index) {
        int segment = index < FIRST ? 0 : Long.SIZE - Long.numberOfLeadingZeros(index / FIRST);
        long first = segment == 0 ? 0 : (long) FIRST << segment - 1;
        return heap.getReference(header + SEGMENT_REFERENCES + segment * 8L) + (index - first) * 8;
    }

    private boolean isNodeOf(long node, int hash, byte[] key) {
        return heap.getInt(node + HASH) == hash
                && heap.getInt(node + KEY_BYTES) == key.length
                && heap.matches(node + KEY, key);
    }

    /** Where the reference to the key's node is; if there is none, where the bucket's last reference, 0, is. */
    private long find(int hash, byte[] key) {
        long at = bucket(hash);
        for (long node = heap.getReference(at); node != 0; node = heap.getReference(at)) {
            if (isNodeOf(node, hash, key)) {
                return at;
            }
            at = node;
        }
        return at;
    }

    @SuppressWarnings("unchecked")
    private byte[] encodeKey(@Nullable Object key) {
        return keys.encode((K) java.util.Objects.requireNonNull(key, "a key of a PersistentMap can't be null"));
    }

    @Override
    public @Nullable V get(@Nullable Object key) {
        byte[] encoded = encodeKey(key);
        int hash = hash(encoded);
        byte[] value = stripe(hash).<byte @Nullable []>read(validity -> {
            long at = bucket(hash);
            for (long node = heap.getReference(at); node != 0 && validity.holds(); node = heap.getReference(node)) {
                if (isNodeOf(node, hash, encoded)) {
                    return value(node, validity);
                }
            }
            return null;
        });
        return value == null ? null : values.decode(value);
    }

    private byte[] value(long node, StructureLock.Validity validity) {
        int keyBytes = heap.getInt(node + KEY_BYTES);
        int length = heap.getInt(node + VALUE_BYTES);
        byte[] value = new byte[validity.checked(length)];
        heap.get(node + KEY + keyBytes, value);
        return value;
    }

    @Override
    public boolean containsKey(@Nullable Object key) {
        return get(key) != null;
    }

    /** Durable when it returns. */
    @Override
    public @Nullable V put(K key, V value) {
        byte[] encodedKey = encodeKey(key);
        byte[] encodedValue =
                values.encode(java.util.Objects.requireNonNull(value, "a value of a PersistentMap can't be null"));
        int hash = hash(encodedKey);
        byte[] before = stripe(hash).<byte @Nullable []>write(() -> {
            long at = find(hash, encodedKey);
            long old = heap.getReference(at);
            long node = node(hash, encodedKey, encodedValue, old == 0 ? 0 : heap.getReference(old));
            heap.setReference(at, node);
            heap.persist(at, 8);
            heap.settle(node);
            if (old == 0) {
                counts[hash & STRIPES - 1].add(1);
                return null;
            }
            byte[] replaced = value(old, () -> true);
            heap.free(old);
            return replaced;
        });
        if (before != null) {
            return values.decode(before);
        }
        growIfFull(hash & STRIPES - 1);
        return null;
    }

    private long node(int hash, byte[] key, byte[] value, long next) {
        return heap.allocate(nodeType, (long) KEY + key.length + value.length, memory -> {
            memory.set(LONG, 0, next);
            memory.set(INT, HASH, hash);
            memory.set(INT, KEY_BYTES, key.length);
            memory.set(INT, VALUE_BYTES, value.length);
            MemorySegment.copy(key, 0, memory, ValueLayout.JAVA_BYTE, KEY, key.length);
            MemorySegment.copy(value, 0, memory, ValueLayout.JAVA_BYTE, KEY + (long) key.length, value.length);
        });
    }

    /** Durable when it returns. */
    @Override
    public @Nullable V remove(@Nullable Object key) {
        byte[] encoded = encodeKey(key);
        int hash = hash(encoded);
        byte[] before = stripe(hash).<byte @Nullable []>write(() -> {
            long at = find(hash, encoded);
            long old = heap.getReference(at);
            if (old == 0) {
                return null;
            }
            byte[] removed = value(old, () -> true);
            heap.setReference(at, heap.getReference(old));
            heap.persist(at, 8);
            heap.free(old);
            counts[hash & STRIPES - 1].add(-1);
            return removed;
        });
        return before == null ? null : values.decode(before);
    }

    /** Counted over at the first call; exact when nobody writes. */
    @Override
    public int size() {
        long sum = 0;
        for (int stripe = 0; stripe < STRIPES; stripe++) {
            sum += count(stripe);
        }
        return (int) Math.min(sum, Integer.MAX_VALUE);
    }

    private long count(int stripe) {
        return counts[stripe].get(stripes[stripe], () -> {
            long counted = 0;
            for (long bucket = stripe; bucket < heap.getReference(header); bucket += STRIPES) {
                for (long node = heap.getReference(bucketAt(bucket)); node != 0; node = heap.getReference(node)) {
                    counted++;
                }
            }
            return counted;
        });
    }

    /** One by one, each durable. */
    @Override
    public void clear() {
        for (Group group = new Group(); group.hasNext(); ) {
            group.next().forEach(entry -> remove(entry.getKey()));
        }
    }

    // ---- growing

    /** One node for each bucket is full; what one stripe holds tells how many all do. */
    private void growIfFull(int stripe) {
        if (!heap.isAtomic() && count(stripe) * STRIPES > heap.getReference(header) && growing.tryLock()) {
            try {
                split();
            } finally {
                growing.unlock();
            }
        }
    }

    /** Moves the nodes of one bucket that belong into the next new one. */
    private void split() {
        long buckets = heap.getReference(header);
        long whole = Long.highestOneBit(buckets);
        long from = buckets - whole;
        if (!addSegment(buckets)) {
            return;
        }
        stripe((int) from).update(() -> {
            long source = bucketAt(from);
            long target = bucketAt(buckets);
            heap.setReference(target, 0);
            long stayAt = source;
            long moveAt = target;
            for (long node = heap.getReference(source); node != 0; ) {
                long next = heap.getReference(node);
                if ((heap.getInt(node + HASH) & whole) != 0) {
                    moveAt = link(moveAt, node);
                } else {
                    stayAt = link(stayAt, node);
                }
                node = next;
            }
            link(stayAt, 0);
            link(moveAt, 0);
            heap.putLong(header, buckets + 1);
            return true;
        });
    }

    private long link(long at, long node) {
        if (heap.getReference(at) != node) {
            heap.setReference(at, node);
        }
        return node;
    }

    /** Makes room for bucket {@code index}; false if the map has as many as it can. */
    private boolean addSegment(long index) {
        int segment = Long.SIZE - Long.numberOfLeadingZeros(index / FIRST);
        if (segment >= SEGMENTS) {
            return false;
        }
        long at = header + SEGMENT_REFERENCES + segment * 8L;
        if (heap.getReference(at) == 0) {
            long added = heap.allocate(bucketsType, ((long) FIRST << segment - 1) * 8, memory -> {});
            heap.setReference(at, added);
            heap.persist(at, 8);
            heap.settle(added);
        }
        return true;
    }

    // ---- iteration

    /** Entries of the buckets that one bucket was split into since the iteration began: keys never leave such a group. */
    private final class Group implements Iterator<List<Map.Entry<K, V>>> {

        private final long step = Long.highestOneBit(heap.getReference(header));
        private long at;

        @Override
        public boolean hasNext() {
            return at < step;
        }

        @Override
        public List<Map.Entry<K, V>> next() {
            if (at >= step) {
                throw new NoSuchElementException();
            }
            long first = at++;
            return stripe((int) first).read(validity -> {
                var entries = new ArrayList<Map.Entry<K, V>>();
                for (long bucket = first; bucket < heap.getReference(header); bucket += step) {
                    for (long node = heap.getReference(bucketAt(bucket));
                            node != 0 && validity.holds();
                            node = heap.getReference(node)) {
                        byte[] key = new byte[validity.checked(heap.getInt(node + KEY_BYTES))];
                        heap.get(node + KEY, key);
                        byte[] value = value(node, validity);
                        if (validity.holds()) {
                            entries.add(
                                    new WritableEntry<>(PersistentMap.this, keys.decode(key), values.decode(value)));
                        }
                    }
                }
                return entries;
            });
        }
    }

    @Override
    public Set<Map.Entry<K, V>> entrySet() {
        return new AbstractSet<>() {
            @Override
            public Iterator<Map.Entry<K, V>> iterator() {
                return new EntryIterator<>(PersistentMap.this, new Group());
            }

            @Override
            public int size() {
                return PersistentMap.this.size();
            }
        };
    }
}
