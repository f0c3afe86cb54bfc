package io.loam.bench.alignments;

/** Of a sequence of numbers, their order included. */
final class Digest {

    private long state = 0x9E3779B97F4A7C15L;

    void add(long value) {
        state = Long.rotateLeft((state ^ value) * 0xBF58476D1CE4E5B9L, 29);
    }

    @Override
    public String toString() {
        return Long.toHexString(state);
    }
}
