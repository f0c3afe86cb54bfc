package io.loam.memory;

/** Linux error numbers that memory calls give, the same on x86-64 and AArch64. Source: errno(3), asm-generic/errno.h. */
final class Errno {

    static final int EPERM = 1;
    static final int EINTR = 4;
    static final int EAGAIN = 11;
    static final int ENOMEM = 12;
    static final int EACCES = 13;
    static final int EFAULT = 14;
    static final int EBUSY = 16;
    static final int EINVAL = 22;
    static final int ENOSYS = 38;
    static final int EHWPOISON = 133;

    private Errno() {}

    /** Symbolic name, number and meaning: {@code ENOMEM (12, out of memory or address space)}. */
    static String describe(int errno) {
        return switch (errno) {
            case EPERM -> text("EPERM", errno, "not permitted");
            case EINTR -> text("EINTR", errno, "interrupted by a signal");
            case EAGAIN -> text("EAGAIN", errno, "a resource is short at the moment, or a lock limit is reached");
            case ENOMEM -> text("ENOMEM", errno, "out of memory, of address space or of mappings");
            case EACCES -> text("EACCES", errno, "access denied");
            case EFAULT -> text("EFAULT", errno, "bad address, or a page could not be made present");
            case EBUSY -> text("EBUSY", errno, "pages are in use");
            case EINVAL -> text("EINVAL", errno, "invalid argument, or unknown to this kernel");
            case ENOSYS -> text("ENOSYS", errno, "the kernel or a seccomp filter has no such call");
            case EHWPOISON -> text("EHWPOISON", errno, "the memory hardware reported a faulty page");
            default -> "errno " + errno + " (see errno(3))";
        };
    }

    private static String text(String name, int errno, String meaning) {
        return name + " (" + errno + ", " + meaning + ")";
    }
}
