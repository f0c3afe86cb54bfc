package io.loam.bench;

import io.loam.bench.system.Mix;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;

/**
 * Values that can be recognised. One for each thread.
 *
 * <pre>
 *  offset  size  name      meaning
 *       0     8  key       whose value it is
 *       8     4  sequence  which of the thread's values
 *      12     4  check     CRC32C of the body, mixed with key, sequence and length
 *      16     n  body      one of several fillers, so that a value torn between two writes shows
 * </pre>
 *
 * <p>Stamping costs 16 bytes of writing: the fillers' checksums by length are known beforehand.
 */
final class StampedValues {

    /** The shortest value that can be stamped. */
    static final int HEADER_BYTES = 16;

    private static final int VARIANTS = 8;
    private static final int MOST_ARRAY_BYTES = 512 << 10;
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private final int minimumBytes;
    private final int spread;
    private final int variants;
    private final boolean exact;
    /** By variant, then, if exact, by length: an array of exactly that length; else one of the greatest length. */
    private final byte[][][] arrays;

    private final int[][] checks;
    private int sequence;
    private int length;

    StampedValues(int minimumBytes, int maximumBytes, long seed) {
        if (minimumBytes < HEADER_BYTES || maximumBytes < minimumBytes) {
            throw new BadInput("values of " + minimumBytes + " to " + maximumBytes + " bytes; allowed: at least "
                    + HEADER_BYTES + " (they carry key, sequence and checksum), the lower bound first");
        }
        this.minimumBytes = minimumBytes;
        spread = maximumBytes - minimumBytes + 1;
        variants = maximumBytes <= 4096 ? VARIANTS : 2;
        exact = (long) spread * maximumBytes * variants <= MOST_ARRAY_BYTES || spread == 1;
        arrays = new byte[variants][exact ? spread : 1][];
        checks = new int[variants][spread];
        sequence = (int) seed << 20;
        length = minimumBytes;
        SplittableRandom random = new SplittableRandom(0x10A3);
        for (int variant = 0; variant < variants; variant++) {
            byte[] filler = new byte[maximumBytes];
            random.nextBytes(filler);
            CRC32C crc = new CRC32C();
            crc.update(filler, HEADER_BYTES, minimumBytes - HEADER_BYTES);
            for (int i = 0; i < spread; i++) {
                checks[variant][i] = (int) crc.getValue();
                if (exact) {
                    arrays[variant][i] = java.util.Arrays.copyOf(filler, minimumBytes + i);
                }
                if (i + 1 < spread) {
                    crc.update(filler, minimumBytes + i, 1);
                }
            }
            if (!exact) {
                arrays[variant][0] = filler;
            }
        }
    }

    /** The length of the value that {@link #stamp} returned last. */
    int length() {
        return length;
    }

    /** A value for {@code key}; {@code bits} are random and choose the length. The array is reused and may be longer than {@link #length}. */
    byte[] stamp(long key, long bits) {
        return stampExtra(key, spread == 1 ? 0 : (int) Math.unsignedMultiplyHigh(bits * 0x9E3779B97F4A7C15L, spread));
    }

    /** A value for {@code key} of {@code bytes} bytes, as {@link #stamp}. */
    byte[] stampLength(long key, int bytes) {
        return stampExtra(key, bytes - minimumBytes);
    }

    private byte[] stampExtra(long key, int extra) {
        int count = sequence++;
        int variant = count & variants - 1;
        length = minimumBytes + extra;
        byte[] value = arrays[variant][exact ? extra : 0];
        LONG.set(value, 0, key);
        INT.set(value, 8, count);
        INT.set(value, 12, check(key, count, length, checks[variant][extra]));
        return value;
    }

    private static int check(long key, int sequence, int length, int bodyCrc) {
        long mixed = Mix.mix(key ^ ((long) length << 32 | sequence & 0xFFFFFFFFL));
        return (int) (mixed ^ mixed >>> 32) ^ bodyCrc;
    }

    /** Null if these are the bytes of a whole value of {@code key}; else what is wrong. */
    static @org.jspecify.annotations.Nullable String defect(long key, byte[] value, int length) {
        if (length < HEADER_BYTES || length > value.length) {
            return "value of key " + Long.toHexString(key) + " has the length " + length
                    + ", less than its header or more than fits";
        }
        long owner = (long) LONG.get(value, 0);
        if (owner != key) {
            return "value read for key " + Long.toHexString(key) + " belongs to key " + Long.toHexString(owner);
        }
        CRC32C crc = new CRC32C();
        crc.update(value, HEADER_BYTES, length - HEADER_BYTES);
        int expected = check(key, (int) INT.get(value, 8), length, (int) crc.getValue());
        int actual = (int) INT.get(value, 12);
        return expected == actual
                ? null
                : "value of key " + Long.toHexString(key) + " (" + length + " bytes) has the checksum "
                        + Integer.toHexString(actual) + ", its bytes " + Integer.toHexString(expected);
    }

    /** @throws VerificationException if these are not the bytes of a whole value of {@code key} */
    static void verify(long key, byte[] value, int length) {
        String defect = defect(key, value, length);
        if (defect != null) {
            throw new VerificationException(defect);
        }
    }
}
