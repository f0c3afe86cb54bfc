package io.loam.heap;

/** The heap's content, its file or the machine does not allow what was asked; the message names heap, place and remedy. */
public class HeapException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public HeapException(String message) {
        super(message);
    }

    public HeapException(String message, Throwable cause) {
        super(message, cause);
    }
}
