package io.loam.store.sequence;

import io.loam.store.Codec;
import io.loam.store.Entry;
import io.loam.store.EntryVisitor;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.RemovalListener.Cause;
import io.loam.store.StoreFullException;
import io.loam.store.Transaction;
import io.loam.store.ValueReader;
import io.loam.store.ValueView;
import io.loam.store.sequence.HeapStore.Core;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentMap;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A namespace of a {@link HeapStore}. Keys are the bytes in a {@link ByteBuffer}; held values are never changed, save by bugs. */
class HeapNamespace implements Namespace {

    private record Held(byte[] value, long version, long expiresAt, int type, byte @Nullable [] previous) {}

    final Core core;
    private final String name;
    private final Map<ByteBuffer, Held> entries = new LinkedHashMap<>();
    private final Map<ByteBuffer, Held> removed = new HashMap<>();
    boolean dropped;

    HeapNamespace(String name, Core core) {
        this.name = name;
        this.core = core;
    }

    // ---- under the lock

    private <R extends @Nullable Object> R locked(java.util.function.Supplier<R> body) {
        return core.locked(() -> {
            if (dropped) {
                throw new IllegalStateException("namespace " + name + " was dropped");
            }
            return body.get();
        });
    }

    private static ByteBuffer key(byte[] key) {
        if (key.length > MAX_KEY_BYTES) {
            throw new IllegalArgumentException("a key of " + key.length + " bytes; allowed: " + MAX_KEY_BYTES);
        }
        return ByteBuffer.wrap(key.clone());
    }

    private static long cost(ByteBuffer key, byte[] value) {
        return key.capacity() + value.length + Core.OVERHEAD_BYTES;
    }

    private @Nullable Held live(ByteBuffer key) {
        Held held = entries.get(key);
        if (held == null && core.sometimes(Bug.RESURRECTION)) {
            return removed.get(key);
        }
        if (held == null || held.expiresAt == NEVER || held.expiresAt > core.clock.millis()) {
            return held;
        }
        remove(key, Cause.EXPIRED);
        return null;
    }

    private void remove(ByteBuffer key, Cause cause) {
        Held old = entries.remove(key);
        if (old == null) {
            // Only what RESURRECTION shows is not there.
            return;
        }
        if (core.has(Bug.RESURRECTION) && cause == Cause.DELETED) {
            removed.put(key, old);
        }
        core.usedBytes -= cost(key, old.value);
        report(key, old.value, cause);
    }

    private void report(ByteBuffer key, byte[] value, Cause cause) {
        if ((cause == Cause.EVICTED && core.has(Bug.SILENT_EVICTION))
                || (cause == Cause.REPLACED && core.has(Bug.REPLACEMENT_UNREPORTED))) {
            return;
        }
        core.report(() -> core.listeners.forEach(listener -> {
            try {
                listener.removed(name, key.array(), value, cause);
            } catch (RuntimeException e) {
                // As documented: a listener's exceptions are dropped.
            }
        }));
    }

    private long store(ByteBuffer key, byte[] value, long expiresAt, int type) {
        Held old = live(key);
        if (value.length > core.capacityBytes) {
            throw new IllegalArgumentException(
                    "a value of " + value.length + " bytes; the log holds " + core.capacityBytes);
        }
        try {
            core.makeRoom(cost(key, value) - (old == null ? 0 : cost(key, old.value)), this, key);
        } catch (StoreFullException e) {
            if (core.has(Bug.REFUSAL_DROPS_OLD) && old != null) {
                remove(key, Cause.EVICTED);
            }
            throw e;
        }
        long version = core.has(Bug.VERSION_RESTARTS) ? (old == null ? 1 : old.version + 1) : ++core.lastVersion;
        if (core.sometimes(Bug.LOST_PUT) && old != null) {
            return version;
        }
        byte[] kept = value.clone();
        if (old != null && core.has(Bug.STALE_TAIL) && old.value.length > kept.length && kept.length > 100) {
            kept = old.value.clone();
            System.arraycopy(value, 0, kept, 0, value.length);
        }
        if (core.has(Bug.THIRD_BLOCK) && kept.length > 2 * core.setup.blockBytes()) {
            kept[2 * core.setup.blockBytes()] ^= 1;
        }
        if (old != null && core.has(Bug.GUARD_OVERWRITTEN) && old.value.length >= kept.length) {
            System.arraycopy(kept, 0, old.value, 0, kept.length);
        }
        if (old != null) {
            core.usedBytes -= cost(key, old.value);
            report(key, old.value, Cause.REPLACED);
        }
        entries.remove(key);
        entries.put(key, new Held(kept, version, expiresAt, type, old == null ? null : old.value));
        core.usedBytes += cost(key, kept);
        return version;
    }

