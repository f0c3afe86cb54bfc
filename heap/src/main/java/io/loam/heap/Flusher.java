package io.loam.heap;

import io.loam.memory.persistence.PersistentMemory;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The thread that makes groups durable: all that wait, by one fence. Started by the first group. */
final class Flusher {

    private final PersistentMemory memory;
    private List<HeapGroup> waiting = new ArrayList<>();
    private @Nullable Thread thread;
    private boolean stopped;

    Flusher(PersistentMemory memory) {
        this.memory = memory;
    }

    synchronized void submit(HeapGroup group) {
        if (stopped) {
            throw new IllegalStateException(memory.name() + " is closed");
        }
        waiting.add(group);
        if (thread == null) {
            thread = Thread.ofPlatform().daemon().name("loam-heap-flusher").start(this::run);
        }
        notifyAll();
    }

    private void run() {
        while (true) {
            List<HeapGroup> batch;
            synchronized (this) {
                while (waiting.isEmpty()) {
                    if (stopped) {
                        return;
                    }
                    try {
                        wait();
                    } catch (InterruptedException e) {
                        // only stop() ends it
                    }
                }
                batch = waiting;
                waiting = new ArrayList<>();
            }
            flush(batch);
        }
    }

    private void flush(List<HeapGroup> batch) {
        Throwable failure = null;
        try {
            for (HeapGroup group : batch) {
                for (int i = 0; i < group.size(); i += 2) {
                    memory.flush(group.range(i), group.range(i + 1));
                }
            }
            memory.fence();
        } catch (Throwable e) {
            // whoever waits for one of these groups is told; the next ones get a try of their own
            failure = e;
        }
        for (HeapGroup group : batch) {
            group.done(failure);
        }
    }

    /** Makes durable what waits, and ends the thread. */
    void stop() {
        Thread running;
        synchronized (this) {
            stopped = true;
            running = thread;
            notifyAll();
        }
        boolean interrupted = false;
        while (running != null && running.isAlive()) {
            try {
                running.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
