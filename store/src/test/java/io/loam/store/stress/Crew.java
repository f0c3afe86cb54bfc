package io.loam.store.stress;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Threads that work on one thing. {@link #run} returns when every task of {@link #work} is done; tasks of {@link #meanwhile} are repeated
 * until then. The first failure stops all and is thrown.
 */
public final class Crew {

    /** What a thread does. */
    @FunctionalInterface
    public interface Task {
        void run() throws Exception;
    }

    private static final long HANGING_MILLIS = 600_000;

    private final List<Thread> threads = new ArrayList<>();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final AtomicInteger working = new AtomicInteger();

    /** True while there is work; long tasks ask it now and then. */
    public boolean goesOn() {
        return failure.get() == null && working.get() > 0;
    }

    public Crew work(String name, Task task) {
        working.incrementAndGet();
        return add(name, () -> {
            try {
                task.run();
            } finally {
                working.decrementAndGet();
            }
        });
    }

    public Crew meanwhile(String name, Task task) {
        return add(name, () -> {
            do {
                task.run();
            } while (goesOn());
        });
    }

    private Crew add(String name, Task task) {
        threads.add(Thread.ofPlatform().daemon().name(name).unstarted(() -> {
            try {
                task.run();
            } catch (Throwable e) {
                failure.compareAndSet(null, e);
            }
        }));
        return this;
    }

    public void run() {
        threads.forEach(Thread::start);
        long deadline = System.nanoTime() + Scale.of(1) * HANGING_MILLIS * 1_000_000;
        try {
            for (Thread thread : threads) {
                while (!thread.join(java.time.Duration.ofMillis(500))) {
                    if (System.nanoTime() > deadline) {
                        throw hanging(thread);
                    }
                }
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        Throwable first = failure.get();
        if (first != null) {
            throw new AssertionError("in a thread of the crew: " + first, first);
        }
    }

    private static AssertionError hanging(Thread thread) {
        AssertionError error =
                new AssertionError("thread " + thread.getName() + " hangs; stacks of all threads follow as suppressed");
        Thread.getAllStackTraces().forEach((other, stack) -> {
            Throwable trace = new Throwable(other.getName());
            trace.setStackTrace(stack);
            error.addSuppressed(trace);
        });
        return error;
    }
}