    void evictUntil(BooleanSupplier enough, @Nullable Object keep) {
        for (ByteBuffer key : List.copyOf(entries.keySet())) {
            if (enough.getAsBoolean()) {
                return;
            }
            if (!key.equals(keep)) {
                core.evicted++;
                remove(key, Cause.EVICTED);
            }
        }
    }

    void removeAll() {
        var left = new ArrayList<>(entries.entrySet());
        if (core.has(Bug.CLEAR_LEAVES) && left.size() > 3) {
            left.removeFirst();
        }
        for (var entry : left) {
            core.usedBytes -= cost(entry.getKey(), entry.getValue().value);
            entries.remove(entry.getKey());
        }
    }

    long count() {
        return entries.size();
    }

    private @Nullable Held find(byte[] keyBytes) {
        ByteBuffer key = key(keyBytes);
        Held held = locked(() -> live(key));
        if (held != null && held.previous != null && core.sometimes(Bug.STALE_READ)) {
            return new Held(held.previous, held.version - 1, held.expiresAt, held.type, null);
        }
        if (held != null && held.previous != null && core.sometimes(Bug.ABSENT_WHILE_REPLACED)) {
            return null;
        }
        if (held != null && held.previous != null && core.sometimes(Bug.TORN_VALUE)) {
            byte[] torn = held.value.clone();
            System.arraycopy(held.previous, 0, torn, 0, Math.min(torn.length, held.previous.length) / 2);
            return new Held(torn, held.version, held.expiresAt, held.type, null);
        }
        return held;
    }

    @Nullable
    ValueView view(byte[] key) {
        Held held = find(key);
        return held == null ? null : new View(held);
    }

    private record View(Held held) implements ValueView {
        @Override
        public long length() {
            return held.value.length;
        }

        @Override
        public int segmentCount() {
            return held.value.length == 0 ? 0 : 1;
        }

        @Override
        public MemorySegment segment(int index) {
            return MemorySegment.ofArray(held.value).asReadOnly();
        }

        @Override
        public MemorySegment asContiguous(MemorySegment scratch) {
            return MemorySegment.ofArray(held.value).asReadOnly();
        }

        @Override
        public byte[] toByteArray() {
            return held.value.clone();
        }

        @Override
        public long version() {
            return held.version;
        }

        @Override
        public long expiresAtMillis() {
            return held.expiresAt;
        }

        @Override
        public int type() {
            return held.type;
        }

        @Override
        public long storedBytes() {
            return length();
        }
    }

    // ---- reading

    @Override
    public String name() {
        return name;
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        Held held = find(key);
        return held == null ? null : held.value.clone();
    }

    @Override
    public int get(byte[] key, byte[] destination, int offset) {
        byte[] value = get(key);
        if (value == null) {
            return -1;
        }
        if (value.length <= destination.length - offset) {
            System.arraycopy(value, 0, destination, offset, value.length);
        }
        return value.length;
    }

    @Override
    public int getOfType(byte[] key, int type, byte[] destination, int offset) {
        Entry entry = getEntry(key);
        return entry != null && entry.type() != type ? OTHER_TYPE : get(key, destination, offset);
    }

