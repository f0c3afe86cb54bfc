package io.loam.server.command;

import java.time.InstantSource;
import java.util.function.Consumer;

/** Keeps the log readable when somebody makes the same happen again and again: lets ten messages a minute through, and counts the others. Any thread may use it. */
public final class Throttle {

    private static final int MOST = 10;
    private static final long SPAN_MILLIS = 60_000;

    private final InstantSource clock;
    private long since;
    private int passed;
    private long leftOut;

    public Throttle(InstantSource clock) {
        this.clock = clock;
        this.since = clock.millis();
    }

    /** Runs {@code log} unless it has run often lately. It gets the end of the message: how many were left out, or nothing. */
    public void tell(Consumer<String> log) {
        String omitted;
        synchronized (this) {
            long now = clock.millis();
            if (now - since >= SPAN_MILLIS) {
                since = now;
                passed = 0;
            }
            if (passed == MOST) {
                leftOut++;
                return;
            }
            passed++;
            omitted = leftOut == 0 ? "" : " (and " + leftOut + " times more since the last such message)";
            leftOut = 0;
        }
        log.accept(omitted);
    }
}
