package io.loam.store.sequence;

import io.loam.store.FullPolicy;
import io.loam.store.Guard;
import io.loam.store.Namespace;
import io.loam.store.RemovalListener;
import io.loam.store.Store;
import io.loam.store.StoreClosedException;
import io.loam.store.StoreFullException;
import io.loam.store.StoreStats;
import io.loam.store.ValueView;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A store of plain Java maps under one lock: what the testers are tested with. Without bugs it must pass all of them; with a planted
 * {@link Bug} it must fail.
 */
public final class HeapStore extends HeapNamespace implements Store {

    /** What its namespaces share. */
    static final class Core {
        /** What a header and an index slot would take. */
        static final int OVERHEAD_BYTES = 40;

        final Setup setup;
        final InstantSource clock;
        final Set<Bug> bugs = EnumSet.noneOf(Bug.class);
        final Map<String, HeapNamespace> spaces = new HashMap<>();
        final List<RemovalListener> listeners = new CopyOnWriteArrayList<>();
        private final List<Runnable> events = new ArrayList<>();
        long capacityBytes;
        long usedBytes;
        long lastVersion;
        long operations;
        long evicted;
        boolean closed;

        Core(Setup setup, InstantSource clock) {
            this.setup = setup;
            this.clock = clock;
            capacityBytes = setup.capacityBytes();
        }

        boolean has(Bug bug) {
            return bugs.contains(bug);
        }

        /** Now and then, for bugs that show rarely. */
        boolean sometimes(Bug bug) {
            return has(bug) && operations % 7 == 3;
        }

        long limitBytes() {
            return has(Bug.REFUSES_EARLY) ? capacityBytes / 10 : capacityBytes * 3 / 4;
        }

        void report(Runnable event) {
            events.add(event);
        }

        <R extends @Nullable Object> R locked(Supplier<R> body) {
            List<Runnable> due = new ArrayList<>();
            try {
                synchronized (this) {
                    if (closed) {
                        throw new StoreClosedException();
                    }
                    operations++;
                    try {
                        return body.get();
                    } finally {
                        due.addAll(events);
                        events.clear();
                    }
                }
            } finally {
                // The lock is free here; what happened before an exception is reported as well.
                due.forEach(Runnable::run);
            }
        }

        /** Frees {@code bytes} by dropping entries other than {@code keep}, or refuses. */
        void makeRoom(long bytes, HeapNamespace space, @Nullable Object keep) {
            if (usedBytes + bytes <= limitBytes()) {
                return;
            }
            if (setup.full() == FullPolicy.EVICT && bytes <= limitBytes()) {
                for (HeapNamespace victim : List.copyOf(spaces.values())) {
                    victim.evictUntil(() -> usedBytes + bytes <= limitBytes(), victim == space ? keep : null);
                }
                if (usedBytes + bytes <= limitBytes()) {
                    return;
                }
            }
            throw new StoreFullException(
                    usedBytes + " of " + limitBytes() + " bytes are live; delete keys or raise the capacity");
        }
    }

    public HeapStore(Setup setup, InstantSource clock, Bug... bugs) {
        super("", new Core(setup, clock));
        core.bugs.addAll(List.of(bugs));
        core.spaces.put("", this);
    }

    public static Setup.Opener opener(Bug... bugs) {
        return (setup, clock, seed) -> new HeapStore(setup, clock, bugs);
    }

    @Override
    public @Nullable Namespace findNamespace(String name) {
        return core.locked(() -> core.spaces.get(name));
    }

    @Override
    public Namespace namespace(String name) {
        if (name.isEmpty()) {
            return this;
        }
        return core.locked(() -> core.spaces.computeIfAbsent(name, n -> new HeapNamespace(n, core)));
    }

    @Override
    public Set<String> namespaces() {
        return core.locked(() -> {
            Set<String> names = new java.util.HashSet<>(core.spaces.keySet());
            names.remove("");
            return names;
        });
    }

    @Override
    public boolean dropNamespace(String name) {
        return core.locked(() -> {
            HeapNamespace space = core.spaces.remove(name);
            if (space == null) {
                return false;
            }
            space.removeAll();
            space.dropped = !core.has(Bug.DROPPED_READABLE);
            return true;
        });
    }

    @Override
    public Guard guard() {
        core.locked(() -> null);
        return new Guard() {
            private volatile boolean closed;

            @Override
            public @Nullable ValueView get(byte[] key) {
                return get(HeapStore.this, key);
            }

            @Override
            public @Nullable ValueView get(Namespace namespace, byte[] key) {
                if (closed) {
                    throw new IllegalStateException("the guard is closed");
                }
                return ((HeapNamespace) namespace).view(key);
            }

            @Override
            public void close() {
                closed = true;
            }
        };
    }

    @Override
    public void clearAll() {
        core.locked(() -> {
            core.spaces.values().forEach(HeapNamespace::removeAll);
            return null;
        });
    }

    @Override
    public StoreStats stats() {
        return core.locked(() -> {
            long keys = core.spaces.values().stream()
                    .mapToLong(HeapNamespace::count)
                    .sum();
            long user = core.usedBytes - keys * Core.OVERHEAD_BYTES;
            long free = core.capacityBytes - core.usedBytes;
            return new StoreStats(
                    core.capacityBytes,
                    keys,
                    user,
                    core.usedBytes,
                    0,
                    core.usedBytes,
                    0,
                    0,
                    free,
                    0,
                    0,
                    0,
                    keys,
                    0,
                    List.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
                    core.setup.blockBytes(),
                    4 * core.setup.blockBytes(),
                    0,
                    0,
                    0,
                    0,
                    0,
                    core.evicted,
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
        return core.locked(() -> core.capacityBytes);
    }

    @Override
    public void setCapacityBytes(long bytes) {
        core.locked(() -> {
            if (bytes < 64L * core.setup.blockBytes() || bytes > core.setup.maximumCapacityBytes()) {
                throw new IllegalArgumentException("capacity " + bytes);
            }
            long before = core.capacityBytes;
            core.capacityBytes = bytes;
            try {
                core.makeRoom(0, this, null);
            } catch (StoreFullException e) {
                core.capacityBytes = before;
                throw e;
            }
            return null;
        });
    }

    @Override
    public long exportTo(Path file) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long importFrom(Path file) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void setEvictable(String namespace, boolean evictable) {
        namespace(namespace); // nothing is evicted here
    }

    @Override
    public void addListener(RemovalListener listener) {
        core.listeners.add(listener);
    }

    @Override
    public void removeListener(RemovalListener listener) {
        core.listeners.remove(listener);
    }

    @Override
    public void clean() {
        core.locked(() -> null);
    }

    @Override
    public void close() {
        synchronized (core) {
            core.closed = true;
        }
    }
}
