package io.loam.store.sequence;

import io.loam.memory.Topology;
import io.loam.store.Eviction;
import io.loam.store.FullPolicy;
import io.loam.store.KeyHashing;
import io.loam.store.Store;
import io.loam.store.UpdatePolicy;
import io.loam.store.engine.StoreChecker;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;

/**
 * The options of a small store under test.
 *
 * @param nodes simulated NUMA nodes, of one CPU each; 0 takes the machine as it is
 */
public record Setup(
        int blockBytes,
        int blocks,
        int maximumBlocks,
        UpdatePolicy update,
        FullPolicy full,
        Eviction eviction,
        KeyHashing hashing,
        int nodes,
        long writeTimeoutMillis) {

    /** Little more than the least a store can have. */
    public static final Setup TINY = new Setup(
            4096, 128, 128, UpdatePolicy.APPEND, FullPolicy.REJECT, Eviction.DEFAULT, KeyHashing.FAST, 1, 2_000);

    /** Something that opens stores: the engine or a fake. */
    @FunctionalInterface
    public interface Opener {
        Store open(Setup setup, InstantSource clock, long hashSeed);
    }

    /** Every combination of policies, one and two nodes, both hashes. */
    public static List<Setup> all() {
        List<Setup> all = new ArrayList<>();
        for (UpdatePolicy update : UpdatePolicy.values()) {
            for (FullPolicy full : FullPolicy.values()) {
                for (int nodes = 1; nodes <= 2; nodes++) {
                    for (KeyHashing hashing : KeyHashing.values()) {
                        all.add(TINY.with(update)
                                .with(full)
                                .with(hashing)
                                .withNodes(nodes)
                                .withBlocks(128 * nodes, 384 * nodes));
                    }
                }
            }
        }
        return all;
    }

    public Setup with(UpdatePolicy policy) {
        return new Setup(blockBytes, blocks, maximumBlocks, policy, full, eviction, hashing, nodes, writeTimeoutMillis);
    }

    public Setup with(FullPolicy policy) {
        return new Setup(
                blockBytes, blocks, maximumBlocks, update, policy, eviction, hashing, nodes, writeTimeoutMillis);
    }

    public Setup with(Eviction rule) {
        return new Setup(blockBytes, blocks, maximumBlocks, update, full, rule, hashing, nodes, writeTimeoutMillis);
    }

    public Setup with(KeyHashing hash) {
        return new Setup(blockBytes, blocks, maximumBlocks, update, full, eviction, hash, nodes, writeTimeoutMillis);
    }

    public Setup withNodes(int count) {
        return new Setup(blockBytes, blocks, maximumBlocks, update, full, eviction, hashing, count, writeTimeoutMillis);
    }

    public Setup withBlocks(int count, int maximum) {
        return new Setup(blockBytes, count, maximum, update, full, eviction, hashing, nodes, writeTimeoutMillis);
    }

    public Setup withBlockBytes(int bytes) {
        return new Setup(bytes, blocks, maximumBlocks, update, full, eviction, hashing, nodes, writeTimeoutMillis);
    }

    public Setup withWriteTimeoutMillis(long millis) {
        return new Setup(blockBytes, blocks, maximumBlocks, update, full, eviction, hashing, nodes, millis);
    }

    public long capacityBytes() {
        return (long) blockBytes * blocks;
    }

    public long maximumCapacityBytes() {
        return (long) blockBytes * maximumBlocks;
    }

    /** A short name, for choosing one by a system property. */
    public String name() {
        return (update + "-" + full + "-" + nodes + "-" + hashing).toLowerCase(java.util.Locale.ROOT);
    }

    /** Opens the store that the property {@code loam.test.store} names: the engine (default), {@code heap}, or {@code heap:BUG}. */
    public Store open(InstantSource clock, long hashSeed) {
        String kind = System.getProperty("loam.test.store", "engine");
        if (kind.equals("engine")) {
            return openEngine(clock, hashSeed);
        }
        return kind.startsWith("heap:")
                ? new HeapStore(this, clock, Bug.valueOf(kind.substring("heap:".length())))
                : new HeapStore(this, clock);
    }

    public Store open() {
        return open(InstantSource.system(), 1);
    }

    public Store openEngine(InstantSource clock, long hashSeed) {
        var builder = Store.builder()
                .blockBytes(blockBytes)
                .capacityBytes(capacityBytes())
                .maximumCapacityBytes(maximumCapacityBytes())
                .updatePolicy(update)
                .fullPolicy(full)
                .eviction(eviction)
                .keyHashing(hashing)
                .writeTimeoutMillis(writeTimeoutMillis)
                .hugePages(false)
                .clock(clock)
                .hashSeed(hashSeed);
        if (nodes > 0) {
            builder.topology(Topology.simulated(nodes, 1));
        }
        return builder.open();
    }

    /** What the engine's own checker finds wrong with a store that nobody uses; a fake has none. */
    public static List<String> complaints(Store store) {
        return store instanceof HeapStore ? List.of() : StoreChecker.check(store);
    }

    /** The store's options as Java source. */
    public String toJava(long hashSeed) {
        return """
                Store store = Store.builder().blockBytes(%d).capacityBytes(%d).maximumCapacityBytes(%d)
                        .updatePolicy(UpdatePolicy.%s).fullPolicy(FullPolicy.%s)
                        .eviction(new Eviction(Order.%s, Domain.%s))
                        .keyHashing(KeyHashing.%s).topology(Topology.simulated(%d, 1))
                        .writeTimeoutMillis(%d).hugePages(false).clock(clock).hashSeed(%dL).open();
                """.formatted(
                        blockBytes,
                        capacityBytes(),
                        maximumCapacityBytes(),
                        update,
                        full,
                        eviction.order(),
                        eviction.domain(),
                        hashing,
                        nodes,
                        writeTimeoutMillis,
                        hashSeed);
    }
}
