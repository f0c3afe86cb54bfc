package io.loam.cli;

import io.loam.store.EntryVisitor;
import io.loam.store.Store;
import io.loam.store.StoreFullException;
import io.loam.store.StoreStats;
import io.loam.store.ValueView;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** A store over a map, as much of one as the commands use; it can be told to damage writes. */
public final class FakeStore {
    private final ConcurrentHashMap<String, byte[]> map = new ConcurrentHashMap<>();
    private final AtomicLong versions = new AtomicLong();
    private final AtomicLong live = new AtomicLong();
    private final long capacity;
    private final long damageAt;

    private FakeStore(long capacity, long damageAt) {
        this.capacity = capacity;
        this.damageAt = damageAt;
    }

    public static StoreOpener opener() {
        return settings -> new FakeStore(settings.capacityBytes(), -1).proxy();
    }

    /** Stores that change a byte in every put from the {@code write}-th on. */
    public static StoreOpener damagingOpener(long write) {
        return settings -> new FakeStore(settings.capacityBytes(), write).proxy();
    }

    private Store proxy() {
        return (Store) Proxy.newProxyInstance(
                Store.class.getClassLoader(),
                new Class<?>[] {Store.class},
                (proxy, method, a) -> switch (method.getName()) {
                    case "put" -> put(bytes(a[0]), bytes(a[1]));
                    case "get" ->
                        a.length == 1
                                ? map.get(key(a[0]))
                                : (Object) copy(map.get(key(a[0])), (byte[]) a[1], (int) a[2]);
                    case "delete" -> delete(key(a[0]));
                    case "append" -> append((byte[]) a[0], (byte[]) a[1]);
                    case "size" -> (long) map.size();
                    case "scan" -> scan((EntryVisitor) a[2]);
                    case "stats" -> stats();
                    case "capacityBytes" -> capacity;
                    case "name" -> "";
                    case "namespaces" -> Set.of();
                    case "dropNamespace" -> false;
                    case "clean", "close" -> null;
                    default -> throw new UnsupportedOperationException(method.toString());
                });
    }

    private static byte[] bytes(Object value) {
        return value instanceof MemorySegment memory ? memory.toArray(ValueLayout.JAVA_BYTE) : ((byte[]) value).clone();
    }

    private static String key(Object key) {
        return new String(bytes(key), StandardCharsets.ISO_8859_1);
    }

    private long put(byte[] key, byte[] value) {
        long version = versions.incrementAndGet();
        if (damageAt > 0 && version >= damageAt && value.length > 0) {
            value[value.length / 2] ^= 1;
        }
        if (live.get() + key.length + value.length > capacity) {
            throw new StoreFullException("the store is full");
        }
        byte[] old = map.put(key(key), value);
        live.addAndGet(value.length + (old == null ? key.length : -old.length));
        return version;
    }

    private boolean delete(String key) {
        byte[] old = map.remove(key);
        live.addAndGet(old == null ? 0 : -(old.length + key.length()));
        return old != null;
    }

    private long append(byte[] key, byte[] suffix) {
        String both = new String(map.getOrDefault(key(key), new byte[0]), StandardCharsets.ISO_8859_1) + key(suffix);
        put(key, both.getBytes(StandardCharsets.ISO_8859_1));
        return both.length();
    }

    private static int copy(byte[] value, byte[] destination, int offset) {
        if (value == null) {
            return -1;
        }
        if (value.length <= destination.length - offset) {
            System.arraycopy(value, 0, destination, offset, value.length);
        }
        return value.length;
    }

    private long scan(EntryVisitor visitor) {
        map.keySet().stream()
                .sorted()
                .forEach(key -> visitor.visit(key.getBytes(StandardCharsets.ISO_8859_1), view(map.get(key))));
        return 0;
    }

    private static ValueView view(byte[] value) {
        return (ValueView) Proxy.newProxyInstance(
                ValueView.class.getClassLoader(),
                new Class<?>[] {ValueView.class},
                (proxy, method, ignored) -> switch (method.getName()) {
                    case "length" -> (long) value.length;
                    case "toByteArray" -> value;
                    default -> throw new UnsupportedOperationException(method.toString());
                });
    }

    private StoreStats stats() {
        return Samples.stats(capacity, map.size(), live.get());
    }

    /** Figures to draw. */
    public static final class Samples {
        private Samples() {}

        public static StoreStats stats(long capacity, long keys, long live) {
            return stats(capacity, keys, live, List.of());
        }

        public static StoreStats stats(long capacity, long keys, long live, List<StoreStats.SegmentInfo> segments) {
            long index = capacity / 64;
            long tables = capacity / 128;
            long reserve = capacity / 32;
            long log = Math.max(live, Math.min(live + live / 16, capacity - index - tables - reserve));
            long free = capacity - index - tables - log;
            double utilisation = (double) live / (capacity - index - tables - reserve);
            List<Integer> histogram = new java.util.ArrayList<>(Collections.nCopies(10, 0));
            histogram.set(8, 3);
            histogram.set(9, 12);
            return new StoreStats(
                    capacity,
                    keys,
                    live * 9 / 10,
                    live,
                    log - live,
                    log,
                    index,
                    tables,
                    free,
                    Math.min(free, reserve),
                    0,
                    0,
                    keys * 2,
                    utilisation,
                    histogram,
                    65536,
                    1 << 20,
                    5 * live,
                    0,
                    2 * live,
                    40,
                    20,
                    0,
                    0,
                    3,
                    2,
                    1_500_000,
                    0,
                    segments,
                    null,
                    StoreStats.Opening.PRIVATE,
                    List.of());
        }
    }
}
