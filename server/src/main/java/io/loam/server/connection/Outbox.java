package io.loam.server.connection;

import io.loam.server.protocol.Push;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What waits for a client besides replies. Any thread adds; the event loop takes.
 *
 * <p>Forbidden: a message lies there and nobody will send it. Who adds one asks for a {@link #claim} after that; one of the adders gets it and has the event loop called. The event loop gives
 * it back by {@link #release} before it takes: a message added before that is taken, a message added after it has the claim to be got again. A loop that can't send now keeps the claim
 * until it can.
 */
final class Outbox {

    private final ConcurrentLinkedQueue<Push> queue = new ConcurrentLinkedQueue<>();
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicBoolean claimed = new AtomicBoolean();

    /** Returns the bytes that wait. */
    long add(Push push) {
        queue.add(push);
        return bytes.addAndGet(push.bytes());
    }

    @Nullable
    Push poll() {
        Push push = queue.poll();
        if (push != null) {
            bytes.addAndGet(-push.bytes());
        }
        return push;
    }

    long bytes() {
        return bytes.get();
    }

    /** Whether the caller has to have the event loop called. */
    boolean claim() {
        return !claimed.get() && claimed.compareAndSet(false, true);
    }

    /** Whether messages may lie there: somebody has claimed the call. */
    boolean isClaimed() {
        return claimed.get();
    }

    void release() {
        claimed.set(false);
    }
}
