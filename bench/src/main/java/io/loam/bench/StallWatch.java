package io.loam.bench;

import java.util.Map;

/**
 * Times every operation of one thread and keeps the longest. On a machine that others use too, the longest time by the clock is often
 * the scheduler's: so the CPU time that the thread itself had used around each slow operation is kept as well, how long it was ready and had no CPU around the
 * longest; {@link #hiccup} says how long the same thread is held up when it does nothing.
 */
final class StallWatch {

    private static final long SLOW_NANOS = 1_000_000;
    private static final int CPU_EVERY = 256;

    private final LatencyHistogram latency = new LatencyHistogram();
    private long longest;
    private long longestCpu;
    private long slow;
    private long cpuMark = ProcessFigures.threadCpuNanos();
    private long queuedMark = ProcessFigures.threadQueuedNanos();
    private long longestQueued;
    private int sinceMark;
    private long start;

    void begin() {
        if (++sinceMark == CPU_EVERY) {
            sinceMark = 0;
            cpuMark = ProcessFigures.threadCpuNanos();
            queuedMark = ProcessFigures.threadQueuedNanos();
        }
        start = System.nanoTime();
    }

    void end() {
        long nanos = System.nanoTime() - start;
        latency.record(nanos);
        if (nanos >= SLOW_NANOS) {
            slow++;
            if (nanos > longest) {
                longestQueued = Math.min(nanos, ProcessFigures.threadQueuedNanos() - queuedMark);
            }
            longestCpu = Math.max(longestCpu, Math.min(nanos, ProcessFigures.threadCpuNanos() - cpuMark));
        }
        longest = Math.max(longest, nanos);
    }

    LatencyHistogram latency() {
        return latency;
    }

    /**
     * @param figures gets {@code longest…Nanos} by the clock, {@code longest…CpuNanos}: at most so much of a slow operation (of 1 ms or
     *     more) was the thread's own work, 0 if none was slow, {@code longest…QueuedNanos}: at most so much of the longest the thread was ready and had no CPU,
     *     {@code slow…}: how many there were, and percentiles
     */
    void report(String what, Map<String, Object> figures) {
        figures.put(what + "P50Nanos", latency.quantile(0.5));
        figures.put(what + "P99Nanos", latency.quantile(0.99));
        figures.put(what + "P999Nanos", latency.quantile(0.999));
        figures.put(what + "LongestStallNanos", longest);
        figures.put(what + "LongestStallCpuNanos", longestCpu);
        figures.put(what + "LongestStallQueuedNanos", longestQueued);
        figures.put(what + "SlowOperations", slow);
    }

    /** The longest time that the calling thread was held up in {@code millis} of doing nothing but looking at the clock. */
    static long hiccup(long millis) {
        long end = System.nanoTime() + millis * 1_000_000;
        long longest = 0;
        long last = System.nanoTime();
        while (last < end) {
            long now = System.nanoTime();
            longest = Math.max(longest, now - last);
            last = now;
        }
        return longest;
    }
}
