package io.loam.store.engine;

import io.loam.memory.RawMemory;
import io.loam.memory.SharedFile;
import io.loam.memory.region.Access;
import io.loam.memory.region.MappedRegion;
import io.loam.memory.region.Participants;
import io.loam.memory.region.RegionException;
import io.loam.memory.region.RegionOptions;
import io.loam.memory.region.Regions;
import io.loam.memory.region.Registry;
import io.loam.store.Namespace;
import io.loam.store.StoreBuilder;
import io.loam.store.StoreStats;
import io.loam.store.StoreStats.Opening;
import io.loam.store.log.Geometry;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
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
    /** How long who can't be let in waits for the others to go: the kernel takes its time with a killed process. */
    private static final long HANDOVER_NANOS = TimeUnit.SECONDS.toNanos(5);

    private static final long NOBODY = Long.MAX_VALUE;

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
                options.marks(),
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
            long id = new SecureRandom().nextLong();
            memory.putLong(control + SharedLayout.ID, id);
            StoreHeader.write(memory, store.address(), options, geometry, id);
            if (options.exclusive()) {
                lives.lockByte(SharedLayout.SOLE, true); // nobody comes in before READY, and it is taken inside only
            }
            new Settlement(store).begin();
            Sharing sharing = new Sharing(store, lives, name, false);
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
     * @param local the options that are each process's own: clock, topology; and policies, if it is to be the only one
     */
    public static SharedStore attach(EngineOptions local, Registry registry, String name, boolean readOnly) {
        RawMemory memory = RawMemory.ofProcess();
        SharedMemory store = map(registry, name, readOnly ? Access.READ : Access.WRITE);
        SharedFile lives = enterAdmitted(store, name, local.exclusive());
        boolean done = false;
        @Nullable Sharing sharing = null;
        try {
            Settlement settlement = new Settlement(store);
            boolean alone = firstAlive(store, lives) < 0;
            if (alone) {
                settlement.check(name);
            }
            EngineOptions options = StoreHeader.read(
                    memory,
                    store.address(),
                    store.data().bytes(),
                    store.data().region().toString(),
                    local);
            checkPair(memory, store, registry, name);
            Geometry geometry = geometry(options);
            if (alone) {
                settlement.begin();
            }
            sharing = new Sharing(store, lives, name, readOnly);
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
                store.close();
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
                if (e.reason() != RegionException.Reason.NOT_FOUND
                        && !(e.reason() == RegionException.Reason.CORRUPT
                                && local.exclusive()
                                && dropIncomplete(registry, name))) {
                    throw e;
                }
            }
            try {
                return create(options.get(), registry, name, 0600);
            } catch (RegionException e) {
                // somebody was first, and may have made one of the two regions only so far
                boolean late = System.nanoTime() > deadline;
                if (e.reason() != RegionException.Reason.EXISTS
                        || (late && !(local.exclusive() && dropIncomplete(registry, name)))) {
                    throw e;
                }
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** Deletes what a creator has left who died before anybody could write, and of whom others have waited long enough; whether there was that. */
    private static boolean dropIncomplete(Registry registry, String name) {
        Regions regions = registry.regions();
        if (exists(registry, name)) {
            try (MappedRegion control = regions.map(regions.get(name + CONTROL), Access.WRITE, true)) {
                if (RawMemory.ofProcess().getLongVolatile(control.address() + SharedLayout.READY) == 1) {
                    return false;
                }
            } catch (RegionException e) {
                return false; // it may be a whole one, which is damaged
            }
        }
        for (String region : List.of(name + CONTROL, name + DATA)) {
            if (regions.find(region).isPresent()) {
                regions.delete(region);
            }
        }
        return true;
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

    /** One of the two, or the file that was opened after they had been mapped, may be another store's of that name, which was deleted and created anew. */
    private static void checkPair(RawMemory memory, SharedMemory store, Registry registry, String name) {
        if (memory.getLong(store.control().address() + SharedLayout.ID) != StoreHeader.id(memory, store.address())
                || !registry.regions()
                        .get(name + CONTROL)
                        .uuid()
                        .equals(store.control().region().uuid())) {
            throw new RegionException(
                    RegionException.Reason.CORRUPT,
                    store.data().region() + " and " + store.control().region()
                            + " are of two stores; if one was just being deleted and created anew, try again, else delete store "
                            + name);
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
            boolean ready =
                    RawMemory.ofProcess().getLongVolatile(store.control().address() + SharedLayout.READY) == 1;
            long bytes = store.control().bytes();
            if (ready && bytes >= SharedLayout.BYTES) {
                return lives;
            }
            lives.close();
            if (ready) {
                store.close();
                throw new RegionException(
                        RegionException.Reason.CORRUPT,
                        store.control().region() + " has " + bytes + " bytes, the control region of a store has "
                                + SharedLayout.BYTES + "; delete store " + name + " and create it anew");
            }
            if (System.nanoTime() > deadline) {
                store.close();
                throw new RegionException(
                        RegionException.Reason.CORRUPT,
                        "store " + name + " was never completed by who created it; delete it and create it anew");
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** The lowest number of those who have the store; below 0: nobody has. The caller is at the door, and takes no part yet. */
    private static int firstAlive(SharedMemory store, SharedFile lives) {
        return Participants.firstAlive(
                lives, SharedLayout.ALIVE, store.control().address() + SharedLayout.TABLE);
    }

    /** As {@link #enterComplete}, once nobody is there any more who excludes this one, or whom it excludes. */
    private static SharedFile enterAdmitted(SharedMemory store, String name, boolean exclusive) {
        long deadline = System.nanoTime() + HANDOVER_NANOS;
        while (true) {
            SharedFile lives = enterComplete(store, name);
            int other = firstAlive(store, lives);
            boolean free = lives.firstLockedByte(SharedLayout.SOLE, 1) == NOBODY;
            if (free && (!exclusive || (other < 0 && lives.tryLockByte(SharedLayout.SOLE, true)))) {
                return lives;
            }
            lives.close();
            if (System.nanoTime() > deadline) {
                long table = store.control().address() + SharedLayout.TABLE;
                String who = other < 0 ? "another process" : "process " + Participants.pidIn(table, other);
                store.close();
                throw new RegionException(
                        RegionException.Reason.BUSY,
                        "store " + name + " is open in " + who
                                + (free
                                        ? ", and was to be opened by one process alone; end that one first"
                                        : ", which shares it with nobody; end that one first"));
            }
            LockSupport.parkNanos(10_000_000);
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
        sharing.changeCapacity(() -> super.setCapacityBytes(bytes));
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
