package io.loam.server.keyspace;

import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;

/**
 * Locks of keys, striped: a key's stripe follows from its hash, whatever its database. A word for each stripe:
 *
 * <pre>
 *   bit 0       LOCKED   somebody has the stripe for himself
 *   bit 1       MANY     and makes several operations, which must be seen as one
 *   bits 2-31   count of unlockings by holders that had the mark MANY
 *   bits 32-63  count of the others
 * </pre>
 *
 * <p><b>Locking</b> is a compare-and-set, unlocking a release store of a word with a new count. Stripes are locked in ascending order, each once, so that no two commands wait for each
 * other.
 *
 * <p><b>Reading without the lock.</b> Forbidden: a reader sees the first write of a command that makes two, and afterwards it or another, told by it, misses the second; or the second is to the same key,
 * and the reader tells of the first after all. The writer's mark MANY is set by a volatile operation before its first write to the store, and the store publishes a write by a release store. A reader that has seen the write by the store's acquire load
 * therefore sees the mark, or the unlocking, in its load of the stripe's word after {@link VarHandle#acquireFence}. If it sees the mark it reads again; if it sees the unlocking,
 * an acquire load, it sees all of the writer's writes from now on, and so does whoever it tells. Without the fence the word could be loaded before the value, when the mark was not yet set.
 * What it has read may still be a state of the writer's midst. Therefore it loads the word before the read too, by an acquire load: had that seen the unlocking, the read would have seen the last write;
 * as it has not, the count of such unlockings has grown meanwhile, and the reader reads again.
 */
public final class KeyLocks {

    private static final int STRIPES = 1 << 14;
    private static final long LOCKED = 1;
    private static final long MANY = 2;
    private static final long MANY_COUNT = 1L << 2;
    private static final long COUNT = 1L << 32;
    private static final int SPINS = 100;

    private final AtomicLongArray words = new AtomicLongArray(STRIPES);

    /** The stripe of a key in any database, so that commands over two databases have nothing to add. */
    public int stripe(int keyHash) {
        return keyHash >>> 7 & STRIPES - 1;
    }

    /** How many stripes there are: numbers from 0 on. */
    public int stripes() {
        return STRIPES;
    }

    /**
     * Locks the first {@code count} of {@code stripes}, which ascend and differ, all or none, and hardly waits.
     *
     * @param many whether the holder makes several operations that must be seen as one
     */
    public boolean tryLock(int[] stripes, int count, boolean many) {
        for (int i = 0; i < count; i++) {
            if (!tryLock(stripes[i], many)) {
                unlock(stripes, i);
                return false;
            }
        }
        return true;
    }

    private boolean tryLock(int stripe, boolean many) {
        for (int spins = 0; spins < SPINS; spins++) {
            if (tryLockOnce(stripe, many)) {
                return true;
            }
            Thread.onSpinWait();
        }
        return false;
    }

    private boolean tryLockOnce(int stripe, boolean many) {
        long word = words.getOpaque(stripe);
        return (word & LOCKED) == 0 && words.compareAndSet(stripe, word, word | LOCKED | (many ? MANY : 0));
    }

    /** As {@link #tryLock(int[], int, boolean)}, but waits. Not for event loops. */
    public void lock(int[] stripes, int count, boolean many) {
        for (int i = 0; i < count; i++) {
            long pause = 1_000;
            while (!tryLock(stripes[i], many)) {
                // a sleep, not a queue: the holder has it for microseconds, and no one pays for waking sleepers
                LockSupport.parkNanos(pause);
                pause = Math.min(2 * pause, 1_000_000);
            }
        }
    }

    /** Unlocks what {@link #tryLock} or {@link #lock} has locked. */
    public void unlock(int[] stripes, int count) {
        for (int i = count - 1; i >= 0; i--) {
            long word = words.getPlain(stripes[i]);
            long one = (word & MANY) != 0 ? MANY_COUNT : COUNT;
            words.setRelease(stripes[i], (word & -MANY_COUNT) + one); // publishes the holder's writes to the next one
        }
    }

    /** Whether what the caller has read of a key of the stripe, by one operation of the store after {@link #word} returned {@code before}, may be told. */
    public boolean isSettled(int stripe, long before) {
        VarHandle.acquireFence(); // the read comes before the look
        long word = words.getAcquire(stripe);
        return (word & MANY) == 0 && ((word ^ before) & (COUNT - MANY_COUNT)) == 0;
    }

    /** The word of a stripe, to compare later by {@link #isSettled} or {@link #isUnchanged}; acquire, so that reads of the keys come after it. */
    public long word(int stripe) {
        return words.getAcquire(stripe);
    }

    /** Whether nobody has a stripe whose word this is. */
    public static boolean isFree(long word) {
        return (word & LOCKED) == 0;
    }

    /** Whether nobody has locked the stripe since {@link #word} returned {@code word}, before the reads that the caller has made. */
    public boolean isUnchanged(int stripe, long word) {
        VarHandle.acquireFence(); // the reads come before the look
        return words.getOpaque(stripe) == word;
    }
}
