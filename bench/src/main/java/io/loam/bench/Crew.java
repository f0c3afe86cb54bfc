package io.loam.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Threads that work for a while together, with their CPU time. */
final class Crew {

    /** What one thread does. It looks at {@link Clock#running} often and returns soon after that is false. */
    interface Work {
        void run(int thread, Clock clock) throws Exception;
    }

    /** Tells the threads when to stop. */
    static final class Clock {
        private volatile boolean running = true;

        boolean running() {
            return running;
        }

        void stop() {
            running = false;
        }
    }

    /**
     * What it took.
     *
     * @param wallNanos from the start of the first thread to the end of the last
     * @param cpuNanos of the threads, added
     */
    record Effort(long wallNanos, long cpuNanos) {}

    private Crew() {}

    /** Lets {@code threads} threads work for {@code seconds}, or until they return by themselves if it is 0. */
    static Effort work(int threads, double seconds, Work work) {
        Clock clock = new Clock();
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        CountDownLatch ready = new CountDownLatch(threads);
        CountDownLatch go = new CountDownLatch(1);
        long[] cpu = new long[threads];
        List<Thread> crew = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            int index = i;
            crew.add(Thread.ofPlatform().name("bench-" + i).start(() -> {
                try {
                    ready.countDown();
                    go.await();
                    long before = ProcessFigures.threadCpuNanos();
                    work.run(index, clock);
                    cpu[index] = ProcessFigures.threadCpuNanos() - before;
                } catch (Throwable e) { // reported by the thread that waits for us
                    failure.compareAndSet(null, e);
                    clock.stop();
                }
            }));
        }
        try {
            ready.await();
            long start = System.nanoTime();
            go.countDown();
            if (seconds > 0) {
                long end = start + (long) (seconds * 1e9);
                while (clock.running() && System.nanoTime() < end) {
                    Thread.sleep(Math.clamp((end - System.nanoTime()) / 1_000_000, 1, 20));
                }
                clock.stop();
            }
            for (Thread thread : crew) {
                thread.join();
            }
            long wall = System.nanoTime() - start;
            switch (failure.get()) {
                case null -> {}
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                case Throwable e -> throw new IllegalStateException(e);
            }
            long total = 0;
            for (long nanos : cpu) {
                total += nanos;
            }
            return new Effort(wall, total);
        } catch (InterruptedException e) {
            clock.stop();
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
