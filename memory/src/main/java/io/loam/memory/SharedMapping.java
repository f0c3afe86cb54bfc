package io.loam.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;

/**
 * Part of a {@link SharedFile} in this process's memory. Accesses go through {@link RawMemory}.
 *
 * <p>If another process shortens the file, an access beyond its new end throws an {@link InternalError}, at once or a few
 * instructions later; a load that faulted has an arbitrary result until then. A write to a mapping that is not for writing, and any
 * access after {@link #close}, kills the JVM: whoever hands out addresses checks before.
 */
public final class SharedMapping implements AutoCloseable {

    private static final long HUGE_PAGE_BYTES = 2L << 20;

    private final Path path;
    private final long address;
    private final long bytes;
    private volatile boolean writable;
    private boolean closed;

    SharedMapping(Path path, long address, long bytes, boolean writable) {
        this.path = path;
        this.address = address;
        this.bytes = bytes;
        this.writable = writable;
    }

    public long address() {
        return address;
    }

    /** Length of the mapping in bytes; the file may be shorter. */
    public long bytes() {
        return bytes;
    }

    public boolean isWritable() {
        return writable;
    }

    /** The whole mapping as a read-only segment of the arena's life. The mapping must stay open as long as the segment is used. */
    public MemorySegment view(Arena arena) {
        return MemorySegment.ofAddress(address).reinterpret(bytes, arena, null).asReadOnly();
    }

    /** Makes a read-only mapping one for writing, in place. */
    public synchronized void makeWritable(SharedFile file) {
        checkOpen();
        if (!writable) {
            file.mapAgainForWriting(address, bytes);
            writable = true;
        }
    }

    /**
     * Asks for huge pages where pages become present later, and makes huge pages of the present ones among the first {@code length}
     * bytes: about 5 s/GiB if they are small yet, content kept, other processes go on meanwhile and profit too.
     *
     * @return whether the kernel did so everywhere; where it did not, everything works and costs more
     */
    public synchronized boolean makeHuge(long length) {
        checkOpen();
        boolean advised = Native.madvise(address, bytes, Native.MADV_HUGEPAGE) == 0;
        long whole = length & -HUGE_PAGE_BYTES;
        boolean collapsed = whole > 0;
        for (long done = 0; done < whole && collapsed; done += HUGE_PAGE_BYTES) {
            collapsed = Native.madvise(address + done, HUGE_PAGE_BYTES, Native.MADV_COLLAPSE) == 0;
        }
        return advised && collapsed;
    }

    /**
     * Makes the pages of the first {@code length} bytes present and writable now, huge ones where advised.
     *
     * @return false if the kernel can't, or refuses the memory
     */
    public synchronized boolean populate(long length) {
        checkOpen();
        int result;
        do {
            result = Native.madvise(address, length, Native.MADV_POPULATE_WRITE);
        } while (result == -Errno.EINTR || result == -Errno.EAGAIN);
        return result == 0;
    }

    /** How many bytes of the mapping lie in huge pages, as this process maps them now; 0 if the kernel doesn't say. Slow. */
    public long hugePageBytes() {
        List<String> lines = ProcFile.lines(Path.of("/proc/self/smaps"));
        String start = Long.toHexString(address) + "-";
        long huge = 0;
        boolean here = false;
        for (String line : lines) {
            if (line.startsWith(start)) {
                here = true;
            } else if (here && line.startsWith("VmFlags:")) {
                break;
            } else if (here && (line.startsWith("ShmemPmdMapped:") || line.startsWith("FilePmdMapped:"))) {
                huge += ProcFile.number(line.replaceAll("\\D", "")).orElse(0) << 10;
            }
        }
        return huge;
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the mapping of " + path + " is closed");
        }
    }

    /** Unmaps it: any access afterwards may kill the JVM. Idempotent. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        int result = Native.munmap(address, bytes);
        if (result < 0) {
            throw MemoryException.of("munmap of " + bytes + " bytes of " + path, -result, "raise vm.max_map_count");
        }
        closed = true;
    }

    @Override
    public String toString() {
        return bytes + " bytes of " + path + " at 0x" + Long.toHexString(address);
    }
}
