package io.loam.cli.demo;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** The bytes stored for an object's generation: the source's combined with 8 bytes that differ in each. Generation 0 is the source. */
final class Generation {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private Generation() {}

    /** Writes the object's bytes of this generation to the start of {@code target}. */
    static void encode(byte[] source, int generation, byte[] target) {
        long tag = tag(generation);
        int i = 0;
        for (; i <= source.length - 8; i += 8) {
            LONGS.set(target, i, (long) LONGS.get(source, i) ^ tag);
        }
        for (; i < source.length; i++) {
            target[i] = tagged(source[i], tag, i);
        }
    }

    /** The first byte of {@code stored} that is not the object's of this generation, or -1; a wrong length is at the shorter one's end. */
    static int mismatch(byte[] source, int generation, byte[] stored, long length) {
        long tag = tag(generation);
        int common = (int) Math.min(source.length, length);
        int i = 0;
        while (i <= common - 8 && (long) LONGS.get(stored, i) == ((long) LONGS.get(source, i) ^ tag)) {
            i += 8;
        }
        while (i < common && stored[i] == tagged(source[i], tag, i)) {
            i++;
        }
        return i == common && length == source.length ? -1 : i;
    }

    private static byte tagged(byte value, long tag, int index) {
        return (byte) (value ^ tag >>> 8 * (index & 7));
    }

    /** No byte of it is 0 except in generation 0, so even an object of one byte changes. */
    private static long tag(int generation) {
        return generation == 0 ? 0 : generation * GOLDEN | 0x0101010101010101L;
    }
}
