package io.loam.store.engine;

import io.loam.memory.RawMemory;
import io.loam.memory.SharedFile;
import io.loam.memory.region.Access;
import io.loam.memory.region.MappedRegion;
import io.loam.memory.region.RegionException;
import io.loam.memory.region.RegionOptions;
import io.loam.memory.region.Regions;
import io.loam.memory.region.Registry;
import io.loam.store.FullPolicy;
import io.loam.store.Namespace;
import io.loam.store.StoreBuilder;
import io.loam.store.StoreStats;
import io.loam.store.StoreStats.Opening;
import io.loam.store.log.Geometry;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A store in two regions of a registry, which any process that may map them can attach. */
public final class SharedStore extends LogStore {

    private static final String DATA = ".data";
    private static final String CONTROL = ".control";
    private static final long CREATION_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Sharing sharing;
    /** To be closed with the store. */
    private @Nullable Registry registry;

    private SharedStore(Engine engine, Sharing sharing, Namespaces.Entry entry) {
        super(engine, sharing, entry);
        this.sharing = sharing;
    }

    static Geometry geometry(EngineOptions options) {
        return new Geometry(
                options.maximumCapacityBytes(),
                options.blockBytes(),
                options.segmentBytes(),
                SharedLayout.SLOTS,
                options.topology().nodeCount(),
                options.headsPerNode(),
                options.cleanersPerNode(),
                options.fullPolicy() == FullPolicy.EVICT,
                SharedLayout.PARTICIPANTS,
                Namespaces.BYTES);
    }

    /** The least capacity that works with these options. */
    public static long minimumCapacityBytes(EngineOptions options) {
        return geometry(options).tableBytes + 64L * options.blockBytes();
    }

    // ---- coming and going

    /** Creates a store and attaches it. */
    public static SharedStore create(EngineOptions given, Registry registry, String name, int mode) {
        EngineOptions options = given.withEpochSlots(SharedLayout.SLOTS);
        Geometry geometry = geometry(options);
        Regions regions = registry.regions();
        RegionOptions data = RegionOptions.of(geometry.reservedBytes).withMode(mode);
        regions.create(name + DATA, options.hugePages() ? data.withHugePages() : data);
        try {
            // who may read the data must write to the control region
            int controlMode = mode | (mode & 0444) >>> 1;
            regions.create(name + CONTROL, RegionOptions.of(SharedLayout.BYTES).withMode(controlMode));
        } catch (RuntimeException | Error e) {
            regions.delete(name + DATA);
            throw e;
        }
        try {
            return createIn(options, geometry, registry, name);
        } catch (RuntimeException | Error e) {
            delete(registry, name);
            throw e;
        }
    }

    private static SharedStore createIn(EngineOptions options, Geometry geometry, Registry registry, String name) {
        RawMemory memory = RawMemory.ofProcess();
        SharedMemory store = map(registry, name, Access.WRITE);
        SharedFile lives = enter(store);
        boolean done = false;
        try {
            long control = store.control().address();
            memory.putLongOpaque(control + SharedLayout.FENCE, Sharing.canBarrier() ? 0 : 1);
            StoreHeader.write(memory, store.address(), options, geometry);
            Sharing sharing = new Sharing(store.control(), lives, name, false);
            sharing.setAttached();
            sharing.setOpening(Opening.CREATED);
            Engine engine = new Engine(options, geometry, store, true, sharing);
            sharing.bind(engine);
            sharing.createDefault();
            SharedStore made = of(engine, sharing);
            boolean ignored = sharing.tryLead();
            sharing.start();
            memory.putLongVolatile(control + SharedLayout.READY, 1);
            done = true;
            return made;
        } finally {
            if (done) {
                lives.unlockByte(SharedLayout.DOOR);
            } else {
                lives.close();
            }
        }
    }

    /**
     * Attaches a store that was created by this or another process.
     *
     * @param local the options that are each process's own: clock, topology
     */
    public static SharedStore attach(EngineOptions local, Registry registry, String name, boolean readOnly) {
        RawMemory memory = RawMemory.ofProcess();
        SharedMemory store = map(registry, name, readOnly ? Access.READ : Access.WRITE);
        SharedFile lives = enterComplete(store, name);
        boolean done = false;
        @Nullable Sharing sharing = null;
        try {
            EngineOptions options = StoreHeader.read(
                    memory,
                    store.address(),
                    store.data().bytes(),
                    store.data().region().toString(),
                    local);
            Geometry geometry = geometry(options);
            sharing = new Sharing(store.control(), lives, name, readOnly);
            boolean alone = sharing.isAlone();
            if (alone && readOnly && sharing.hasDead()) {
                throw new RegionException(
                        RegionException.Reason.CORRUPT,
                        "store " + name
                                + " was left by a process that died, and a reader can't repair it; attach it for writing first");
            }
            Engine engine = new Engine(options, geometry, store, false, sharing);
            sharing.bind(engine);
            SharedStore made = of(engine, sharing);
            sharing.noteAttached();
            boolean repaired = sharing.settle();
            if (alone) {
                sharing.setOpening(repaired ? Opening.REPAIRED : Opening.CLEAN);
            }
            sharing.noteAttached();
            boolean ignored = sharing.tryLead();
            sharing.start();
            done = true;
            return made;
        } finally {
            if (done) {
                lives.unlockByte(SharedLayout.DOOR);
            } else if (sharing != null) {
                sharing.giveUp();
            } else {
                lives.close();
            }
        }
    }

