package io.loam.store.history;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A value by its length and a digest of its bytes. The digest is polynomial, so that the digest of an appended value follows from its
 * parts; values of different content collide with a chance of 2^-64 or so.
 */
record Value(long digest, int length) {
    private static final long FACTOR = 0x9E3779B97F4A7C15L;
    static final Value EMPTY = new Value(0, 0);

    static Value of(byte[] bytes) {
        return EMPTY.append(bytes);
    }

    static Value ofLong(long number) {
        return of(bytesOfLong(number));
    }

    static byte[] bytesOfLong(long number) {
        return ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(number)
                .array();
    }

    Value append(byte[] suffix) {
        long sum = digest;
        for (byte b : suffix) {
            sum = sum * FACTOR + (b & 0xFF) + 1;
        }
        return new Value(sum, length + suffix.length);
    }
}
