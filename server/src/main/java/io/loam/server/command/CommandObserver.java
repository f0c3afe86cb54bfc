package io.loam.server.command;

import io.loam.server.protocol.Arguments;

/** Told of commands that have run for long. */
public interface CommandObserver {

    CommandObserver NONE = new CommandObserver() {
        @Override
        public long fromNanos() {
            return Long.MAX_VALUE;
        }

        @Override
        public void ran(Session session, Command command, Arguments arguments, long nanos) {}
    };

    /** The shortest time that is long. Asked after each command. */
    long fromNanos();

    /** By the session's event loop; the arguments are valid during the call. */
    void ran(Session session, Command command, Arguments arguments, long nanos);
}
