package io.loam.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * A file mapped as shared memory, locked, that can grow in place: the mapping covers as many addresses as the file may ever need, and those
 * beyond its end come alive when it is extended.
 *
 * <p>Offsets and lengths are in bytes from the file's start. {@link #memory} dies with {@link #close}: an access then throws and
 * does not fault. Touching a page beyond the file's end throws {@link InternalError}; so does one that the file system can't give space
 * for, hence {@link #allocate}.
 */
public final class MappedFile implements AutoCloseable {

    private final Path path;
    private final int descriptor;
    private final Arena arena;
    private final MemorySegment memory;
    private volatile long bytes;

    private MappedFile(Path path, int descriptor, long bytes, long reservedBytes, boolean writable) {
        this.path = path;
        this.descriptor = descriptor;
        this.bytes = bytes;
        int protection = Native.PROT_READ | (writable ? Native.PROT_WRITE : 0);
        long address = NativeFile.map(descriptor, reservedBytes, protection);
        if (address < 0) {
            throw failure(
                    "mmap of " + reservedBytes + " bytes",
                    (int) -address,
                    "raise the limit of address space (ulimit -v)");
        }
        arena = Arena.ofShared();
        memory = MemorySegment.ofAddress(address)
                .reinterpret(reservedBytes, arena, ignored -> Native.munmap(address, reservedBytes));
    }

    /**
     * Makes a new file of {@code bytes} bytes, all zero and without space of its own yet, and locks it for this object alone.
     *
     * @param reservedBytes addresses to map: what it may grow to
     * @throws MemoryException if there is such a file already, or it can't be made
     */
    public static MappedFile create(Path path, long bytes, long reservedBytes) {
        Platform.check();
        int descriptor = NativeFile.open(path.toString(), NativeFile.O_RDWR | NativeFile.O_CREAT | NativeFile.O_EXCL);
        if (descriptor < 0) {
            throw failure(
                    path,
                    "creating",
                    -descriptor,
                    -descriptor == NativeFile.EEXIST
                            ? "a file of this name exists: open it, or delete it first"
                            : "check the directory and its permissions");
        }
        return guarded(descriptor, () -> {
            lock(path, descriptor, true);
            check(path, "extending to " + bytes + " bytes", NativeFile.ftruncate(descriptor, bytes));
            return new MappedFile(path, descriptor, bytes, reservedBytes, true);
        });
    }

    /**
     * Maps an existing file, locked for this object alone if it is writable, else shared with other readers.
     *
     * @param reservedBytes addresses to map; less than the file's length counts as that
     * @throws MemoryException if there is no such file, another process or object holds it, or it can't be mapped
     */
    public static MappedFile open(Path path, long reservedBytes, boolean writable) {
        Platform.check();
        int descriptor = NativeFile.open(path.toString(), writable ? NativeFile.O_RDWR : NativeFile.O_RDONLY);
        if (descriptor < 0) {
            throw failure(
                    path,
                    "opening",
                    -descriptor,
                    -descriptor == NativeFile.ENOENT ? "no such file" : "check the permissions");
        }
        return guarded(descriptor, () -> {
            lock(path, descriptor, writable);
            long bytes = NativeFile.length(descriptor);
            check(path, "asking for the length", (int) Math.min(0, bytes));
            return new MappedFile(path, descriptor, bytes, Math.max(1, Math.max(bytes, reservedBytes)), writable);
        });
    }

    private static MappedFile guarded(int descriptor, java.util.function.Supplier<MappedFile> opening) {
        boolean opened = false;
        try {
            MappedFile file = opening.get();
            opened = true;
            return file;
        } finally {
            if (!opened) {
                NativeFile.close(descriptor);
            }
        }
    }

    private static void lock(Path path, int descriptor, boolean exclusive) {
        int result = NativeFile.tryLock(descriptor, exclusive);
        if (result == -Errno.EAGAIN || result == -Errno.EACCES) {
            throw new MemoryException(path + " is in use: another process, or this one, has it open"
                    + (exclusive ? "" : " for writing") + "; close it there first");
        }
        check(path, "locking", result);
    }

    private static void check(Path path, String call, int result) {
        if (result < 0) {
            throw failure(path, call, -result, remedy(-result));
        }
    }

    private static String remedy(int errno) {
        return errno == NativeFile.ENOSPC
                ? "the file system is full: free some of it, or use another"
                : "see the errno and the kernel's log";
    }

    private static MemoryException failure(Path path, String call, int errno, String remedy) {
        return MemoryException.of(call + " " + path, errno, remedy);
    }

    private MemoryException failure(String call, int errno, String remedy) {
        return failure(path, call, errno, remedy);
    }

    public Path path() {
        return path;
    }

    /** The whole mapping; only its first {@link #bytes} may be touched. */
    public MemorySegment memory() {
        return memory;
    }

    /** The file's length. */
    public long bytes() {
        return bytes;
    }

    /**
     * Takes space of the file system for a range, extending the file if it ends behind its end, so that touching it can't fail later.
     *
     * @throws MemoryException if the file system is full; nothing has changed then
     */
    public void allocate(long offset, long length) {
        int result = NativeFile.allocate(descriptor, offset, length);
        if (result < 0) {
            NativeFile.ftruncate(descriptor, bytes);
            throw failure("reserving " + length + " bytes at offset " + offset + " of", -result, remedy(-result));
        }
        bytes = Math.max(bytes, offset + length);
    }

    /** Gives the space of a range of whole pages back to the file system; it reads as zeros then. False if the file system can't. */
    public boolean punch(long offset, long length) {
        return NativeFile.punch(descriptor, offset, length) == 0;
    }

    /** Writes the pages of a range and what is needed to find them to the medium, and waits for it. */
    public void sync(long offset, long length) {
        long page = Native.pageBytes();
        long from = offset & -page;
        int result = NativeFile.msync(memory.address() + from, offset + length - from);
        if (result < 0) {
            throw failure(
                    "msync of " + length + " bytes at offset " + offset + " of", -result, "the medium failed to write");
        }
    }

    /** Writes the file's length and what it is made of to the medium. */
    public void syncLength() {
        check(path, "fsync of", NativeFile.fsync(descriptor));
    }

    /** Allows or forbids stores to a range of whole pages; a store to a forbidden one ends the JVM. */
    public void protect(long offset, long length, boolean writable) {
        int result = Native.mprotect(
                memory.address() + offset, length, Native.PROT_READ | (writable ? Native.PROT_WRITE : 0));
        if (result < 0) {
            throw failure(
                    "mprotect of " + length + " bytes at offset " + offset + " of", -result, "raise vm.max_map_count");
        }
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
            NativeFile.close(descriptor);
        }
    }
}
