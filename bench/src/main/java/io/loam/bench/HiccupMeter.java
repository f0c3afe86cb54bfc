package io.loam.bench;

import java.util.concurrent.locks.LockSupport;

/**
 * A thread that sleeps for a millisecond at a time and keeps by how much it overslept at most: what the machine and the JVM do to a thread that shares
 * nothing with the system under test. The noise beside which a stall is to be read.
 */
final class HiccupMeter {

    private static final long NAP_NANOS = 1_000_000;

    private volatile long longest;
    private volatile boolean stopped;
    private final Thread thread =
            Thread.ofPlatform().daemon().name("hiccup-meter").start(this::run);

    private void run() {
        while (!stopped) {
            long from = System.nanoTime();
            LockSupport.parkNanos(NAP_NANOS);
            longest = Math.max(longest, System.nanoTime() - from - NAP_NANOS);
        }
    }

    /** Stops the thread; the longest, in nanoseconds. */
    long end() {
        stopped = true;
        LockSupport.unpark(thread);
        return longest;
    }
}
