package io.loam.bench.peers;

import io.loam.bench.system.KeyBytes;
import io.loam.bench.system.Session;
import io.loam.bench.system.Setup;
import io.loam.bench.system.SystemUnderTest;
import java.util.Arrays;
import org.ehcache.Cache;
import org.ehcache.CacheManager;
import org.ehcache.config.builders.CacheConfigurationBuilder;
import org.ehcache.config.builders.CacheManagerBuilder;
import org.ehcache.config.builders.ResourcePoolsBuilder;
import org.ehcache.config.units.MemoryUnit;

/** Ehcache with an off-heap tier alone, twice to four times as large as the data so that it does not evict unless asked to. */
public final class EhcachePeer extends SystemUnderTest {

    private final CacheManager manager;
    private final Cache<Object, byte[]> cache;
    private final int keyBytes;
    private final boolean evicts;

    @SuppressWarnings({"unchecked", "rawtypes"})
    public EhcachePeer(Setup setup) {
        keyBytes = setup.keyBytes();
        evicts = setup.evict();
        long dataBytes = (long) (setup.records() * (keyBytes + setup.meanValueBytes() + 64));
        long bytes = evicts ? setup.capacityBytes() : Math.max(2 * setup.capacityBytes(), 4 * dataBytes);
        Class keyType = keyBytes == Long.BYTES ? Long.class : byte[].class;
        if (keyBytes != Long.BYTES) {
            throw new IllegalArgumentException(
                    "key of " + keyBytes + " bytes; ehcache is measured with keys of 8 bytes only");
        }
        manager = CacheManagerBuilder.newCacheManagerBuilder().build(true);
        cache = manager.createCache(
                "cache",
                CacheConfigurationBuilder.newCacheConfigurationBuilder(
                        (Class<Object>) keyType,
                        byte[].class,
                        ResourcePoolsBuilder.newResourcePoolsBuilder()
                                .offheap(Math.max(64, bytes >> 20), MemoryUnit.MB)));
    }

    private Object key(long key) {
        return keyBytes == Long.BYTES ? Long.valueOf(key) : KeyBytes.of(key, keyBytes);
    }

    @Override
    public Session newSession() {
        return new EhcacheSession();
    }

    @Override
    public long size() {
        return -1;
    }

    @Override
    public boolean evicts() {
        return evicts;
    }

    @Override
    public void close() {
        manager.close();
    }

    private final class EhcacheSession extends Session {
        private byte[] last = new byte[0];

        @Override
        public int get(long key, byte[] into) {
            byte[] value = cache.get(key(key));
            if (value == null) {
                return ABSENT;
            }
            last = value;
            return value.length;
        }

        @Override
        public byte[] value(byte[] into) {
            return last;
        }

        @Override
        public int getBatch(long[] keys, byte[][] into, int[] lengths, int count) {
            int present = 0;
            for (int i = 0; i < count; i++) {
                byte[] value = cache.get(key(keys[i]));
                lengths[i] = value == null ? ABSENT : value.length;
                if (value != null) {
                    into[i] = value;
                    present++;
                }
            }
            return present;
        }

        @Override
        public void put(long key, byte[] value, int length) {
            cache.put(key(key), value.length == length ? value : Arrays.copyOf(value, length));
        }

        @Override
        public boolean delete(long key) {
            boolean present = cache.containsKey(key(key));
            cache.remove(key(key));
            return present;
        }
    }
}
