package io.loam.store.epoch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/** What has been retired, in order, and is freed once nobody can see it. */
public final class Reclaimer {

    private record Retired(long tag, Runnable free) {}

    private final Epochs epochs;
    private final ReentrantLock lock = new ReentrantLock();
    private final ArrayDeque<Retired> queue = new ArrayDeque<>();
    private final AtomicInteger pending = new AtomicInteger();
    private volatile boolean closed;

    public Reclaimer(Epochs epochs) {
        this.epochs = epochs;
    }

    /** Frees by {@code free} once all present pins are gone. What is freed has been unlinked. */
    public void retire(Runnable free) {
        lock.lock();
        try {
            queue.add(new Retired(epochs.retireTag(), free));
            pending.incrementAndGet();
        } finally {
            lock.unlock();
        }
    }

    /** Frees what can be freed, under no lock of this class but under a pin; whether anything was. */
    public boolean reclaim() {
        if (pending.get() == 0) {
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
        try {
            Retired first = queue.peek();
            long oldest = first == null || first.tag() < epochs.known() ? epochs.known() : epochs.oldestPin();
            while (!queue.isEmpty() && queue.peek().tag() < oldest) {
                due.add(queue.remove().free());
            }
        } finally {
            lock.unlock();
        }
        for (Runnable free : due) {
            try {
                free.run();
            } finally {
                pending.decrementAndGet();
            }
        }
        return !due.isEmpty();
    }

    /** From now on nothing is freed: the memory goes as a whole once the pins of this moment are gone. */
    public void close() {
        closed = true;
    }

    /** How many retired things wait. */
    public int pending() {
        return pending.get();
    }
}
