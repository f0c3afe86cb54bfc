package io.loam.bench.heap;

import io.loam.heap.HeapOptions;
import io.loam.heap.HeapType;
import io.loam.heap.PersistentHeap;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A persistent heap in a file; objects without references. */
final class LoamAllocator implements Allocator {

    private final Path file;
    private final PersistentHeap heap;
    private final HeapType type;

    /** @param options durability, checks, protection; the size is set here */
    LoamAllocator(Path directory, HeapOptions options) {
        file = directory.resolve("loam-bench-" + ProcessHandle.current().pid() + ".heap");
        heap = PersistentHeap.create(file, options.withSize(64L << 20, 8L << 30));
        type = heap.bytes();
    }

    @Override
    public long allocate(long bytes) {
        return heap.allocate(type, bytes);
    }

    @Override
    public void free(long pointer) {
        heap.free(pointer);
    }

    @Override
    public void touch(long pointer, long value) {
        heap.putLong(pointer, value);
    }

    @Override
    public void close() {
        heap.close();
        try {
            Files.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
