package io.loam.store.engine;

import io.loam.store.Guard;
import io.loam.store.Namespace;
import io.loam.store.RemovalListener;
import io.loam.store.Store;
import io.loam.store.StoreBuilder;
import io.loam.store.StoreFullException;
import io.loam.store.StoreStats;
import io.loam.store.ValueView;
import io.loam.store.crash.CrashPoint;
import io.loam.store.index.Index;
import io.loam.store.transfer.StoreFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** The store: its default namespace and what concerns all of them. */
public class LogStore extends KeySpace implements Store {

    private static final long SHRINK_WAIT_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final Map<String, KeySpace> named = new HashMap<>();
    private int lastId;

    private LogStore(Engine engine) {
        super(engine, 0, "");
    }

    LogStore(Engine engine, Sharing sharing, Namespaces.Entry entry) {
        super(engine, sharing, entry);
    }

    /** The least capacity that works with these options. */
    public static long minimumCapacityBytes(EngineOptions options) {
        return Engine.geometry(options).tableBytes + 64L * options.blockBytes();
    }

    public static LogStore open(EngineOptions options) {
        Engine engine = Engine.open(options);
        LogStore store;
        try {
            store = new LogStore(engine);
        } catch (Index.NoRoomException e) {
            engine.close();
            throw new IllegalArgumentException(
                    "capacity " + options.capacityBytes() + " bytes leaves no blocks for an index", e);
        }
        engine.lead();
        return store;
    }

    // ---- namespaces

    @Override
    public Namespace namespace(String name) {
        Objects.requireNonNull(name);
        engine.checkOpen();
        if (name.isEmpty()) {
            return this;
        }
        synchronized (named) {
            KeySpace present = named.get(name);
            if (present != null) {
                return present;
            }
            if (named.size() == StoreBuilder.MAX_NAMESPACES) {
                throw new IllegalStateException(
                        "there are " + named.size() + " namespaces, the most there can be; drop one");
            }
            KeySpace made = new KeySpace(engine, ++lastId, name);
            named.put(name, made);
            return made;
        }
    }

    @Override
    public @Nullable Namespace findNamespace(String name) {
        Objects.requireNonNull(name);
        engine.checkOpen();
        if (name.isEmpty()) {
            return this;
        }
        synchronized (named) {
            return named.get(name);
        }
    }

    @Override
    public Set<String> namespaces() {
        engine.checkOpen();
        synchronized (named) {
            return new TreeSet<>(named.keySet());
        }
    }

    @Override
    public boolean dropNamespace(String name) {
        engine.checkOpen();
        synchronized (named) {
            KeySpace dropped = named.remove(Objects.requireNonNull(name));
            if (dropped != null) {
                dropped.drop();
            }
            return dropped != null;
        }
    }

    @Override
    public void clearAll() {
        engine.checkOpen();
        synchronized (named) {
            Map<KeySpace, Index> fresh = freshIndexes();
            boolean quiet = !engine.epochs.isPinnedByCurrentThread()
                    && engine.exclusively(() -> {
                        fresh.forEach(KeySpace::swap);
                        freeEverything();
                    });
            if (!quiet) {
                fresh.forEach(KeySpace::swap); // somebody holds a guard: what the old indexes held is counted in the
                // background
            }
        }
    }

    /** An empty index for each namespace: all or none. */
    private Map<KeySpace, Index> freshIndexes() {
        Map<KeySpace, Index> fresh = new HashMap<>();
        try {
            for (KeySpace space : engine.keySpaces()) {
                if (!space.isDropped()) {
                    fresh.put(space, engine.newIndex(space, true));
                }
            }
            return fresh;
        } catch (RuntimeException e) {
            fresh.values().forEach(Index::destroy);
            throw e;
        }
    }

    /** Frees every segment at once. Writers are kept out, and the indexes are empty. */
    private void freeEverything() {
        for (KeySpace space : engine.keySpaces()) {
            for (Index old : space.takeCondemned()) {
                engine.reclaimer.retire(old::destroy);
            }
        }
        engine.freeAllSegments();
    }

    // ---- guards

