package io.loam.store.engine;

import io.loam.memory.RawMemory;
import io.loam.store.epoch.Epochs;
import io.loam.store.index.Index;
import io.loam.store.log.BlockPool;
import io.loam.store.log.BlockTable;
import io.loam.store.log.Entries;
import io.loam.store.log.Geometry;
import java.util.function.LongConsumer;

/**
 * What an operation is about to do that must be done wholly or not at all, so that it can be finished for a process that was killed; and what a transaction touches, for which there is no room in its epoch slot.
 * Two pages for each epoch slot, for the operation that pins it:
 *
 * <pre>
 * offset size name     order    meaning
 *      0    8 phase    release  {@link #IDLE}, {@link #OVERWRITE}, {@link #TOUCH} or {@link #COMMIT}
 *      8    8 what     plain    OVERWRITE: the entry's location. TOUCH, COMMIT: how many keys follow
 *     16      content  plain    OVERWRITE: the whole new entry. TOUCH, COMMIT: keys, 40 bytes each, or, of more than {@link #MAX_KEYS}, the numbers of the blocks that they are in, 4 bytes each. A key is: 8 hash; 8 location reserved for its new entry, or 0;
 *                               COMMIT: 8 offset of its slot, or 0 if it has none or is not changed; 8 location that the slot had, or 0; 8 offset of its home
 * </pre>
 *
 * <p>OVERWRITE and COMMIT are set after the content and before the first of the stores they announce, which are all that readers wait for the end of: a locked header, homes that are busy. They are reset after the last. All of it is under
 * the locks of the buckets concerned. So whoever finds them set, in the journal of a dead one, may do it all again, at once and more than once: nobody else has touched these places since. A key of a transaction that has a
 * slot and no location is removed.
 *
 * <p>Blocks of keys are the index's, to which nothing leads: if the process dies they are among the strays that the next leader frees. A leader that takes over while another process lives would do so, too; hence
 * only who has the store for itself has so many keys.
 */
final class Journals {

    static final int BYTES = 8192;
    private static final int KEY_BYTES = 40;

    /** The most keys of one transaction, without blocks. */
    static final int MAX_KEYS = (BYTES - 16) / KEY_BYTES;

    static final long IDLE = 0;
    static final long OVERWRITE = 1;
    static final long TOUCH = 2;
    static final long COMMIT = 3;

    private final RawMemory memory;
    private final long journals;
    private final long epochSlots;
    private final long base;
    private final Geometry geometry;
    private final BlockPool pool;
    private final int keysPerBlock;

    Journals(RawMemory memory, long journals, long epochSlots, long base, Geometry geometry, BlockPool pool) {
        this.memory = memory;
        this.journals = journals;
        this.epochSlots = epochSlots;
        this.base = base;
        this.geometry = geometry;
        this.pool = pool;
        this.keysPerBlock = geometry.blockBytes / KEY_BYTES;
    }

    private long of(long pin) {
        return journals + (pin - epochSlots) / Epochs.SLOT_BYTES * BYTES;
    }

    private long key(long pin, int number) {
        if (memory.getLong(of(pin) + 8) <= MAX_KEYS) {
            return of(pin) + 16 + (long) KEY_BYTES * number;
        }
        int block = memory.getInt(block(pin, number / keysPerBlock));
        return base + geometry.blockOffset(block) + (long) KEY_BYTES * (number % keysPerBlock);
    }

    /** The word that names a block of keys. */
    private long block(long pin, int number) {
        return of(pin) + 16 + 4L * number;
    }

    /** The most keys of one transaction, with blocks. */
    long mostKeys() {
        return (BYTES - 16) / 4L * keysPerBlock;
    }

    /** How many blocks a transaction of so many keys needs here. */
    int blocksFor(int keys) {
        return keys <= MAX_KEYS ? 0 : (keys + keysPerBlock - 1) / keysPerBlock;
    }

    /** Makes room for the keys of a transaction; false if there are no blocks for them. */
    boolean begin(long pin, int keys) {
        memory.putLong(of(pin) + 8, 0); // of what was there before nothing is to be freed
        int[] taken = blocksFor(keys) == 0 ? BlockPool.NONE : pool.allocateIndex(blocksFor(keys));
        if (taken.length < blocksFor(keys)) {
            return false;
        }
        for (int i = 0; i < taken.length; i++) {
            memory.putInt(block(pin, i), taken[i]);
        }
        memory.putLong(of(pin) + 8, keys);
        return true;
    }

