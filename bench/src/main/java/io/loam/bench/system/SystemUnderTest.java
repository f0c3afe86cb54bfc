package io.loam.bench.system;

import java.util.Map;
import java.util.function.BooleanSupplier;

/** A key-value system as the experiments see it. */
public abstract class SystemUnderTest implements AutoCloseable {

    /** A way in for one thread. */
    public abstract Session newSession();

    /** How many keys it holds, or -1 if it can't say. */
    public abstract long size();

    /** What it says of itself, by figure name. */
    public Map<String, Object> figures() {
        return Map.of();
    }

    /** Whether a value read while others write must be whole; false only for the limit, which controls no concurrency. */
    public boolean readsWholeValues() {
        return true;
    }

    /** Whether it may drop entries by itself. */
    public boolean evicts() {
        return false;
    }

    /** Visits every key and looks at its value while {@code running}; how many were visited. */
    public long scan(BooleanSupplier running) {
        throw new UnsupportedOperationException("not measured for this system");
    }

    @Override
    public abstract void close();
}
