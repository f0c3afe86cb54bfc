package io.loam.store.epoch;

import io.loam.memory.Membarrier;
import io.loam.memory.RawMemory;
import java.lang.invoke.VarHandle;
import java.lang.ref.WeakReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The epoch and the slots in which operations announce that they are reading.
 *
 * <pre>
 * offset size name     order    meaning
 *      0    8 epoch    opaque   above 0: the epoch at which the owner pinned; 0: free; below 0: free, and minus the id of the thread that owns it
 *      8    8 thread   plain    id of the owner
 *     16    8 nanos    plain    when a guard pinned; 0 for a short operation
 *     24    8 writing  opaque   in a shared store: 1 plus the id of the namespace that whoever pins changes, or 0
 *     32    8 hash     plain    of the key that is being changed
 *     40    8 mine     plain    location that was reserved for the new entry, or is about to be, or 0
 *     48    8 old      plain    location of the entry that is about to be dead, or 0
 *     56    8 reserved plain    keeps slots on lines of their own
 * </pre>
 *
 * <p>The first half of the slots are owned: a platform thread that finds the one that its id names without a living owner keeps it for good, and pins by one store.
 * The second half is shared: claimed for each operation by compare-and-set, by virtual threads, by pins inside of pins, by guards (which another thread may close)
 * and by threads that met another owner. So any number of threads get by with a fixed table. When all shared slots are taken a pin waits.
 *
 * <p><b>Protocol.</b> pin: read epoch e, store it into the slot, fence, then read the index. retire: unlink, fence, tag = epoch++;
 * reuse when every claimed slot holds more than tag. A scan that misses a pin comes before the pin's store in the order of fences, so that
 * the pinned thread sees the unlinking. The forbidden outcome: the scan misses the pin and the pinned thread finds what was unlinked.
 *
 * <p>Where the kernel has membarrier, the fence of a pin is the scanner's: it makes every running thread pass a barrier before it looks at the slots, and a pin only
 * keeps the compiler from moving its loads before its store. HotSpot does so for an opaque store, around which it orders all accesses; the Java memory model does not promise it.
 */
public final class Epochs {

    public static final int SLOT_BYTES = 64;

    private static final int THREAD = 8;
    private static final int NANOS = 16;
    private static final int WRITING = 24;
    private static final int HASH = 32;
    private static final int MINE = 40;
    private static final int OLD = 48;

    private static final boolean CAS_IS_FENCE = System.getProperty("os.arch").equals("amd64");

    private final RawMemory memory;
    private final long epochAddress;
    private final long slots;
    private final long all;
    private final int allCount;
    private final long ownedMask;
    private final long shared;
    private final long sharedMask;
    private final int slotCount;
    private final Barrier barrier;
    private final boolean fences;
    private volatile long known;
    /** Whose the owned slots are. Set under this object's monitor. */
    private final AtomicReferenceArray<@Nullable WeakReference<Thread>> owners;

    /** How a look at the slots is ordered after the pins that it may have missed. */
    public enum Barrier {
        /** Every pin fences. */
        FENCE,
        /** {@link Membarrier#barrier}: all who pin are threads of this process, which has registered. */
        PROCESS,
        /** {@link Membarrier#globalBarrier}: all who pin are threads of processes that have registered. */
        PROCESSES
    }

    /** For threads of one process. */
    public Epochs(RawMemory memory, long epochAddress, long slots, int slotCount, boolean membarrier) {
        this(memory, epochAddress, slots, slotCount, slots, slotCount, membarrier ? Barrier.PROCESS : Barrier.FENCE);
    }

    /**
     * @param epochAddress a zeroed word on a line that nothing else writes
     * @param slots zeroed memory of {@code slotCount} slots, in which threads of this process pin
     * @param slotCount a power of two, at least 2
     * @param all the slots of all processes, which include these
     * @param allCount how many those are
     */
    public Epochs(
            RawMemory memory, long epochAddress, long slots, int slotCount, long all, int allCount, Barrier barrier) {
        int half = slotCount / 2;
        this.memory = memory;
        this.epochAddress = epochAddress;
        this.slots = slots;
        this.ownedMask = half - 1;
        this.shared = slots + (long) half * SLOT_BYTES;
        this.sharedMask = half - 1;
        this.slotCount = slotCount;
        this.all = all;
        this.allCount = allCount;
        this.barrier = barrier;
        this.fences = barrier == Barrier.FENCE;
        this.owners = new AtomicReferenceArray<>(half);
        memory.compareAndSetLong(epochAddress, 0, 1);
    }

