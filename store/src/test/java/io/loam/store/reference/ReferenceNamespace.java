package io.loam.store.reference;

import io.loam.store.Codec;
import io.loam.store.Entry;
import io.loam.store.EntryVisitor;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.RemovalListener.Cause;
import io.loam.store.Transaction;
import io.loam.store.ValueReader;
import io.loam.store.view.MapView;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A sorted map of entries under the store's monitor. */
class ReferenceNamespace implements Namespace {

    /** Keys are ordered by a position of 12 bits, so that some share it, then by their bytes. */
    static final class Key implements Comparable<Key> {
        final byte[] bytes;
        final long position;

        Key(byte[] bytes) {
            if (bytes.length > MAX_KEY_BYTES) {
                throw new IllegalArgumentException(
                        "a key of " + bytes.length + " bytes; allowed: 0 to " + MAX_KEY_BYTES);
            }
            this.bytes = bytes.clone();
            position = (Arrays.hashCode(bytes) * 0x9E3779B9) >>> 20;
        }

        @Override
        public int compareTo(Key other) {
            int byPosition = Long.compare(position, other.position);
            return byPosition != 0 ? byPosition : Arrays.compareUnsigned(bytes, other.bytes);
        }

        @Override
        public boolean equals(@Nullable Object object) {
            return object instanceof Key other && Arrays.equals(bytes, other.bytes);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(bytes);
        }
    }

    private final String name;
    private final TreeMap<Key, Entry> entries = new TreeMap<>();
    private boolean dropped;

    ReferenceNamespace(String name) {
        this.name = name;
    }

    /** The store that this namespace is a part of, which may be itself. */
    ReferenceStore store() {
        throw new UnsupportedOperationException();
    }

    // ---- the primitives, all else is built of these

    /** Runs an operation in the monitor, then tells the listeners what left meanwhile. */
    private <R extends @Nullable Object> R atomically(Supplier<R> operation) {
        return store().atomically(() -> {
            if (dropped) {
                throw new IllegalStateException("namespace " + name + " was dropped");
            }
            return operation.get();
        });
    }

    private @Nullable Entry present(Key key) {
        Entry entry = entries.get(key);
        if (entry != null && store().expired(entry)) {
            entries.remove(key);
            store().left(name, key.bytes, entry, Cause.EXPIRED);
            return null;
        }
        return entry;
    }

    private long store(Key key, byte[] value, long expiresAtMillis, int type) {
        Entry old = present(key);
        Entry stored = new Entry(value.clone(), store().nextVersion(), expiresAtMillis, type);
        entries.put(key, stored);
        if (old != null) {
            store().left(name, key.bytes, old, Cause.REPLACED);
        }
        return stored.version();
    }

    private @Nullable Entry remove(Key key) {
        Entry old = present(key);
        if (old != null) {
            entries.remove(key);
            store().left(name, key.bytes, old, Cause.DELETED);
        }
        return old;
    }

    void drop() {
        dropped = true;
        entries.clear();
    }

    void removeAll() {
        entries.clear();
    }

    List<Entry> presentEntries() {
        for (Key key : List.copyOf(entries.keySet())) {
            present(key);
        }
        return List.copyOf(entries.values());
    }

    long userBytes() {
        return entries.entrySet().stream()
                .mapToLong(each -> each.getKey().bytes.length + each.getValue().value().length)
                .sum();
    }

    static Entry copy(Entry entry) {
        return new Entry(entry.value().clone(), entry.version(), entry.expiresAtMillis(), entry.type());
    }

