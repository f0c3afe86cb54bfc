package io.loam.memory;

final class HeapMemoryTest extends RawMemoryContract {

    private final HeapMemory memory = new HeapMemory(BYTES + 64);

    @Override
    RawMemory memory() {
        return memory;
    }

    @Override
    long base() {
        return 32;
    }
}
