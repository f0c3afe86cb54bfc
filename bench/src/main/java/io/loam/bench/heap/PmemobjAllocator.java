package io.loam.bench.heap;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/** libpmemobj's atomic allocations in a pool in a file. A pointer is the object's offset in the pool. */
final class PmemobjAllocator implements Allocator {

    private static final NativeLibrary LIBRARY = NativeLibrary.named("libpmemobj.so.1", "libpmemobj1");
    private static final MethodHandle CREATE = LIBRARY.function(
            "pmemobj_create",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_LONG,
                    ValueLayout.ADDRESS,
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_INT));
    private static final MethodHandle CLOSE =
            LIBRARY.function("pmemobj_close", FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG));
    private static final MethodHandle ALLOC = LIBRARY.function(
            "pmemobj_alloc",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG));
    private static final MethodHandle FREE =
            LIBRARY.function("pmemobj_free", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));
    private static final MethodHandle ERROR =
            LIBRARY.function("pmemobj_errormsg", FunctionDescriptor.of(ValueLayout.ADDRESS));
    private static final long POOL_BYTES = 2L << 30;

    private final Path file;
    private final long pool;
    /** An object's id: 8 bytes of the pool, 8 bytes offset. */
    private final ThreadLocal<MemorySegment> ids =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(16, 8));

    private volatile long poolId;

    PmemobjAllocator(Path directory) {
        file = directory.resolve("loam-bench-" + ProcessHandle.current().pid() + ".pool");
        try (Arena arena = Arena.ofConfined()) {
            pool = (long) CREATE.invokeExact(
                    arena.allocateFrom(file.toString()), arena.allocateFrom("bench"), POOL_BYTES, 0600);
            if (pool == 0) {
                MemorySegment message = (MemorySegment) ERROR.invokeExact();
                throw new IllegalStateException(
                        "pmemobj_create: " + message.reinterpret(1000).getString(0));
            }
        } catch (Throwable t) {
            throw NativeLibrary.unexpected(t);
        }
        long first = allocate(64);
        poolId = ids.get().get(ValueLayout.JAVA_LONG, 0);
        free(first);
    }

    @Override
    public long allocate(long bytes) {
        MemorySegment id = ids.get();
        try {
            int result = (int) ALLOC.invokeExact(pool, id, bytes, 1L, 0L, 0L);
            if (result != 0) {
                throw new IllegalStateException("pmemobj_alloc of " + bytes + " bytes failed");
            }
        } catch (Throwable t) {
            throw NativeLibrary.unexpected(t);
        }
        return id.get(ValueLayout.JAVA_LONG, 8);
    }

    @Override
    public void free(long pointer) {
        MemorySegment id = ids.get();
        id.set(ValueLayout.JAVA_LONG, 0, poolId);
        id.set(ValueLayout.JAVA_LONG, 8, pointer);
        try {
            FREE.invokeExact(id);
        } catch (Throwable t) {
            throw NativeLibrary.unexpected(t);
        }
    }

    @Override
    public void touch(long pointer, long value) {
        NativeLibrary.ALL.set(ValueLayout.JAVA_LONG, pool + pointer, value);
    }

    @Override
    public void close() {
        try {
            CLOSE.invokeExact(pool);
            Files.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (Throwable t) {
            throw NativeLibrary.unexpected(t);
        }
    }
}
