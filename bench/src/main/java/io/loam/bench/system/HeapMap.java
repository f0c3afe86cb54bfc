package io.loam.bench.system;

import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * {@link ConcurrentHashMap}, the strongest Java peer by far: handing out references ({@code chm}) or copying into the caller's buffer
 * ({@code chm-copy}). Keys of 8 bytes are {@link Long}s, the cheapest key there is; longer ones are byte strings with a kept hash.
 */
public final class HeapMap extends SystemUnderTest {

    private final ConcurrentHashMap<Object, byte[]> map;
    private final boolean copies;
    private final int keyBytes;

    public HeapMap(Setup setup) {
        map = new ConcurrentHashMap<>((int) Math.min(setup.records() + setup.records() / 2, 1 << 30));
        copies = setup.system().equals("chm-copy");
        keyBytes = setup.keyBytes();
    }

    private Object key(long key) {
        return keyBytes == Long.BYTES ? Long.valueOf(key) : new ByteString(KeyBytes.of(key, keyBytes));
    }

    @Override
    public Session newSession() {
        return copies ? new Copying() : new Sharing();
    }

    @Override
    public long size() {
        return map.mappingCount();
    }

    @Override
    public long scan(BooleanSupplier running) {
        long seen = 0;
        long bytes = 0;
        for (byte[] value : map.values()) {
            seen++;
            bytes += value.length;
            if ((seen & 511) == 0 && !running.getAsBoolean()) {
                break;
            }
        }
        return bytes < 0 ? 0 : seen;
    }

    @Override
    public void close() {
        map.clear();
    }

    private abstract class MapSession extends Session {
        @Override
        public final void put(long key, byte[] value, int length) {
            try {
                map.put(key(key), Arrays.copyOf(value, length));
            } catch (OutOfMemoryError e) {
                throw new RefusedException("the Java heap is full", e);
            }
        }

        @Override
        public final boolean delete(long key) {
            return map.remove(key(key)) != null;
        }
    }

    private final class Sharing extends MapSession {
        private byte[] last = new byte[0];
        private final byte[] @Nullable [] batch = new byte[1024][];

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
                batch[i] = value;
                lengths[i] = value == null ? ABSENT : value.length;
                present += value == null ? 0 : 1;
            }
            return present;
        }

        @Override
        public byte[] batchValue(byte[][] into, int i) {
            byte[] value = batch[i];
            return value == null ? into[i] : value;
        }
    }

    private final class Copying extends MapSession {
        @Override
        public int get(long key, byte[] into) {
            byte[] value = map.get(key(key));
            if (value == null) {
                return ABSENT;
            }
            System.arraycopy(value, 0, into, 0, value.length);
            return value.length;
        }
    }

    /** A byte string as a map key. */
    public record ByteString(byte[] bytes, int hash) {
        public ByteString(byte[] bytes) {
            this(bytes, Arrays.hashCode(bytes));
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof ByteString that && Arrays.equals(bytes, that.bytes);
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }
}
