package io.loam.memory.region;

/**
 * Who takes part in something shared, by identity. An identity is {@code generation << 16 | slot + 1}: positive, at most 48 bits, and
 * never given out twice.
 */
public interface Liveness {

    /** Slots that identities have. */
    int MAX_SLOTS = 256;

    /** The caller's own identity. */
    long self();

    /** Whether a participant is still there. A false answer stays true for ever; a dead one may count as alive for some 10 ms. */
    boolean isAlive(long identity);

    /** Slots from this one on have never been used by anybody who could hold something. */
    int usedSlots();

    static int slot(long identity) {
        return (int) (identity & 0xffff) - 1;
    }

    static long generation(long identity) {
        return identity >>> 16;
    }

    static long identity(long generation, int slot) {
        return generation << 16 | slot + 1;
    }
}