    @Override
    public long get(MemorySegment key, MemorySegment destination) {
        byte[] value = get(key.toArray(ValueLayout.JAVA_BYTE));
        if (value == null) {
            return ABSENT;
        }
        if (value.length <= destination.byteSize()) {
            MemorySegment.copy(value, 0, destination, ValueLayout.JAVA_BYTE, 0, value.length);
        }
        return value.length;
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(buffer.position(), bytes);
        return bytes;
    }

    @Override
    public long get(ByteBuffer key, ByteBuffer destination) {
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
        ValueView view = view(key);
        return view == null ? null : reader.read(view);
    }

    @Override
    public @Nullable Entry getEntry(byte[] key) {
        Held held = find(key);
        return held == null ? null : new Entry(held.value.clone(), held.version, held.expiresAt, held.type);
    }

    @Override
    public boolean contains(byte[] key) {
        return find(key) != null;
    }

    @Override
    public long version(byte[] key) {
        Held held = find(key);
        return held == null ? ABSENT : held.version;
    }

    @Override
    public List<byte @Nullable []> getAll(List<byte[]> keys) {
        List<byte @Nullable []> values = new ArrayList<>();
        keys.forEach(key -> values.add(get(key)));
        return values;
    }

    @Override
    public int getAll(byte[][] keys, byte[][] destinations, int[] lengths, int count) {
        int present = 0;
        for (int i = 0; i < count; i++) {
            lengths[i] = get(keys[i], destinations[i], 0);
            present += lengths[i] < 0 ? 0 : 1;
        }
        return present;
    }

