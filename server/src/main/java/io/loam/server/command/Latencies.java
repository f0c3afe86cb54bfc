package io.loam.server.command;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * How many commands took how long, in buckets whose width is at most 1/32 of their durations. One thread records, anyone reads; a reader may miss what is being recorded.
 */
public final class Latencies {

    private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);
    /** Buckets in which durations have the same highest bit. */
    private static final int PER_DOUBLING = 32;

    private static final int SHIFT = 5;
    /** The longest duration that is told from longer ones: 68 s. */
    private static final long MOST_NANOS = (1L << 36) - 1;

    private static final int BUCKETS = bucket(MOST_NANOS) + 1;

    private final long[] counts = new long[BUCKETS];

    /** What a bucket has. */
    @FunctionalInterface
    public interface Visitor {
        /** {@code count} durations, none above {@code highestNanos}, all above the bucket before. */
        void bucket(long highestNanos, long count);
    }

    static int bucket(long nanos) {
        int shift = 63 - SHIFT - Long.numberOfLeadingZeros(nanos | PER_DOUBLING);
        return (shift << SHIFT) + (int) (nanos >>> shift);
    }

    static long highestNanos(int bucket) {
        int shift = Math.max(0, (bucket >>> SHIFT) - 1);
        return (bucket - ((long) shift << SHIFT) + 1 << shift) - 1;
    }

    /** By the one thread that records. */
    public void record(long nanos) {
        int at = bucket(Math.clamp(nanos, 0, MOST_NANOS));
        LONGS.setOpaque(counts, at, counts[at] + 1);
    }

    /** By the one thread that records. */
    void reset() {
        for (int i = 0; i < BUCKETS; i++) {
            LONGS.setOpaque(counts, i, 0L);
        }
    }

    /** Adds what this one has to {@code sum}, which the caller has for itself. */
    public void addTo(Latencies sum) {
        for (int i = 0; i < BUCKETS; i++) {
            sum.counts[i] += (long) LONGS.getOpaque(counts, i);
        }
    }

    /** How many durations were recorded. */
    public long count() {
        return Arrays.stream(counts).sum();
    }

    /** The duration that a share of all don't exceed, ns, up to 1/32 too high; 0 if there are none. @param percent 0 to 100 */
    public long percentileNanos(double percent) {
        long wanted = Math.max(1, (long) Math.ceil(percent / 100 * count()));
        long seen = 0;
        for (int i = 0; i < BUCKETS; i++) {
            seen += counts[i];
            if (seen >= wanted) {
                return highestNanos(i);
            }
        }
        return 0;
    }

    /** How many durations are less than {@code nanos}, a power of two. */
    public long countBelow(long nanos) {
        long sum = 0;
        for (int i = 0; i < BUCKETS && highestNanos(i) < nanos; i++) {
            sum += counts[i];
        }
        return sum;
    }

    /** Visits buckets that have any, ascending. */
    public void forEach(Visitor visitor) {
        for (int i = 0; i < BUCKETS; i++) {
            if (counts[i] > 0) {
                visitor.bucket(highestNanos(i), counts[i]);
            }
        }
    }
}
