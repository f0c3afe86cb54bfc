package io.loam.bench.system;

/** Bijective scrambling of 64 bits. */
public final class Mix {

    private Mix() {}

    /** The multiply-and-shift finaliser that {@code limit.c} uses. */
    public static long mix(long x) {
        x ^= x >>> 32;
        x *= 0xd6e8feb86659fd93L;
        x ^= x >>> 32;
        x *= 0xd6e8feb86659fd93L;
        return x ^ x >>> 32;
    }

    /** The key of record {@code id} (0, 1, …): uniform over all 64-bit numbers, never 0. */
    public static long keyOf(long id) {
        return mix(id + 1);
    }
}
