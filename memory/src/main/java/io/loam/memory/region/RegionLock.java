package io.loam.memory.region;

import io.loam.memory.RawMemory;
import java.util.concurrent.locks.LockSupport;

/**
 * A lock in shared memory, held shared by many or exclusively by one, between all threads of all processes. It belongs to no thread:
 * whoever acquired it may let another thread release it, and virtual threads may hold it. Not reentrant, not fair; who wants it exclusively
 * goes before new readers.
 *
 * <p><b>Protocol.</b> A reader adds 1 to its participant's cell, then reads the writer's word; if that is not 0 it takes the 1 back and
 * waits. A writer sets the writer's word from 0 to its identity, then reads all cells that have been used, and waits until they are 0. The
 * forbidden outcome is both inside. All four accesses are volatile, so they have one order that all agree on: either the reader's
 * addition comes before the writer's reading of that cell, which then waits, or it comes after, and after the writer's word was set,
 * and the reader sees it. ({@code used} is raised before a participant's first addition, so the writer does not stop too early.) Leaving
 * is a volatile store or addition, which publishes what was done inside to whoever reads it and enters. With acquire and release alone
 * the store to the cell and the load of the word could change places, on x86 as well.
 *
 * <p><b>Death.</b> Every holder stands in the lock by identity from the very instruction that makes it a holder. Who waits looks about
 * every millisecond whether those it waits for are alive. A dead reader's cell is set to 0 by the waiting writer: by compare-and-set, and
 * since a cell has its owner's generation in it, never a successor's. A dead writer's word is set to {@code RECOVERING | me}, then {@code
 * died} is set, then the word goes to 0: of several only one gets to do it, and who does it before dying leaves it to be done again. The
 * next holder, shared or exclusive, finds {@code died} and marks it as told to itself; {@link #release} clears it. If the one who was
 * told dies first, the next one is told. A death is reported because what the lock guards may be half-changed; the death of a reader is
 * not.
 *
 * <p>Safe from any thread. The memory must stay mapped while this is used.
 */
public final class RegionLock {

    /** Bytes of a lock, zero at first, at an address that is a multiple of 64. */
    public static final int BYTES = LockLayout.BYTES;

    private static final int SPINS = 200;
    private static final long FIRST_PARK_NANOS = 20_000;
    private static final long LAST_PARK_NANOS = 1_000_000;
    private static final long COUNT_MASK = 0xffff_ffffL;

    private final RawMemory memory;
    private final long lock;
    private final Liveness liveness;
    private final long self;
    private final long cell;

    /** How an attempt ended. */
    public enum Grant {
        /** Not acquired: somebody else had it all the time. */
        NONE,
        HELD,
        /** Acquired, after a holder that had it exclusively died: what it guards may be half-changed. Told once. */
        OWNER_DIED
    }

    /** The lock at an address, for one participant. */
    public RegionLock(RawMemory memory, long lock, Liveness liveness) {
        this.memory = memory;
        this.lock = lock;
        this.liveness = liveness;
        this.self = liveness.self();
        this.cell = LockLayout.cellAddress(lock, Liveness.slot(self));
        long generation = generationOf(self);
        long old;
        do {
            old = memory.getLongVolatile(cell);
            // a predecessor's count ends here; another RegionLock of this participant has done it already
        } while (old >>> 32 != generation && !memory.compareAndSetLong(cell, old, generation << 32));
    }

    private static long generationOf(long identity) {
        return Liveness.generation(identity) & COUNT_MASK;
    }

    /** Acquires it, however long that takes. */
    public Grant acquire(boolean exclusive) {
        return acquire(exclusive, Long.MAX_VALUE);
    }

    /**
     * Acquires it if that can be done in time. An interrupt does not end the wait and is kept.
     *
     * @param timeoutNanos 0 or less for one attempt, which still takes over from a holder that is dead
     */
    public Grant acquire(boolean exclusive, long timeoutNanos) {
        if (exclusive ? tryExclusive() : tryShared()) {
            return LockLayout.diedVolatile(memory, lock) == 0 ? Grant.HELD : told();
        }
        return acquireSlowly(exclusive, timeoutNanos);
    }

    private boolean tryShared() {
        long ignored = memory.getAndAddLong(cell, 1);
        if (LockLayout.writerVolatile(memory, lock) == 0) {
            return true;
        }
        ignored = memory.getAndAddLong(cell, -1);
        return false;
    }

    private boolean tryExclusive() {
        if (!LockLayout.casWriter(memory, lock, 0, self)) {
            return false;
        }
        if (readersHaveLeft(false)) {
            return true;
        }
        LockLayout.setWriterVolatile(memory, lock, 0);
        return false;
    }

