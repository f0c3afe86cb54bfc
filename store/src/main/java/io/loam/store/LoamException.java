package io.loam.store;

/** The environment or the store's state forbids an operation; the message says what, where and what to do. */
public class LoamException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public LoamException(String message) {
        super(message);
    }

    public LoamException(String message, Throwable cause) {
        super(message, cause);
    }
}
