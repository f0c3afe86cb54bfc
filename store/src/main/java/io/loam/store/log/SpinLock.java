package io.loam.store.log;

import io.loam.memory.RawMemory;
import java.util.concurrent.locks.LockSupport;

/** A lock in a word of memory, 0 when free, else who holds it; for sections of a few dozen instructions. Not reentrant. */
public final class SpinLock {

    private SpinLock() {}

    /** @param holder what the word is while the lock is held; not 0 */
    public static boolean tryLock(RawMemory memory, long address, long holder) {
        return memory.getLongOpaque(address) == 0 && memory.compareAndSetLong(address, 0, holder);
    }

    public static void lock(RawMemory memory, long address, long holder) {
        for (int spins = 0; !tryLock(memory, address, holder); spins++) {
            backOff(spins);
        }
    }

    public static void unlock(RawMemory memory, long address) {
        memory.putLongRelease(address, 0); // release: pairs with the CAS of the next owner
    }

    /** Spins, then yields, then sleeps, so that a holder that lost its CPU gets one. */
    public static void backOff(int spins) {
        if (spins < 100) {
            Thread.onSpinWait();
        } else if (spins < 120) {
            Thread.yield();
        } else {
            LockSupport.parkNanos(20_000);
        }
    }
}
