package io.loam.cli.demo;

import io.loam.store.Store;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Workers that overwrite, delete and re-insert the objects until enough is written. */
final class Churn {
    private final Store store;
    private final Goal goal;
    private final List<ChurnWorker> workers = new ArrayList<>();
    private final AtomicBoolean stopped = new AtomicBoolean();
    private final AtomicReference<@Nullable String> failure = new AtomicReference<>();
    private final long startNanos = System.nanoTime();
    private volatile long endNanos;

    /**
     * When to stop: at the first of the two.
     *
     * @param writtenBytes of keys and values
     * @param nanos of time
     */
    record Goal(long writtenBytes, long nanos) {}

    Churn(Store store, List<DemoObject> objects, int threads, Goal goal, long seed) {
        this.store = store;
        this.goal = goal;
        for (int worker = 0; worker < threads; worker++) {
            var own = new ArrayList<DemoObject>();
            for (int i = worker; i < objects.size(); i += threads) {
                own.add(objects.get(i));
            }
            workers.add(new ChurnWorker(this, store, own, seed + worker));
        }
    }

    /** Runs to the goal or the first failure, telling {@code progress} about it. */
    void run(Progress progress) throws InterruptedException {
        List<Thread> threads = workers.stream()
                .map(worker ->
                        Thread.ofPlatform().name("loam-demo-", 0).daemon().start(worker))
                .toList();
        try {
            while (!stopped.get() && share() < 1) {
                progress.show(this, store);
                Thread.sleep(progress.pauseMillis());
            }
        } finally {
            stopped.set(true);
            for (Thread thread : threads) {
                thread.join();
            }
            endNanos = System.nanoTime();
        }
        progress.done(this, store);
    }

    boolean goesOn() {
        return !stopped.get();
    }

    void fail(String message) {
        failure.compareAndSet(null, message);
        stopped.set(true);
    }

    /** What went wrong first, or null. */
    @Nullable
    String failure() {
        return failure.get();
    }

    /** How much of the way is gone, 0 to 1. */
    double share() {
        return Math.min(1, Math.max((double) writtenBytes() / goal.writtenBytes, (double) nanos() / goal.nanos));
    }

    long nanos() {
        return (endNanos == 0 ? System.nanoTime() : endNanos) - startNanos;
    }

    long writtenBytes() {
        return workers.stream().mapToLong(w -> w.writtenBytes).sum();
    }

    long operations() {
        return workers.stream().mapToLong(ChurnWorker::operations).sum();
    }

    long overwrites() {
        return workers.stream().mapToLong(w -> w.overwrites).sum();
    }

    long insertions() {
        return workers.stream().mapToLong(w -> w.insertions).sum();
    }

    long deletions() {
        return workers.stream().mapToLong(w -> w.deletions).sum();
    }

    long reads() {
        return workers.stream().mapToLong(w -> w.reads).sum();
    }

    long refusals() {
        return workers.stream().mapToLong(w -> w.refusals).sum();
    }

    long longestWriteNanos() {
        return workers.stream().mapToLong(w -> w.longestWriteNanos).max().orElse(0);
    }
}
