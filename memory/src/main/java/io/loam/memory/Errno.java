package io.loam.memory;

/** Linux error numbers that memory calls give, the same on x86-64 and AArch64. Source: errno(3), asm-generic/errno.h. */
final class Errno {

    static final int EPERM = 1;
    static final int ENOENT = 2;
    static final int EINTR = 4;
    static final int ENXIO = 6;
    static final int EBADF = 9;
    static final int EAGAIN = 11;
    static final int ENOMEM = 12;
    static final int EACCES = 13;
    static final int EFAULT = 14;
    static final int EBUSY = 16;
    static final int EEXIST = 17;
    static final int ENODEV = 19;
    static final int ENOTDIR = 20;
    static final int EISDIR = 21;
    static final int EINVAL = 22;
    static final int ENFILE = 23;
    static final int EMFILE = 24;
    static final int EFBIG = 27;
    static final int ENOSPC = 28;
    static final int EROFS = 30;
    static final int ENAMETOOLONG = 36;
    static final int ENOSYS = 38;
    static final int ELOOP = 40;
    static final int EOPNOTSUPP = 95;
    static final int EDQUOT = 122;
    static final int EHWPOISON = 133;

    private Errno() {}

    /** Symbolic name, number and meaning: {@code ENOMEM (12, out of memory or address space)}. */
    static String describe(int errno) {
        return switch (errno) {
            case EPERM -> text("EPERM", errno, "not permitted");
            case ENOENT -> text("ENOENT", errno, "no such file or directory");
            case EINTR -> text("EINTR", errno, "interrupted by a signal");
            case ENXIO -> text("ENXIO", errno, "a pipe or device, not a file");
            case EBADF -> text("EBADF", errno, "not open, or not open for this");
            case EAGAIN -> text("EAGAIN", errno, "a resource is short at the moment, or a lock limit is reached");
            case ENOMEM -> text("ENOMEM", errno, "out of memory, of address space or of mappings");
            case EACCES -> text("EACCES", errno, "access denied");
            case EFAULT -> text("EFAULT", errno, "bad address, or a page could not be made present");
            case EBUSY -> text("EBUSY", errno, "pages are in use");
            case EEXIST -> text("EEXIST", errno, "exists already");
            case ENODEV -> text("ENODEV", errno, "this file system cannot map files");
            case ENOTDIR -> text("ENOTDIR", errno, "a part of the path is no directory");
            case EISDIR -> text("EISDIR", errno, "is a directory");
            case EINVAL -> text("EINVAL", errno, "invalid argument, or unknown to this kernel");
            case ENFILE -> text("ENFILE", errno, "too many open files on this machine");
            case EMFILE -> text("EMFILE", errno, "too many open files in this process");
            case EFBIG -> text("EFBIG", errno, "larger than the file system or ulimit -f allows");
            case ENOSPC -> text("ENOSPC", errno, "no space left on the file system");
            case EROFS -> text("EROFS", errno, "read-only file system");
            case ENAMETOOLONG -> text("ENAMETOOLONG", errno, "name too long");
            case ENOSYS -> text("ENOSYS", errno, "the kernel or a seccomp filter has no such call");
            case ELOOP -> text("ELOOP", errno, "a symbolic link");
            case EOPNOTSUPP -> text("EOPNOTSUPP", errno, "not supported by this file system");
            case EDQUOT -> text("EDQUOT", errno, "disk quota exceeded");
            case EHWPOISON -> text("EHWPOISON", errno, "the memory hardware reported a faulty page");
            default -> "errno " + errno + " (see errno(3))";
        };
    }

    private static String text(String name, int errno, String meaning) {
        return name + " (" + errno + ", " + meaning + ")";
    }
}