    /** Pins the current epoch; the result is given back to {@link #unpin}. */
    public long pin() {
        RawMemory m = memory;
        long now = epochAddress;
        boolean fence = fences;
        long id = Thread.currentThread().threadId();
        long slot = m.within(slots + ((id & ownedMask) << 6));
        // what an owned slot holds is written by its owner alone; when the owner has pinned already, by another
        // operation that it is inside of, it is not -id
        if (m.getLong(slot) == -id) {
            // opaque: ordered before every later load by the compiler; by the CPU through the fence here or in
            // oldestPin
            m.putLongOpaque(slot, m.getLongAcquire(m.within(now)));
            if (fence) {
                VarHandle.fullFence();
            }
            return slot;
        }
        return pinOtherwise(id, slot);
    }

    private long pinOtherwise(long id, long slot) {
        return memory.getLong(slot + THREAD) != id && own(slot) ? pin() : pinShared(id);
    }

    /** Makes the calling thread the owner of a slot if it has none that lives. */
    private boolean own(long slot) {
        Thread thread = Thread.currentThread();
        int index = (int) (slot - slots >>> 6);
        if (thread.isVirtual() || hasOwner(index)) {
            return false;
        }
        synchronized (this) {
            if (hasOwner(index) || memory.getLongAcquire(slot) > 0) {
                return false;
            }
            owners.set(index, new WeakReference<>(thread));
            memory.putLong(slot + THREAD, thread.threadId());
            memory.putLongRelease(slot, -thread.threadId());
            return true;
        }
    }

    private boolean hasOwner(int index) {
        WeakReference<Thread> reference = owners.get(index);
        Thread owner = reference == null ? null : reference.get();
        return owner != null && owner.isAlive();
    }

    private long pinShared(long id) {
        for (long probe = 0; ; probe++) {
            long slot = shared + ((id + probe & sharedMask) << 6);
            if (memory.getLongOpaque(slot) == 0 && claim(slot)) {
                memory.putLong(slot + THREAD, id);
                return slot;
            }
            if ((probe & sharedMask) == sharedMask) {
                LockSupport.parkNanos(20_000);
            }
        }
    }

    private boolean claim(long slot) {
        // volatile: the claim is ordered before every later load of the index; pairs with the fence in oldestPin
        boolean claimed = memory.compareAndSetLong(slot, 0, memory.getLongAcquire(epochAddress));
        if (!CAS_IS_FENCE) {
            VarHandle.fullFence();
        }
        return claimed;
    }

    /**
     * Says what is about to be changed under the pin, before the first lock is taken, for whoever repairs it if this process dies: the home of the hash, and others that follow from it. Only the
     * latest counts. A writer says it before it looks whether writers are to stay out.
     */
    public void setWriting(long slot, int namespaceId, long hash) {
        memory.putLong(slot + MINE, 0);
        memory.putLong(slot + OLD, 0);
        memory.putLong(slot + HASH, hash);
        memory.putLongRelease(slot + WRITING, namespaceId + 1L);
        if (fences) {
            VarHandle.fullFence(); // else the fence is that of who keeps writers out: oldestPin
        }
    }

    /** Where the pin's owner writes which location it reserves, before it does. */
    public static long mineOf(long slot) {
        return slot + MINE;
    }

    /** Says which entry is about to be dead, before it is. */
    public void setOld(long slot, long location) {
        memory.putLong(slot + OLD, location);
    }

    /** The pin's writes are done. */
    public void endWriting(long slot) {
        memory.putLongRelease(slot + WRITING, 0);
    }

    /** Whether the slot is pinned by a writer. */
    public boolean isWriting(long slot) {
        return memory.getLongVolatile(slot) > 0 && memory.getLongVolatile(slot + WRITING) != 0;
    }

    /**
     * What was being changed under a pin.
     *
     * @param mine location that was reserved or was about to be, or 0
     * @param old location of the entry that was about to be dead, or 0
     */
    public record Change(int namespaceId, long hash, long mine, long old) {}

    /** What was being changed under the pin of a dead process; null: nothing. */
    public @Nullable Change changeOf(long slot) {
        return isWriting(slot)
                ? new Change(
                        (int) memory.getLong(slot + WRITING) - 1,
                        memory.getLong(slot + HASH),
                        memory.getLong(slot + MINE),
                        memory.getLong(slot + OLD))
                : null;
    }

    /** Frees a slot whose process is dead. */
    public void clear(long slot) {
        memory.putLong(slot + WRITING, 0);
        memory.putLong(slot + NANOS, 0);
        memory.putLong(slot + THREAD, 0);
        memory.putLongRelease(slot, 0);
    }

