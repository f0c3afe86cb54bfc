package io.loam.bench.heap;

/** Memory to allocate and free, from any thread. A pointer is whatever the allocator calls so. */
interface Allocator extends AutoCloseable {

    long allocate(long bytes);

    void free(long pointer);

    /** Stores a word at the start of an object, as a user would. */
    void touch(long pointer, long value);

    @Override
    void close();
}
