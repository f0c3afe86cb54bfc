package io.loam.memory;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.Charset;

/**
 * The project's only downcalls: libc's memory calls, by java.lang.foreign. glibc and musl export all of them.
 *
 * <p>Calls answer as the kernel does: 0 or a result, or the negated errno. Callers turn that into a {@link MemoryException}, because
 * only they know what it means there. {@link Platform#check} comes before the first use of this class.
 */
final class Native {

    static final int PROT_READ = 1;
    static final int PROT_WRITE = 2;

    static final int MAP_SHARED = 0x01;
    static final int MAP_PRIVATE = 0x02;
    static final int MAP_FIXED = 0x10;
    static final int MAP_ANONYMOUS = 0x20;
    static final int MAP_NORESERVE = 0x4000;
    /** Since Linux 4.17; an older kernel takes the address for a hint. */
    static final int MAP_FIXED_NOREPLACE = 0x100000;

    static final int O_RDONLY = 0;
    static final int O_RDWR = 2;
    static final int O_CREAT = 0x40;
    static final int O_EXCL = 0x80;
    static final int O_NONBLOCK = 0x800;
    static final int O_CLOEXEC = 0x80000;

    static final int SEEK_END = 2;

    static final int MS_SYNC = 4;

    /** Both together: FALLOC_FL_KEEP_SIZE and FALLOC_FL_PUNCH_HOLE. */
    static final int FALLOC_PUNCH_HOLE_KEEP_SIZE = 3;

    /** The ioctl that shares one file's blocks with another: _IOW(0x94, 9, int), the same on x86-64 and AArch64. */
    static final long FICLONE = 0x40049409L;

    /** Locks that belong to an open file, not to a process; since Linux 3.15. */
    static final int F_OFD_GETLK = 36;

    static final int F_OFD_SETLK = 37;
    static final int F_OFD_SETLKW = 38;
    static final short F_RDLCK = 0;
    static final short F_WRLCK = 1;
    static final short F_UNLCK = 2;

    static final int MADV_DONTNEED = 4;
    static final int MADV_HUGEPAGE = 14;
    static final int MADV_NOHUGEPAGE = 15;
    /** Since Linux 5.14. */
    static final int MADV_POPULATE_WRITE = 23;
    /** Since Linux 6.1. */
    static final int MADV_COLLAPSE = 25;

    static final int MPOL_PREFERRED = 1;

    private static final Platform PLATFORM = Platform.check();
    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final Linker.Option CAPTURE = Linker.Option.captureCallState("errno");

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final AddressLayout POINTER = ValueLayout.ADDRESS;

    private static final MethodHandle MMAP =
            handle("mmap", FunctionDescriptor.of(LONG, LONG, LONG, INT, INT, INT, LONG), CAPTURE);
    private static final MethodHandle MUNMAP = handle("munmap", FunctionDescriptor.of(INT, LONG, LONG), CAPTURE);
    private static final MethodHandle MADVISE = handle("madvise", FunctionDescriptor.of(INT, LONG, LONG, INT), CAPTURE);
    private static final MethodHandle MEMBARRIER = handle(
            "syscall", FunctionDescriptor.of(LONG, LONG, INT, INT, INT), CAPTURE, Linker.Option.firstVariadicArg(1));
    /** The kernel's struct flock on 64-bit machines. */
    private static final StructLayout FLOCK = MemoryLayout.structLayout(
            ValueLayout.JAVA_SHORT.withName("type"),
            ValueLayout.JAVA_SHORT.withName("whence"),
            MemoryLayout.paddingLayout(4),
            LONG.withName("start"),
            LONG.withName("length"),
            INT.withName("pid"),
            MemoryLayout.paddingLayout(4));

    private static final long FLOCK_TYPE = FLOCK.byteOffset(MemoryLayout.PathElement.groupElement("type"));
    private static final long FLOCK_START = FLOCK.byteOffset(MemoryLayout.PathElement.groupElement("start"));
    private static final long FLOCK_LENGTH = FLOCK.byteOffset(MemoryLayout.PathElement.groupElement("length"));

