package io.loam.store.crash;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Named places between the steps of a protocol. With {@code -Dloam.crash=NAME:COUNT} the JVM ends at the COUNT-th passage of NAME as if it were killed: at once, without unlocking or closing anything.
 * With {@code -Dloam.fail=NAME:COUNT} that passage throws instead. Without these properties the calls are nothing: the compiler drops them.
 */
public final class CrashPoint {

    private static final String FAILS = System.getProperty("loam.fail", "");
    private static final String ARMED = System.getProperty("loam.crash", FAILS);
    private static final boolean IS_ARMED = !ARMED.isEmpty();
    private static final String NAME = IS_ARMED ? ARMED.substring(0, ARMED.indexOf(':')) : "";
    private static final AtomicInteger LEFT =
            new AtomicInteger(IS_ARMED ? Integer.parseInt(ARMED.substring(ARMED.indexOf(':') + 1)) : 0);

    private CrashPoint() {}

    public static void at(String name) {
        if (IS_ARMED && NAME.equals(name) && LEFT.decrementAndGet() == 0) {
            if (!FAILS.isEmpty()) {
                throw new IllegalStateException("failed on purpose at " + name);
            }
            Runtime.getRuntime().halt(137);
        }
    }
}
