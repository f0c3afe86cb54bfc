package io.loam.memory;

/**
 * A memory barrier in every running thread of this process, paid by the caller alone (0.5 to 3 µs): the other half of an asymmetric
 * fence, whose frequent side needs only a compiler barrier. {@link #globalBarrier} reaches other processes too, those that have announced themselves.
 * Source: membarrier(2), Linux 4.14 and 4.16.
 */
public final class Membarrier {

    private static final int QUERY = 0;
    private static final int GLOBAL_EXPEDITED = 1 << 1;
    private static final int REGISTER_GLOBAL_EXPEDITED = 1 << 2;
    private static final int PRIVATE_EXPEDITED = 1 << 3;
    private static final int REGISTER_PRIVATE_EXPEDITED = 1 << 4;

    private Membarrier() {}

    /** Whether the kernel offers it and no seccomp filter forbids it. */
    public static boolean isSupported() {
        Platform.check();
        return offers(PRIVATE_EXPEDITED | REGISTER_PRIVATE_EXPEDITED);
    }

    private static boolean offers(int needed) {
        int commands = Native.membarrier(QUERY);
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

    /** Makes this process one that {@link #globalBarrier} of any process reaches; idempotent; false if the kernel or a seccomp filter refuses. */
    public static boolean registerGlobal() {
        Platform.check();
        return offers(GLOBAL_EXPEDITED | REGISTER_GLOBAL_EXPEDITED)
                && Native.membarrier(REGISTER_GLOBAL_EXPEDITED) == 0;
    }

    /**
     * Returns after every running thread of every process that has registered by {@link #registerGlobal} has passed a full memory barrier since the call began.
     *
     * @throws MemoryException if the kernel refuses
     */
    public static void globalBarrier() {
        int result = Native.membarrier(GLOBAL_EXPEDITED);
        if (result < 0) {
            throw MemoryException.of(
                    "membarrier(GLOBAL_EXPEDITED)", -result, "use fences where registerGlobal() answers false");
        }
    }
}
