package io.loam.bench;

/** The user asked for something that can't be done; the message is all there is to say. Exit code 2. */
public final class BadInput extends RuntimeException {
    private static final long serialVersionUID = 1;

    public BadInput(String message) {
        super(message, null, false, false);
    }
}
