package io.loam.store.engine;

import io.loam.store.index.Index;
import io.loam.store.log.Geometry;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** The thread that does what is due but not urgent: resizing, accounting for cleared indexes, giving memory back to the kernel. */
final class Maintenance {

    private static final int SWEEP_HOMES = 256;

    /** Homes looked at for expired entries at each turn, and when a writer waits. */
    private static final int EXPIRE_HOMES = 64;

    private static final int EXPIRE_HOMES_URGENT = 4096;

    private record Resize(KeySpace owner, long hash) {}

    private final Engine engine;
    private final ConcurrentLinkedQueue<Resize> resizes = new ConcurrentLinkedQueue<>();
    private final ReentrantLock running = new ReentrantLock();
    private volatile boolean stopped;
    private @Nullable Thread thread;
    private long lastRelease = System.nanoTime();
    private final long cycles;
    private final long urgent;

    Maintenance(Engine engine) {
        this.engine = engine;
        this.cycles = engine.base + StoreHeader.CYCLES;
        this.urgent = engine.base + StoreHeader.URGENT;
    }

    void start() {
        thread = Thread.ofPlatform().daemon().name("loam-maintenance").start(this::run);
    }

    void resize(KeySpace owner, long hash) {
        resizes.add(new Resize(owner, hash));
        wake();
    }

    void wake() {
        LockSupport.unpark(thread);
    }

    /** Keeps the thread from doing anything until {@link #resume}; same thread. */
    void pause() {
        running.lock();
    }

    /** As {@link #pause}; {@code meanwhile} is run again and again. */
    void pause(Runnable meanwhile) {
        while (!running.tryLock()) {
            meanwhile.run();
            LockSupport.parkNanos(50_000);
        }
    }

    void resume() {
        running.unlock();
    }

    void stop() {
        stopped = true;
        Thread running = thread;
        LockSupport.unpark(running);
        boolean interrupted = false;
        while (running != null && running != Thread.currentThread() && running.isAlive()) {
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

    private void run() {
        while (!stopped) {
            boolean busy = false;
            running.lock();
            try {
                busy = step();
            } catch (Index.PausedException e) {
                busy = false; // what it was about is asked for again after the repair
            } catch (RuntimeException | Error e) {
                System.getLogger("io.loam.store").log(System.Logger.Level.ERROR, "maintenance failed and goes on", e);
            } finally {
                running.unlock();
            }
            if (!busy) {
                LockSupport.parkNanos(idleNanos());
            }
        }
    }

    private long idleNanos() {
        if (engine.sharing != null) {
            return 1_000_000; // nobody wakes it from another process
        }
        return engine.reclaimer.pending() > 0 ? 2_000_000 : 20_000_000;
    }

    private boolean step() {
        Sharing sharing = engine.sharing;
        boolean busy = sharing != null && sharing.serve();
        Resize resize = resizes.poll();
        if (resize != null) {
            GrowthEvent event = new GrowthEvent();
            event.begin();
            if (!resize.owner().isDropped()) {
                resize.owner().index.resize(resize.hash());
            }
            event.commit();
            busy = true;
        }
        for (KeySpace keySpace : engine.keySpaces()) {
            busy |= sweep(keySpace);
        }
        if (engine.mayExpire()) {
            busy |= expire();
        }
        if (engine.reclaimer.reclaim()) {
            engine.spaceChanged();
        }
        long delay = TimeUnit.MILLISECONDS.toNanos(engine.options.releaseDelayMillis());
        long now = System.nanoTime();
        if (engine.store.isReleasable() && now - lastRelease > Math.min(delay, TimeUnit.SECONDS.toNanos(1))) {
            lastRelease = now;
            engine.pool.releaseIdle(delay, this::release);
        }
        return busy;
    }

    /** Asks for a look at every entry's expiry, soon; how many looks have been completed. */
    long askToExpire() {
        engine.memory.putLongVolatile(urgent, 1);
        wake();
        return expiryCycles();
    }

    long expiryCycles() {
        return engine.memory.getLongVolatile(cycles);
    }

    /** Removes expired entries from some homes of each namespace; whether a writer waits for more. */
    private boolean expire() {
        boolean hurry = engine.memory.getLongVolatile(urgent) != 0;
        boolean done = true;
        for (KeySpace keySpace : engine.keySpaces()) {
            done &= keySpace.expireSome(hurry ? EXPIRE_HOMES_URGENT : EXPIRE_HOMES, expiryCycles());
        }
        if (done) {
            engine.memory.putLongVolatile(cycles, expiryCycles() + 1);
            engine.memory.putLongVolatile(urgent, 0);
        }
        return hurry;
    }

    private void release(long offset) {
        long bytes = Math.min(
                Math.max(Geometry.GROUP_BYTES, engine.geometry.blockBytes), engine.geometry.reservedBytes - offset);
        engine.store.release(offset, bytes);
    }

    /** Counts some entries of a cleared index as dead; whether there was such an index. */
    private boolean sweep(KeySpace keySpace) {
        Index[] condemned = keySpace.condemned;
        if (condemned.length == 0 || !keySpace.isCondemnedQuiet()) {
            return false;
        }
        Index index = condemned[0];
        for (int i = 0; i < SWEEP_HOMES && !stopped; i++) {
            long pin = engine.epochs.pin();
            try {
                keySpace.sweepPosition = keySpace.sweepHome(index, keySpace.sweepPosition, pin);
            } finally {
                engine.epochs.endWriting(pin);
                engine.epochs.unpin(pin);
            }
            if (keySpace.sweepPosition == 0) {
                keySpace.absolve(index);
                engine.cleaner.wake();
                return true;
            }
        }
        return true;
    }
}
