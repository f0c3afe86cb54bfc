package io.loam.bench.peers;

import io.loam.bench.system.KeyBytes;
import io.loam.bench.system.Session;
import io.loam.bench.system.Setup;
import io.loam.bench.system.SystemUnderTest;
import java.util.Arrays;
import java.util.Map;
import org.mapdb.DB;
import org.mapdb.DBException;
import org.mapdb.DBMaker;
import org.mapdb.HTreeMap;
import org.mapdb.Serializer;

/** MapDB's hash map in direct memory, no transactions; the tree wide enough for the records, memory taken in large pieces. */
public final class MapDbPeer extends SystemUnderTest {

    private static final long INCREMENT_BYTES = 64L << 20;

    private final DB db;
    private final HTreeMap<Object, byte[]> map;
    private final int keyBytes;

    @SuppressWarnings({"unchecked", "rawtypes"})
    public MapDbPeer(Setup setup) {
        keyBytes = setup.keyBytes();
        db = DBMaker.memoryDirectDB()
                .allocateStartSize(INCREMENT_BYTES)
                .allocateIncrement(INCREMENT_BYTES)
                .concurrencyScale(16)
                .make();
        map = (HTreeMap<Object, byte[]>) (HTreeMap) db.hashMap("map")
                .keySerializer((Serializer) (keyBytes == Long.BYTES ? Serializer.LONG : Serializer.BYTE_ARRAY))
                .valueSerializer(Serializer.BYTE_ARRAY)
                .layout(16, setup.records() > 4_000_000 ? 64 : 32, 4)
                .counterEnable()
                .create();
    }

    private Object key(long key) {
        return keyBytes == Long.BYTES ? Long.valueOf(key) : KeyBytes.of(key, keyBytes);
    }

    @Override
    public Session newSession() {
        return new MapDbSession();
    }

    @Override
    public long size() {
        return map.sizeLong();
    }

    @Override
    public Map<String, Object> figures() {
        return Map.of();
    }

    @Override
    public void close() {
        try {
            db.close();
        } catch (DBException e) {
            throw new IllegalStateException("MapDB does not close", e);
        }
    }

    private final class MapDbSession extends Session {
        private byte[] last = new byte[0];

        @Override
        public int get(long key, byte[] into) {
            byte[] value = map.get(key(key));
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
                byte[] value = map.get(key(keys[i]));
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
            map.put(key(key), value.length == length ? value : Arrays.copyOf(value, length));
        }

        @Override
        public boolean delete(long key) {
            return map.remove(key(key)) != null;
        }
    }
}
