package io.loam.heap;

/** No room for an object: the heap has reached its maximum, is too fragmented for it, or its file system is full. Nothing has changed. */
public final class HeapFullException extends HeapException {

    private static final long serialVersionUID = 1L;

    HeapFullException(String message) {
        super(message);
    }

    HeapFullException(String message, Throwable cause) {
        super(message, cause);
    }
}
