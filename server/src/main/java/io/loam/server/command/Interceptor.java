package io.loam.server.command;

import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.Reply;

/** Sees every request that is in form before its command runs. */
@FunctionalInterface
public interface Interceptor {

    /**
     * Whether the request is dealt with: the reply is written and the command does not run.
     *
     * @throws io.loam.server.protocol.RedisError if the request is refused
     */
    boolean intercepts(Session session, Command command, Arguments arguments, Reply reply);
}
