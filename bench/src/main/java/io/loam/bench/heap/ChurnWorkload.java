package io.loam.bench.heap;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Allocating and freeing as the allocators' classic benchmarks do. An operation is an allocation and the free of one object.
 *
 * <ul>
 *   <li>threadtest: each thread allocates many objects of 64 bytes and then frees them all, over and over.
 *   <li>larson: each thread replaces random ones of 1000 objects of 64 to 400 bytes, and hands all to the next thread from time to time, as a server does.
 *   <li>shbench: sizes of 64 to 400 bytes, small ones more often; some are freed at once, some later, in another order.
 *   <li>prod-con: half of the threads allocate objects of 64 bytes, the other half frees them.
 * </ul>
 */
final class ChurnWorkload {

    static final List<String> NAMES = List.of("threadtest", "larson", "shbench", "prod-con");

    private static final int OBJECTS = 1000;
    private static final int BATCH = 50_000;
    private static final int LEAST = 64;
    private static final int MOST = 400;
    private static final int HANDED = 256;

    private final String name;
    private final Allocator allocator;
    private final int threads;
    private final long seed;
    private volatile boolean stop;
    private final LongAdder operations = new LongAdder();
    private final LongAdder cpuNanos = new LongAdder();
    private final List<ArrayBlockingQueue<long[]>> handed = new ArrayList<>();

    ChurnWorkload(String name, Allocator allocator, int threads, long seed) {
        this.name = name;
        this.allocator = allocator;
        this.threads = threads;
        this.seed = seed;
        for (int i = 0; i < threads; i++) {
            handed.add(new ArrayBlockingQueue<>(16));
        }
    }

    /** Operations each second by the clock, and for each second of the threads' CPU time. */
    record Rate(double perSecond, double perCpuSecond) {}

    private interface Body {
        void run(int thread) throws InterruptedException;
    }

    Rate run(double seconds) throws InterruptedException {
        Body body = switch (name) {
            case "threadtest" -> this::threadtest;
            case "larson" -> this::larson;
            case "shbench" -> this::shbench;
            case "prod-con" -> this::producerConsumer;
            default -> throw new IllegalArgumentException("workload '" + name + "'; allowed: " + NAMES);
        };
        var begin = new CountDownLatch(1);
        var failure = new AtomicReference<@Nullable Throwable>();
        List<Thread> team = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            int index = i;
            team.add(Thread.ofPlatform().start(() -> {
                try {
                    begin.await();
                    body.run(index);
                } catch (Throwable t) {
                    failure.compareAndSet(null, t);
                    stop = true;
                }
                cpuNanos.add(ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime());
            }));
        }
        long start = System.nanoTime();
        begin.countDown();
        long end = start + (long) (seconds * 1e9);
        while (System.nanoTime() < end && !stop) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        stop = true;
        double elapsed = (System.nanoTime() - start) / 1e9;
        for (Thread thread : team) {
            thread.join();
        }
        if (failure.get() instanceof Throwable t) {
            throw new IllegalStateException(name + " failed: " + t, t);
        }
        handed.forEach(queue -> queue.forEach(objects -> freeAll(objects, objects.length)));
        return new Rate(operations.sum() / elapsed, operations.sum() / (cpuNanos.sum() / 1e9));
    }

    private void freeAll(long[] objects, int count) {
        for (int i = 0; i < count; i++) {
            if (objects[i] != 0) {
                allocator.free(objects[i]);
            }
        }
    }

    private long allocate(long bytes) {
        long object = allocator.allocate(bytes);
        allocator.touch(object, bytes);
        return object;
    }

    private void threadtest(int thread) {
        long[] objects = new long[BATCH / threads];
        while (!stop) {
            fill(objects);
            freeAll(objects, objects.length);
            operations.add(objects.length);
        }
    }

    private void fill(long[] objects) {
        for (int i = 0; i < objects.length; i++) {
            objects[i] = allocate(LEAST);
        }
    }

    private void larson(int thread) {
        var random = new SplittableRandom(seed + thread);
        long[] mine = new long[OBJECTS];
        for (int i = 0; i < OBJECTS; i++) {
            mine[i] = allocate(random.nextInt(LEAST, MOST));
        }
        while (!stop) {
            replaceSome(mine, random);
            operations.add(OBJECTS * 10);
            if (threads > 1 && handed.get((thread + 1) % threads).offer(mine)) {
                long[] got = handed.get(thread).poll();
                while (got == null && !stop) {
                    Thread.onSpinWait();
                    got = handed.get(thread).poll();
                }
                mine = got == null ? new long[0] : got;
            }
        }
        freeAll(mine, mine.length);
    }

    private void replaceSome(long[] objects, SplittableRandom random) {
        for (int i = 0; i < OBJECTS * 10 && objects.length > 0; i++) {
            long choice = random.nextLong();
            int slot = (int) ((choice >>> 32) * OBJECTS >>> 32);
            allocator.free(objects[slot]);
            objects[slot] = allocate(LEAST + ((choice & 0xFFFF) * (MOST - LEAST) >>> 16));
        }
    }

    private void shbench(int thread) {
        var random = new SplittableRandom(seed + thread);
        long[] kept = new long[OBJECTS];
        while (!stop) {
            shbenchRound(kept, random);
            operations.add(OBJECTS * 10);
        }
        freeAll(kept, OBJECTS);
    }

    private void shbenchRound(long[] kept, SplittableRandom random) {
        for (int i = 0; i < OBJECTS * 10; i++) {
            long choice = random.nextLong();
            // the product of two makes small sizes more frequent
            long product = (choice & 0xFFFF) * (choice >>> 16 & 0xFFFF) >>> 16;
            long object = allocate(LEAST + (product * (MOST - LEAST) >>> 16));
            int slot = (int) ((choice >>> 32) * OBJECTS * 2 >>> 32);
            if (slot >= OBJECTS) {
                allocator.free(object);
            } else {
                if (kept[slot] != 0) {
                    allocator.free(kept[slot]);
                }
                kept[slot] = object;
            }
        }
    }

    private void producerConsumer(int thread) throws InterruptedException {
        ArrayBlockingQueue<long[]> queue = handed.get(thread / 2);
        boolean alone = threads == 1;
        if (alone || thread % 2 == 0 && thread + 1 < threads) {
            while (!stop) {
                long[] objects = new long[HANDED];
                fill(objects);
                if (alone) {
                    freeAll(objects, HANDED);
                    operations.add(HANDED);
                } else {
                    while (!queue.offer(objects, 1, TimeUnit.MILLISECONDS)) {
                        if (stop) {
                            freeAll(objects, HANDED);
                            return;
                        }
                    }
                }
            }
        } else if (thread % 2 == 1) {
            while (!stop) {
                long[] objects = queue.poll(1, TimeUnit.MILLISECONDS);
                if (objects != null) {
                    freeAll(objects, HANDED);
                    operations.add(HANDED);
                }
            }
        }
    }
}
