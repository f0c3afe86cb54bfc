package io.loam.bench.system;

/** The system under test has no room for a value. */
public final class RefusedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public RefusedException(String message, Throwable cause) {
        super(message, cause, false, false);
    }
}
