package io.loam.bench;

/** A system returned something that was never stored under that key. Ends the run: a wrong store has no speed. */
final class VerificationException extends RuntimeException {
    private static final long serialVersionUID = 1;

    VerificationException(String message) {
        super(message);
    }
}