    // ---- writing

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
        return put(key, value, PutOptions.DEFAULT);
    }

    @Override
    public long put(ByteBuffer key, ByteBuffer value) {
        return put(bytes(key), bytes(value));
    }

    @Override
    public long put(byte[] keyBytes, byte[] value, PutOptions options) {
        ByteBuffer key = key(keyBytes);
        return locked(() -> {
            boolean expiredBlocks = core.has(Bug.EXPIRED_BLOCKS_INSERT) && entries.containsKey(key);
            Held old = live(key);
            boolean allowed = switch (options.condition()) {
                case ALWAYS -> true;
                case ABSENT -> old == null && !expiredBlocks;
                case PRESENT -> old != null;
                case VERSION ->
                    old != null && (old.version == options.expectedVersion() || core.has(Bug.VERSION_IGNORED));
            };
            if (!allowed) {
                return ABSENT;
            }
            long expiresAt = options.keepExpiry() ? (old == null ? NEVER : old.expiresAt) : options.expiresAtMillis();
            return store(key, value, expiresAt, options.type());
        });
    }

    @Override
    public long put(MemorySegment key, MemorySegment value, PutOptions options) {
        return put(key.toArray(ValueLayout.JAVA_BYTE), value.toArray(ValueLayout.JAVA_BYTE), options);
    }

    @Override
    public long tryPut(MemorySegment key, MemorySegment value, PutOptions options, Runnable onSpace) {
        return put(key, value, options);
    }

    @Override
    public void putAll(List<byte[]> keys, List<byte[]> values) {
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
        return delete(key.toArray(ValueLayout.JAVA_BYTE));
    }

    @Override
    public boolean delete(ByteBuffer key) {
        return delete(bytes(key));
    }

    @Override
    public boolean delete(byte[] keyBytes, long version) {
        ByteBuffer key = key(keyBytes);
        return locked(() -> {
            Held old = live(key);
            if (old == null || old.version != version) {
                return false;
            }
            remove(key, Cause.DELETED);
            return true;
        });
    }

    @Override
    public byte @Nullable [] getAndDelete(byte[] keyBytes) {
        ByteBuffer key = key(keyBytes);
        Held gone = locked(() -> {
            if (core.has(Bug.DELETE_REFUSED)) {
                core.makeRoom(1000, this, key);
            }
            Held old = live(key);
            if (old != null && entries.containsKey(key)) {
                remove(key, Cause.DELETED);
            }
            return old;
        });
        return gone == null ? null : gone.value.clone();
    }

    @Override
    public byte @Nullable [] compute(byte[] keyBytes, UnaryOperator<byte @Nullable []> function) {
        ByteBuffer key = key(keyBytes);
        while (true) {
            Held old = find(keyBytes);
            byte[] next = function.apply(old == null ? null : old.value.clone());
            boolean done = locked(() -> {
                Held now = live(key);
                if ((now == null ? 0 : now.version) != (old == null ? 0 : old.version)
                        && !core.has(Bug.COMPUTE_NOT_ATOMIC)) {
                    return false;
                }
                if (next != null) {
                    store(key, next, old == null ? NEVER : old.expiresAt, old == null ? 0 : old.type);
                } else if (now != null) {
                    remove(key, Cause.DELETED);
                }
                return true;
            });
            if (done) {
                return next;
            }
        }
    }

    @Override
    public long add(byte[] keyBytes, long delta) {
        ByteBuffer key = key(keyBytes);
        Held seen = core.has(Bug.ADD_NOT_ATOMIC) ? find(keyBytes) : null;
        if (seen != null) {
            Thread.yield();
        }
        return locked(() -> {
            Held old = core.has(Bug.ADD_NOT_ATOMIC) ? seen : live(key);
            if (old != null && old.value.length != 8) {
                throw new IllegalStateException("a value of " + old.value.length + " bytes is no counter");
            }
            long sum = Math.addExact(
                    old == null
                            ? 0
                            : ByteBuffer.wrap(old.value)
                                    .order(ByteOrder.LITTLE_ENDIAN)
                                    .getLong(),
                    delta);
            byte[] value = ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(sum)
                    .array();
            store(key, value, old == null ? NEVER : old.expiresAt, old == null ? 0 : old.type);
            return sum;
        });
    }

    @Override
    public long append(byte[] keyBytes, byte[] suffix) {
        ByteBuffer key = key(keyBytes);
        return locked(() -> {
            Held old = live(key);
            byte[] before = old == null ? new byte[0] : old.value;
            byte[] value = Arrays.copyOf(before, before.length + suffix.length);
            System.arraycopy(suffix, 0, value, before.length, suffix.length);
            long expiresAt = old == null || core.has(Bug.APPEND_FORGETS_EXPIRY) ? NEVER : old.expiresAt;
            store(key, value, expiresAt, old == null ? 0 : old.type);
            return (long) value.length;
        });
    }

    @Override
    public byte @Nullable [] getOrLoad(byte[] key, Function<byte[], byte @Nullable []> loader) {
        byte[] found = get(key);
        if (found != null) {
            return found;
        }
        byte[] loaded = loader.apply(key);
        if (loaded == null) {
            return null;
        }
        return putIfAbsent(key, loaded) == ABSENT ? get(key) : loaded;
    }

    @Override
    public boolean expireAt(byte[] keyBytes, long expiresAtMillis) {
        ByteBuffer key = key(keyBytes);
        return locked(() -> {
            Held old = live(key);
            if (old == null) {
                return false;
            }
            entries.put(key, new Held(old.value, ++core.lastVersion, expiresAtMillis, old.type, null));
            return true;
        });
    }

    @Override
    public <R> R transact(List<byte[]> keys, Function<Transaction, R> body) {
        List<ByteBuffer> named = keys.stream().map(HeapNamespace::key).toList();
        while (true) {
            Map<ByteBuffer, @Nullable Held> read = new LinkedHashMap<>();
            locked(() -> {
                named.forEach(key -> read.put(key, live(key)));
                return null;
            });
            Map<ByteBuffer, @Nullable Held> written = new LinkedHashMap<>();
            R result = body.apply(new HeapTransaction(read, written));
            if (locked(() -> commit(read, written))) {
                return result;
            }
        }
    }

    private boolean commit(Map<ByteBuffer, @Nullable Held> read, Map<ByteBuffer, @Nullable Held> written) {
        for (var entry : read.entrySet()) {
            Held now = live(entry.getKey());
            Held then = entry.getValue();
            if ((now == null ? 0 : now.version) != (then == null ? 0 : then.version)
                    && !core.has(Bug.TRANSACTION_NOT_ISOLATED)) {
                return false;
            }
        }
        if (!core.has(Bug.TORN_TRANSACTION)) {
            long more = 0;
            for (var entry : written.entrySet()) {
                Held old = entries.get(entry.getKey());
                more += entry.getValue() == null ? 0 : cost(entry.getKey(), entry.getValue().value);
                more -= old == null || entry.getValue() == null ? 0 : cost(entry.getKey(), old.value);
            }
            core.makeRoom(more, this, null);
        }
        // An eviction above may have taken what was read; then the body must run again.
        for (var entry : read.entrySet()) {
            if (entry.getValue() != null && !entries.containsKey(entry.getKey())) {
                return false;
            }
        }
        // Deletes first, so that what was counted as room is there.
        written.entrySet().stream()
                .sorted(Comparator.comparing(e -> e.getValue() == null ? 0 : 1))
                .forEach(entry -> {
                    Held next = entry.getValue();
                    if (next != null) {
                        store(entry.getKey(), next.value, next.expiresAt, next.type);
                    } else if (entries.containsKey(entry.getKey())) {
                        remove(entry.getKey(), Cause.DELETED);
                    }
                });
        return true;
    }

    private record HeapTransaction(Map<ByteBuffer, @Nullable Held> read, Map<ByteBuffer, @Nullable Held> written)
            implements Transaction {

        private ByteBuffer named(byte[] key) {
            ByteBuffer named = key(key);
            if (!read.containsKey(named)) {
                throw new IllegalArgumentException("a key that the transaction does not name");
            }
            return named;
        }

        @Override
        public byte @Nullable [] get(byte[] key) {
            ByteBuffer named = named(key);
            Held held = written.containsKey(named) ? written.get(named) : read.get(named);
            return held == null ? null : held.value.clone();
        }

        @Override
        public @Nullable Entry getEntry(byte[] key) {
            Held held = read.get(named(key));
            return held == null ? null : new Entry(held.value.clone(), held.version, held.expiresAt, held.type);
        }

        @Override
        public void put(byte[] key, byte[] value) {
            put(key, value, PutOptions.DEFAULT);
        }

        @Override
        public void put(byte[] key, byte[] value, PutOptions options) {
            written.put(named(key), new Held(value.clone(), 0, options.expiresAtMillis(), options.type(), null));
        }

        @Override
        public void delete(byte[] key) {
            written.put(named(key), null);
        }
    }

    // ---- all keys

    private static long position(ByteBuffer key) {
        return Integer.toUnsignedLong(key.hashCode() * 0x9E3779B1) + 1;
    }

    @Override
    public long scan(long position, int count, EntryVisitor visitor) {
        List<Map.Entry<ByteBuffer, Held>> rest = locked(() -> {
            List<ByteBuffer> keys = List.copyOf(entries.keySet());
            keys.forEach(this::live);
            return entries.entrySet().stream()
                    .filter(e -> position(e.getKey()) >= position)
                    .map(e -> Map.entry(e.getKey(), e.getValue()))
                    .sorted(Comparator.comparingLong(e -> position(e.getKey())))
                    .toList();
        });
        if (core.has(Bug.SCAN_MISSES) && rest.size() > 1) {
            rest = rest.subList(0, rest.size() - 1);
        }
        for (int i = 0; i < rest.size(); i++) {
            long at = position(rest.get(i).getKey());
            if (i >= count && at != position(rest.get(i - 1).getKey())) {
                return at;
            }
            visitor.visit(
                    rest.get(i).getKey().array().clone(), new View(rest.get(i).getValue()));
        }
        return 0;
    }

    @Override
    public void forEach(EntryVisitor visitor) {
        scan(0, Integer.MAX_VALUE, visitor);
    }

    @Override
    public long size() {
        return locked(() -> (long) entries.size());
    }

    @Override
    public void clear() {
        locked(() -> {
            removeAll();
            return null;
        });
    }

    @Override
    public <K, V> ConcurrentMap<K, V> asMap(Codec<K> keys, Codec<V> values) {
        throw new UnsupportedOperationException();
    }
}
