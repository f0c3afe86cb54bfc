package io.loam.memory;

/**
 * A memory barrier in every running thread of this process, paid by the caller alone (0.5 to 3 µs): the other half of an asymmetric
 * fence, whose frequent side needs only a compiler barrier. It does not reach other processes. Source: membarrier(2), Linux 4.14.
 */
public final class Membarrier {

    private static final int QUERY = 0;
    private static final int PRIVATE_EXPEDITED = 1 << 3;
    private static final int REGISTER_PRIVATE_EXPEDITED = 1 << 4;

    private Membarrier() {}

    /** Whether the kernel offers it and no seccomp filter forbids it. */
    public static boolean isSupported() {
        Platform.check();
        int commands = Native.membarrier(QUERY);
        int needed = PRIVATE_EXPEDITED | REGISTER_PRIVATE_EXPEDITED;
        return commands > 0 && (commands & needed) == needed;
    }

    /** Announces that this process will use {@link #barrier}; idempotent; false if it is not supported. */
    public static boolean register() {
        return isSupported() && Native.membarrier(REGISTER_PRIVATE_EXPEDITED) == 0;
    }

    /**
     * Returns after every running thread of this process has passed a full memory barrier since the call began.
     *
     * @throws MemoryException if {@link #register} has not succeeded before
     */
    public static void barrier() {
        int result = Native.membarrier(PRIVATE_EXPEDITED);
        if (result < 0) {
            throw MemoryException.of(
                    "membarrier(PRIVATE_EXPEDITED)",
                    -result,
                    "call register() first, and use fences where it answers false");
        }
    }
}
