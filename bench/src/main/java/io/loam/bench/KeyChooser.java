package io.loam.bench;

import io.loam.bench.system.Mix;

/**
 * Chooses records 0 … n−1, uniformly or by YCSB's scrambled Zipf distribution (rank r with weight 1/r^θ; ranks are hashed to
 * records). One for each thread; a few nanoseconds each.
 *
 * <p>Zipf: the inverse of the distribution function, tabulated at 2^14 equidistant points and interpolated. In the tail a piece spans a
 * thousandth of its rank, within which the weights are equal to the same precision; the head's ranks are met exactly up to the
 * table's step of 6e-5. The table is 128 KiB, so that choosing does not compete with what is measured for the last-level cache.
 */
public final class KeyChooser {

    static final double ZIPF_EXPONENT = 0.99;

    private static final int PIECES = 1 << 14;

    private final long records;
    private final double @org.jspecify.annotations.Nullable [] ranks;
    private long state;

    private KeyChooser(long records, double @org.jspecify.annotations.Nullable [] ranks, long seed) {
        this.records = records;
        this.ranks = ranks;
        state = Mix.mix(seed * 2 + 1) | 1;
    }

    public static KeyChooser uniform(long records, long seed) {
        return new KeyChooser(records, null, seed);
    }

    static KeyChooser zipfian(long records, double[] table, long seed) {
        return new KeyChooser(records, table, seed);
    }

    public static KeyChooser of(String distribution, long records, long seed) {
        return distribution.equals("zipfian")
                ? zipfian(records, zipfTable(records, ZIPF_EXPONENT), seed)
                : uniform(records, seed);
    }

    /** Xorshift: the next 64 random bits. */
    public long bits() {
        long s = state;
        s ^= s << 13;
        s ^= s >>> 7;
        s ^= s << 17;
        state = s;
        return s;
    }

    /** The next record. */
    public long next() {
        long bits = bits();
        if (ranks == null) {
            return Math.unsignedMultiplyHigh(bits, records);
        }
        return Math.unsignedMultiplyHigh(Mix.mix(rank(bits) + 0x9E3779B97F4A7C15L), records);
    }

    /** The next rank, 0 the most frequent. */
    long nextRank() {
        return rank(bits());
    }

    private long rank(long bits) {
        double[] table = java.util.Objects.requireNonNull(ranks);
        int piece = (int) (bits >>> 50);
        double low = table[piece];
        double share = (bits >>> 18 & 0xFFFFFFFFL) * 0x1p-32;
        return Math.min(records - 1, (long) (low + (table[piece + 1] - low) * share));
    }

    /** Where the distribution function reaches i/2^14, as a rank with a fraction. */
    static double[] zipfTable(long records, double exponent) {
        double total = zeta(records, exponent);
        double[] table = new double[PIECES + 1];
        // Exact sums for the head; the integral, which agrees there to 1e-7 of a weight, beyond.
        int head = (int) Math.min(records, 1 << 16);
        double sum = 0;
        int piece = 0;
        for (int rank = 0; rank < head; rank++) {
            double weight = Math.pow(rank + 1.0, -exponent) / total;
            while (piece <= PIECES && (double) piece / PIECES <= sum + weight) {
                table[piece] = rank + ((double) piece / PIECES - sum) / weight;
                piece++;
            }
            sum += weight;
        }
        for (; piece <= PIECES; piece++) {
            double rest = ((double) piece / PIECES - sum) * total;
            double s = 1 - exponent;
            table[piece] = Math.min(records, Math.pow(Math.pow(head + 0.5, s) + rest * s, 1 / s) - 0.5);
        }
        return table;
    }

    private static double zeta(long records, double exponent) {
        double sum = 0;
        int head = (int) Math.min(records, 1 << 16);
        for (int rank = 1; rank <= head; rank++) {
            sum += Math.pow(rank, -exponent);
        }
        if (records > head) {
            double s = 1 - exponent;
            sum += (Math.pow(records + 0.5, s) - Math.pow(head + 0.5, s)) / s;
        }
        return sum;
    }
}
