package io.loam.server.protocol;

/** The client's bytes are no request; the connection is closed after it was told why. */
public final class ProtocolException extends Exception {
    private static final long serialVersionUID = 1;

    ProtocolException(String message) {
        super(message, null, false, false);
    }
}
