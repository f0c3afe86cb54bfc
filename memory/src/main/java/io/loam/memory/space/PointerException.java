package io.loam.memory.space;

/**
 * A pointer that the address space a thread is in does not let through; nothing was read or written. The message names pointer, region
 * and space.
 */
public final class PointerException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** Why. */
    public enum Reason {
        /** The context is in no address space. */
        NOT_INSIDE,
        /** No region of the space has the address: it belongs to another space, or to nothing. */
        WRONG_SPACE,
        /** The region that has the address has been detached, removed or deleted. */
        DETACHED,
        /** It begins in a region and lies, or reaches, beyond its end. */
        OUT_OF_BOUNDS,
        /** A write to a region that the space has for reading. */
        READ_ONLY,
        /** Not the thread that the context belongs to. */
        WRONG_THREAD
    }

    private final Reason reason;
    private final long pointer;

    PointerException(Reason reason, long pointer, String message) {
        super("pointer 0x" + Long.toHexString(pointer) + ": " + message);
        this.reason = reason;
        this.pointer = pointer;
    }

    public Reason reason() {
        return reason;
    }

    public long pointer() {
        return pointer;
    }
}
