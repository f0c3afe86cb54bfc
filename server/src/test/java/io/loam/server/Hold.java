package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.keyspace.KeyEvents;
import io.loam.server.keyspace.Keyspace;
import java.util.EnumSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Holds the next command that does something to a key, or misses one, in its midst: after that, with its locks. On the thread that runs it. */
final class Hold implements AutoCloseable {

    private final Keyspace keyspace;
    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch mayEnd = new CountDownLatch(1);

    Hold(LoamServer server) {
        keyspace = server.service().keyspace();
        keyspace.setEvents(
                (kind, event, database, key) -> {
                    begun.countDown();
                    try {
                        mayEnd.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                EnumSet.allOf(KeyEvents.Class.class));
    }

    /** Waits until a command is held; those that come now are not. */
    void await() throws InterruptedException {
        assertThat(begun.await(60, TimeUnit.SECONDS)).isTrue();
        keyspace.setEvents(KeyEvents.NONE, EnumSet.noneOf(KeyEvents.Class.class));
    }

    /** Lets it go on. */
    @Override
    public void close() {
        mayEnd.countDown();
    }
}
