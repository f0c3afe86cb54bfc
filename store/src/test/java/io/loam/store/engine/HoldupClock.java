package io.loam.store.engine;

import java.time.Instant;
import java.time.InstantSource;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Phaser;

/**
 * Holds threads up in the midst of an operation. Each that is to be held waits when it first asks for the time, which it does when it has found an entry that may expire: a reader before
 * it copies, a writer with the home locked before it publishes.
 */
final class HoldupClock implements InstantSource {

    static final long NOW = 1_000;
    /** An expiry that is never reached. */
    static final long LATER = 1_000_000;

    private final Set<Thread> toHold = ConcurrentHashMap.newKeySet();
    private final Phaser arrivals = new Phaser(1);
    private final CountDownLatch released = new CountDownLatch(1);

    /** Before the thread is started. */
    void hold(Thread thread) {
        arrivals.register();
        toHold.add(thread);
    }

    /** Returns when every thread that is to be held is. */
    void awaitArrivals() {
        arrivals.arriveAndAwaitAdvance();
    }

    void release() {
        released.countDown();
    }

    @Override
    public Instant instant() {
        return Instant.ofEpochMilli(millis());
    }

    @Override
    public long millis() {
        if (toHold.remove(Thread.currentThread())) {
            arrivals.arriveAndDeregister();
            try {
                released.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
        return NOW;
    }
}
