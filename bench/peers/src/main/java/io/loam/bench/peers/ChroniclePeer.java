package io.loam.bench.peers;

import io.loam.bench.system.KeyBytes;
import io.loam.bench.system.RefusedException;
import io.loam.bench.system.Session;
import io.loam.bench.system.Setup;
import io.loam.bench.system.SystemUnderTest;
import java.util.Arrays;
import java.util.Map;
import net.openhft.chronicle.map.ChronicleMap;
import net.openhft.chronicle.map.ChronicleMapBuilder;

/**
 * Chronicle Map in memory, sized for the records it gets with room to overflow tenfold, reading into the caller's array where values
 * have one size (its array reader reuses no array of another size).
 */
public final class ChroniclePeer extends SystemUnderTest {

    private final ChronicleMap<Object, byte[]> map;
    private final int keyBytes;

    @SuppressWarnings({"unchecked", "rawtypes"})
    public ChroniclePeer(Setup setup) {
        keyBytes = setup.keyBytes();
        Class<?> keyType = keyBytes == Long.BYTES ? Long.class : byte[].class;
        ChronicleMapBuilder builder = ChronicleMapBuilder.of((Class) keyType, byte[].class)
                .name("loam-bench")
                .entries(setup.records())
                .maxBloatFactor(10)
                .putReturnsNull(true)
                .removeReturnsNull(false);
        if (keyBytes != Long.BYTES) {
            builder.constantKeySizeBySample(new byte[keyBytes]);
        }
        if (setup.fixedValueBytes()) {
            builder.constantValueSizeBySample(new byte[setup.maxValueBytes()]);
        } else {
            builder.averageValueSize(setup.meanValueBytes());
        }
        map = (ChronicleMap<Object, byte[]>) builder.create();
    }

    private Object key(long key) {
        return keyBytes == Long.BYTES ? Long.valueOf(key) : KeyBytes.of(key, keyBytes);
    }

    @Override
    public Session newSession() {
        return new ChronicleSession();
    }

    @Override
    public long size() {
        return map.longSize();
    }

    @Override
    public Map<String, Object> figures() {
        return Map.of("offHeapBytes", map.offHeapMemoryUsed());
    }

    @Override
    public void close() {
        map.close();
    }

    private final class ChronicleSession extends Session {
        private byte[] last = new byte[0];

        @Override
        public int get(long key, byte[] into) {
            byte[] value = map.getUsing(key(key), into);
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
                byte[] value = map.getUsing(key(keys[i]), into[i]);
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
                map.put(key(key), value.length == length ? value : Arrays.copyOf(value, length));
            } catch (IllegalStateException | IllegalArgumentException e) {
                throw new RefusedException(String.valueOf(e.getMessage()), e);
            }
        }

        @Override
        public boolean delete(long key) {
            return map.remove(key(key)) != null;
        }
    }
}
