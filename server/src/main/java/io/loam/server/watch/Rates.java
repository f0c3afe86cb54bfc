package io.loam.server.watch;

import io.loam.server.command.Service;

/** What the server did in each second lately. Sampled by one thread, read by any. */
public final class Rates implements Runnable {

    private final Service service;
    private long seenNanos = System.nanoTime();
    private long calls;
    private long inputBytes;
    private long outputBytes;
    private volatile Sample latest = new Sample(0, 0, 0);

    /** Per second. */
    public record Sample(double commands, double inputBytes, double outputBytes) {}

    Rates(Service service) {
        this.service = service;
    }

    /** About once a second. */
    @Override
    public synchronized void run() {
        long now = System.nanoTime();
        double seconds = Math.max(1, now - seenNanos) / 1e9;
        long newCalls = service.calls();
        long newInput = service.inputBytes().sum();
        long newOutput = service.outputBytes().sum();
        latest = new Sample(
                since(calls, newCalls) / seconds,
                since(inputBytes, newInput) / seconds,
                since(outputBytes, newOutput) / seconds);
        seenNanos = now;
        calls = newCalls;
        inputBytes = newInput;
        outputBytes = newOutput;
    }

    /** The counters may have been set to 0 in between. */
    private static long since(long before, long after) {
        return after >= before ? after - before : after;
    }

    /** Of the last second that is over. */
    public Sample latest() {
        return latest;
    }
}
