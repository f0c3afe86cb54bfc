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

/**
 * The project's only downcalls: libc's memory calls, by java.lang.foreign. glibc and musl export all of them.
 *
 * <p>Calls answer as the kernel does: 0 or a result, or the negated errno. Callers turn that into a {@link MemoryException}, because
 * only they know what it means there. {@link Platform#check} comes before the first use of this class.
 */
final class Native {

    static final int PROT_READ = 1;
    static final int PROT_WRITE = 2;

    static final int MAP_PRIVATE = 0x02;
    static final int MAP_FIXED = 0x10;
    static final int MAP_ANONYMOUS = 0x20;
    static final int MAP_NORESERVE = 0x4000;

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
    private static final MethodHandle MPROTECT =
            handle("mprotect", FunctionDescriptor.of(INT, LONG, LONG, INT), CAPTURE);
    private static final MethodHandle MINCORE =
            handle("mincore", FunctionDescriptor.of(INT, LONG, LONG, POINTER), CAPTURE);
    private static final MethodHandle MEMBARRIER = handle(
            "syscall", FunctionDescriptor.of(LONG, LONG, INT, INT, INT), CAPTURE, Linker.Option.firstVariadicArg(1));
    private static final MethodHandle MBIND = handle(
            "syscall",
            FunctionDescriptor.of(LONG, LONG, LONG, LONG, LONG, POINTER, LONG, LONG),
            CAPTURE,
            Linker.Option.firstVariadicArg(1));
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
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            long result = (long) MMAP.invokeExact(state, address, bytes, protection, flags, -1, 0L);
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
            return answer((int) MPROTECT.invokeExact(state, address, bytes, protection), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Fills {@code vector}, a byte per base page, whose lowest bit says whether the page is resident; 0 or the negated errno. */
    static int mincore(long address, long bytes, MemorySegment vector) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return answer((int) MINCORE.invokeExact(state, address, bytes, vector), state);
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
            long result = (long) MBIND.invokeExact(
                    state, PLATFORM.mbindCall, address, bytes, (long) MPOL_PREFERRED, mask, words * 64L + 1, 0L);
            return answer((int) result, state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
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