    /** Ends what {@link #begin} began. */
    void end(long pin) {
        int[] taken = new int[blocksFor(keys(of(pin)))];
        for (int i = 0; i < taken.length; i++) {
            taken[i] = memory.getInt(block(pin, i));
        }
        forget(pin);
        if (taken.length > 0) {
            memory.putLong(of(pin) + 8, 0);
            pool.free(BlockTable.INDEX, taken);
        }
    }

    /** Where the entry at {@code location} is to be overwritten first, as a location. {@code units} of it are copied there. */
    long beginOverwrite(long pin, long location, long units) {
        long journal = of(pin);
        memory.putLong(journal + 8, location);
        memory.copy(base + location, journal + 16, units << 3);
        return journal + 16 - base;
    }

    void overwriting(long pin) {
        memory.putLongRelease(of(pin), OVERWRITE);
    }

    void setHash(long pin, int number, long hash) {
        memory.putLong(key(pin, number), hash);
        memory.putLong(key(pin, number) + 8, 0);
        memory.putLong(key(pin, number) + 16, 0);
        memory.putLong(key(pin, number) + 24, 0);
        memory.putLong(key(pin, number) + 32, 0);
    }

    /** Before the first reservation and the first lock. */
    void touching(long pin) {
        memory.putLongRelease(of(pin), TOUCH);
    }

    /** The word where the location goes that is reserved for a key. */
    long locationOf(long pin, int number) {
        return key(pin, number) + 8;
    }

    void setHome(long pin, int number, long bucket) {
        memory.putLong(key(pin, number) + 32, bucket - base);
    }

    void setChange(long pin, int number, long slot, long old) {
        memory.putLong(key(pin, number) + 16, slot == 0 ? 0 : slot - base);
        memory.putLong(key(pin, number) + 24, old);
    }

    void committing(long pin) {
        memory.putLongRelease(of(pin), COMMIT);
    }

    void done(long pin, boolean transaction) {
        memory.putLongRelease(of(pin), transaction ? TOUCH : IDLE);
    }

    void forget(long pin) {
        memory.putLongRelease(of(pin), IDLE);
    }

    // ---- repair

    /** Finishes what the operation that had this slot had begun, so that no reader waits for it any more. {@code index}: of any namespace. */
    void finish(long pin, Entries entries, Index index) {
        long journal = of(pin);
        long phase = memory.getLongAcquire(journal);
        if (phase == OVERWRITE) {
            entries.redo(journal + 16 - base, memory.getLong(journal + 8));
        } else if (phase == COMMIT) {
            forEachBucket(pin, index::setBusy);
            for (int i = 0; i < keys(journal); i++) {
                long slot = memory.getLong(key(pin, i) + 16);
                if (slot != 0) {
                    index.repairSlot(base + slot, memory.getLong(key(pin, i) + 8));
                }
            }
            forEachBucket(pin, index::clearBusy);
        }
    }

    /** The buckets that the transaction holds: homes, and those of slots that it claimed or empties. The slot of a key that only gets another location may lie in a bucket that somebody else holds. */
    private void forEachBucket(long pin, LongConsumer action) {
        for (int i = 0; i < keys(of(pin)); i++) {
            long location = memory.getLong(key(pin, i) + 8);
            long slot = memory.getLong(key(pin, i) + 16);
            long old = memory.getLong(key(pin, i) + 24);
            action.accept(base + memory.getLong(key(pin, i) + 32));
            if (slot != 0 && (location == 0 || old == 0)) {
                action.accept(Index.bucketOf(base + slot));
            }
        }
    }

    interface Touched {
        void visit(long hash, long mine, long old);
    }

    /** What a transaction has touched. */
    void touched(long pin, Touched visitor) {
        long phase = memory.getLongAcquire(of(pin));
        if (phase == TOUCH || phase == COMMIT) {
            for (int i = 0; i < keys(of(pin)); i++) {
                long key = key(pin, i);
                visitor.visit(memory.getLong(key), memory.getLong(key + 8), memory.getLong(key + 24));
            }
        }
    }

    private int keys(long journal) {
        return (int) Math.clamp(memory.getLong(journal + 8), 0, mostKeys());
    }
}
