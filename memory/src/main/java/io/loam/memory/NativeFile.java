package io.loam.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/** libc's file calls, beside {@link Native}'s memory calls and in its manner: answers are 0 or a result, or the negated errno. */
final class NativeFile {

    static final int O_RDONLY = 0;
    static final int O_RDWR = 2;
    static final int O_CREAT = 0x40;
    static final int O_EXCL = 0x80;
    static final int O_CLOEXEC = 0x80000;

    static final int MAP_SHARED = 1;

    static final int ENOENT = 2;
    static final int EEXIST = 17;
    static final int ENOSPC = 28;

    private static final int MS_SYNC = 4;
    private static final int F_OFD_SETLK = 37;
    private static final short F_RDLCK = 0;
    private static final short F_WRLCK = 1;
    private static final int FALLOC_PUNCH_HOLE_KEEP_SIZE = 3;
    private static final int SEEK_END = 2;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final Linker.Option CAPTURE = Linker.Option.captureCallState("errno");

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    private static final MethodHandle OPEN = handle(
            "open",
            FunctionDescriptor.of(INT, ValueLayout.ADDRESS, INT, INT),
            CAPTURE,
            Linker.Option.firstVariadicArg(2));
    private static final MethodHandle CLOSE = handle("close", FunctionDescriptor.of(INT, INT), CAPTURE);
    private static final MethodHandle FTRUNCATE = handle("ftruncate", FunctionDescriptor.of(INT, INT, LONG), CAPTURE);
    private static final MethodHandle LSEEK = handle("lseek", FunctionDescriptor.of(LONG, INT, LONG, INT), CAPTURE);
    /** Answers an errno itself. */
    private static final MethodHandle POSIX_FALLOCATE =
            handle("posix_fallocate", FunctionDescriptor.of(INT, INT, LONG, LONG));

    private static final MethodHandle FALLOCATE =
            handle("fallocate", FunctionDescriptor.of(INT, INT, INT, LONG, LONG), CAPTURE);
    private static final MethodHandle FSYNC = handle("fsync", FunctionDescriptor.of(INT, INT), CAPTURE);
    private static final MethodHandle MSYNC = handle("msync", FunctionDescriptor.of(INT, LONG, LONG, INT), CAPTURE);
    private static final MethodHandle MMAP =
            handle("mmap", FunctionDescriptor.of(LONG, LONG, LONG, INT, INT, INT, LONG), CAPTURE);
    private static final MethodHandle FCNTL = handle(
            "fcntl",
            FunctionDescriptor.of(INT, INT, INT, ValueLayout.ADDRESS),
            CAPTURE,
            Linker.Option.firstVariadicArg(2));

    private NativeFile() {}

    private static MethodHandle handle(String name, FunctionDescriptor signature, Linker.Option... options) {
        MemorySegment function = LINKER.defaultLookup()
                .find(name)
                .orElseThrow(() -> new MemoryException("this C library has no function " + name));
        return LINKER.downcallHandle(function, signature, options);
    }

    /** A file descriptor, or the negated errno. */
    static int open(String path, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return answer((int) OPEN.invokeExact(state, arena.allocateFrom(path), flags | O_CLOEXEC, 0600), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int close(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return answer((int) CLOSE.invokeExact(state, descriptor), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int ftruncate(int descriptor, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return answer((int) FTRUNCATE.invokeExact(state, descriptor, bytes), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** The file's length in bytes, or the negated errno. */
    static long length(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            long result = (long) LSEEK.invokeExact(state, descriptor, 0L, SEEK_END);
            return result == -1 ? -(int) ERRNO.get(state, 0L) : result;
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Takes space of the file system for a range, content kept; 0 or the negated errno. */
    static int allocate(int descriptor, long offset, long bytes) {
        try {
            int errno;
            do {
                errno = (int) POSIX_FALLOCATE.invokeExact(descriptor, offset, bytes);
            } while (errno == Errno.EINTR);
            return -errno;
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Gives the space of a range back; it reads as zeros. 0 or the negated errno. */
    static int punch(int descriptor, long offset, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return answer(
                    (int) FALLOCATE.invokeExact(state, descriptor, FALLOC_PUNCH_HOLE_KEEP_SIZE, offset, bytes), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int fsync(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return answer((int) FSYNC.invokeExact(state, descriptor), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Writes the pages of a range of addresses to their file and waits; 0 or the negated errno. */
    static int msync(long address, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return answer((int) MSYNC.invokeExact(state, address, bytes, MS_SYNC), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** The address of a shared mapping of the file from its start, or the negated errno. */
    static long map(int descriptor, long bytes, int protection) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            long result = (long)
                    MMAP.invokeExact(state, 0L, bytes, protection, MAP_SHARED | Native.MAP_NORESERVE, descriptor, 0L);
            return result == -1 ? -(int) ERRNO.get(state, 0L) : result;
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Locks the whole file for the open file description (also against others of this process), without waiting; 0 or the negated errno. */
    static int tryLock(int descriptor, boolean exclusive) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            // struct flock: short type, short whence, long start, long length (0: all), int pid
            MemorySegment lock = arena.allocate(32, 8);
            lock.set(ValueLayout.JAVA_SHORT, 0, exclusive ? F_WRLCK : F_RDLCK);
            return answer((int) FCNTL.invokeExact(state, descriptor, F_OFD_SETLK, lock), state);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    private static int answer(int result, MemorySegment state) {
        return result == -1 ? -(int) ERRNO.get(state, 0L) : result;
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
