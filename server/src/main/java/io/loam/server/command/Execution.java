package io.loam.server.command;

import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.Reply;

/** What a command does. */
@FunctionalInterface
public interface Execution {

    /**
     * Does it, and writes its reply.
     *
     * @throws io.loam.server.protocol.RedisError if it is refused; what was written is taken back and the error written
     * @throws Offload if it has to be done by a thread that may wait
     */
    void execute(Session session, Arguments arguments, Reply reply);
}