    private Grant acquireSlowly(boolean exclusive, long timeoutNanos) {
        long start = System.nanoTime();
        long park = FIRST_PARK_NANOS;
        boolean interrupted = false;
        boolean writing = false;
        try {
            for (long round = 0; ; round++) {
                boolean look = round == 0 || park == LAST_PARK_NANOS;
                boolean acquired;
                if (writing) {
                    acquired = readersHaveLeft(look);
                } else {
                    if (look) {
                        recoverFromDeadWriter();
                    }
                    boolean free = LockLayout.writerVolatile(memory, lock) == 0;
                    if (exclusive) {
                        writing = free && LockLayout.casWriter(memory, lock, 0, self);
                        acquired = writing && readersHaveLeft(look);
                    } else {
                        acquired = free && tryShared();
                    }
                }
                if (acquired) {
                    writing = false;
                    return LockLayout.diedVolatile(memory, lock) == 0 ? Grant.HELD : told();
                }
                long left = timeoutNanos == Long.MAX_VALUE ? timeoutNanos : timeoutNanos - (System.nanoTime() - start);
                if (left <= 0) {
                    return Grant.NONE;
                }
                if (round < SPINS) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.parkNanos(this, Math.min(park, left));
                    park = Math.min(LAST_PARK_NANOS, park * 2);
                    // a set flag would make the next park return at once
                    interrupted |= Thread.interrupted();
                }
            }
        } finally {
            if (writing) {
                LockLayout.setWriterVolatile(memory, lock, 0);
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /**
     * Whether nobody holds it shared, once the writer's word is ours.
     *
     * @param look whether to find out if those who do are alive: a system call for each
     */
    private boolean readersHaveLeft(boolean look) {
        int used = liveness.usedSlots();
        for (int slot = 0; slot < used; slot++) {
            long at = LockLayout.cellAddress(lock, slot);
            long count = memory.getLongVolatile(at);
            if ((count & COUNT_MASK) != 0 && !(look && clearDead(slot, at, count))) {
                return false;
            }
        }
        return true;
    }

    private boolean clearDead(int slot, long at, long count) {
        // the count's generation is its owner's: a successor in the slot would have set its own
        if (liveness.isAlive(Liveness.identity(count >>> 32, slot))) {
            return false;
        }
        return memory.compareAndSetLong(at, count, 0);
    }

    private void recoverFromDeadWriter() {
        long writer = LockLayout.writerVolatile(memory, lock);
        long holder = writer & ~LockLayout.RECOVERING;
        if (writer == 0 || liveness.isAlive(holder)) {
            return;
        }
        if (LockLayout.casWriter(memory, lock, writer, LockLayout.RECOVERING | self)) {
            LockLayout.setDiedVolatile(memory, lock, Liveness.slot(holder) + 1);
            LockLayout.setWriterVolatile(memory, lock, 0);
        }
    }

    /** Finds out whether this holder is the one to be told of a death. */
    private Grant told() {
        while (true) {
            long died = LockLayout.diedVolatile(memory, lock);
            long other = died >>> 16;
            if (died == 0 || other == self || (other != 0 && liveness.isAlive(other))) {
                return Grant.HELD;
            }
            if (LockLayout.casDied(memory, lock, died, self << 16 | died & 0xffff)) {
                return Grant.OWNER_DIED;
            }
        }
    }

    /**
     * Releases it, by whichever thread.
     *
     * @param grant as {@link #acquire} answered
     */
    public void release(boolean exclusive, Grant grant) {
        if (grant == Grant.OWNER_DIED) {
            long died = LockLayout.diedVolatile(memory, lock);
            if (died >>> 16 == self) {
                // fails if there was another death meanwhile, which is to be told again
                boolean ignored = LockLayout.casDied(memory, lock, died, 0);
            }
        }
        if (exclusive) {
            LockLayout.setWriterVolatile(memory, lock, 0);
        } else {
            long ignored = memory.getAndAddLong(cell, -1);
        }
    }

    /** Identity of who holds it exclusively or is about to, 0 if nobody: a snapshot. */
    public long writer() {
        return LockLayout.writerVolatile(memory, lock) & ~LockLayout.RECOVERING;
    }

    /** How many hold it shared, dead ones included as long as nobody has waited for them: a snapshot. */
    public long readers() {
        long readers = 0;
        for (int slot = 0; slot < liveness.usedSlots(); slot++) {
            readers += memory.getLongVolatile(LockLayout.cellAddress(lock, slot)) & COUNT_MASK;
        }
        return readers;
    }
}
