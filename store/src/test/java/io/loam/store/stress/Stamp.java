package io.loam.store.stress;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * A value that says whose it is, and proves that it is whole.
 *
 * <pre>
 *   offset  size  name
 *        0     8  key
 *        8     8  sequence    of the writer for this key
 *       16     4  writer
 *       20     4  length      of the whole value
 *       24     8  extra       for the test's own use, an expiry for instance
 *       32     8  checksum    of the fields above
 *       40     -  pattern     follows from the checksum
 * </pre>
 */
public record Stamp(long key, long sequence, int writer, int length, long extra) {
    public static final int MIN_BYTES = 40;
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private static long mix(long z) {
        long a = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        long b = (a ^ (a >>> 27)) * 0x94D049BB133111EBL;
        return b ^ (b >>> 31);
    }

    private long checksum() {
        return mix(mix(mix(mix(key + 1) ^ sequence) ^ ((long) writer << 32 | length)) ^ extra);
    }

    public byte[] toBytes() {
        byte[] bytes = new byte[length];
        long checksum = checksum();
        LONG.set(bytes, 0, key);
        LONG.set(bytes, 8, sequence);
        INT.set(bytes, 16, writer);
        INT.set(bytes, 20, length);
        LONG.set(bytes, 24, extra);
        LONG.set(bytes, 32, checksum);
        int at = MIN_BYTES;
        for (; at + 8 <= length; at += 8) {
            LONG.set(bytes, at, mix(checksum + at));
        }
        for (; at < length; at++) {
            bytes[at] = (byte) mix(checksum + at);
        }
        return bytes;
    }

    /** Checks that the bytes from {@code from} on are a whole value of this key; {@link AssertionError} says what is wrong. */
    public static Stamp check(byte[] bytes, int from, int length, long key) {
        if (length < MIN_BYTES) {
            throw new AssertionError("key " + key + ": a value of " + length + " bytes, never written");
        }
        Stamp stamp = new Stamp(
                (long) LONG.get(bytes, from),
                (long) LONG.get(bytes, from + 8),
                (int) INT.get(bytes, from + 16),
                (int) INT.get(bytes, from + 20),
                (long) LONG.get(bytes, from + 24));
        long checksum = stamp.checksum();
        if (stamp.key != key || (long) LONG.get(bytes, from + 32) != checksum || stamp.length != length) {
            throw new AssertionError("key " + key + ": read " + length + " bytes headed " + stamp + ", checksum "
                    + Long.toHexString((long) LONG.get(bytes, from + 32)) + " expected " + Long.toHexString(checksum));
        }
        int at = MIN_BYTES;
        for (; at + 8 <= length; at += 8) {
            if ((long) LONG.get(bytes, from + at) != mix(checksum + at)) {
                throw new AssertionError("key " + key + ": torn at byte " + at + " of " + stamp);
            }
        }
        for (; at < length; at++) {
            if (bytes[from + at] != (byte) mix(checksum + at)) {
                throw new AssertionError("key " + key + ": torn at byte " + at + " of " + stamp);
            }
        }
        return stamp;
    }

    public static Stamp check(byte[] bytes, long key) {
        return check(bytes, 0, bytes.length, key);
    }

    /** The bytes of key number {@code key}: 8 to 40 of them, the number first. */
    public static byte[] key(long key) {
        byte[] bytes = new byte[8 + (int) (mix(key) & 31)];
        LONG.set(bytes, 0, key);
        for (int i = 8; i < bytes.length; i++) {
            bytes[i] = (byte) key;
        }
        return bytes;
    }

    public static long keyNumber(byte[] key) {
        return (long) LONG.get(key, 0);
    }
}
