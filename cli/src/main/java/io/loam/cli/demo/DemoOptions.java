package io.loam.cli.demo;

import io.loam.store.UpdatePolicy;
import org.jspecify.annotations.Nullable;

/**
 * What the user asks of the demo.
 *
 * @param capacityBytes of the store, or null to fit it to the objects
 * @param threads that write
 * @param turnover how many times the capacity to write
 * @param seconds the longest time to write
 */
record DemoOptions(@Nullable Long capacityBytes, int threads, double turnover, double seconds, UpdatePolicy update) {
    DemoOptions {
        if (threads < 1 || threads > 1024) {
            throw new IllegalArgumentException("--threads " + threads + "; allowed: 1 to 1024");
        }
        if (!(turnover > 0)) {
            throw new IllegalArgumentException("--turnover " + turnover + "; allowed: more than 0");
        }
        if (!(seconds > 0)) {
            throw new IllegalArgumentException("--seconds " + seconds + "; allowed: more than 0");
        }
    }

    Churn.Goal goal(long storeBytes) {
        return new Churn.Goal((long) Math.min(Long.MAX_VALUE / 2, turnover * storeBytes), (long)
                Math.min(Long.MAX_VALUE / 2, seconds * 1e9));
    }
}
