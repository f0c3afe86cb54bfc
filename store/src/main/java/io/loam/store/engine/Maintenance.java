package io.loam.store.engine;

import io.loam.store.index.Index;
import io.loam.store.log.Geometry;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
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
    /** What listeners are to be told of when the thread holds nothing that others wait for. The thread's own. */
    private final ArrayDeque<Runnable> untold = new ArrayDeque<>();

    private volatile boolean stopped;
    private volatile @Nullable Thread thread;
    private long lastRelease = System.nanoTime();
    private final long cycles;
    private final long urgent;

    Maintenance(Engine engine) {
        this.engine = engine;
        this.cycles = engine.base + StoreHeader.CYCLES;
        this.urgent = engine.base + StoreHeader.URGENT;
    }

    void start() {
        Thread made = Thread.ofPlatform().daemon().name("loam-maintenance").unstarted(this::run);
        thread = made; // before it runs: isHere
        made.start();
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
        while (running != null && !isHere() && running.isAlive()) {
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
            try {
                busy = locked(this::step);
                tell();
            } catch (Index.PausedException e) {
                busy = false; // what it was about is asked for again after the repair
            } catch (RuntimeException | Error e) {
                System.getLogger("io.loam.store").log(System.Logger.Level.ERROR, "maintenance failed and goes on", e);
            }
            if (!busy) {
                LockSupport.parkNanos(idleNanos());
            }
        }
    }

    private <T> T locked(Supplier<T> action) {
        running.lock();
        try {
            return action.get();
        } finally {
            running.unlock();
        }
    }

    private void tell() {
        for (Runnable told = untold.poll(); told != null; told = untold.poll()) {
            told.run(); // it may write, and ask for what this thread does: answerHere
        }
    }

    /** Whether the calling thread is this one, in the middle of what others may wait for: then it tells listeners when it is not. */
    boolean tellsLater(List<Runnable> removals) {
        return isHere() && running.isHeldByCurrentThread() && untold.addAll(removals);
    }

    /** Whether the calling thread is this one: it must not wait for itself. */
    boolean isHere() {
        return Thread.currentThread() == thread;
    }

    /** What a listener that this thread tells asks of this thread: done at once, or {@code later} if it can't be now, after some of what may be in the way is done. */
    long answerHere(LongSupplier answer, long later) {
        try {
            return locked(() -> {
                long result = answer.getAsLong();
                if (result == later) {
                    boolean ignored = step();
                }
                return result;
            });
        } catch (Index.PausedException e) {
            return later;
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
