package io.loam.server.pubsub;

import io.loam.server.protocol.Push;

/** Who gets messages. */
@FunctionalInterface
public interface Subscriber {

    /** Queues a message, to be sent after the reply of the command that runs, if one does. Any thread; waits for nothing. Ends a connection that has too much waiting. */
    void push(Push message);
}
