package io.loam.bench.space;

import java.util.Arrays;
import java.util.function.IntToLongFunction;

/** Time for one of many equal operations. */
final class Timing {

    private static volatile long sink;

    private Timing() {}

    /** Something that does {@code count} operations and returns what the compiler must not drop. */
    interface Loop extends IntToLongFunction {}

    /** Median over slices of about {@code seconds / slices} each, in nanoseconds an operation; before that, as long a warm-up. */
    static double nanosEach(double seconds, int slices, Loop loop) {
        int count = 16;
        long warmUp = (long) (seconds * 1e9);
        long slice = Math.max(1_000_000, warmUp / slices);
        long start = System.nanoTime();
        while (System.nanoTime() - start < warmUp) {
            long before = System.nanoTime();
            sink = loop.applyAsLong(count);
            long took = System.nanoTime() - before;
            count = (int) Math.clamp(
                    (long) (count * Math.clamp((double) slice / Math.max(1, took), 0.5, 2)), 1, 1 << 28);
        }
        double[] each = new double[slices];
        for (int i = 0; i < slices; i++) {
            long before = System.nanoTime();
            sink = loop.applyAsLong(count);
            each[i] = (double) (System.nanoTime() - before) / count;
        }
        Arrays.sort(each);
        return each[slices / 2];
    }
}