    @Override
    public Guard guard() {
        engine.checkOpen();
        long pin = engine.epochs.pinGuard();
        if (engine.isClosed()) {
            engine.epochs.unpinGuard(pin);
            engine.checkOpen();
        }
        return new PinnedGuard(pin);
    }

    private final class PinnedGuard implements Guard {

        private final long pin;
        private final AtomicBoolean closed = new AtomicBoolean();

        PinnedGuard(long pin) {
            this.pin = pin;
        }

        @Override
        public @Nullable ValueView get(byte[] key) {
            return get(LogStore.this, key);
        }

        @Override
        public @Nullable ValueView get(Namespace namespace, byte[] key) {
            if (closed.get()) {
                throw new IllegalStateException("the guard is closed");
            }
            if (!(namespace instanceof KeySpace space) || space.engine != engine) {
                throw new IllegalArgumentException("a namespace of another store");
            }
            engine.checkOpen();
            return space.view(key);
        }

        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                engine.epochs.unpinGuard(pin);
            }
        }
    }

    // ---- the whole store

    @Override
    public long capacityBytes() {
        return engine.capacityBytes();
    }

    @Override
    public void setCapacityBytes(long bytes) {
        engine.checkOpen();
        long minimum = engine.geometry.tableBytes + 64L * engine.geometry.blockBytes;
        if (bytes < minimum || bytes > engine.options.maximumCapacityBytes()) {
            throw new IllegalArgumentException("capacity " + bytes + " bytes; allowed: " + minimum + " to "
                    + engine.options.maximumCapacityBytes() + ", the maximum given at opening");
        }
        synchronized (engine.pool) {
            int before = engine.pool.budgetBlocks();
            int budget = engine.budgetBlocks(bytes);
            engine.setReserve(budget);
            if (!awaitBudget(budget)) {
                engine.pool.setBudgetBlocks(before);
                engine.setReserve(before);
                throw new StoreFullException(
                        "capacity " + bytes + " bytes does not hold the " + (engine.log.liveUnits() << 3)
                                + " bytes that are live; delete entries first, or open the store with FullPolicy.EVICT");
            }
            CrashPoint.at("budget-set");
            engine.setReserve(budget);
            engine.setCapacityBytes(bytes);
        }
    }

    /** Sets the budget, a lower one in steps: as blocks become free, so that the cleaner keeps its reserve and can go on; false if it does not get that far. */
    private boolean awaitBudget(int budget) {
        long deadline = System.nanoTime() + SHRINK_WAIT_NANOS;
        long fruitless = engine.cleaner.fruitless();
        while (!engine.pool.approachBudget(budget)) {
            engine.checkOpen();
            engine.reclaimer.reclaim();
            engine.cleaner.wake();
            if (System.nanoTime() > deadline || engine.cleaner.fruitless() >= fruitless + 3) {
                return false;
            }
            LockSupport.parkNanos(200_000);
        }
        return true;
    }

    @Override
    public long exportTo(Path file) throws IOException {
        engine.checkOpen();
        return StoreFile.write(this, Objects.requireNonNull(file));
    }

    @Override
    public long importFrom(Path file) throws IOException {
        engine.checkOpen();
        return StoreFile.read(this, Objects.requireNonNull(file), engine.options.clock());
    }

    @Override
    public void setEvictable(String namespace, boolean evictable) {
        ((KeySpace) namespace(namespace)).setEvictable(evictable);
    }

    @Override
    public void addListener(RemovalListener listener) {
        engine.checkOpen();
        engine.listeners.add(Objects.requireNonNull(listener));
    }

    @Override
    public void removeListener(RemovalListener listener) {
        engine.checkOpen();
        engine.listeners.remove(Objects.requireNonNull(listener));
    }

    @Override
    public void clean() {
        engine.checkOpen();
        while (!engine.cleaner.cleanAll()) {
            engine.checkOpen();
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Override
    public StoreStats stats() {
        long pin = engine.enter();
        try {
            return StatsReader.read(engine);
        } finally {
            engine.exit(pin);
        }
    }

    @Override
    public void close() {
        engine.close();
    }
}
