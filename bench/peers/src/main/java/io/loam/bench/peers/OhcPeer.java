package io.loam.bench.peers;

import io.loam.bench.system.KeyBytes;
import io.loam.bench.system.RefusedException;
import io.loam.bench.system.Session;
import io.loam.bench.system.Setup;
import io.loam.bench.system.SystemUnderTest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import org.caffinitas.ohc.CacheSerializer;
import org.caffinitas.ohc.Eviction;
import org.caffinitas.ohc.OHCache;
import org.caffinitas.ohc.OHCacheBuilder;

/**
 * OHC in its linked form (an allocation by the C library for each entry). Keys are {@link Long}s where they have 8 bytes; values are
 * copied by its serializer. Capacity far beyond the data, so that it does not evict unless asked to.
 */
public final class OhcPeer extends SystemUnderTest {

    private final OHCache<Object, byte[]> cache;
    private final int keyBytes;
    private final boolean evicts;

    public OhcPeer(Setup setup) {
        keyBytes = setup.keyBytes();
        evicts = setup.evict();
        long dataBytes = (long) (setup.records() * (keyBytes + setup.meanValueBytes() + 64));
        int segments = 16;
        long perSegment = Math.max(256, setup.records() / segments * 4 / 3);
        long capacity = evicts ? setup.capacityBytes() : 8 * Math.max(setup.capacityBytes(), dataBytes);
        cache = OHCacheBuilder.<Object, byte[]>newBuilder()
                .keySerializer(keyBytes == Long.BYTES ? LongKeys.INSTANCE : ByteKeys.INSTANCE)
                .valueSerializer(Bytes.INSTANCE)
                .segmentCount(segments)
                .hashTableSize((int) Math.min(1 << 27, Long.highestOneBit(perSegment) * 2))
                .capacity(capacity)
                .maxEntrySize(Math.min(16L << 20, capacity / segments / 2))
                .eviction(evicts ? Eviction.LRU : Eviction.NONE)
                .throwOOME(true)
                .build();
    }

    private Object key(long key) {
        return keyBytes == Long.BYTES ? Long.valueOf(key) : KeyBytes.of(key, keyBytes);
    }

    @Override
    public Session newSession() {
        return new OhcSession();
    }

    @Override
    public long size() {
        return cache.size();
    }

    @Override
    public boolean evicts() {
        return evicts;
    }

    @Override
    public Map<String, Object> figures() {
        return Map.of("offHeapBytes", cache.memUsed());
    }

    @Override
    public void close() {
        try {
            cache.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private final class OhcSession extends Session {
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
            boolean stored;
            try {
                stored = cache.put(key(key), value.length == length ? value : Arrays.copyOf(value, length));
            } catch (OutOfMemoryError e) {
                throw new RefusedException("no memory", e);
            }
            if (!stored) {
                throw new RefusedException("the cache did not take the entry", new IllegalStateException());
            }
        }

        @Override
        public boolean delete(long key) {
            return cache.remove(key(key));
        }
    }

    private enum LongKeys implements CacheSerializer<Object> {
        INSTANCE;

        @Override
        public void serialize(Object key, ByteBuffer buffer) {
            buffer.putLong((Long) key);
        }

        @Override
        public Object deserialize(ByteBuffer buffer) {
            return buffer.getLong();
        }

        @Override
        public int serializedSize(Object key) {
            return Long.BYTES;
        }
    }

    private enum ByteKeys implements CacheSerializer<Object> {
        INSTANCE;

        @Override
        public void serialize(Object key, ByteBuffer buffer) {
            buffer.put((byte[]) key);
        }

        @Override
        public Object deserialize(ByteBuffer buffer) {
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            return bytes;
        }

        @Override
        public int serializedSize(Object key) {
            return ((byte[]) key).length;
        }
    }

    private enum Bytes implements CacheSerializer<byte[]> {
        INSTANCE;

        @Override
        public void serialize(byte[] value, ByteBuffer buffer) {
            buffer.put(value);
        }

        @Override
        public byte[] deserialize(ByteBuffer buffer) {
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            return bytes;
        }

        @Override
        public int serializedSize(byte[] value) {
            return value.length;
        }
    }
}
