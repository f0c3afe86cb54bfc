package io.loam.memory.region;

import io.loam.memory.RawMemory;
import io.loam.memory.SharedFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * A table of those who take part in something shared, each of which is known to be alive or dead.
 *
 * <pre>
 *   offset             size  name        order    meaning
 *        0                8  used        volatile  slots below this one have been used; never falls
 *        8               56  –                     zero
 *       64 + 64 · slot    8  identity    release   generation &lt;&lt; 16 | slot + 1; 0 after leaving
 *                         8  generation  plain     of the last holder of the slot
 *                         8  pid         plain
 *                         8  started     plain     when its process started, milliseconds since 1970
 *                         8  joined      plain     when it joined, milliseconds since 1970
 *                        24  –                     zero
 * </pre>
 *
 * <p>A participant holds byte {@code lockOffset + slot} of the file locked from before it writes its slot until it leaves or dies. The
 * slot's fields are written by the holder of that byte alone. Pids are for people: they mean nothing in another container. The lock does.
 * While it joins it holds byte {@code lockOffset + MAX_SLOTS + slot} locked, too, from before it tries for the slot until it has written its identity.
 *
 * <p><b>Protocol.</b> Joining writes the fields, then {@code identity} (release), then raises {@code used} (volatile compare-and-set),
 * and only then is the identity used elsewhere. So whoever finds an identity in some shared word finds {@code used} above its slot.
 * {@link #isAlive} asks the kernel first for the lock, then whether somebody is joining, and then compares the identity (acquire): a locked byte with another identity
 * belongs to a successor. If somebody is joining it asks again. <b>Forbidden:</b> a dead one passes for alive because its successor has locked the byte and not yet written. If the lock that was
 * seen is the successor's, it was joining by then, or has written its identity since.
 *
 * <p>Safe from any thread. The memory must stay mapped as long as this is used.
 */
public final class Participants implements Liveness {

    /** Bytes of a table. */
    public static final int BYTES = 64 + 64 * MAX_SLOTS;

    private static final long NOBODY = Long.MAX_VALUE;

    private static final int SLOT_BYTES = 64;
    private static final int IDENTITY = 0;
    private static final int GENERATION = 8;
    private static final int PID = 16;
    private static final int STARTED = 24;
    private static final int JOINED = 32;

    private static final RawMemory MEMORY = RawMemory.ofProcess();

    private final SharedFile file;
    private final long lockOffset;
    private final long table;
    private final long self;
    private volatile boolean left;

    private Participants(SharedFile file, long lockOffset, long table, long self) {
        this.file = file;
        this.lockOffset = lockOffset;
        this.table = table;
        this.self = self;
    }

    /**
     * Takes a free slot.
     *
     * @param file open for writing, by nobody else: leaving and dying is its closing
     * @param lockOffset the first of twice {@link #MAX_SLOTS} bytes to be locked, used for nothing else; they need not exist
     * @param table address of {@link #BYTES} bytes that all participants map, zero at first
     * @throws RegionException if all slots are taken
     */
    public static Participants join(SharedFile file, long lockOffset, long table) {
        for (int slot = 0; slot < MAX_SLOTS; slot++) {
            long joining = lockOffset + MAX_SLOTS + slot;
            if (file.firstLockedByte(lockOffset + slot, 1) == NOBODY && file.tryLockByte(joining, true)) {
                try {
                    if (file.tryLockByte(lockOffset + slot, true)) {
                        return new Participants(file, lockOffset, table, write(table, slot));
                    }
                } finally {
                    file.unlockByte(joining);
                }
            }
        }
        throw new RegionException(
                RegionException.Reason.NO_SPACE,
                "all " + MAX_SLOTS + " participants' slots of " + file.path()
                        + " are taken; end a process that uses it");
    }

    /** Writes the fields of a slot whose byte this process has locked; the new identity. */
    private static long write(long table, int slot) {
        long at = at(table, slot);
        // 32 bits of generation: reused after 4 billion joins of one slot
        long generation = MEMORY.getLong(at + GENERATION) + 1 & 0xffff_ffffL;
        long identity = Liveness.identity(generation, slot);
        ProcessHandle process = ProcessHandle.current();
        MEMORY.putLong(at + GENERATION, generation);
        MEMORY.putLong(at + PID, process.pid());
        MEMORY.putLong(
                at + STARTED,
                process.info().startInstant().map(i -> i.toEpochMilli()).orElse(0L));
        MEMORY.putLong(at + JOINED, System.currentTimeMillis());
        // release: pairs with the acquire of isAlive and list: publishes the fields
        MEMORY.putLongRelease(at + IDENTITY, identity);
        raiseUsed(table, slot + 1);
        return identity;
    }

    private static void raiseUsed(long table, int slots) {
        long used;
        do {
            used = MEMORY.getLongVolatile(table);
        } while (used < slots && !MEMORY.compareAndSetLong(table, used, slots));
    }

    private static long at(long table, int slot) {
        return table + 64 + (long) slot * SLOT_BYTES;
    }

    @Override
    public long self() {
        return self;
    }

    @Override
    public int usedSlots() {
        return usedSlots(table);
    }

    private static int usedSlots(long table) {
        return (int) Math.clamp(MEMORY.getLongVolatile(table), 0, MAX_SLOTS);
    }

    @Override
    public boolean isAlive(long identity) {
        if (identity == self) {
            return !left;
        }
        int slot = Liveness.slot(identity);
        if (slot < 0 || slot >= MAX_SLOTS) {
            return false;
        }
        if (slot == Liveness.slot(self)) {
            return false; // of a predecessor
        }
        while (file.firstLockedByte(lockOffset + slot, 1) != NOBODY) {
            boolean joining = file.firstLockedByte(lockOffset + MAX_SLOTS + slot, 1) != NOBODY;
            if (MEMORY.getLongAcquire(at(table, slot) + IDENTITY) != identity) {
                return false;
            }
            if (!joining) {
                return true;
            }
            LockSupport.parkNanos(20_000);
        }
        return false;
    }

    /** One participant, for people to read. */
    public record Participant(long identity, long pid, long startedMillis, long joinedMillis) {

        public int slot() {
            return Liveness.slot(identity);
        }

        @Override
        public String toString() {
            return "pid " + pid + " (slot " + slot() + ")";
        }
    }

    /** Who is in a slot; nobody if it is free or its holder is dead. */
    public Optional<Participant> find(int slot) {
        long at = at(table, slot);
        long identity = MEMORY.getLongAcquire(at + IDENTITY);
        if (identity == 0 || !isAlive(identity)) {
            return Optional.empty();
        }
        return Optional.of(new Participant(
                identity, MEMORY.getLong(at + PID), MEMORY.getLong(at + STARTED), MEMORY.getLong(at + JOINED)));
    }

    /** The lowest slot of a participant who is alive, below 0 if there is none; without taking part. Parameters as {@link #join}; who is joining or leaving meanwhile counts or not. */
    public static int firstAlive(SharedFile file, long lockOffset, long table) {
        for (int slot = 0; slot < usedSlots(table); slot++) {
            boolean locked = file.firstLockedByte(lockOffset + slot, 1) != NOBODY;
            if (locked && MEMORY.getLongAcquire(at(table, slot) + IDENTITY) != 0) {
                return slot;
            }
        }
        return -1;
    }

    /** The pid that whoever was in a slot last has written there; for messages, without taking part. */
    public static long pidIn(long table, int slot) {
        return MEMORY.getLong(at(table, slot) + PID);
    }

    /** All who are alive. */
    public List<Participant> list() {
        List<Participant> alive = new ArrayList<>();
        for (int slot = 0; slot < usedSlots(); slot++) {
            find(slot).ifPresent(alive::add);
        }
        return alive;
    }

    /** The pid that a participant had, dead or alive, for messages; 0 if its slot has a new holder. */
    public long pid(long identity) {
        int slot = Liveness.slot(identity);
        if (slot < 0 || slot >= MAX_SLOTS) {
            return 0;
        }
        long at = at(table, slot);
        return MEMORY.getLong(at + GENERATION) == Liveness.generation(identity) ? MEMORY.getLong(at + PID) : 0;
    }

    /** Gives the slot back: what it holds counts as held by a dead one. Idempotent. */
    public void leave() {
        if (!left) {
            retire();
            file.unlockByte(lockOffset + Liveness.slot(self));
        }
    }

    /**
     * As {@link #leave}, but nobody else gets the slot before the file is closed: for one who can't be sure that it will never touch again what goes with the slot's number. Idempotent.
     */
    public void retire() {
        left = true;
        MEMORY.putLongRelease(at(table, Liveness.slot(self)) + IDENTITY, 0);
    }
}
