package io.loam.store.epoch;

import io.loam.memory.RawMemory;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The epoch and the slots in which operations announce that they are reading.
 *
 * <pre>
 * offset size name     order    meaning
 *      0    8 epoch    volatile 0: free; else the epoch at which the owner pinned
 *      8    8 thread   plain    id of the owner, for diagnosis
 *     16    8 nanos    plain    when a guard pinned; 0 for a short operation
 *     24   40 reserved plain    keeps slots on lines of their own
 * </pre>
 *
 * <p>A slot is claimed for each operation by compare-and-set, starting at one that the thread's id names, so any number of threads, virtual ones
 * included, share a fixed table and a guard may be closed by another thread. When all slots are taken a pin waits.
 *
 * <p><b>Protocol.</b> pin: read epoch e, CAS slot 0→e, full fence, then read the index. retire: unlink, fence, tag = epoch++;
 * reuse when every claimed slot holds more than tag. A scan that misses a pin comes before the pin's CAS in the order of fences, so that
 * the pinned thread sees the unlinking. Without the fence between CAS and the first load a reader on a weakly ordered machine could
 * load a stale location first; x86's locked instruction is that fence already.
 */
public final class Epochs {

    public static final int SLOT_BYTES = 64;

    private static final int THREAD = 8;
    private static final int NANOS = 16;

    private static final boolean CAS_IS_FENCE = System.getProperty("os.arch").equals("amd64");

    private final RawMemory memory;
    private final long epochAddress;
    private final long slots;
    private final long mask;

    /**
     * @param epochAddress a zeroed word on a line that nothing else writes
     * @param slots zeroed memory of {@code slotCount} slots
     * @param slotCount a power of two
     */
    public Epochs(RawMemory memory, long epochAddress, long slots, int slotCount) {
        this.memory = memory;
        this.epochAddress = epochAddress;
        this.slots = slots;
        this.mask = slotCount - 1;
        memory.compareAndSetLong(epochAddress, 0, 1);
    }

    /** Pins the current epoch; the result is given back to {@link #unpin}. */
    public long pin() {
        long id = Thread.currentThread().threadId();
        long slot = slots + ((id & mask) << 6);
        if (memory.getLongOpaque(slot) == 0 && claim(slot)) {
            memory.putLong(slot + THREAD, id);
            return slot;
        }
        return pinElsewhere(id);
    }

    private boolean claim(long slot) {
        // volatile: the claim is ordered before every later load of the index; pairs with the fence in isSafe
        boolean claimed = memory.compareAndSetLong(slot, 0, memory.getLongAcquire(epochAddress));
        if (!CAS_IS_FENCE) {
            VarHandle.fullFence();
        }
        return claimed;
    }

    private long pinElsewhere(long id) {
        for (long probe = 1; ; probe++) {
            long slot = slots + ((id + probe & mask) << 6);
            if (memory.getLongOpaque(slot) == 0 && claim(slot)) {
                memory.putLong(slot + THREAD, id);
                return slot;
            }
            if ((probe & mask) == 0) {
                LockSupport.parkNanos(20_000);
            }
        }
    }

    /** As {@link #pin}, for a guard: remembers when. */
    public long pinGuard() {
        long slot = pin();
        memory.putLong(slot + NANOS, System.nanoTime() | 1);
        return slot;
    }

    public void unpinGuard(long slot) {
        memory.putLong(slot + NANOS, 0);
        unpin(slot);
    }

    /** Ends a pin; all its loads come before. */
    public void unpin(long slot) {
        memory.putLong(slot + THREAD, 0); // so that the next owner's claim is never taken for one of this thread
        memory.putLongRelease(slot, 0);
    }

    /** Whether the calling thread holds a pin, by a guard or an operation it is inside of. Looks at every slot. */
    public boolean isPinnedByCurrentThread() {
        long id = Thread.currentThread().threadId();
        for (long i = 0; i <= mask; i++) {
            long slot = slots + (i << 6);
            if (memory.getLongAcquire(slot) != 0 && memory.getLong(slot + THREAD) == id) {
                return true;
            }
        }
        return false;
    }

    /** Takes a tag for something that has just been unlinked, and advances the epoch. */
    public long retireTag() {
        return memory.getAndAddLong(epochAddress, 1);
    }

    /** Whether all that was unlinked before the tag was taken can be reached by nobody. */
    public boolean isSafe(long tag) {
        return oldestPin() > tag;
    }

    /** The oldest pinned epoch, or {@link Long#MAX_VALUE}. */
    public long oldestPin() {
        VarHandle.fullFence();
        long oldest = Long.MAX_VALUE;
        for (long i = 0; i <= mask; i++) {
            long epoch = memory.getLongVolatile(slots + (i << 6));
            if (epoch != 0 && epoch < oldest) {
                oldest = epoch;
            }
        }
        return oldest;
    }

    /** How many slots are claimed now. */
    public int pinCount() {
        int count = 0;
        for (long i = 0; i <= mask; i++) {
            if (memory.getLongVolatile(slots + (i << 6)) != 0) {
                count++;
            }
        }
        return count;
    }

    /** Who holds the oldest pin, or null. */
    public @Nullable Pin oldest() {
        long oldest = Long.MAX_VALUE;
        Pin found = null;
        for (long i = 0; i <= mask; i++) {
            long slot = slots + (i << 6);
            long epoch = memory.getLongVolatile(slot);
            if (epoch != 0 && epoch < oldest) {
                oldest = epoch;
                found = new Pin(memory.getLong(slot + THREAD), memory.getLong(slot + NANOS));
            }
        }
        return found;
    }

    /** The oldest pin by a guard, or null. */
    public @Nullable Pin oldestGuard() {
        Pin found = null;
        for (long i = 0; i <= mask; i++) {
            long slot = slots + (i << 6);
            long nanos = memory.getLong(slot + NANOS);
            if (memory.getLongVolatile(slot) != 0 && nanos != 0 && (found == null || nanos - found.nanos() < 0)) {
                found = new Pin(memory.getLong(slot + THREAD), nanos);
            }
        }
        return found;
    }

    /**
     * A claimed slot.
     *
     * @param threadId the owner
     * @param nanos {@link System#nanoTime} of pinning if it is a guard, else 0
     */
    public record Pin(long threadId, long nanos) {}
}
