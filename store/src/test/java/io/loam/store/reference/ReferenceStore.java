package io.loam.store.reference;

import io.loam.store.Entry;
import io.loam.store.Guard;
import io.loam.store.Namespace;
import io.loam.store.RemovalListener;
import io.loam.store.RemovalListener.Cause;
import io.loam.store.Store;
import io.loam.store.StoreBuilder;
import io.loam.store.StoreClosedException;
import io.loam.store.StoreStats;
import io.loam.store.ValueView;
import io.loam.store.loading.SingleFlight;
import io.loam.store.transfer.StoreFile;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A store on the heap without a bound, by which others are judged. Its capacity is only a number. */
public final class ReferenceStore extends ReferenceNamespace implements Store {

    private record Removal(String namespace, byte[] key, byte[] value, Cause cause) {}

    final SingleFlight loads = new SingleFlight();

    private final InstantSource clock;
    private final TreeMap<String, ReferenceNamespace> namespaces = new TreeMap<>();
    private final List<RemovalListener> listeners = new CopyOnWriteArrayList<>();
    private List<Removal> removals = new ArrayList<>();
    private long lastVersion;
    private long capacityBytes = 1 << 30;
    private boolean closed;

    public ReferenceStore(InstantSource clock) {
        super("");
        this.clock = clock;
    }

    private final class Part extends ReferenceNamespace {
        Part(String name) {
            super(name);
        }

        @Override
        ReferenceStore store() {
            return ReferenceStore.this;
        }
    }

    // ---- for the namespaces; all but atomically in the monitor

    @Override
    ReferenceStore store() {
        return this;
    }

    <R extends @Nullable Object> R atomically(Supplier<R> operation) {
        R result;
        List<Removal> left;
        synchronized (this) {
            if (closed) {
                throw new StoreClosedException();
            }
            try {
                result = operation.get();
            } finally {
                left = removals;
                removals = new ArrayList<>();
            }
        }
        left.forEach(this::tell);
        return result;
    }

    private void tell(Removal removal) {
        for (RemovalListener listener : listeners) {
            try {
                listener.removed(removal.namespace, removal.key.clone(), removal.value.clone(), removal.cause);
            } catch (RuntimeException e) {
                System.getLogger(ReferenceStore.class.getName())
                        .log(System.Logger.Level.DEBUG, "a removal listener failed", e);
            }
        }
    }

    boolean expired(Entry entry) {
        return entry.expiresAtMillis() != NEVER && entry.expiresAtMillis() <= clock.millis();
    }

    long nextVersion() {
        return ++lastVersion;
    }

    void left(String namespace, byte[] key, Entry entry, Cause cause) {
        removals.add(new Removal(namespace, key, entry.value(), cause));
    }

    // ---- the store

    @Override
    public @Nullable Namespace findNamespace(String name) {
        Objects.requireNonNull(name, "name");
        return atomically(() -> name.isEmpty() ? this : namespaces.get(name));
    }

    @Override
    public Namespace namespace(String name) {
        Objects.requireNonNull(name, "name");
        return atomically(() -> {
            if (name.isEmpty()) {
                return this;
            }
            if (!namespaces.containsKey(name) && namespaces.size() == StoreBuilder.MAX_NAMESPACES) {
                throw new IllegalStateException(
                        "there are " + StoreBuilder.MAX_NAMESPACES + " namespaces already; drop one");
            }
            return namespaces.computeIfAbsent(name, Part::new);
        });
    }

    @Override
    public Set<String> namespaces() {
        return atomically(() -> Set.copyOf(namespaces.keySet()));
    }

    @Override
    public boolean dropNamespace(String name) {
        Objects.requireNonNull(name, "name");
        return atomically(() -> {
            ReferenceNamespace dropped = namespaces.remove(name);
            if (dropped != null) {
                dropped.drop();
            }
            return dropped != null;
        });
    }

    @Override
    public void clearAll() {
        atomically(() -> {
            removeAll();
            namespaces.values().forEach(ReferenceNamespace::removeAll);
            return true;
        });
    }

    @Override
    public Guard guard() {
        return atomically(CopyingGuard::new);
    }

    private final class CopyingGuard implements Guard {
        private volatile boolean open = true;

        @Override
        public @Nullable ValueView get(byte[] key) {
            return get(ReferenceStore.this, key);
        }

        @Override
        public @Nullable ValueView get(Namespace namespace, byte[] key) {
            if (!open) {
                throw new IllegalStateException("the guard is closed");
            }
            Entry entry = namespace.getEntry(key);
            return entry == null ? null : new PiecewiseView(entry);
        }

        @Override
        public void close() {
            open = false;
        }
    }

    @Override
    public StoreStats stats() {
        return atomically(() -> {
            long keys = presentEntries().size()
                    + namespaces.values().stream()
                            .mapToLong(each -> each.presentEntries().size())
                            .sum();
            long bytes = userBytes()
                    + namespaces.values().stream()
                            .mapToLong(ReferenceNamespace::userBytes)
                            .sum();
            return new StoreStats(
                    capacityBytes,
                    keys,
                    bytes,
                    bytes,
                    0,
                    bytes,
                    0,
                    0,
                    capacityBytes - bytes,
                    0,
                    0,
                    0,
                    0,
                    0,
                    Collections.nCopies(10, 0),
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    List.of(),
                    null,
                    StoreStats.Opening.PRIVATE,
                    List.of());
        });
    }

    @Override
    public long capacityBytes() {
        return atomically(() -> capacityBytes);
    }

    @Override
    public void setCapacityBytes(long bytes) {
        atomically(() -> capacityBytes = bytes);
    }

    @Override
    public long exportTo(Path file) throws IOException {
        atomically(() -> true);
        return StoreFile.write(this, file);
    }

    @Override
    public long importFrom(Path file) throws IOException {
        atomically(() -> true);
        return StoreFile.read(this, file, clock);
    }

    @Override
    public void setEvictable(String namespace, boolean evictable) {
        namespace(namespace); // nothing is evicted here
    }

    @Override
    public void addListener(RemovalListener listener) {
        listeners.add(Objects.requireNonNull(listener));
    }

    @Override
    public void removeListener(RemovalListener listener) {
        listeners.remove(listener);
    }

    @Override
    public void clean() {
        atomically(() -> true);
    }

    @Override
    public synchronized void close() {
        closed = true;
    }
}
