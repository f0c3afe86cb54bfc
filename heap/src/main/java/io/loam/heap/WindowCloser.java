package io.loam.heap;

import io.loam.memory.persistence.FileMemory;
import java.util.concurrent.locks.LockSupport;

/** Ends the windows of a write-protected file from time to time, while it has the heap alone. */
final class WindowCloser {

    private final FileMemory memory;
    private final Gate gate;
    private final long millis;

    WindowCloser(FileMemory memory, Gate gate, long millis) {
        this.memory = memory;
        this.gate = gate;
        this.millis = millis;
    }

    void start() {
        memory.guardStores();
        Thread.ofPlatform().daemon().name("loam-heap-windows").start(this::run);
    }

    private void run() {
        while (!gate.isEnded()) {
            LockSupport.parkNanos(millis * 1_000_000);
            gate.alone(() -> gate.isEnded() ? 0 : memory.closeWindows());
        }
    }
}
