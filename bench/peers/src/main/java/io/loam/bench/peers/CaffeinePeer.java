package io.loam.bench.peers;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.loam.bench.system.HeapMap;
import io.loam.bench.system.KeyBytes;
import io.loam.bench.system.RefusedException;
import io.loam.bench.system.Session;
import io.loam.bench.system.Setup;
import io.loam.bench.system.SystemUnderTest;
import java.util.Arrays;

/** Caffeine, handing out references; unbounded, or bounded by user bytes where eviction is asked for. */
public final class CaffeinePeer extends SystemUnderTest {

    private final Cache<Object, byte[]> cache;
    private final int keyBytes;
    private final boolean evicts;

    public CaffeinePeer(Setup setup) {
        keyBytes = setup.keyBytes();
        evicts = setup.evict();
        Caffeine<Object, Object> builder =
                Caffeine.newBuilder().executor(Runnable::run).initialCapacity((int) Math.min(setup.records(), 1 << 29));
        cache = evicts
                ? builder.maximumWeight(setup.capacityBytes())
                        .weigher((Object key, byte[] value) -> keyBytes + value.length)
                        .build()
                : builder.build();
    }

    private Object key(long key) {
        return keyBytes == Long.BYTES ? Long.valueOf(key) : new HeapMap.ByteString(KeyBytes.of(key, keyBytes));
    }

    @Override
    public Session newSession() {
        return new CaffeineSession();
    }

    @Override
    public long size() {
        return cache.estimatedSize();
    }

    @Override
    public boolean evicts() {
        return evicts;
    }

    @Override
    public void close() {
        cache.invalidateAll();
    }

    private final class CaffeineSession extends Session {
        private byte[] last = new byte[0];

        @Override
        public int get(long key, byte[] into) {
            byte[] value = cache.getIfPresent(key(key));
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
                byte[] value = cache.getIfPresent(key(keys[i]));
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
            try {
                cache.put(key(key), Arrays.copyOf(value, length));
            } catch (OutOfMemoryError e) {
                throw new RefusedException("the Java heap is full", e);
            }
        }

        @Override
        public boolean delete(long key) {
            return cache.asMap().remove(key(key)) != null;
        }
    }
}
