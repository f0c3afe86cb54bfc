package io.loam.bench.system;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** A key as bytes: its 8 bytes little-endian, then, if keys are longer, letters that depend on it. */
public final class KeyBytes {

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private KeyBytes() {}

    public static void encode(long key, byte[] into) {
        LONG.set(into, 0, key);
        for (int i = Long.BYTES; i < into.length; i++) {
            into[i] = (byte) ('a' + (key >>> (i & 31) & 15));
        }
    }

    public static byte[] of(long key, int keyBytes) {
        byte[] bytes = new byte[keyBytes];
        encode(key, bytes);
        return bytes;
    }

    public static long decode(byte[] bytes) {
        return (long) LONG.get(bytes, 0);
    }
}