    private static byte[] bytes(MemorySegment segment) {
        return segment.toArray(ValueLayout.JAVA_BYTE);
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    // ---- reading

    @Override
    public String name() {
        return name;
    }

    @Override
    public @Nullable Entry getEntry(byte[] key) {
        Key wanted = new Key(key);
        return atomically(() -> {
            Entry entry = present(wanted);
            return entry == null ? null : copy(entry);
        });
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        Entry entry = getEntry(key);
        return entry == null ? null : entry.value();
    }

    @Override
    public int get(byte[] key, byte[] destination, int offset) {
        Objects.checkFromToIndex(offset, destination.length, destination.length);
        return (int) get(
                MemorySegment.ofArray(key), MemorySegment.ofArray(destination).asSlice(offset));
    }

    @Override
    public int getOfType(byte[] key, int type, byte[] destination, int offset) {
        Entry entry = getEntry(key);
        return entry != null && entry.type() != type ? OTHER_TYPE : get(key, destination, offset);
    }

    @Override
    public long get(MemorySegment key, MemorySegment destination) {
        if (destination.isReadOnly()) {
            throw new IllegalArgumentException("a read-only destination");
        }
        byte[] value = get(bytes(key));
        if (value == null) {
            return ABSENT;
        }
        if (value.length <= destination.byteSize()) {
            MemorySegment.copy(value, 0, destination, ValueLayout.JAVA_BYTE, 0, value.length);
        }
        return value.length;
    }

    @Override
    public long get(ByteBuffer key, ByteBuffer destination) {
        if (destination.isReadOnly()) {
            throw new IllegalArgumentException("a read-only destination");
        }
        byte[] value = get(bytes(key));
        if (value == null) {
            return ABSENT;
        }
        if (value.length <= destination.remaining()) {
            destination.put(value);
        }
        return value.length;
    }

    @Override
    public <R> @Nullable R read(byte[] key, ValueReader<R> reader) {
        Objects.requireNonNull(reader, "reader");
        Entry entry = getEntry(key);
        return entry == null ? null : reader.read(new PiecewiseView(entry));
    }

    @Override
    public boolean contains(byte[] key) {
        return getEntry(key) != null;
    }

    @Override
    public long version(byte[] key) {
        Entry entry = getEntry(key);
        return entry == null ? ABSENT : entry.version();
    }

    @Override
    public List<byte @Nullable []> getAll(List<byte[]> keys) {
        List<byte @Nullable []> values = new ArrayList<>();
        for (byte[] key : keys) {
            values.add(get(key));
        }
        return atomically(() -> values);
    }

    @Override
    public int getAll(byte[][] keys, byte[][] destinations, int[] lengths, int count) {
        Objects.checkFromIndexSize(0, count, Math.min(keys.length, Math.min(destinations.length, lengths.length)));
        int present = 0;
        for (int i = 0; i < count; i++) {
            lengths[i] = get(keys[i], destinations[i], 0);
            present += lengths[i] == ABSENT ? 0 : 1;
        }
        int found = present;
        return atomically(() -> found);
    }

    // ---- writing

    @Override
    public long put(byte[] key, byte[] value, PutOptions options) {
        Key wanted = new Key(key);
        Objects.requireNonNull(value, "value");
        Objects.requireNonNull(options, "options");
        return atomically(() -> {
            Entry old = present(wanted);
            boolean holds = switch (options.condition()) {
                case ALWAYS -> true;
                case ABSENT -> old == null;
                case PRESENT -> old != null;
                case VERSION -> old != null && old.version() == options.expectedVersion();
            };
            if (!holds) {
                return ABSENT;
            }
            long expiresAtMillis =
                    !options.keepExpiry() ? options.expiresAtMillis() : old == null ? NEVER : old.expiresAtMillis();
            return store(wanted, value, expiresAtMillis, options.type());
        });
    }

    @Override
    public long put(byte[] key, byte[] value) {
        return put(key, value, PutOptions.DEFAULT);
    }

    @Override
    public long put(byte[] key, byte[] value, long expiresAtMillis) {
        return put(key, value, PutOptions.DEFAULT.expiringAt(expiresAtMillis));
    }

    @Override
    public long put(MemorySegment key, MemorySegment value) {
        return put(bytes(key), bytes(value));
    }

    @Override
    public long put(ByteBuffer key, ByteBuffer value) {
        return put(bytes(key), bytes(value));
    }

    @Override
    public long put(MemorySegment key, MemorySegment value, PutOptions options) {
        return put(bytes(key), bytes(value), options);
    }

    @Override
    public long tryPut(MemorySegment key, MemorySegment value, PutOptions options, Runnable onSpace) {
        Objects.requireNonNull(onSpace, "onSpace");
        return put(key, value, options);
    }

    @Override
    public void putAll(List<byte[]> keys, List<byte[]> values) {
        if (keys.size() != values.size()) {
            throw new IllegalArgumentException(
                    keys.size() + " keys and " + values.size() + " values; as many of each are needed");
        }
        atomically(() -> true);
        for (int i = 0; i < keys.size(); i++) {
            put(keys.get(i), values.get(i));
        }
    }

    @Override
    public long putIfAbsent(byte[] key, byte[] value) {
        return put(key, value, PutOptions.IF_ABSENT);
    }

    @Override
    public long replace(byte[] key, byte[] value) {
        return put(key, value, PutOptions.IF_PRESENT);
    }

    @Override
    public long replace(byte[] key, long version, byte[] value) {
        return put(key, value, PutOptions.DEFAULT.ifVersion(version));
    }

    @Override
    public boolean delete(byte[] key) {
        return getAndDelete(key) != null;
    }

    @Override
    public boolean delete(MemorySegment key) {
        return delete(bytes(key));
    }

    @Override
    public boolean delete(ByteBuffer key) {
        return delete(bytes(key));
    }

    @Override
    public boolean delete(byte[] key, long version) {
        Key wanted = new Key(key);
        return atomically(() -> {
            Entry old = present(wanted);
            return old != null && old.version() == version && remove(wanted) != null;
        });
    }

    @Override
    public byte @Nullable [] getAndDelete(byte[] key) {
        Key wanted = new Key(key);
        return atomically(() -> {
            Entry old = remove(wanted);
            return old == null ? null : old.value();
        });
    }

    @Override
    public byte @Nullable [] compute(byte[] key, UnaryOperator<byte @Nullable []> function) {
        Objects.requireNonNull(function, "function");
        while (true) {
            Entry old = getEntry(key);
            byte[] value = function.apply(old == null ? null : old.value().clone());
            boolean done;
            if (value == null) {
                done = old == null || delete(key, old.version());
            } else {
                PutOptions options = old == null
                        ? PutOptions.IF_ABSENT
                        : PutOptions.DEFAULT
                                .ifVersion(old.version())
                                .keepingExpiry()
                                .withType(old.type());
                done = put(key, value, options) != ABSENT;
            }
            if (done) {
                return value == null ? null : value.clone();
            }
        }
    }

    @Override
    public long add(byte[] key, long delta) {
        byte[] sum = Objects.requireNonNull(compute(key, old -> {
            if (old != null && old.length != 8) {
                throw new IllegalStateException("add to a value of " + old.length + " bytes; 8 are needed");
            }
            long present = old == null
                    ? 0
                    : ByteBuffer.wrap(old).order(ByteOrder.LITTLE_ENDIAN).getLong();
            return Codec.LONG.encode(Math.addExact(present, delta));
        }));
        return Codec.LONG.decode(sum);
    }

    @Override
    public long append(byte[] key, byte[] suffix) {
        Objects.requireNonNull(suffix, "suffix");
        return Objects.requireNonNull(compute(key, old -> {
                    byte[] head = old == null ? new byte[0] : old;
                    byte[] whole = Arrays.copyOf(head, head.length + suffix.length);
                    System.arraycopy(suffix, 0, whole, head.length, suffix.length);
                    return whole;
                }))
                .length;
    }

    @Override
    public byte @Nullable [] getOrLoad(byte[] key, Function<byte[], byte @Nullable []> loader) {
        return store().loads.getOrLoad(this, key, loader);
    }

    @Override
    public boolean expireAt(byte[] key, long expiresAtMillis) {
        Key wanted = new Key(key);
        if (expiresAtMillis < 0) {
            throw new IllegalArgumentException(
                    "expiry " + expiresAtMillis + " ms; allowed: 0 (never) or a positive time since 1970");
        }
        return atomically(() -> {
            Entry old = present(wanted);
            if (old != null) {
                entries.put(wanted, new Entry(old.value(), store().nextVersion(), expiresAtMillis, old.type()));
            }
            return old != null;
        });
    }

    @Override
    public <R> R transact(List<byte[]> keys, Function<Transaction, R> body) {
        Objects.requireNonNull(body, "body");
        List<Key> wanted = keys.stream().map(Key::new).toList();
        while (true) {
            ReferenceTransaction transaction = new ReferenceTransaction(atomically(() -> snapshot(wanted)));
            R result = body.apply(transaction);
            if (atomically(() -> commit(transaction))) {
                return result;
            }
        }
    }

    private Map<Key, @Nullable Entry> snapshot(List<Key> keys) {
        Map<Key, @Nullable Entry> snapshot = new LinkedHashMap<>();
        keys.forEach(key -> snapshot.put(key, present(key)));
        return snapshot;
    }

    private boolean commit(ReferenceTransaction transaction) {
        if (!snapshot(List.copyOf(transaction.before.keySet())).equals(transaction.before)) {
            return false;
        }
        transaction.writes.forEach((key, write) -> {
            Entry entry = write.entry();
            if (entry == null) {
                remove(key);
            } else {
                store(key, entry.value(), entry.expiresAtMillis(), entry.type());
            }
        });
        return true;
    }

    // ---- all keys

    private record Visit(Key key, Entry entry) {}

    /** A scan's position is that of the next key to visit, plus 1 so that 0 can mean the start. */
    @Override
    public long scan(long position, int count, EntryVisitor visitor) {
        Objects.requireNonNull(visitor, "visitor");
        if (count < 1) {
            throw new IllegalArgumentException("count " + count + "; at least 1");
        }
        List<Visit> visits = new ArrayList<>();
        long next = atomically(() -> {
            for (var each : entries.entrySet()) {
                Key key = each.getKey();
                if (key.position + 1 >= position && !store().expired(each.getValue())) {
                    if (visits.size() >= count && key.position != visits.getLast().key.position) {
                        return key.position + 1;
                    }
                    visits.add(new Visit(key, copy(each.getValue())));
                }
            }
            return 0L;
        });
        visits.forEach(visit -> visitor.visit(visit.key.bytes.clone(), new PiecewiseView(visit.entry)));
        return next;
    }

    @Override
    public void forEach(EntryVisitor visitor) {
        scan(0, Integer.MAX_VALUE, visitor);
    }

    @Override
    public long size() {
        return atomically(() -> (long) presentEntries().size());
    }

    @Override
    public void clear() {
        atomically(() -> {
            removeAll();
            return true;
        });
    }

    @Override
    public <K, V> ConcurrentMap<K, V> asMap(Codec<K> keys, Codec<V> values) {
        return atomically(() -> new MapView<>(this, keys, values));
    }
}