    /** How the JVM names files. */
    private static final Charset PATHS = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));

    private static final MethodHandle GETPAGESIZE = handle("getpagesize", FunctionDescriptor.of(INT));
    /** Critical, that is without a thread state transition: 3 ns; it answers from the vDSO and never blocks. */
    private static final MethodHandle SCHED_GETCPU =
            handle("sched_getcpu", FunctionDescriptor.of(INT), Linker.Option.critical(false));

    /** Critical with heap access: the collector can't move the array meanwhile, since the thread reaches no safepoint. Keep copies short. */
    private static final MethodHandle MEMCPY_OUT =
            handle("memcpy", FunctionDescriptor.of(LONG, POINTER, LONG, LONG), Linker.Option.critical(true));

    private static final MethodHandle MEMCPY_IN =
            handle("memcpy", FunctionDescriptor.of(LONG, LONG, POINTER, LONG), Linker.Option.critical(true));
    private static final MethodHandle MEMCPY =
            handle("memcpy", FunctionDescriptor.of(LONG, LONG, LONG, LONG), Linker.Option.critical(false));
    private static final boolean GLIBC =
            LINKER.defaultLookup().find("gnu_get_libc_version").isPresent();

    private static final int PAGE_BYTES = readPageBytes();

    /** Calls that a store of its own never makes. To link a call takes milliseconds, so these are linked when the first is made. */
    private static final class Later {

        static final MethodHandle MPROTECT = handle("mprotect", FunctionDescriptor.of(INT, LONG, LONG, INT), CAPTURE);
        static final MethodHandle MINCORE = handle("mincore", FunctionDescriptor.of(INT, LONG, LONG, POINTER), CAPTURE);
        static final MethodHandle MBIND = handle(
                "syscall",
                FunctionDescriptor.of(LONG, LONG, LONG, LONG, LONG, POINTER, LONG, LONG),
                CAPTURE,
                Linker.Option.firstVariadicArg(1));
        static final MethodHandle OPEN = handle(
                "open", FunctionDescriptor.of(INT, POINTER, INT, INT), CAPTURE, Linker.Option.firstVariadicArg(2));
        static final MethodHandle CLOSE = handle("close", FunctionDescriptor.of(INT, INT), CAPTURE);
        static final MethodHandle LSEEK = handle("lseek", FunctionDescriptor.of(LONG, INT, LONG, INT), CAPTURE);
        static final MethodHandle FTRUNCATE = handle("ftruncate", FunctionDescriptor.of(INT, INT, LONG), CAPTURE);
        static final MethodHandle FALLOCATE =
                handle("fallocate", FunctionDescriptor.of(INT, INT, INT, LONG, LONG), CAPTURE);
        static final MethodHandle FSYNC = handle("fsync", FunctionDescriptor.of(INT, INT), CAPTURE);
        static final MethodHandle MSYNC = handle("msync", FunctionDescriptor.of(INT, LONG, LONG, INT), CAPTURE);
        static final MethodHandle FCHMOD = handle("fchmod", FunctionDescriptor.of(INT, INT, INT), CAPTURE);
        static final MethodHandle FSETXATTR =
                handle("fsetxattr", FunctionDescriptor.of(INT, INT, POINTER, POINTER, LONG, INT), CAPTURE);
        static final MethodHandle FGETXATTR =
                handle("fgetxattr", FunctionDescriptor.of(LONG, INT, POINTER, POINTER, LONG), CAPTURE);
        static final MethodHandle FCNTL = handle(
                "fcntl", FunctionDescriptor.of(INT, INT, INT, POINTER), CAPTURE, Linker.Option.firstVariadicArg(2));
        static final MethodHandle IOCTL =
                handle("ioctl", FunctionDescriptor.of(INT, INT, LONG, INT), CAPTURE, Linker.Option.firstVariadicArg(2));

        private Later() {}
    }

    private Native() {}

    private static MethodHandle handle(String name, FunctionDescriptor signature, Linker.Option... options) {
        MemorySegment function = LINKER.defaultLookup()
                .find(name)
                .orElseThrow(() -> new MemoryException(
                        "this C library has no function " + name + "; use glibc 2.17, musl 1.2 or newer"));
        return LINKER.downcallHandle(function, signature, options);
    }

    private static int readPageBytes() {
        try {
            return (int) GETPAGESIZE.invokeExact();
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Size of the kernel's base page in bytes: 4, 16 or 64 KiB. */
    static int pageBytes() {
        return PAGE_BYTES;
    }

    /** The address of the new mapping of anonymous memory, or the negated errno. */
    static long mmap(long address, long bytes, int protection, int flags) {
        return mmap(address, bytes, protection, flags, -1);
    }

    /** The address of the new mapping of a file's first {@code bytes} bytes, or the negated errno. */
    static long mmap(long address, long bytes, int protection, int flags, int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            long result = (long) MMAP.invokeExact(state, address, bytes, protection, flags, descriptor, 0L);
            return result == -1 ? -errno(state) : result;
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** 0 or the negated errno. */
    static int munmap(long address, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return answer((int) MUNMAP.invokeExact(state, address, bytes), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** 0 or the negated errno. */
    static int madvise(long address, long bytes, int advice) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return answer((int) MADVISE.invokeExact(state, address, bytes, advice), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** 0 or the negated errno. */
    static int mprotect(long address, long bytes, int protection) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return answer((int) Later.MPROTECT.invokeExact(state, address, bytes, protection), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Fills {@code vector}, a byte per base page, whose lowest bit says whether the page is resident; 0 or the negated errno. */
    static int mincore(long address, long bytes, MemorySegment vector) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return answer((int) Later.MINCORE.invokeExact(state, address, bytes, vector), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** The result, 0 or more, or the negated errno. */
    static int membarrier(int command) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return answer((int) (long) MEMBARRIER.invokeExact(state, PLATFORM.membarrierCall, command, 0, 0), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Prefers the kernel's node {@code node} for the pages of a range that are not present yet; 0 or the negated errno. */
    static int mbindPreferred(long address, long bytes, int node) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int words = (node >>> 6) + 1;
            MemorySegment mask = arena.allocate(LONG, words);
            mask.setAtIndex(LONG, node >>> 6, 1L << (node & 63));
            // the kernel reads one bit less than it is told
            long result = (long) Later.MBIND.invokeExact(
                    state, PLATFORM.mbindCall, address, bytes, (long) MPOL_PREFERRED, mask, words * 64L + 1, 0L);
            return answer((int) result, state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** The descriptor, or the negated errno. */
    static int open(String path, int flags, int mode) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment name = arena.allocateFrom(path, PATHS);
            return answer((int) Later.OPEN.invokeExact(state, name, flags, mode), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** 0 or the negated errno; the descriptor is gone in any case. */
    static int close(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return answer((int) Later.CLOSE.invokeExact(state, descriptor), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Length of a file in bytes, or the negated errno. */
    static long fileBytes(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            long result = (long) Later.LSEEK.invokeExact(state, descriptor, 0L, SEEK_END);
            return result == -1 ? -errno(state) : result;
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** 0 or the negated errno. */
    static int ftruncate(int descriptor, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return answer((int) Later.FTRUNCATE.invokeExact(state, descriptor, bytes), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Allocates a range of a file and makes the file that long, content kept; 0 or the negated errno. */
    static int fallocate(int descriptor, long offset, long bytes) {
        return fallocate(descriptor, 0, offset, bytes);
    }

    /** As fallocate(2) with a mode; 0 or the negated errno. */
    static int fallocate(int descriptor, int mode, long offset, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return answer((int) Later.FALLOCATE.invokeExact(state, descriptor, mode, offset, bytes), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Writes a file and its length to the medium; 0 or the negated errno. */
    static int fsync(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return answer((int) Later.FSYNC.invokeExact(state, descriptor), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Writes the pages of a mapped file to the medium and waits for it; 0 or the negated errno. */
    static int msync(long address, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return answer((int) Later.MSYNC.invokeExact(state, address, bytes, MS_SYNC), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** 0 or the negated errno. */
    static int fchmod(int descriptor, int mode) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return answer((int) Later.FCHMOD.invokeExact(state, descriptor, mode), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Makes {@code descriptor} share the content of {@code source}, where the file system can; 0 or the negated errno. */
    static int cloneFile(int descriptor, int source) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return answer((int) Later.IOCTL.invokeExact(state, descriptor, FICLONE, source), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Sets an extended attribute; 0 or the negated errno. */
    static int fsetxattr(int descriptor, String name, byte[] value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment attribute = arena.allocateFrom(name);
            MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_BYTE, value);
            return answer(
                    (int) Later.FSETXATTR.invokeExact(state, descriptor, attribute, bytes, (long) value.length, 0),
                    state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Reads an extended attribute of up to {@code value.length} bytes; its length or the negated errno. */
    static int fgetxattr(int descriptor, String name, byte[] value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment attribute = arena.allocateFrom(name);
            MemorySegment bytes = arena.allocate(value.length);
            int result = answer(
                    (int) (long) Later.FGETXATTR.invokeExact(state, descriptor, attribute, bytes, (long) value.length),
                    state);
            MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, 0, value, 0, value.length);
            return result;
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Locks or unlocks a range of bytes of a file for this open file ({@code F_OFD_SETLK}, {@code F_OFD_SETLKW}); 0 or the negated errno. */
    static int lockBytes(int descriptor, int command, short type, long offset, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment range = range(arena, type, offset, bytes);
            return answer((int) Later.FCNTL.invokeExact(state, descriptor, command, range), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /**
     * Offset of the first byte of a range that another open file has locked, {@code Long.MAX_VALUE} if there is none, or the negated
     * errno. A lock that began before the range counts from the range's start.
     */
    static long firstLockedByte(int descriptor, long offset, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment range = range(arena, F_WRLCK, offset, bytes);
            int result = answer((int) Later.FCNTL.invokeExact(state, descriptor, F_OFD_GETLK, range), state);
            if (result < 0) {
                return result;
            }
            return range.get(ValueLayout.JAVA_SHORT, FLOCK_TYPE) == F_UNLCK
                    ? Long.MAX_VALUE
                    : Math.max(offset, range.get(LONG, FLOCK_START));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    private static MemorySegment range(Arena arena, short type, long offset, long bytes) {
        MemorySegment range = arena.allocate(FLOCK);
        range.set(ValueLayout.JAVA_SHORT, FLOCK_TYPE, type);
        range.set(LONG, FLOCK_START, offset);
        range.set(LONG, FLOCK_LENGTH, bytes);
        return range;
    }

    /** The kernel's number of the CPU that runs the calling thread, negative if it can't tell. */
    static int schedGetcpu() {
        try {
            return (int) SCHED_GETCPU.invokeExact();
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Whether {@link #copyOut} and {@link #copyIn} are worth it: glibc picks its memcpy by CPU, musl's is a byte-wise string move. */
    static boolean copiesFast() {
        return GLIBC;
    }

    /** Copies to the start of {@code to}, which may be a heap segment and must hold {@code bytes} bytes: unchecked. */
    static void copyOut(long from, MemorySegment to, long bytes) {
        try {
            long ignored = (long) MEMCPY_OUT.invokeExact(to, from, bytes);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Copies from the start of {@code from}, which may be a heap segment and must hold {@code bytes} bytes: unchecked. */
    static void copyIn(MemorySegment from, long to, long bytes) {
        try {
            long ignored = (long) MEMCPY_IN.invokeExact(to, from, bytes);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Copies between ranges of native memory that do not overlap: unchecked. */
    static void copy(long from, long to, long bytes) {
        try {
            long ignored = (long) MEMCPY.invokeExact(to, from, bytes);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    private static int answer(int result, MemorySegment state) {
        return result == -1 ? -errno(state) : result;
    }

    private static int errno(MemorySegment state) {
        return (int) ERRNO.get(state, 0L);
    }

    private static RuntimeException unexpected(Throwable t) {
        if (t instanceof RuntimeException e) {
            return e;
        }
        if (t instanceof Error e) {
            throw e;
        }
        return new IllegalStateException("a downcall threw a checked exception", t);
    }
}
