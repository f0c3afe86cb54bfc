package io.loam.bench.heap;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * malloc and free of a library, by downcall: an ordinary one, which is what the JDK asks for where a call may wait, unless the name says critical.
 *
 * <p>Each library has a class with the same two methods, since only a handle in a constant of its own compiles to a direct call.
 */
abstract class MallocAllocator implements Allocator {

    /** Of the C library. */
    static final class Glibc extends MallocAllocator {
        private static final NativeLibrary LIBRARY = NativeLibrary.ofProcess();
        private static final MethodHandle MALLOC = mallocOf(LIBRARY);
        private static final MethodHandle FREE = freeOf(LIBRARY);

        @Override
        public long allocate(long bytes) {
            try {
                return (long) MALLOC.invokeExact(bytes);
            } catch (Throwable t) {
                throw NativeLibrary.unexpected(t);
            }
        }

        @Override
        public void free(long pointer) {
            try {
                FREE.invokeExact(pointer);
            } catch (Throwable t) {
                throw NativeLibrary.unexpected(t);
            }
        }
    }

    /** Of jemalloc, loaded beside the C library's. */
    static final class Jemalloc extends MallocAllocator {
        private static final NativeLibrary LIBRARY = NativeLibrary.named("libjemalloc.so.2", "libjemalloc2");
        private static final MethodHandle MALLOC = mallocOf(LIBRARY);
        private static final MethodHandle FREE = freeOf(LIBRARY);

        @Override
        public long allocate(long bytes) {
            try {
                return (long) MALLOC.invokeExact(bytes);
            } catch (Throwable t) {
                throw NativeLibrary.unexpected(t);
            }
        }

        @Override
        public void free(long pointer) {
            try {
                FREE.invokeExact(pointer);
            } catch (Throwable t) {
                throw NativeLibrary.unexpected(t);
            }
        }
    }

    /** Of jemalloc, by calls without a change of the thread's state: faster, but the JVM may not be kept waiting in one, as malloc can. */
    static final class JemallocCritical extends MallocAllocator {
        private static final NativeLibrary LIBRARY = Jemalloc.LIBRARY;
        private static final MethodHandle MALLOC = mallocOf(LIBRARY, Linker.Option.critical(false));
        private static final MethodHandle FREE = freeOf(LIBRARY, Linker.Option.critical(false));

        @Override
        public long allocate(long bytes) {
            try {
                return (long) MALLOC.invokeExact(bytes);
            } catch (Throwable t) {
                throw NativeLibrary.unexpected(t);
            }
        }

        @Override
        public void free(long pointer) {
            try {
                FREE.invokeExact(pointer);
            } catch (Throwable t) {
                throw NativeLibrary.unexpected(t);
            }
        }
    }

    private static MethodHandle mallocOf(NativeLibrary library, Linker.Option... options) {
        return library.function("malloc", FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG), options);
    }

    private static MethodHandle freeOf(NativeLibrary library, Linker.Option... options) {
        return library.function("free", FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG), options);
    }

    @Override
    public void touch(long pointer, long value) {
        NativeLibrary.ALL.set(ValueLayout.JAVA_LONG, pointer, value);
    }

    @Override
    public void close() {}
}
