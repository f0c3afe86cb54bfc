package io.loam.store;

import io.loam.memory.ProcessMemory;
import io.loam.memory.Topology;
import io.loam.memory.region.Registry;
import io.loam.store.engine.EngineOptions;
import io.loam.store.engine.LogStore;
import io.loam.store.engine.SharedStore;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Objects;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Options of a store; every one has a default, and {@link #open} checks them together.
 *
 * <p>Sizes are in bytes. A block is the unit of memory; log segments and index tables are made of blocks.
 */
public final class StoreBuilder {

    /** The most namespaces a store can have at a time, besides the default one. */
    public static final int MAX_NAMESPACES = 255;

    long capacityBytes = 256L << 20;
    long maximumCapacityBytes;
    int blockBytes;
    int segmentBytes;
    int headsPerNode;
    int cleanersPerNode;
    UpdatePolicy updatePolicy = UpdatePolicy.APPEND;
    FullPolicy fullPolicy = FullPolicy.REJECT;
    Eviction eviction = Eviction.DEFAULT;
    KeyHashing keyHashing = KeyHashing.FLOOD_RESISTANT;
    long writeTimeoutMillis = 100;
    long releaseDelayMillis = 5_000;
    boolean hugePages = true;
    boolean prefault;
    InstantSource clock = InstantSource.system();

    @Nullable
    Topology topology;

    @Nullable
    Long hashSeed;

    @Nullable
    Path region;

    boolean exclusive;

    StoreBuilder() {}

    /** The budget for everything: index, log and tables. Default 256 MiB. At least 64 blocks and the tables. */
    public StoreBuilder capacityBytes(long bytes) {
        capacityBytes = bytes;
        return this;
    }

    /** What {@link Store#setCapacityBytes} may raise the budget to; address space is reserved for it. Default: the capacity. */
    public StoreBuilder maximumCapacityBytes(long bytes) {
        maximumCapacityBytes = bytes;
        return this;
    }

    /** A power of two from 4 KiB to 512 KiB; default 64 KiB, 256 KiB from 64 GiB of capacity on, less in stores under 16 MiB. */
    public StoreBuilder blockBytes(int bytes) {
        blockBytes = bytes;
        return this;
    }

    /** Nominal size of a log segment, a multiple of the block; default about 1/512 of the capacity, from 4 blocks to 32 MiB. */
    public StoreBuilder segmentBytes(int bytes) {
        segmentBytes = bytes;
        return this;
    }

    /** Open log heads on each NUMA node; default one for each of its CPUs. */
    public StoreBuilder headsPerNode(int count) {
        headsPerNode = count;
        return this;
    }

    /** Cleaner threads on each NUMA node; default one for each 4 of its CPUs, at least 1. */
    public StoreBuilder cleanersPerNode(int count) {
        cleanersPerNode = count;
        return this;
    }

    public StoreBuilder updatePolicy(UpdatePolicy policy) {
        updatePolicy = Objects.requireNonNull(policy);
        return this;
    }

    public StoreBuilder fullPolicy(FullPolicy policy) {
        fullPolicy = Objects.requireNonNull(policy);
        return this;
    }

    /** Which entries {@link FullPolicy#EVICT} drops. */
    public StoreBuilder eviction(Eviction eviction) {
        this.eviction = Objects.requireNonNull(eviction);
        return this;
    }

    public StoreBuilder keyHashing(KeyHashing hashing) {
        keyHashing = Objects.requireNonNull(hashing);
        return this;
    }

    /** The longest a write waits for memory before it is refused. Default 100 ms. */
    public StoreBuilder writeTimeoutMillis(long millis) {
        writeTimeoutMillis = millis;
        return this;
    }

    /** How long 2 MiB of blocks stay free before they go back to the kernel. Default 5 s. */
    public StoreBuilder releaseDelayMillis(long millis) {
        releaseDelayMillis = millis;
        return this;
    }

    /** Ask the kernel for huge pages. Default true; without effect where the kernel has none. */
    public StoreBuilder hugePages(boolean wanted) {
        hugePages = wanted;
        return this;
    }

    /** Touch all memory at opening. Default false. */
    public StoreBuilder prefault(boolean wanted) {
        prefault = wanted;
        return this;
    }

    /** The clock that expiry is decided by; for tests. */
    public StoreBuilder clock(InstantSource clock) {
        this.clock = Objects.requireNonNull(clock);
        return this;
    }

    /** The machine's CPUs and NUMA nodes; for tests. Default: this machine's. */
    public StoreBuilder topology(Topology topology) {
        this.topology = Objects.requireNonNull(topology);
        return this;
    }

    /** The seed of the key hash; for tests that must replay. Default: random. */
    public StoreBuilder hashSeed(long seed) {
        hashSeed = seed;
        return this;
    }

    /**
     * Where {@link #open} keeps the store, so that other processes may open it there too and it stays when all have closed it: in regions that have the name of the path's last part, of the
     * {@link Registry} in its parent directory, which is made if it is absent. {@code /dev/shm/loam-USER/NAME} is in the memory of the machine. Default: in memory of this process alone.
     */
    public StoreBuilder region(Path path) {
        if (path.toAbsolutePath().normalize().getNameCount() < 2) {
            throw new IllegalArgumentException("region " + path + "; allowed: a name in a directory");
        }
        region = path.toAbsolutePath().normalize();
        return this;
    }

    /**
     * With a region: whether this store object is to be the only one. It is refused while others have the store, and they are, readers too, until it is closed or its process has died; both wait some
     * seconds for the other one to go. What it gets for that: update policy, full policy, eviction and write timeout are those of this builder, however the store was created; transactions may have more than 204 keys. Created so,
     * a store has room for reference marks, 1/128 of the capacity, so that it may be opened with {@link FullPolicy#EVICT} later. Default false.
     */
    public StoreBuilder exclusive(boolean wanted) {
        exclusive = wanted;
        return this;
    }

    /**
     * Opens a store. With a {@link #region}: attaches the one that is there, as {@link Store#attach} does, or creates it as {@link #create(Registry, String)} does if there is none; one creates it if
     * several do this at once. A store that is there stays as it was created: then only clock and topology of these options count, and what {@link #exclusive} says. {@link StoreStats#opening} tells what it was.
     *
     * @throws IllegalArgumentException for options that are out of range or don't fit together; the message names the option, its value and what is allowed
     * @throws LoamException if the system refuses the memory
     * @throws io.loam.memory.region.RegionException with a region, as {@link Store#attach} and {@link #create(Registry, String)}
     */
    public Store open() {
        int block = checkedBlock();
        Topology cpus = cpus();
        Path path = region;
        if (path == null) {
            return LogStore.open(checked(block, cpus, LogStore::minimumCapacityBytes));
        }
        return SharedStore.open(
                options(capacityBytes, block, cpus),
                () -> checked(block, cpus, SharedStore::minimumCapacityBytes),
                Objects.requireNonNull(path.getParent()),
                Objects.requireNonNull(path.getFileName()).toString());
    }

    /**
     * Creates a store in regions of a registry, where other processes may attach it by {@link Store#attach} and where it stays when all have closed it, until {@link Store#delete}. All of
     * its memory is allocated at once, for {@link #maximumCapacityBytes}, and belongs to this user alone.
     *
     * @throws IllegalArgumentException as {@link #open}, and for a name that no region can have
     * @throws io.loam.memory.region.RegionException EXISTS if there is one of that name, NO_SPACE, DENIED; nothing is left behind then
     */
    public Store create(Registry registry, String name) {
        return create(registry, name, 0600);
    }

    /**
     * As {@link #create(Registry, String)}, for others too.
     *
     * @param mode permission bits of the data, as chmod(2) takes them: who may write can damage the store, who may read can't. Both can keep memory from being reused for as long as they
     *     live.
     */
    public Store create(Registry registry, String name, int mode) {
        int block = checkedBlock();
        Topology cpus = cpus();
        return SharedStore.create(checked(block, cpus, SharedStore::minimumCapacityBytes), registry, name, mode);
    }

    /**
     * Attaches as {@link Store#attach} and {@link Store#attachReadOnly} do, with this builder's clock and topology; all else is as the store was created.
     */
    public Store attach(Registry registry, String name, boolean readOnly) {
        return SharedStore.attach(options(capacityBytes, checkedBlock(), cpus()), registry, name, readOnly);
    }

    private Topology cpus() {
        return topology != null ? topology : Topology.ofMachine();
    }

    private int checkedBlock() {
        int block = blockBytes != 0 ? blockBytes : defaultBlockBytes();
        check(
                Integer.bitCount(block) == 1 && block >= 4096 && block <= 1 << 19,
                "blockBytes",
                block,
                "a power of two from 4096 to 524288");
        return block;
    }

    private EngineOptions checked(int block, Topology cpus, ToLongFunction<EngineOptions> minimumCapacity) {
        long minimum = 64L * block;
        for (int round = 0; round < 8; round++) {
            minimum = minimumCapacity.applyAsLong(options(Math.max(minimum, capacityBytes), block, cpus));
        }
        check(
                capacityBytes >= minimum,
                "capacityBytes",
                capacityBytes,
                "at least " + minimum + " bytes with blocks of " + block);
        long physical = ProcessMemory.physicalBytes();
        check(
                capacityBytes <= physical,
                "capacityBytes",
                capacityBytes,
                "at most the machine's memory, " + physical + " bytes");
        return options(capacityBytes, block, cpus);
    }

    private EngineOptions options(long capacity, int block, Topology cpus) {
        int segment = segmentBytes != 0
                ? segmentBytes
                : (int) Math.clamp(capacity / 512 / block * block, 4L * block, 32 << 20);
        check(
                segment >= block && segment % block == 0,
                "segmentBytes",
                segment,
                "a multiple of the block, " + block + " bytes");
        check(
                segment <= Math.max(4L * block, capacity / 8),
                "segmentBytes",
                segment,
                "at most an eighth of the capacity, " + capacity / 8 + " bytes");
        long maximum = maximumCapacityBytes != 0 ? maximumCapacityBytes : capacity;
        check(maximum >= capacityBytes, "maximumCapacityBytes", maximum, "at least the capacity, " + capacityBytes);
        check(
                maximum / block < (1 << 26) - 1,
                "maximumCapacityBytes",
                maximum,
                "less than " + ((1L << 26) - 1) * block + " bytes with blocks of " + block);
        int heads = headsPerNode != 0
                ? headsPerNode
                : Math.max(1, Math.min(cpus.cpuCount(0), (int) Math.min(256, capacity / segment / 16)));
        check(heads >= 1 && heads <= 1024, "headsPerNode", heads, "1 to 1024");
        int cleaners = cleanersPerNode != 0 ? cleanersPerNode : Math.max(1, cpus.cpuCount(0) / 4);
        check(cleaners >= 1 && cleaners <= 64, "cleanersPerNode", cleaners, "1 to 64");
        check(writeTimeoutMillis >= 0, "writeTimeoutMillis", writeTimeoutMillis, "0 or more");
        check(releaseDelayMillis >= 0, "releaseDelayMillis", releaseDelayMillis, "0 or more");
        int slots = (int) Math.clamp(Long.highestOneBit(capacity / 64 / 128), 64, 2048);
        return new EngineOptions(
                capacity,
                Math.max(maximum, capacity),
                block,
                segment,
                heads,
                cleaners,
                slots,
                updatePolicy,
                fullPolicy,
                eviction,
                keyHashing == KeyHashing.FLOOD_RESISTANT,
                writeTimeoutMillis,
                releaseDelayMillis,
                hugePages,
                prefault,
                clock,
                cpus,
                hashSeed != null ? hashSeed : new SecureRandom().nextLong(),
                fullPolicy == FullPolicy.EVICT || exclusive,
                exclusive);
    }

    private int defaultBlockBytes() {
        long block = 64 << 10;
        for (long capacity = Math.max(1, capacityBytes); capacity < 16 << 20 && block > 4096; capacity *= 2) {
            block /= 2;
        }
        for (long capacity = capacityBytes; capacity >= 64L << 30 && block < 1 << 18; capacity /= 4) {
            block *= 4;
        }
        return (int) block;
    }

    private static void check(boolean ok, String option, long value, String allowed) {
        if (!ok) {
            throw new IllegalArgumentException(option + " is " + value + "; allowed: " + allowed);
        }
    }
}
