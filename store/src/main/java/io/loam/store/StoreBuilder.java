package io.loam.store;

import io.loam.memory.Topology;
import java.time.InstantSource;
import java.util.Objects;
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
    @Nullable Topology topology;
    @Nullable Long hashSeed;

    StoreBuilder() {}

    /** The budget for everything: index, log and tables. Default 256 MiB. At least 64 blocks. */
    public StoreBuilder capacityBytes(long bytes) {
        capacityBytes = bytes;
        return this;
    }

    /** What {@link Store#setCapacityBytes} may raise the budget to; address space is reserved for it. Default: the capacity. */
    public StoreBuilder maximumCapacityBytes(long bytes) {
        maximumCapacityBytes = bytes;
        return this;
    }

    /** A power of two from 4 KiB to 1 MiB; default 64 KiB, 256 KiB from 64 GiB of capacity on, less in stores under 16 MiB. */
    public StoreBuilder blockBytes(int bytes) {
        blockBytes = bytes;
        return this;
    }

    /** Nominal size of a log segment, a multiple of the block; default about 1/256 of the capacity, from 4 blocks to 32 MiB. */
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
     * Opens a store.
     *
     * @throws IllegalArgumentException for options that are out of range or don't fit together; the message names the option, its value and what is allowed
     * @throws LoamException if the system refuses the memory
     */
    public Store open() {
        throw new IllegalStateException("engine to come");
    }
}
