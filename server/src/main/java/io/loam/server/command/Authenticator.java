package io.loam.server.command;

import org.jspecify.annotations.Nullable;

/** Knows users and their passwords. */
public interface Authenticator {

    /** Whether clients begin unauthenticated. */
    boolean isRequired();

    /** Whether there is a password at all for the default user. */
    default boolean hasPassword() {
        return isRequired();
    }

    /** The user's name if the password is right, else null. Takes the same time for every wrong password. */
    @Nullable
    String authenticate(String user, byte[] password);
}