    /** As {@link #pin}, for a guard: remembers when. */
    public long pinGuard() {
        long slot = pinShared(Thread.currentThread().threadId());
        memory.putLong(slot + WRITING, 0);
        memory.putLong(slot + NANOS, System.nanoTime() | 1);
        return slot;
    }

    public void unpinGuard(long slot) {
        memory.putLong(slot + NANOS, 0);
        unpin(slot);
    }

    /** Ends a pin; all its loads come before. */
    public void unpin(long slot) {
        if (slot < shared) {
            RawMemory m = memory;
            long address = m.within(slot);
            m.putLongRelease(address, -m.getLong(address + THREAD));
        } else {
            memory.putLong(slot + THREAD, 0); // so that the next owner's claim is never taken for one of this thread
            memory.putLongRelease(slot, 0);
        }
    }

    /** Whether the calling thread holds a pin, by a guard or an operation it is inside of. Looks at every slot. */
    public boolean isPinnedByCurrentThread() {
        long id = Thread.currentThread().threadId();
        for (long i = 0; i < slotCount; i++) {
            long slot = slots + (i << 6);
            if (memory.getLongAcquire(slot) > 0 && memory.getLong(slot + THREAD) == id) {
                return true;
            }
        }
        return false;
    }

    /** Whether the calling thread is inside of a write, by {@link #setWriting}. Looks at every slot. */
    public boolean isWritingByCurrentThread() {
        long id = Thread.currentThread().threadId();
        for (long i = 0; i < slotCount; i++) {
            long slot = slots + (i << 6);
            if (isWriting(slot) && memory.getLong(slot + THREAD) == id) {
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
        return tag < known || tag < oldestPin();
    }

    /**
     * The epoch that all pins are known to have reached: of what got a smaller tag nobody sees anything any more. That holds for
     * good, and for tags taken before this call; a tag taken later is never smaller, pinned threads or none. Interrupts every
     * running thread of the process for some microseconds, where there is membarrier.
     */
    public long oldestPin() {
        long oldest = memory.getLongVolatile(epochAddress);
        switch (barrier) {
            case FENCE -> VarHandle.fullFence();
            case PROCESS -> Membarrier.barrier();
            case PROCESSES -> Membarrier.globalBarrier();
        }
        for (long i = 0; i < allCount; i++) {
            long epoch = memory.getLongVolatile(all + (i << 6));
            if (epoch > 0 && epoch < oldest) {
                oldest = epoch;
            }
        }
        known = oldest; // two at a time may leave the smaller: then somebody looks once more than needed
        return oldest;
    }

    /** What the last {@link #oldestPin} came to. */
    long known() {
        return known;
    }

    /** Whether no thread of this process is pinned. */
    public boolean isQuiet() {
        for (long i = 0; i < slotCount; i++) {
            if (memory.getLongVolatile(slots + (i << 6)) > 0) {
                return false;
            }
        }
        return true;
    }

    /** How many slots are claimed now. */
    public int pinCount() {
        int count = 0;
        for (long i = 0; i < allCount; i++) {
            if (memory.getLongVolatile(all + (i << 6)) > 0) {
                count++;
            }
        }
        return count;
    }

    /** Who holds the oldest pin, or null. */
    public @Nullable Pin oldest() {
        long oldest = Long.MAX_VALUE;
        Pin found = null;
        for (long i = 0; i < allCount; i++) {
            long slot = all + (i << 6);
            long epoch = memory.getLongVolatile(slot);
            if (epoch > 0 && epoch < oldest) {
                oldest = epoch;
                found = new Pin(slot, memory.getLong(slot + THREAD), memory.getLong(slot + NANOS));
            }
        }
        return found;
    }

    /** The oldest pin by a guard, or null. */
    public @Nullable Pin oldestGuard() {
        Pin found = null;
        for (long i = 0; i < allCount; i++) {
            long slot = all + (i << 6);
            long nanos = memory.getLong(slot + NANOS);
            if (memory.getLongVolatile(slot) > 0 && nanos != 0 && (found == null || nanos - found.nanos() < 0)) {
                found = new Pin(slot, memory.getLong(slot + THREAD), nanos);
            }
        }
        return found;
    }

    /**
     * A claimed slot.
     *
     * @param slot its address
     * @param threadId the owner
     * @param nanos {@link System#nanoTime} of pinning if it is a guard, else 0
     */
    public record Pin(long slot, long threadId, long nanos) {}
}
