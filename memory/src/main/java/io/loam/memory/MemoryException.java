package io.loam.memory;

/**
 * The machine or the kernel refuses something that memory needs. The message names the call, the range, the reason and a way out; the
 * state before the call is kept.
 */
public final class MemoryException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final int errno;

    MemoryException(String message) {
        this(message, 0);
    }

    private MemoryException(String message, int errno) {
        super(message);
        this.errno = errno;
    }

    /** A refusal that came by way of something else, in its words. */
    public MemoryException(RuntimeException cause) {
        super(cause.getMessage(), cause);
        this.errno = 0;
    }

    /** A failed system call: {@code call} as the reader would write it, {@code errno} as the kernel gave it, {@code remedy} a way out. */
    static MemoryException of(String call, int errno, String remedy) {
        return new MemoryException(call + " failed: " + Errno.describe(errno) + "; " + remedy, errno);
    }

    /** The kernel's error number, 0 if no system call was refused. */
    public int errno() {
        return errno;
    }
}
