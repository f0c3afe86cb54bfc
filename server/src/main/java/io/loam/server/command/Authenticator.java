package io.loam.server.command;

import io.loam.server.protocol.Arguments;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Knows users, their passwords, and what they may do. */
public interface Authenticator {

    /** Of a server without users: everybody is {@code default} and may do everything. */
    Authenticator OPEN = new Authenticator() {
        @Override
        public Identity initial() {
            return () -> "default";
        }

        @Override
        public boolean isRequired() {
            return false;
        }

        @Override
        public boolean hasPassword() {
            return false;
        }

        @Override
        public @Nullable Identity authenticate(Session session, String user, byte[] password, String asked) {
            return user.equals("default") ? initial() : null;
        }

        @Override
        public void checkQueued(Session session, Command command, Arguments arguments) {}

        @Override
        public boolean allowsChannel(Session session, byte[] name, boolean isPattern) {
            return true;
        }

        @Override
        public List<String> lines() {
            return List.of();
        }
    };

    /** Who a client is that has not said it. */
    Identity initial();

    /** Whether clients have to say who they are. */
    boolean isRequired();

    /** Whether there is a password for the default user. */
    boolean hasPassword();

    /**
     * The user if the password is right, else null. Takes the same time for every wrong password and every unknown user.
     *
     * @param asked the command that asks, as the client wrote it; for the log of refusals
     */
    @Nullable
    Identity authenticate(Session session, String user, byte[] password, String asked);

    /**
     * Checks a request that was queued in a transaction, once more before it runs.
     *
     * @throws io.loam.server.protocol.RedisError if the user may not do it any more
     */
    void checkQueued(Session session, Command command, Arguments arguments);

    /**
     * Whether a client may listen to a channel, or to all of a pattern. A family that has made a client a subscriber asks this once more, after the session's activity says so: rules that
     * change in between are seen by this, or the subscriber by who changes them.
     */
    boolean allowsChannel(Session session, byte[] name, boolean isPattern);

    /** Each user as a line of a configuration file. */
    List<String> lines();
}
