package io.loam.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A range of addresses of this process. Its pages are zero and cost nothing until they are touched, and can be given back one by one.
 *
 * <p>All methods are safe from any thread. {@link #close} waits for calls in progress, so that no call ever reaches addresses that
 * the kernel may have given to somebody else; accesses by {@link RawMemory} are not counted and must have ended. After {@code close}
 * every method but {@code close}, {@link #address} and {@link #bytes} throws {@link IllegalStateException}.
 *
 * <p>Offsets and lengths are in bytes; unless said otherwise they must be multiples of {@link #pageBytes()}.
 */
public final class Reservation implements AutoCloseable {

    /** Big enough to be worth the call, small enough that a refusal comes soon and that closing threads don't wait for long. */
    private static final long POPULATE_STEP_BYTES = 64L << 20;

    private final long address;
    private final long bytes;
    private final ReadWriteLock lifetime = new ReentrantReadWriteLock();
    private boolean closed;

    private Reservation(long address, long bytes) {
        this.address = address;
        this.bytes = bytes;
    }

    /**
     * Reserves {@code bytes} bytes at an address that is a multiple of {@code alignment}. No memory is used yet.
     *
     * @param bytes more than 0, rounded up to whole pages
     * @param alignment a power of two; less than a page counts as a page; 2 MiB lets huge pages fit
     * @throws MemoryException if the address space is refused (ulimit -v, strict overcommit) or the platform is not supported
     */
    public static Reservation reserve(long bytes, long alignment) {
        Platform.check();
        if (bytes <= 0) {
            throw new IllegalArgumentException("a reservation needs more than 0 bytes, " + bytes + " given");
        }
        if (Long.bitCount(alignment) != 1 || alignment <= 0) {
            throw new IllegalArgumentException("alignment must be a power of two, " + alignment + " given");
        }
        long page = Native.pageBytes();
        long slack = Math.max(alignment, page) - page;
        long whole = (bytes + page - 1) & -page;
        if (whole <= 0 || whole + slack <= 0) {
            throw MemoryException.of(
                    call(bytes, alignment), Errno.ENOMEM, "ask for less: this is beyond any address space");
        }
        long start = Native.mmap(
                0,
                whole + slack,
                Native.PROT_READ | Native.PROT_WRITE,
                Native.MAP_PRIVATE | Native.MAP_ANONYMOUS | Native.MAP_NORESERVE);
        if (start < 0) {
            throw MemoryException.of(
                    call(bytes, alignment),
                    (int) -start,
                    "ask for less, or raise the limit of address space (ulimit -v), of mappings (vm.max_map_count), or allow"
                            + " overcommit (vm.overcommit_memory is 2 if strict); " + ProcessMemory.summary());
        }
        long aligned = (start + slack) & -Math.max(alignment, page);
        trim(start, aligned - start);
        trim(aligned + whole, start + slack - aligned);
        return new Reservation(aligned, whole);
    }

    private static String call(long bytes, long alignment) {
        return "mmap of " + bytes + " bytes aligned to " + alignment;
    }

    private static void trim(long address, long bytes) {
        if (bytes > 0) {
            int result = Native.munmap(address, bytes);
            if (result < 0) {
                throw MemoryException.of(
                        "munmap of " + bytes + " bytes around a reservation", -result, "raise vm.max_map_count");
            }
        }
    }

    /** The kernel's page size in bytes, the unit of offsets and lengths. */
    public static int pageBytes() {
        Platform.check();
        return Native.pageBytes();
    }

    /** Machine address of the first byte. */
    public long address() {
        return address;
    }

    /** Length in bytes, a multiple of the page size. */
    public long bytes() {
        return bytes;
    }

    /** All of it, read-only. Every access after {@code arena} is closed throws {@link IllegalStateException}. */
    public MemorySegment view(Arena arena) {
        return MemorySegment.ofAddress(address).reinterpret(bytes, arena, null).asReadOnly();
    }

    /**
     * Asks for huge pages in a range, or for none. Takes effect on pages that become present later.
     *
     * @return false if the kernel has no transparent huge pages; a range that is advised may still get none where they are switched
     *     off or memory is fragmented (see {@link HugePages#state})
     */
    public boolean adviseHugePages(long offset, long bytes, boolean wanted) {
        checkRange(offset, bytes);
        Lock use = use();
        try {
            int result = advise(offset, bytes, wanted ? Native.MADV_HUGEPAGE : Native.MADV_NOHUGEPAGE);
            if (result < 0 && result != -Errno.EINVAL) {
                throw failure(
                        wanted ? "madvise(MADV_HUGEPAGE)" : "madvise(MADV_NOHUGEPAGE)",
                        offset,
                        bytes,
                        result,
                        "see the kernel's log");
            }
            return result == 0;
        } finally {
            use.unlock();
        }
    }

    /**
     * Makes huge pages of a range at once, copying what is present: about 5 s/GiB, content kept, accesses stay legal meanwhile.
     *
     * @return false if the kernel can't (before Linux 6.1, no huge page free); nothing has changed for the reader then
     */
    public boolean collapse(long offset, long bytes) {
        checkRange(offset, bytes);
        Lock use = use();
        try {
            return advise(offset, bytes, Native.MADV_COLLAPSE) == 0;
        } finally {
            use.unlock();
        }
    }

    /**
     * Makes every page of a range present and writable now, content kept, so that no access pays or fails for it later.
     *
     * @throws MemoryException if the memory is refused; pages that became present before stay, {@link #release} gives them back
     */
    public void populate(long offset, long bytes) {
        checkRange(offset, bytes);
        checkAvailable(offset, bytes);
        long done = 0;
        do {
            long step = Math.min(POPULATE_STEP_BYTES, bytes - done);
            Lock use = use();
            try {
                populateStep(offset + done, step);
            } finally {
                use.unlock();
            }
            done += step;
        } while (done < bytes);
    }

    /**
     * Refuses what the machine or the cgroup can't give: the kernel would not refuse but kill the process. An estimate, and others
     * may take the memory meanwhile; a populated range that is populated again needs none.
     */
    private void checkAvailable(long offset, long length) {
        long available = ProcessMemory.availableBytes();
        if (length <= available) {
            return;
        }
        long missing = length - residentBytes(offset, length);
        if (missing > available) {
            throw MemoryException.of(
                    "populating " + length + " bytes at offset " + offset + " of a reservation of " + bytes + " bytes",
                    Errno.ENOMEM,
                    "ask for less, free memory or raise the cgroup's limit; " + ProcessMemory.summary());
        }
    }

    /** How much of a range is present, in bytes. */
    private long residentBytes(long offset, long length) {
        long resident = 0;
        try (Arena arena = Arena.ofConfined()) {
            long pages = POPULATE_STEP_BYTES / Native.pageBytes();
            MemorySegment present = arena.allocate(pages);
            for (long done = 0; done < length; done += POPULATE_STEP_BYTES) {
                long step = Math.min(POPULATE_STEP_BYTES, length - done);
                Lock use = use();
                try {
                    int result = Native.mincore(address + offset + done, step, present);
                    if (result < 0) {
                        throw failure("mincore", offset + done, step, result, "see mincore(2)");
                    }
                } finally {
                    use.unlock();
                }
                for (long page = 0; page < step / Native.pageBytes(); page++) {
                    resident += (present.get(ValueLayout.JAVA_BYTE, page) & 1) * (long) Native.pageBytes();
                }
            }
        }
        return resident;
    }

    private void populateStep(long offset, long bytes) {
        int result;
        do {
            result = advise(offset, bytes, Native.MADV_POPULATE_WRITE);
        } while (result == -Errno.EINTR || result == -Errno.EAGAIN);
        if (result == -Errno.EINVAL) {
            touch(offset, bytes);
        } else if (result < 0) {
            throw failure(
                    "madvise(MADV_POPULATE_WRITE)", offset, bytes, result, "free memory or raise the cgroup's limit");
        }
    }

    /** For kernels before 5.14. An atomic add of 0, because others may write to the same pages. */
    private void touch(long offset, long bytes) {
        RawMemory memory = RawMemory.ofProcess();
        for (long position = offset; position < offset + bytes; position += Native.pageBytes()) {
            memory.getAndAddLong(address + position, 0);
        }
    }

    /** Gives a range's pages back to the kernel; it reads as zeros afterwards and can be written again at once. */
    public void release(long offset, long bytes) {
        checkRange(offset, bytes);
        Lock use = use();
        try {
            dontNeed(offset, bytes);
        } finally {
            use.unlock();
        }
    }

    private void dontNeed(long offset, long bytes) {
        int result = advise(offset, bytes, Native.MADV_DONTNEED);
        if (result < 0) {
            throw failure("madvise(MADV_DONTNEED)", offset, bytes, result, "locked memory (mlock) can't be given back");
        }
    }

    /**
     * Gives all pages back but keeps the range mapped and legal to read and write: a late reader sees zeros instead of a crash. A late
     * writer gets a fresh page, which {@link #close} frees.
     */
    public void discard() {
        Lock use = use();
        try {
            dontNeed(0, bytes);
        } finally {
            use.unlock();
        }
    }

    /** Makes the whole range read-only: <b>a write kills the JVM</b>. Content stays. For the time when no writer can be left. */
    public void protectReadOnly() {
        Lock use = use();
        try {
            int result = Native.mprotect(address, bytes, Native.PROT_READ);
            if (result < 0) {
                throw failure("mprotect(PROT_READ)", 0, bytes, result, "raise vm.max_map_count");
            }
        } finally {
            use.unlock();
        }
    }

    /**
     * Prefers memory of a node for pages of a range that become present later; other nodes help out when it is full. A hint: nothing
     * happens on a machine with one node, for a node that the machine doesn't have (a simulated topology's), or where the kernel or
     * a container's filter forbids it.
     *
     * @param node as numbered by {@link Topology#ofMachine}
     */
    public void bindToNode(long offset, long bytes, int node) {
        checkRange(offset, bytes);
        if (node < 0) {
            throw new IllegalArgumentException("node " + node + " is negative");
        }
        MachineTopology machine = MachineTopology.INSTANCE;
        Lock use = use();
        try {
            if (machine.nodeCount() == 1 || node >= machine.nodeCount()) {
                return;
            }
            int result = bytes == 0 ? 0 : Native.mbindPreferred(address + offset, bytes, machine.kernelNode(node));
            if (result < 0 && result != -Errno.ENOSYS && result != -Errno.EPERM) {
                throw failure(
                        "mbind to node " + node,
                        offset,
                        bytes,
                        result,
                        "check the cpuset's memory nodes (Mems_allowed)");
            }
        } finally {
            use.unlock();
        }
    }

    /** Unmaps the range once calls in progress have ended; any access by {@link RawMemory} afterwards may kill the JVM. Idempotent. */
    @Override
    public void close() {
        Lock alone = lifetime.writeLock();
        alone.lock();
        try {
            if (closed) {
                return;
            }
            int result = Native.munmap(address, bytes);
            if (result < 0) {
                throw failure("munmap", 0, bytes, result, "raise vm.max_map_count");
            }
            closed = true;
        } finally {
            alone.unlock();
        }
    }

    private int advise(long offset, long bytes, int advice) {
        return bytes == 0 ? 0 : Native.madvise(address + offset, bytes, advice);
    }

    /** Keeps the range mapped until the lock is released. */
    private Lock use() {
        Lock use = lifetime.readLock();
        use.lock();
        if (closed) {
            use.unlock();
            throw new IllegalStateException("the reservation of " + bytes + " bytes is closed");
        }
        return use;
    }

    private void checkRange(long offset, long length) {
        if (offset < 0 || length < 0 || offset > bytes - length) {
            throw new IllegalArgumentException("range of " + length + " bytes from offset " + offset
                    + " is outside the reservation's " + bytes + " bytes");
        }
        long pageMask = Native.pageBytes() - 1L;
        if (((offset | length) & pageMask) != 0) {
            throw new IllegalArgumentException("range of " + length + " bytes from offset " + offset
                    + " is not made of whole pages of " + Native.pageBytes() + " bytes");
        }
    }

    private MemoryException failure(String call, long offset, long length, int result, String remedy) {
        return MemoryException.of(
                call + " of " + length + " bytes at offset " + offset + " of a reservation of " + bytes + " bytes",
                -result,
                remedy + "; " + ProcessMemory.summary());
    }

    @Override
    public String toString() {
        return "Reservation of " + bytes + " bytes at 0x" + Long.toHexString(address);
    }
}
