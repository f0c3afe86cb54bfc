package io.loam.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * A {@link SharedFile} that one object has for itself, mapped as a MemorySegment, that can grow in place: the mapping covers as many addresses as the file may ever need, and
 * those beyond its end come alive when it is extended.
 *
 * <p>Offsets and lengths are in bytes from the file's start. {@link #memory} dies with {@link #close}: an access then throws and
 * does not fault. Touching a page beyond the file's end throws {@link InternalError}; so does one that the file system can't give space
 * for, hence {@link #allocate}.
 */
public final class MappedFile implements AutoCloseable {

    private static final int MODE = 0600;
    /** The byte whose lock stands for the whole file. */
    private static final long LOCK = 0;

    private final SharedFile file;
    private final Arena arena;
    private final MemorySegment memory;
    private volatile long bytes;

    private MappedFile(SharedFile file, long bytes, long reservedBytes) {
        this.file = file;
        this.bytes = bytes;
        long address = file.mapAnywhere(reservedBytes, file.isWritable());
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
        SharedFile file = SharedFile.create(path, MODE);
        return closingOnFailure(file, () -> {
            lock(file);
            file.truncate(bytes);
            return new MappedFile(file, bytes, reservedBytes);
        });
    }

    /**
     * Maps an existing file, locked for this object alone if it is writable, else shared with other readers.
     *
     * @param reservedBytes addresses to map; less than the file's length counts as that
     * @throws MemoryException if there is no such file, another process or object holds it, or it can't be mapped
     */
    public static MappedFile open(Path path, long reservedBytes, boolean writable) {
        SharedFile file = SharedFile.open(path, writable);
        return closingOnFailure(file, () -> {
            lock(file);
            long bytes = file.bytes();
            return new MappedFile(file, bytes, Math.max(1, Math.max(bytes, reservedBytes)));
        });
    }

    private interface Opening {
        MappedFile run();
    }

    private static MappedFile closingOnFailure(SharedFile file, Opening opening) {
        boolean opened = false;
        try {
            MappedFile mapped = opening.run();
            opened = true;
            return mapped;
        } finally {
            if (!opened) {
                file.close();
            }
        }
    }

    private static void lock(SharedFile file) {
        if (!file.tryLockByte(LOCK, file.isWritable())) {
            throw new MemoryException(file.path() + " is in use: another process, or this one, has it open"
                    + (file.isWritable() ? "" : " for writing") + "; close it there first");
        }
    }

    public Path path() {
        return file.path();
    }

    public boolean isWritable() {
        return file.isWritable();
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
     * @throws MemoryException if the file system is full; the file is as long as before then
     */
    public void allocate(long offset, long length) {
        file.allocate(offset, length);
        bytes = Math.max(bytes, offset + length);
    }

    /** As {@link SharedFile#release}. */
    public boolean release(long offset, long length) {
        return file.release(offset, length);
    }

    /** Writes the pages of a range and what is needed to find them to the medium, and waits for it. */
    public void sync(long offset, long length) {
        long from = offset & -Native.pageBytes();
        int result = Native.msync(memory.address() + from, offset + length - from);
        if (result < 0) {
            throw MemoryException.of(
                    "msync of " + length + " bytes at offset " + offset + " of " + path(),
                    -result,
                    "the medium failed to write; see the kernel's log");
        }
    }

    /** Writes the file's length and what it is made of to the medium. */
    public void syncLength() {
        file.sync();
    }

    /** Allows or forbids stores to a range of whole pages; a store to a forbidden one ends the JVM. */
    public void protect(long offset, long length, boolean writable) {
        int result = Native.mprotect(
                memory.address() + offset, length, Native.PROT_READ | (writable ? Native.PROT_WRITE : 0));
        if (result < 0) {
            throw MemoryException.of(
                    "mprotect of " + length + " bytes at offset " + offset + " of " + path(),
                    -result,
                    "raise vm.max_map_count");
        }
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
            file.close();
        }
    }
}
