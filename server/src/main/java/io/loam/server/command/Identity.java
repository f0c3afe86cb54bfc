package io.loam.server.command;

/** Who a client is; what he may do knows the {@link Authenticator} that has made it. */
public interface Identity {

    /** The user's name. */
    String name();
}
