package io.loam.store.epoch;

import io.loam.memory.RawMemory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/** What has been retired, in order, and is freed once nobody can see it. */
public final class Reclaimer {

    private record Retired(long tag, Runnable free) {}

    private final Epochs epochs;
    private final ReentrantLock lock = new ReentrantLock();
    private final ArrayDeque<Retired> queue = new ArrayDeque<>();
    private final RawMemory memory;
    private final long pendingWord;
    private volatile boolean closed;
    private final ReentrantLock freeing = new ReentrantLock();
    /** How often what waited was forgotten. */
    private final AtomicInteger forgotten = new AtomicInteger();

    /** @param pendingWord an aligned word that counts what waits, for whoever looks, in this process or another; one process at a time retires */
    public Reclaimer(Epochs epochs, RawMemory memory, long pendingWord) {
        this.epochs = epochs;
        this.memory = memory;
        this.pendingWord = pendingWord;
    }

    /** Frees by {@code free} once all present pins are gone. What is freed has been unlinked. */
    public void retire(Runnable free) {
        lock.lock();
        try {
            queue.add(new Retired(epochs.retireTag(), free));
            memory.getAndAddLong(pendingWord, 1);
        } finally {
            lock.unlock();
        }
    }

    /** Frees what can be freed, under no lock of this class but under a pin; whether anything was. */
    public boolean reclaim() {
        if (pending() == 0) {
            return false;
        }
        // a pin of this moment is younger than every tag in the queue; it keeps who closes the store waiting until the
        // frees are done
        long pin = epochs.pin();
        try {
            return !closed && freeDue();
        } finally {
            epochs.unpin(pin);
        }
    }

    private boolean freeDue() {
        if (!lock.tryLock()) {
            return false;
        }
        List<Runnable> due = new ArrayList<>();
        int before = forgotten.get();
        try {
            Retired first = queue.peek();
            long oldest = first == null || first.tag() < epochs.known() ? epochs.known() : epochs.oldestPin();
            while (!queue.isEmpty() && queue.peek().tag() < oldest) {
                due.add(queue.remove().free());
            }
        } finally {
            lock.unlock();
        }
        free(due, before);
        return !due.isEmpty();
    }

    private void free(List<Runnable> due, int before) {
        if (due.isEmpty()) {
            return;
        }
        freeing.lock();
        try {
            if (forgotten.get() != before) {
                return;
            }
            Throwable failure = null;
            for (Runnable free : due) {
                try {
                    free.run();
                } catch (RuntimeException | Error e) { // the rest is due all the same
                    if (failure == null) {
                        failure = e;
                    } else if (failure != e) {
                        failure.addSuppressed(e);
                    }
                } finally {
                    memory.getAndAddLong(pendingWord, -1);
                }
            }
            if (failure instanceof Error error) {
                throw error;
            } else if (failure instanceof RuntimeException exception) {
                throw exception;
            }
        } finally {
            freeing.unlock();
        }
    }

    /** Frees nothing until {@link #resume}; same thread. {@code meanwhile} is run again and again. */
    public void pause(Runnable meanwhile) {
        while (!freeing.tryLock()) {
            meanwhile.run();
            LockSupport.parkNanos(50_000);
        }
    }

    public void resume() {
        freeing.unlock();
    }

    /** Forgets what waits: what was retired is to be found by other means, and retired again. */
    public void forget() {
        lock.lock();
        try {
            queue.clear();
            forgotten.incrementAndGet();
            memory.putLongVolatile(pendingWord, 0);
        } finally {
            lock.unlock();
        }
    }

    /** From now on nothing is freed: the memory goes as a whole once the pins of this moment are gone. */
    public void close() {
        closed = true;
    }

    /** How many retired things wait. */
    public int pending() {
        return (int) memory.getLongAcquire(pendingWord);
    }
}
