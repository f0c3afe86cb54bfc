package io.loam.store.index;

import io.loam.memory.RawMemory;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * A seeded 64-bit hash of byte strings, the same for an array and for memory. Either SipHash-1-3 (Aumasson, Bernstein), which an attacker can't collide without
 * the seed, or a fold of 128-bit products for keys that nobody hostile chooses.
 */
public final class KeyHash {

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long FOLD_A = 0x9E3779B97F4A7C15L;
    private static final long FOLD_B = 0xD6E8FEB86659FD93L;

    private final RawMemory memory;
    private final boolean floodResistant;
    private final long seed0;
    private final long seed1;
    /** What the fold of a key of 8 bytes starts with. */
    private final long seedOf8;

    public KeyHash(RawMemory memory, boolean floodResistant, long seed0, long seed1) {
        this.memory = memory;
        this.floodResistant = floodResistant;
        this.seed0 = seed0;
        this.seed1 = seed1;
        this.seedOf8 = seed0 ^ (FOLD_B << 3);
    }

    public long hash(byte[] key, int offset, int length) {
        return floodResistant ? sip(key, offset, length) : fold(key, offset, length);
    }

    /** The hash of {@code length} bytes at {@code address}. */
    public long hash(long address, int length) {
        return floodResistant ? sip(address, length) : fold(address, length);
    }

    // ---- fold

    private static long mix(long a, long b) {
        return Math.multiplyHigh(a, b) ^ a * b;
    }

    private long fold(byte[] key, int offset, int length) {
        return length == 8
                ? mix(mix(seedOf8 ^ (long) LONG.get(key, offset), FOLD_A) ^ seed1, FOLD_B)
                : foldAny(key, offset, length);
    }

    private long foldAny(byte[] key, int offset, int length) {
        long hash = seed0 ^ length * FOLD_B;
        int position = 0;
        for (; position + 8 <= length; position += 8) {
            hash = mix(hash ^ (long) LONG.get(key, offset + position), FOLD_A);
        }
        return position == length
                ? mix(hash ^ seed1, FOLD_B)
                : mix(mix(hash ^ tail(key, offset + position, length - position), FOLD_A) ^ seed1, FOLD_B);
    }

    private long fold(long address, int length) {
        long hash = seed0 ^ length * FOLD_B;
        int position = 0;
        for (; position + 8 <= length; position += 8) {
            hash = mix(hash ^ memory.getLong(address + position), FOLD_A);
        }
        return position == length
                ? mix(hash ^ seed1, FOLD_B)
                : mix(mix(hash ^ tail(address + position, length - position), FOLD_A) ^ seed1, FOLD_B);
    }

    private static long tail(byte[] key, int offset, int count) {
        long word = 0;
        for (int i = count - 1; i >= 0; i--) {
            word = word << 8 | (key[offset + i] & 0xFF);
        }
        return word;
    }

    private long tail(long address, int count) {
        long word = 0;
        for (int i = count - 1; i >= 0; i--) {
            word = word << 8 | (memory.getByte(address + i) & 0xFF);
        }
        return word;
    }

    // ---- SipHash-1-3; one round is written out where it is used, since Java has no four results

    private long sip(byte[] key, int offset, int length) {
        long v0 = seed0 ^ 0x736f6d6570736575L;
        long v1 = seed1 ^ 0x646f72616e646f6dL;
        long v2 = seed0 ^ 0x6c7967656e657261L;
        long v3 = seed1 ^ 0x7465646279746573L;
        int position = 0;
        boolean last = false;
        while (!last) {
            long word;
            if (position + 8 <= length) {
                word = (long) LONG.get(key, offset + position);
                position += 8;
            } else {
                word = (long) length << 56 | tail(key, offset + position, length - position);
                last = true;
            }
            v3 ^= word;
            v0 += v1;
            v2 += v3;
            v1 = Long.rotateLeft(v1, 13) ^ v0;
            v3 = Long.rotateLeft(v3, 16) ^ v2;
            v0 = Long.rotateLeft(v0, 32);
            v2 += v1;
            v0 += v3;
            v1 = Long.rotateLeft(v1, 17) ^ v2;
            v3 = Long.rotateLeft(v3, 21) ^ v0;
            v2 = Long.rotateLeft(v2, 32);
            v0 ^= word;
        }
        return finish(v0, v1, v2, v3);
    }

    private long sip(long address, int length) {
        long v0 = seed0 ^ 0x736f6d6570736575L;
        long v1 = seed1 ^ 0x646f72616e646f6dL;
        long v2 = seed0 ^ 0x6c7967656e657261L;
        long v3 = seed1 ^ 0x7465646279746573L;
        int position = 0;
        boolean last = false;
        while (!last) {
            long word;
            if (position + 8 <= length) {
                word = memory.getLong(address + position);
                position += 8;
            } else {
                word = (long) length << 56 | tail(address + position, length - position);
                last = true;
            }
            v3 ^= word;
            v0 += v1;
            v2 += v3;
            v1 = Long.rotateLeft(v1, 13) ^ v0;
            v3 = Long.rotateLeft(v3, 16) ^ v2;
            v0 = Long.rotateLeft(v0, 32);
            v2 += v1;
            v0 += v3;
            v1 = Long.rotateLeft(v1, 17) ^ v2;
            v3 = Long.rotateLeft(v3, 21) ^ v0;
            v2 = Long.rotateLeft(v2, 32);
            v0 ^= word;
        }
        return finish(v0, v1, v2, v3);
    }

    private static long finish(long v0, long v1, long v2, long v3) {
        v2 ^= 0xff;
        for (int round = 0; round < 3; round++) {
            v0 += v1;
            v2 += v3;
            v1 = Long.rotateLeft(v1, 13) ^ v0;
            v3 = Long.rotateLeft(v3, 16) ^ v2;
            v0 = Long.rotateLeft(v0, 32);
            v2 += v1;
            v0 += v3;
            v1 = Long.rotateLeft(v1, 17) ^ v2;
            v3 = Long.rotateLeft(v3, 21) ^ v0;
            v2 = Long.rotateLeft(v2, 32);
        }
        return v0 ^ v1 ^ v2 ^ v3;
    }
}
