package io.loam.bench.system;

import io.loam.store.Eviction;
import io.loam.store.FullPolicy;
import io.loam.store.KeyHashing;
import io.loam.store.Store;
import io.loam.store.StoreBuilder;
import io.loam.store.StoreFullException;
import io.loam.store.StoreStats;
import io.loam.store.UpdatePolicy;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** Loam with its defaults but for what the setup says. */
public final class Loam extends SystemUnderTest {

    private final Store store;
    private final int keyBytes;
    private final boolean evicts;

    public Loam(Setup setup) {
        StoreBuilder builder = Store.builder()
                .capacityBytes(setup.capacityBytes())
                .updatePolicy(setup.inPlace() ? UpdatePolicy.IN_PLACE : UpdatePolicy.APPEND)
                .keyHashing(setup.hash().equals("fast") ? KeyHashing.FAST : KeyHashing.FLOOD_RESISTANT);
        if (setup.maximumCapacityBytes() > setup.capacityBytes()) {
            builder.maximumCapacityBytes(setup.maximumCapacityBytes());
        }
        if (setup.evict()) {
            builder.fullPolicy(FullPolicy.EVICT).eviction(Eviction.DEFAULT);
        }
        if (setup.cleaners() > 0) {
            builder.cleanersPerNode(setup.cleaners());
        }
        if (setup.segmentBytes() > 0) {
            builder.segmentBytes(setup.segmentBytes());
        }
        if (setup.blockBytes() > 0) {
            builder.blockBytes(setup.blockBytes());
        }
        if (setup.writeTimeoutMillis() > 0) {
            builder.writeTimeoutMillis(setup.writeTimeoutMillis());
        }
        store = builder.open();
        keyBytes = setup.keyBytes();
        evicts = setup.evict();
    }

    /** The store itself, for experiments about what only it has. */
    public Store store() {
        return store;
    }

    @Override
    public Session newSession() {
        return new LoamSession(store, keyBytes);
    }

    @Override
    public long size() {
        return store.size();
    }

    @Override
    public boolean evicts() {
        return evicts;
    }

    @Override
    public Map<String, Object> figures() {
        StoreStats stats = store.stats();
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("capacityBytes", stats.capacityBytes());
        figures.put("utilisation", stats.utilisation());
        figures.put("liveUserBytes", stats.liveUserBytes());
        figures.put("liveLogBytes", stats.liveLogBytes());
        figures.put("deadLogBytes", stats.deadLogBytes());
        figures.put("indexBytes", stats.indexBytes());
        figures.put("tableBytes", stats.tableBytes());
        figures.put("freeBytes", stats.freeBytes());
        figures.put("reserveBytes", stats.reserveBytes());
        figures.put("metadataBytesPerObject", stats.metadataBytesPerKey());
        figures.put("indexLoad", stats.indexLoad());
        figures.put("blockBytes", stats.blockBytes());
        figures.put("segmentBytes", stats.segmentBytes());
        figures.put("appendedBytes", stats.appendedBytes());
        figures.put("overwrittenBytes", stats.overwrittenBytes());
        figures.put("cleanerCopiedBytes", stats.cleanerCopiedBytes());
        figures.put("cleanedSegments", stats.cleanedSegments());
        figures.put("evictedEntries", stats.evictedEntries());
        figures.put("writerStalls", stats.writerStalls());
        figures.put("longestStallNanos", stats.longestStallNanos());
        figures.put("refusedWrites", stats.refusedWrites());
        return figures;
    }

    @Override
    public long scan(BooleanSupplier running) {
        long[] seen = new long[2];
        long position = 0;
        do {
            position = store.scan(position, 512, (key, value) -> {
                seen[0]++;
                seen[1] += value.length();
            });
        } while (position != 0 && running.getAsBoolean());
        return seen[0];
    }

    @Override
    public void close() {
        store.close();
    }

    private static final class LoamSession extends Session {
        private final Store store;
        private final byte[] key;
        private final MemorySegment keySegment;
        private byte[][] batchKeys = new byte[0][];

        LoamSession(Store store, int keyBytes) {
            this.store = store;
            key = new byte[keyBytes];
            keySegment = MemorySegment.ofArray(key);
        }

        @Override
        public int get(long id, byte[] into) {
            KeyBytes.encode(id, key);
            return store.get(key, into, 0);
        }

        @Override
        public int getBatch(long[] keys, byte[][] into, int[] lengths, int count) {
            if (batchKeys.length < count) {
                batchKeys = new byte[count][key.length];
            }
            for (int i = 0; i < count; i++) {
                KeyBytes.encode(keys[i], batchKeys[i]);
            }
            return store.getAll(batchKeys, into, lengths, count);
        }

        @Override
        public void put(long id, byte[] value, int length) {
            KeyBytes.encode(id, key);
            try {
                if (value.length == length) {
                    store.put(key, value);
                } else {
                    store.put(keySegment, MemorySegment.ofArray(value).asSlice(0, length));
                }
            } catch (StoreFullException e) {
                throw new RefusedException(String.valueOf(e.getMessage()), e);
            }
        }

        @Override
        public boolean delete(long id) {
            KeyBytes.encode(id, key);
            return store.delete(key);
        }
    }
}
