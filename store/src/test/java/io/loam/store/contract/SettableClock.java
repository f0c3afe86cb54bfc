package io.loam.store.contract;

import java.time.Instant;
import java.time.InstantSource;

/** A clock that stands still until it is moved. */
public final class SettableClock implements InstantSource {

    private volatile long millis = 1_800_000_000_000L;

    @Override
    public long millis() {
        return millis;
    }

    @Override
    public Instant instant() {
        return Instant.ofEpochMilli(millis);
    }

    /** By one thread at a time. */
    public void advanceMillis(long by) {
        millis += by;
    }
}
