package io.loam.server.command;

import io.loam.server.protocol.Arguments;

/** Told of commands that have run for long. */
@FunctionalInterface
public interface CommandObserver {

    CommandObserver NONE = (session, command, arguments, nanos) -> {};

    /** The arguments are valid during the call. */
    void ran(Session session, Command command, Arguments arguments, long nanos);
}
