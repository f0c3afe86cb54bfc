package io.loam.bench;

/**
 * Counts of latencies in nanoseconds, in buckets no wider than 1/128 of their value. Own, because HdrHistogram is no Java module and a
 * runtime image can hold nothing else; a test compares the two. Not thread-safe: one for each thread, then {@link #add}.
 */
public final class LatencyHistogram {

    /** Buckets below this are exact; above, each power of two has 128. */
    private static final int SUB_BITS = 7;

    private static final int SUB_COUNT = 1 << SUB_BITS;

    private final long[] counts = new long[(64 - SUB_BITS) * SUB_COUNT];
    private long total;
    private long maximum;

    private static int bucketOf(long nanos) {
        if (nanos < 2 * SUB_COUNT) {
            return (int) nanos;
        }
        int exponent = 63 - SUB_BITS - Long.numberOfLeadingZeros(nanos);
        return (exponent + 1) * SUB_COUNT + (int) (nanos >>> exponent) - SUB_COUNT;
    }

    private static long middleOf(int bucket) {
        if (bucket < 2 * SUB_COUNT) {
            return bucket;
        }
        int exponent = bucket / SUB_COUNT - 1;
        long lowest = (long) (bucket % SUB_COUNT + SUB_COUNT) << exponent;
        return lowest + (1L << exponent) / 2;
    }

    public void record(long nanos) {
        long value = Math.max(0, nanos);
        counts[bucketOf(value)]++;
        total++;
        if (value > maximum) {
            maximum = value;
        }
    }

    void add(LatencyHistogram other) {
        for (int i = 0; i < counts.length; i++) {
            counts[i] += other.counts[i];
        }
        total += other.total;
        maximum = Math.max(maximum, other.maximum);
    }

    void clear() {
        java.util.Arrays.fill(counts, 0);
        total = 0;
        maximum = 0;
    }

    /** The latency that the share {@code quantile} of all does not exceed; 0 when empty. */
    public long quantile(double quantile) {
        long wanted = Math.max(1, (long) Math.ceil(quantile * total));
        long seen = 0;
        for (int i = 0; i < counts.length; i++) {
            seen += counts[i];
            if (seen >= wanted && total > 0) {
                return Math.min(middleOf(i), maximum);
            }
        }
        return maximum;
    }

    public long total() {
        return total;
    }

    public long maximum() {
        return maximum;
    }

    /** Points of the distribution for a chart: pairs of quantile and nanoseconds. */
    java.util.List<java.util.List<Object>> curve() {
        double[] quantiles = {0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999, 1};
        java.util.List<java.util.List<Object>> points = new java.util.ArrayList<>();
        for (double quantile : quantiles) {
            points.add(java.util.List.of(quantile, quantile(quantile)));
        }
        return points;
    }
}
