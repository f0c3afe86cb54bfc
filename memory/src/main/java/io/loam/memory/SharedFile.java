package io.loam.memory;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * An open file that processes share: its bytes are really allocated, it can be mapped, and single bytes of it can be locked.
 *
 * <p>A lock belongs to this object, not to the process or a thread: another {@code SharedFile} on the same file conflicts with it, in
 * this process or another, and the kernel ends it when this one is closed or its process dies, however it dies (some 10 ms after a
 * kill). Locked bytes need not exist, so that offsets beyond any content may stand for whatever the caller likes.
 *
 * <p>Safe from any thread. After {@link #close} every method but {@code close} and {@link #path} throws {@link IllegalStateException}.
 */
public final class SharedFile implements AutoCloseable {

    /** Large enough to be worth the call, small enough that a signal which interrupts it costs little. */
    private static final long ALLOCATE_STEP_BYTES = 256L << 20;

    /** Longest access control list that is read, in bytes. */
    private static final int ACL_BYTES_MAX = 4 + 8 * 512;

    private static final String ACL = "system.posix_acl_access";

    private final Path path;
    private final int descriptor;
    private final boolean writable;
    private final ReadWriteLock lifetime = new ReentrantReadWriteLock();
    private boolean closed;

    private SharedFile(Path path, int descriptor, boolean writable) {
        this.path = path;
        this.descriptor = descriptor;
        this.writable = writable;
    }

    /**
     * Creates an empty file for reading and writing; exactly one of several creators succeeds.
     *
     * @param mode the permission bits as chmod(2) takes them, whatever the umask says
     * @throws MemoryException if it exists (errno 17) or can't be created
     */
    public static SharedFile create(Path path, int mode) {
        SharedFile file = open(path, Native.O_RDWR | Native.O_CREAT | Native.O_EXCL, mode, "create");
        try {
            file.setMode(mode);
            return file;
        } catch (Throwable t) {
            file.close();
            throw t;
        }
    }

    /**
     * Opens an existing file.
     *
     * @throws MemoryException if it does not exist (errno 2), is a symbolic link (40), or access is denied (13)
     */
    public static SharedFile open(Path path, boolean writable) {
        return open(path, writable ? Native.O_RDWR : Native.O_RDONLY, 0, "open");
    }

    private static SharedFile open(Path path, int flags, int mode, String verb) {
        Platform platform = Platform.check();
        int result;
        do {
            result = Native.open(
                    path.toString(), flags | Native.O_CLOEXEC | Native.O_NONBLOCK | platform.openNoFollow, mode);
        } while (result == -Errno.EINTR);
        if (result < 0) {
            throw MemoryException.of(verb + " " + path, -result, "check the path and its permissions");
        }
        return new SharedFile(path, result, (flags & Native.O_RDWR) != 0);
    }

    public Path path() {
        return path;
    }

    public boolean isWritable() {
        return writable;
    }

    /** Length in bytes at this moment; another process may change it. */
    public long bytes() {
        Lock use = use();
        try {
            return checked("lseek in", Native.fileBytes(descriptor), "is it a file?");
        } finally {
            use.unlock();
        }
    }

    /**
     * Makes the file {@code bytes} long with all of its space allocated, content kept, new bytes 0. Does not shorten it.
     *
     * @throws MemoryException if there is no space; the file is as long as before then
     */
    public void allocate(long bytes) {
        allocate(0, bytes);
    }

    /**
     * Allocates the space of a range, content kept, new bytes 0, and lengthens the file if the range ends behind its end.
     *
     * @throws MemoryException if there is no space; the file is as long as before then
     */
    public void allocate(long offset, long length) {
        Lock use = use();
        try {
            long before = checked("lseek in", Native.fileBytes(descriptor), "is it a file?");
            for (long done = 0; done < length; ) {
                long step = Math.min(ALLOCATE_STEP_BYTES, length - done);
                int result = Native.fallocate(descriptor, offset + done, step);
                if (result == -Errno.EINTR) {
                    continue;
                }
                if (result < 0) {
                    int ignored = Native.ftruncate(descriptor, before);
                    throw MemoryException.of(
                            "fallocate of " + length + " bytes at offset " + offset + " of " + path,
                            -result,
                            "free space on that file system, or ask for less");
                }
                done += step;
            }
        } finally {
            use.unlock();
        }
    }

    /** Gives the space of a range of whole pages back to the file system; it reads as zeros then. False if the file system can't. */
    public boolean release(long offset, long length) {
        Lock use = use();
        try {
            return Native.fallocate(descriptor, Native.FALLOC_PUNCH_HOLE_KEEP_SIZE, offset, length) == 0;
        } finally {
            use.unlock();
        }
    }

    /** Writes content, length and what is needed to find them to the medium, and waits for it. */
    public void sync() {
        Lock use = use();
        try {
            long ignored =
                    checked("fsync of", Native.fsync(descriptor), "the medium failed to write; see the kernel's log");
        } finally {
            use.unlock();
        }
    }

    /** Shortens or lengthens the file; lengthening allocates nothing. */
    public void truncate(long bytes) {
        Lock use = use();
        try {
            long ignored = checked("ftruncate of", Native.ftruncate(descriptor, bytes), "open it for writing");
        } finally {
            use.unlock();
        }
    }

    /** Sets the permission bits as chmod(2) does. */
    public void setMode(int mode) {
        Lock use = use();
        try {
            long ignored = checked("chmod of", Native.fchmod(descriptor, mode), "only its owner may");
        } finally {
            use.unlock();
        }
    }

    /**
     * Makes this empty file share the content of {@code source} until either changes.
     *
     * @return false if the file system can't; nothing has changed then
     */
    public boolean tryCloneFrom(SharedFile source) {
        Lock use = use();
        try {
            Lock other = source.use();
            try {
                return Native.cloneFile(descriptor, source.descriptor) == 0;
            } finally {
                other.unlock();
            }
        } finally {
            use.unlock();
        }
    }

    /** Sets the access control list, in the kernel's binary form (posix_acl_xattr.h). */
    public void setAcl(byte[] acl) {
        Lock use = use();
        try {
            long ignored = checked(
                    "set the access control list of",
                    Native.fsetxattr(descriptor, ACL, acl),
                    "only its owner may, and the file system must have such lists");
        } finally {
            use.unlock();
        }
    }

    /** The access control list in the kernel's binary form; empty if it has none beside the permission bits. */
    public byte[] acl() {
        Lock use = use();
        try {
            byte[] acl = new byte[ACL_BYTES_MAX];
            int length = Native.fgetxattr(descriptor, ACL, acl);
            return length <= 0 ? new byte[0] : Arrays.copyOf(acl, length);
        } finally {
            use.unlock();
        }
    }

    /**
     * Locks a byte if no other open file has it locked against that. Locking a byte that this one has locked changes its mode.
     *
     * @param exclusive needs a writable file; shared locks go together with each other
     */
    public boolean tryLockByte(long offset, boolean exclusive) {
        Lock use = use();
        try {
            int result = Native.lockBytes(descriptor, Native.F_OFD_SETLK, type(exclusive), offset, 1);
            if (result == -Errno.EAGAIN || result == -Errno.EACCES) {
                return false;
            }
            long ignored = checked("lock a byte of", result, "free file locks (see /proc/locks)");
            return true;
        } finally {
            use.unlock();
        }
    }

    /** Locks a byte, waiting as long as another open file has it locked; blocks the carrier of a virtual thread. */
    public void lockByte(long offset, boolean exclusive) {
        Lock use = use();
        try {
            int result;
            do {
                result = Native.lockBytes(descriptor, Native.F_OFD_SETLKW, type(exclusive), offset, 1);
            } while (result == -Errno.EINTR);
            long ignored = checked("lock a byte of", result, "free file locks (see /proc/locks)");
        } finally {
            use.unlock();
        }
    }

    private static short type(boolean exclusive) {
        return exclusive ? Native.F_WRLCK : Native.F_RDLCK;
    }

    public void unlockByte(long offset) {
        Lock use = use();
        try {
            long ignored = checked(
                    "unlock a byte of",
                    Native.lockBytes(descriptor, Native.F_OFD_SETLK, Native.F_UNLCK, offset, 1),
                    "free file locks (see /proc/locks)");
        } finally {
            use.unlock();
        }
    }

    /**
     * The first byte of a range that another open file has locked, in whatever mode; {@code Long.MAX_VALUE} if there is none. About 2
     * µs. The locks of this object itself do not count.
     */
    public long firstLockedByte(long offset, long bytes) {
        Lock use = use();
        try {
            return checked(
                    "look at the locks of",
                    Native.firstLockedByte(descriptor, offset, bytes),
                    "locks need Linux 3.15 and a local file system");
        } finally {
            use.unlock();
        }
    }

    /**
     * Maps the first {@code bytes} bytes, shared, at {@code address}.
     *
     * @param address in {@link SharedRange}, a multiple of the page size
     * @param bytes may reach beyond the file's end: addresses there can't be used before the file has grown
     * @throws MemoryException with errno 17 if some of the addresses are taken; nothing has changed then
     */
    public SharedMapping map(long address, long bytes, boolean forWriting) {
        if (!SharedRange.contains(address, bytes) || bytes == 0 || address % Native.pageBytes() != 0) {
            throw new IllegalArgumentException(
                    bytes + " bytes at 0x" + Long.toHexString(address) + " are not whole pages in the shared range");
        }
        Lock use = use();
        try {
            long result = Native.mmap(
                    address,
                    bytes,
                    protection(forWriting),
                    Native.MAP_SHARED | Native.MAP_FIXED_NOREPLACE | Native.MAP_NORESERVE,
                    descriptor);
            if (result >= 0 && result != address) {
                int ignored = Native.munmap(result, bytes);
                result = -Errno.EEXIST;
            }
            long ignored = checked(
                    "mmap of " + bytes + " bytes at 0x" + Long.toHexString(address) + " of",
                    result,
                    result == -Errno.EEXIST
                            ? "another mapping of this process is there"
                            : "raise ulimit -v or vm.max_map_count, and open it for writing to write");
            return new SharedMapping(path, address, bytes, forWriting);
        } finally {
            use.unlock();
        }
    }

    /** The address of a mapping of the first {@code bytes} bytes, shared, that this process alone has there. */
    long mapAnywhere(long bytes, boolean forWriting) {
        Lock use = use();
        try {
            return checked(
                    "mmap of " + bytes + " bytes of",
                    Native.mmap(0, bytes, protection(forWriting), Native.MAP_SHARED | Native.MAP_NORESERVE, descriptor),
                    "raise the limit of address space (ulimit -v) or vm.max_map_count");
        } finally {
            use.unlock();
        }
    }

    /** Puts writable pages of the same file in the place of read-only ones; readers do not notice. */
    void mapAgainForWriting(long address, long bytes) {
        Lock use = use();
        try {
            long ignored = checked(
                    "mmap for writing of",
                    Native.mmap(
                            address,
                            bytes,
                            protection(true),
                            Native.MAP_SHARED | Native.MAP_FIXED | Native.MAP_NORESERVE,
                            descriptor),
                    "open it for writing");
        } finally {
            use.unlock();
        }
    }

    private static int protection(boolean forWriting) {
        return forWriting ? Native.PROT_READ | Native.PROT_WRITE : Native.PROT_READ;
    }

    /** Ends the locks of this object. Mappings stay. Idempotent. */
    @Override
    public void close() {
        Lock alone = lifetime.writeLock();
        alone.lock();
        try {
            if (!closed) {
                closed = true;
                int ignored = Native.close(descriptor);
            }
        } finally {
            alone.unlock();
        }
    }

    private Lock use() {
        Lock use = lifetime.readLock();
        use.lock();
        if (closed) {
            use.unlock();
            throw new IllegalStateException(path + " is closed");
        }
        return use;
    }

    private long checked(String call, long result, String remedy) {
        if (result < 0) {
            throw MemoryException.of(call + " " + path, (int) -result, remedy);
        }
        return result;
    }

    @Override
    public String toString() {
        return "SharedFile " + path;
    }
}