    /**
     * Attaches a store in the registry of a directory, or creates it if there is none.
     *
     * @param local as in {@link #attach}
     * @param options for creating it
     */
    public static SharedStore open(EngineOptions local, Supplier<EngineOptions> options, Path directory, String name) {
        Registry registry = Registry.open(directory, Registry.PRIVATE);
        try {
            SharedStore store = attachOrCreate(local, options, registry, name);
            store.registry = registry;
            return store;
        } catch (RuntimeException | Error e) {
            registry.close();
            throw e;
        }
    }

    private static SharedStore attachOrCreate(
            EngineOptions local, Supplier<EngineOptions> options, Registry registry, String name) {
        long deadline = System.nanoTime() + CREATION_NANOS;
        while (true) {
            try {
                return attach(local, registry, name, false);
            } catch (RegionException e) {
                if (e.reason() != RegionException.Reason.NOT_FOUND) {
                    throw e;
                }
            }
            try {
                return create(options.get(), registry, name, 0600);
            } catch (RegionException e) {
                // somebody was first, and may have made one of the two regions only so far
                if (e.reason() != RegionException.Reason.EXISTS || System.nanoTime() > deadline) {
                    throw e;
                }
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** The store object, which is its default namespace: made before the process may lead, so that what it adopts then is this object's. */
    private static SharedStore of(Engine engine, Sharing sharing) {
        return new SharedStore(
                engine, sharing, Objects.requireNonNull(sharing.namespaces().find("")));
    }

    private static SharedMemory map(Registry registry, String name, Access access) {
        Regions regions = registry.regions();
        MappedRegion data = regions.map(regions.get(name + DATA), access, true);
        try {
            return new SharedMemory(data, regions.map(regions.get(name + CONTROL), Access.WRITE, true));
        } catch (RuntimeException | Error e) {
            data.close();
            throw e;
        }
    }

    /** The control region's file, with the door's byte locked. */
    private static SharedFile enter(SharedMemory store) {
        try {
            SharedFile lives = SharedFile.open(store.control().region().file(), true);
            try {
                lives.lockByte(SharedLayout.DOOR, true);
                return lives;
            } catch (RuntimeException | Error e) {
                lives.close();
                throw e;
            }
        } catch (RuntimeException | Error e) {
            store.close();
            throw e;
        }
    }

    /** As {@link #enter}, once whoever creates the store has finished. */
    private static SharedFile enterComplete(SharedMemory store, String name) {
        long deadline = System.nanoTime() + CREATION_NANOS;
        while (true) {
            SharedFile lives = enter(store);
            if (RawMemory.ofProcess().getLongVolatile(store.control().address() + SharedLayout.READY) == 1) {
                return lives;
            }
            lives.close();
            if (System.nanoTime() > deadline) {
                store.close();
                throw new RegionException(
                        RegionException.Reason.CORRUPT,
                        "store " + name + " was never completed by who created it; delete it and create it anew");
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    public static boolean exists(Registry registry, String name) {
        return registry.regions().names().containsAll(Set.of(name + DATA, name + CONTROL));
    }

    /** Deletes a store; who has it attached keeps it until then. */
    public static void delete(Registry registry, String name) {
        try {
            registry.regions().delete(name + CONTROL);
        } finally {
            registry.regions().delete(name + DATA);
        }
    }

    // ---- namespaces

    @Override
    public Namespace namespace(String wanted) {
        Namespace present = findNamespace(wanted);
        long since = System.nanoTime();
        long fruitless = engine.cleaner.fruitless();
        while (present == null) {
            if (wanted.getBytes(StandardCharsets.UTF_8).length > Namespaces.MAX_NAME_BYTES) {
                throw new IllegalArgumentException("a namespace's name of " + wanted.length()
                        + " characters; in a shared store it has at most " + Namespaces.MAX_NAME_BYTES
                        + " bytes in UTF-8");
            }
            long result = sharing.create(wanted);
            if (result == Sharing.TOO_MANY) {
                throw new IllegalStateException(
                        "there are " + StoreBuilder.MAX_NAMESPACES + " namespaces, the most there can be; drop one");
            }
            if (result == Sharing.NO_ROOM) {
                engine.awaitSpace(4L * engine.geometry.blockUnits, since, fruitless);
            }
            present = findNamespace(wanted);
        }
        return present;
    }

    @Override
    public @Nullable Namespace findNamespace(String wanted) {
        Objects.requireNonNull(wanted);
        engine.checkOpen();
        return wanted.isEmpty() ? this : sharing.find(wanted);
    }

    @Override
    public Set<String> namespaces() {
        engine.checkOpen();
        Set<String> names = new TreeSet<>();
        sharing.namespaces().list().forEach(entry -> names.add(entry.name()));
        names.remove("");
        return names;
    }

    @Override
    public boolean dropNamespace(String dropped) {
        engine.checkOpen();
        return !Objects.requireNonNull(dropped).isEmpty() && sharing.drop(dropped);
    }

    @Override
    public void clearAll() {
        engine.checkOpen();
        sharing.refresh();
        for (KeySpace space : engine.keySpaces()) {
            if (!space.isDropped()) {
                sharing.clear(space);
            }
        }
    }

    @Override
    public void setEvictable(String namespace, boolean evictable) {
        sharing.setEvictable((KeySpace) namespace(namespace), evictable);
    }

    // ---- the whole store

    @Override
    public void setCapacityBytes(long bytes) {
        engine.checkOpen();
        sharing.checkWritable();
        sharing.atTheDoor(() -> {
            super.setCapacityBytes(bytes);
            return bytes;
        });
    }

    @Override
    public void close() {
        super.close();
        if (registry != null) {
            registry.close();
        }
    }

    @Override
    public void clean() {
        engine.checkOpen();
        sharing.clean();
    }

    @Override
    public StoreStats stats() {
        engine.checkOpen();
        sharing.refresh();
        return super.stats();
    }
}
