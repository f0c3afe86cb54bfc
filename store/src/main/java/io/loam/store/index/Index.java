package io.loam.store.index;

import static io.loam.store.index.BucketLayout.*;

import io.loam.memory.RawMemory;
import io.loam.store.crash.CrashPoint;
import io.loam.store.epoch.Epochs;
import io.loam.store.epoch.Reclaimer;
import io.loam.store.log.BlockPool;
import io.loam.store.log.BlockTable;
import io.loam.store.log.Entries;
import io.loam.store.log.EntryLayout;
import io.loam.store.log.Geometry;
import io.loam.store.log.SpinLock;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.IntPredicate;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The index of one namespace: finds, inserts, moves and removes locations by hash and key. See the package for the invariants.
 *
 * <p>Its directory is a block: the first word is the root, {@code log2} of the directory's length; the directory of length 2^g begins at word 2^g, so that
 * each length has its own place and a reader of a shorter one sees entries that were right when it loaded the root. A directory's word is the offset of a descriptor.
 *
 * <p>A writer works in steps under its pin: {@link #descriptor}, {@link #tryLock} (0: moved, go on with {@link #successor}), {@link #findLocked}, then one of {@link #insertLocked},
 * {@link #setLocation}, {@link #removeLocked}, and {@link #unlock}. Buckets, slots and descriptors are addresses.
 */
public final class Index {

    /** Outcomes of {@link #insertLocked}. */
    public enum Insert {
        DONE,
        /** A lock of another bucket was in the way: unlock and start over. */
        BUSY,
        /** Every bucket that the key may be in is full: unlock, unpin, {@link #growNow}, and start over. */
        FULL
    }

    private static final double LIMIT_LOW = 0.86;
    private static final double LIMIT_SPREAD = 0.04;
    /** Load that a subtable which grows is laid out for. */
    private static final double GROWN_LOAD = 0.82;
    /** While keys are copied, inserts wait above this load of the successor, so that what is still to come finds slots. */
    private static final double COPYING_LOAD = 0.88;
    /** A fuller subtable is not moved to other blocks. */
    private static final double MOST_MOVED_LOAD = 0.85;
    /** Unit sizes from an eighth of a block to a whole one. */
    private static final int UNIT_SIZES = 4;

    /** Smaller subtables, of small stores, are kept at this share of the loads above: chance fills all of a key's buckets in them sooner. */
    private static final double SMALL_SHARE = 0.78;

    private static final int SMALL_BUCKETS = 1024;

    /** So often {@link #size} counts again because a resizing moved keys meanwhile. */
    private static final int SIZE_TRIES = 1000;
    /** A key that is moved should have found room after so many tries: seconds. */
    private static final int MANY_SPINS = 20_000;
    /** Seen versions are rounded up, so that most writes leave the descriptor alone. */
    private static final long VERSION_STEP = 1024;
    /** More than the operations that can be in flight. */
    private static final long IN_FLIGHT = 1 << 20;
    /** A subtable that has this share of its limit's keys above the limit is grown by the writer that inserts the next. */
    private static final int LATE_SHARE = 32;
    /** So long a writer waits for the last pieces of other threads before it tries again. */
    private static final long LAST_PIECES_NANOS = 20_000;

    /** In a shared store: who resizes for all, and whether writers are to stay out. */
    public interface Resizer {
        /** As {@link Index#growNow}; {@code full} is an offset. */
        int growNow(long hash, long full);

        /** Whether a lock that is in the way may be a dead process's, so that its repair waits for whoever waits for the lock. */
        boolean isPaused();
    }

    /** The operation is to let go of everything and start over, after what a dead process left has been repaired. */
    public static final class PausedException extends RuntimeException {
        private static final long serialVersionUID = 1;

        PausedException() {
            super("writers are kept out while what a dead process left is repaired", null, false, false);
        }
    }

    private static final int SPINS_BEFORE_LOOKING = 50;

    private static final Resize[] NONE = {};

    private static final int MOVED_UPPER_SHIFT = 32;
    private static final long MOVED_LOWER = (1L << MOVED_UPPER_SHIFT) - 1;

    private static final long ASKED = 1;
    /** In a descriptor's asked word: growing was tried and there was no memory; a key that finds no slot tries again. */
    private static final long REFUSED = 2;

    private final RawMemory memory;
    private final long base;
    private final Geometry geometry;
    private final BlockPool pool;
    private final Entries entries;
    private final KeyHash keyHash;
    private final Epochs epochs;
    private final Reclaimer reclaimer;
    private final DescriptorSlab slab;
    private final LongConsumer resizeAsked;
    private final int granuleShift;
    private final long dataAddress;
    private final long rootAddress;
    private final int directoryBlock;
    private final long root;
    private final @Nullable Resizer resizer;
    private final int maximumDepth;
    /** Held while a resizing begins and while its successors are published: for no longer than that. */
    private final ReentrantLock resizing = new ReentrantLock();
    /** Read lock: a piece of a resizing is being done. Write lock: the index is being destroyed. Before {@link #resizing}. */
    private final ReentrantReadWriteLock pieces = new ReentrantReadWriteLock();

    /** Begun, and their successors not published. Replaced under the resizing lock. */
    private volatile Resize[] underWay = NONE;

    private final AtomicLong resizes = new AtomicLong();
    /** Transfers of counted keys between subtables, so that {@link #size} tells a sum during which there was one. */
    private final AtomicLong transfersBegun = new AtomicLong();

    private final AtomicLong transfersEnded = new AtomicLong();
    /** Set under both locks. */
    private boolean destroyed;

    /**
     * @param resizeAsked is given a hash whose subtable should be resized, by {@link #resize}, soon and by another thread
     * @throws NoRoomException if there is no memory for the smallest index
     */
    public Index(
            RawMemory memory,
            long base,
            Geometry geometry,
            BlockPool pool,
            Entries entries,
            KeyHash keyHash,
            Epochs epochs,
            Reclaimer reclaimer,
            DescriptorSlab slab,
            LongConsumer resizeAsked) {
        this.memory = memory;
        this.base = base;
        this.geometry = geometry;
        this.pool = pool;
        this.entries = entries;
        this.keyHash = keyHash;
        this.epochs = epochs;
        this.reclaimer = reclaimer;
        this.slab = slab;
        this.resizeAsked = resizeAsked;
        this.granuleShift = geometry.blockShift - 3;
        this.dataAddress = base + geometry.dataOffset;
        this.maximumDepth = geometry.blockShift - 4;
        this.resizer = null;
        this.root = 0;
        int[] block = pool.allocateIndex(1);
        if (block.length == 0) {
            throw new NoRoomException();
        }
        directoryBlock = block[0];
        rootAddress = base + geometry.blockOffset(directoryBlock);
        long first = newSubtable(0, 0L, 0, SubtableLayout.MIN_UNITS, -1);
        if (first == 0) {
            pool.free(BlockTable.INDEX, directoryBlock);
            throw new NoRoomException();
        }
        for (int empty : blocksOf(base + first)) {
            zero(empty);
        }
        memory.putLong(rootAddress + 8, first);
        memory.putLongRelease(rootAddress, 0);
    }

    /**
     * The same index as another one, made by this process or another.
     *
     * @param root what names it: its directory's block in the low half, any number in the high half
     * @param resizer who resizes it, by {@code resizeAsked} and at once; null: this process
     */
    public Index(Index other, long root, LongConsumer resizeAsked, @Nullable Resizer resizer) {
        this(
                other.memory,
                other.base,
                other.geometry,
                other.pool,
                other.entries,
                other.keyHash,
                other.epochs,
                other.reclaimer,
                other.slab,
                resizeAsked,
                root,
                resizer);
    }

    /** An index that is there already. Parameters as above. */
    public Index(
            RawMemory memory,
            long base,
            Geometry geometry,
            BlockPool pool,
            Entries entries,
            KeyHash keyHash,
            Epochs epochs,
            Reclaimer reclaimer,
            DescriptorSlab slab,
            LongConsumer resizeAsked,
            long root,
            @Nullable Resizer resizer) {
        this.memory = memory;
        this.base = base;
        this.geometry = geometry;
        this.pool = pool;
        this.entries = entries;
        this.keyHash = keyHash;
        this.epochs = epochs;
        this.reclaimer = reclaimer;
        this.slab = slab;
        this.resizeAsked = resizeAsked;
        this.granuleShift = geometry.blockShift - 3;
        this.dataAddress = base + geometry.dataOffset;
        this.maximumDepth = geometry.blockShift - 4;
        this.resizer = resizer;
        this.root = root;
        this.directoryBlock = (int) root;
        this.rootAddress = base + geometry.blockOffset(directoryBlock);
    }

    /** What names it in a table of namespaces; 0 in a store of one process. */
    public long root() {
        return root;
    }

    public int directoryBlock() {
        return directoryBlock;
    }

    /** There is no memory for an index. */
    public static final class NoRoomException extends RuntimeException {
        private static final long serialVersionUID = 1;

        NoRoomException() {
            super("no memory for an index", null, false, false);
        }
    }

    // ---- finding the way

    public long hash(byte[] key, int offset, int length) {
        return keyHash.hash(key, offset, length);
    }

    /** The hash of the key of the entry at {@code location}. */
    public long hashAt(long location, long header) {
        int length = entries.keyLength(location, header);
        long address = entries.keyAddress(location, header);
        return address != 0 ? keyHash.hash(address, length) : keyHash.hash(entries.key(location, header), 0, length);
    }

    /** The subtable for a hash. */
    public long descriptor(long hash) {
        // acquire: pairs with the release of root and directory words: publishes descriptors
        long word = SubtableLayout.directoryWord(hash, (int) memory.getLongAcquire(rootAddress));
        return base + memory.getLongAcquire(rootAddress + (word << 3));
    }

    /** Where the keys of a moved home are now. */
    public long successor(long descriptor, long hash) {
        long lower = memory.getLongAcquire(descriptor + SubtableLayout.SUCCESSOR);
        long upper = memory.getLong(descriptor + SubtableLayout.UPPER);
        if (upper == 0) {
            return base + lower;
        }
        int depth = SubtableLayout.depth(memory.getInt(descriptor));
        return base + ((hash << depth) < 0 ? upper : lower);
    }

    private long bucketAddress(long descriptor, int tableGeometry, int bucket) {
        int shift = SubtableLayout.unitShift(tableGeometry);
        long unit = memory.getInt(descriptor + SubtableLayout.UNITS + ((long) (bucket >>> shift) << 2));
        return dataAddress + (unit << granuleShift) + ((long) (bucket & (1 << shift) - 1) << 6);
    }

    /** The bucket that is alternate {@code number} of a home; the home itself for 0. */
    private long bucketAddress(long descriptor, int tableGeometry, int home, int number) {
        int buckets = SubtableLayout.buckets(tableGeometry);
        return bucketAddress(descriptor, tableGeometry, number == 0 ? home : alternateBucket(home, number, buckets));
    }

    private long homeAddress(long descriptor, long hash) {
        int tableGeometry = memory.getInt(descriptor);
        return bucketAddress(descriptor, tableGeometry, SubtableLayout.home(hash, tableGeometry));
    }

    // ---- reading without locks

    /** The location of the key's entry, or 0. The caller is pinned. */
    public long lookup(long hash, byte[] key, int offset, int length) {
        long location = guess(hash, home(hash));
        if (location != 0) {
            Entries.fetchSecondLine(memory, memory.within(base + location));
            if (entries.keyEquals(location, key, offset, length)) {
                return location;
            }
        }
        return lookupAny(descriptor(hash), hash, key, offset, length);
    }

    /** The general case. Longer than what HotSpot inlines (325 bytes of code), and to be kept so, for with this inside callers would grow beyond what it inlines in turn. */
    private long lookupAny(long first, long hash, byte[] key, int offset, int length) {
        long descriptor = first;
        long tag = tag(hash);
        for (int spins = 0; ; ) {
            int tableGeometry = memory.getInt(descriptor);
            int home = SubtableLayout.home(hash, tableGeometry);
            long bucket = bucketAddress(descriptor, tableGeometry, home);
            long control = memory.getLongAcquire(bucket);
            if ((control & MOVED) != 0) {
                descriptor = successor(descriptor, hash);
                continue;
            }
            if ((control & BUSY) != 0) {
                entries.awaitUpdate(spins++);
                continue;
            }
            for (long found = candidates(control, tag); found != 0; found &= found - 1) {
                long location = memory.getLongAcquire(bucket + slotOffset(found)) & LOCATION;
                if (location != 0 && entries.keyEquals(location, key, offset, length)) {
                    return location;
                }
            }
            int buckets = SubtableLayout.buckets(tableGeometry);
            // the farthest of now, as farthestNow says
            for (int number = 1; number <= farthest(memory.getLongAcquire(bucket)); number++) {
                long other = bucketAddress(descriptor, tableGeometry, alternateBucket(home, number, buckets));
                for (long found = candidates(memory.getLongAcquire(other), tag); found != 0; found &= found - 1) {
                    long word = memory.getLongAcquire(other + slotOffset(found));
                    long location = word & LOCATION;
                    // a slot of another home may be left over from a home that has moved, and its entry be gone
                    if (location != 0
                            && alternate(word) == number
                            && entries.keyEquals(location, key, offset, length)) {
                        return location;
                    }
                }
            }
            return 0;
        }
    }

    /**
     * A location that is probably the key's, or 0. {@code bucket} is its {@link #home}. If the entry there has the key, it is what {@link #lookup} finds; if not, the key may be
     * elsewhere. The caller is pinned.
     */
    public long guess(long hash, long bucket) {
        RawMemory m = memory;
        long home = m.within(bucket);
        long control = m.getLongAcquire(home);
        if ((control & (MOVED | BUSY)) != 0) {
            return 0;
        }
        long found = candidates(control, tag(hash));
        if (found != 0) {
            // acquire: pairs with the release of the slot's word: publishes the entry
            return m.getLongAcquire(m.within(home + slotOffset(found))) & LOCATION;
        }
        if ((control & FARTHEST_MASK) == 0) {
            return 0;
        }
        // the first alternate is the other bucket of an aligned pair, which CPUs fetch together
        long pair = m.within(bucket ^ BYTES);
        found = candidates(m.getLongAcquire(pair), tag(hash));
        long word = found == 0 ? 0 : m.getLongAcquire(pair + slotOffset(found));
        return alternate(word) == 1 ? word & LOCATION : 0;
    }

    /** The address of the home bucket, for {@link #guess}. In as few instructions as can be: the fewer, the more of the next key's misses fit into the CPU's window. */
    public long home(long hash) {
        RawMemory m = memory;
        long start = base;
        long root = m.within(rootAddress);
        long word = SubtableLayout.directoryWord(hash, (int) m.getLongAcquire(root));
        long descriptor = m.within(start + m.getLongAcquire(m.within(root + (word << 3))));
        int tableGeometry = m.getInt(descriptor);
        long place = SubtableLayout.place(hash, tableGeometry);
        long unit = m.getInt(descriptor + SubtableLayout.UNITS + (SubtableLayout.unitOf(place) << 2));
        return dataAddress + (unit << granuleShift) + (SubtableLayout.bucketOf(place, tableGeometry) << 6);
    }

    /** Loads the lines of buckets, so that they are in the cache or on their way; they may be those of other indexes too. */
    public void fetch(long[] buckets, int count) {
        RawMemory m = memory;
        long seen = 0;
        for (int i = 0; i < count; i++) {
            seen ^= m.getLong(m.within(buckets[i]));
        }
        Entries.keepAlive(seen);
    }

    // ---- writing under a home's lock

    /** Locks the home of a hash in this subtable; its address, or 0 if the home has moved to the successor. */
    public long tryLock(long descriptor, long hash) {
        long bucket = homeAddress(descriptor, hash);
        for (int spins = 0; ; spins++) {
            long control = memory.getLongAcquire(bucket);
            if ((control & MOVED) != 0) {
                return 0;
            }
            if ((control & LOCKED) == 0 && memory.compareAndSetLong(bucket, control, control | LOCKED)) {
                CrashPoint.at("home-locked");
                return bucket;
            }
            backOff(spins);
        }
    }

    private void backOff(int spins) {
        if (spins > SPINS_BEFORE_LOOKING) {
            checkNotPaused();
        }
        SpinLock.backOff(spins);
    }

    /** Whoever tries again and again for locks that are in its way asks this each time. */
    public void checkNotPaused() {
        if (resizer != null && resizer.isPaused()) {
            throw new PausedException();
        }
    }

    public void unlock(long bucket) {
        // release: pairs with the next owner's CAS and with readers' acquire of the control word
        memory.putLongRelease(bucket, memory.getLong(bucket) & ~LOCKED);
    }

    /** Makes readers of a locked home wait until {@link #clearBusy}. */
    public void setBusy(long bucket) {
        memory.putLongVolatile(bucket, memory.getLong(bucket) | BUSY);
    }

    public void clearBusy(long bucket) {
        memory.putLongRelease(bucket, memory.getLong(bucket) & ~BUSY);
    }

    /** The slot of the key, or 0. The home is locked. */
    public long findLocked(long descriptor, long bucket, long hash, byte[] key, int offset, int length) {
        long tag = tag(hash);
        long control = memory.getLong(bucket);
        for (long found = candidates(control, tag); found != 0; found &= found - 1) {
            long slot = bucket + slotOffset(found);
            long word = memory.getLong(slot);
            long location = word & LOCATION;
            if (location != 0 && alternate(word) == 0 && entries.keyEquals(location, key, offset, length)) {
                return slot;
            }
        }
        return farthest(control) == 0
                ? 0
                : findInAlternates(
                        descriptor, bucket, hash, location -> entries.keyEquals(location, key, offset, length));
    }

    /**
     * How far the keys of a home go now. To be asked before each alternate, in ascending order: a key may go on to a later one, as {@link #placeByDisplacing} says, and raises
     * this before.
     */
    private int farthestNow(long bucket) {
        return farthest(memory.getLongAcquire(bucket));
    }

    private interface Match {
        boolean test(long location);
    }

    private long findInAlternates(long descriptor, long bucket, long hash, Match match) {
        int tableGeometry = memory.getInt(descriptor);
        int home = SubtableLayout.home(hash, tableGeometry);
        for (int number = 1; number <= farthestNow(bucket); number++) {
            long other = bucketAddress(descriptor, tableGeometry, home, number);
            for (long found = candidates(memory.getLongAcquire(other), tag(hash)); found != 0; found &= found - 1) {
                long slot = other + slotOffset(found);
                long word = memory.getLongAcquire(slot);
                if ((word & LOCATION) != 0 && alternate(word) == number && match.test(word & LOCATION)) {
                    return slot;
                }
            }
        }
        return 0;
    }

    /** The slot that holds this location, or 0. The home is locked. */
    public long findLocationLocked(long descriptor, long bucket, long hash, long location) {
        long control = memory.getLong(bucket);
        for (long found = candidates(control, tag(hash)); found != 0; found &= found - 1) {
            long slot = bucket + slotOffset(found);
            long word = memory.getLong(slot);
            if ((word & LOCATION) == location && alternate(word) == 0) { // others are of other homes, moved ones too
                return slot;
            }
        }
        return farthest(control) == 0 ? 0 : findInAlternates(descriptor, bucket, hash, found -> found == location);
    }

    /** Whether the index points to this location now; takes no lock. */
    public boolean pointsTo(long hash, long location) {
        long descriptor = descriptor(hash);
        while (true) {
            long bucket = homeAddress(descriptor, hash);
            long control = memory.getLongAcquire(bucket);
            if ((control & MOVED) != 0) {
                descriptor = successor(descriptor, hash);
                continue;
            }
            for (long found = candidates(control, tag(hash)); found != 0; found &= found - 1) {
                long word = memory.getLongAcquire(bucket + slotOffset(found));
                if ((word & LOCATION) == location && alternate(word) == 0) {
                    return true;
                }
            }
            return findInAlternates(descriptor, bucket, hash, found -> found == location) != 0;
        }
    }

    public long location(long slot) {
        return memory.getLong(slot) & LOCATION;
    }

    /** Points a slot to another entry of the same key. The home is locked. */
    public void setLocation(long slot, long location) {
        // release: pairs with readers' acquire of the slot: publishes the entry's bytes
        memory.putLongRelease(slot, withLocation(memory.getLong(slot), location));
    }

    /**
     * Adds a key that is not there. The home is locked. {@code held}: the buckets that a transaction has locked, to which others that must be locked are added; null outside
     * of transactions.
     */
    public Insert insertLocked(long descriptor, long bucket, long hash, long location, @Nullable HeldBuckets held) {
        Resize resize = resizeOf(descriptor);
        if (resize != null ? isAhead(resize) : isOverdue(descriptor)) {
            return Insert.FULL;
        }
        long window = windowOf(hash, memory.getInt(descriptor + SubtableLayout.WINDOW));
        long position = hash << SubtableLayout.depth(memory.getInt(descriptor)) >>> 32;
        Insert outcome = place(descriptor, bucket, position, tag(hash), location, window, held);
        if (outcome == Insert.DONE) {
            long keys = memory.getAndAddLong(descriptor + SubtableLayout.KEYS, 1) + 1;
            if (keys >= memory.getInt(descriptor + SubtableLayout.LIMIT)) {
                ask(descriptor, 0, hash);
            }
        }
        return outcome;
    }

    /** Whether this process is resizing a part of it. */
    public boolean isResizing() {
        return underWay.length > 0;
    }

    private @Nullable Resize resizeOf(long descriptor) {
        for (Resize resize : underWay) {
            if (resize.concerns(descriptor)) {
                return resize;
            }
        }
        return null;
    }

    /** Whether there are more keys than the resizing has got ready for. */
    private boolean isAhead(Resize resize) {
        return keys(resize.source) + keys(resize.sibling) + keys(resize.lower) + keys(resize.upper)
                >= resize.allowedKeys();
    }

    /** Whether the one who was asked to grow this subtable is late. */
    private boolean isOverdue(long descriptor) {
        long asked = memory.getLongAcquire(descriptor + SubtableLayout.ASKED);
        if (asked > REFUSED) {
            return isAheadOfOthers(base + asked);
        }
        int limit = memory.getInt(descriptor + SubtableLayout.LIMIT);
        return keys(descriptor) >= limit + limit / LATE_SHARE && asked == ASKED;
    }

    /** Whether there are as many keys as the successors of a subtable that another process resizes may have. */
    private boolean isAheadOfOthers(long source) {
        long lower = memory.getLongAcquire(source + SubtableLayout.SUCCESSOR);
        if (lower == 0) {
            return true; // about to shrink
        }
        long upper = memory.getLong(source + SubtableLayout.UPPER);
        long sibling = siblingOf(source, base + lower);
        return keys(source) + keys(sibling) + keys(base + lower) + (upper == 0 ? 0 : keys(base + upper))
                >= mostKeys(lower, upper);
    }

    /** The other source of a subtable into which two are merged; 0 if it has one source, or the directory leads to the successor instead of the other one already. */
    private long siblingOf(long source, long lower) {
        int depth = SubtableLayout.depth(memory.getInt(source));
        if (SubtableLayout.depth(memory.getInt(lower)) >= depth) {
            return 0;
        }
        long sibling = descriptor(memory.getLong(source + SubtableLayout.PREFIX) ^ 1L << 64 - depth);
        return sibling == lower ? 0 : sibling;
    }

    /** So many keys successors, given by offsets, may have while keys are copied to them. */
    private long mostKeys(long lower, long upper) {
        int buckets = SubtableLayout.buckets(memory.getInt(base + lower));
        long slots = (long) buckets * SLOTS;
        if (upper != 0) {
            slots += (long) SubtableLayout.buckets(memory.getInt(base + upper)) * SLOTS;
        }
        return (long) (slots * COPYING_LOAD * share(buckets));
    }

    /** Lets the inserts of other processes keep to what the successors hold. */
    private void markSources(Resize resize) {
        long source = resize.source - base;
        for (long descriptor : new long[] {resize.lower, resize.upper, resize.source, resize.sibling}) {
            if (descriptor != 0) {
                memory.putLongRelease(descriptor + SubtableLayout.ASKED, source);
            }
        }
    }

    private long keys(long descriptor) {
        return descriptor == 0 ? 0 : memory.getLongAcquire(descriptor + SubtableLayout.KEYS);
    }

    private void ask(long descriptor, long expected, long hash) {
        long asked = descriptor + SubtableLayout.ASKED;
        if (memory.getLongOpaque(asked) == expected && memory.compareAndSetLong(asked, expected, ASKED)) {
            resizeAsked.accept(hash);
        }
    }

    /**
     * Takes a slot for a key that is not there, without making it visible: {@link #setLocation} publishes it, {@link #unclaim} gives it back. For transactions, which hold
     * the home; 0: a lock of another bucket was in the way, -1: every bucket is full.
     */
    public long claimLocked(long descriptor, long bucket, long hash, HeldBuckets held) {
        return switch (insertLocked(descriptor, bucket, hash, 0, held)) {
            case DONE -> findInHomeOrAlternates(descriptor, bucket, hash);
            case BUSY -> 0;
            case FULL -> -1;
        };
    }

    /** The slot of a claim just made: its location is 0. */
    private long findInHomeOrAlternates(long descriptor, long bucket, long hash) {
        long claimed = 0;
        int tableGeometry = memory.getInt(descriptor);
        int home = SubtableLayout.home(hash, tableGeometry);
        int farthest = farthest(memory.getLong(bucket));
        long window = windowOf(hash, memory.getInt(descriptor + SubtableLayout.WINDOW));
        for (int number = 0; number <= farthest && claimed == 0; number++) {
            long from = bucketAddress(descriptor, tableGeometry, home, number);
            long fromControl = memory.getLong(from);
            for (int slot = 0; slot < SLOTS; slot++) {
                long address = from + 8 + ((long) slot << 3);
                if (tagAt(fromControl, slot) == tag(hash) && memory.getLong(address) == word(0, number, window)) {
                    claimed = address;
                }
            }
        }
        return claimed;
    }

    /** Gives back a claimed slot. The home and the slot's bucket are held. */
    public void unclaim(long descriptor, long bucket, long slot, HeldBuckets held) {
        removeLocked(descriptor, bucket, slot, 0, held);
    }

    /** Finds a free slot for a key whose home, which is locked, is at {@code position} of the subtable's 2^32. */
    private Insert place(
            long descriptor,
            long bucket,
            long position,
            long tag,
            long location,
            long window,
            @Nullable HeldBuckets held) {
        long control = memory.getLong(bucket);
        int slot = freeSlot(control);
        if (slot < SLOTS) {
            fill(bucket, control, slot, tag, word(location, 0, window));
            return Insert.DONE;
        }
        int tableGeometry = memory.getInt(descriptor);
        int buckets = SubtableLayout.buckets(tableGeometry);
        int home = (int) (position * buckets >>> 32);
        boolean busy = false;
        for (int number = 1; number <= ALTERNATES; number++) {
            int alternate = alternateBucket(home, number, buckets);
            if (alternate == home) {
                continue;
            }
            long other = bucketAddress(descriptor, tableGeometry, alternate);
            long otherControl = memory.getLongAcquire(other);
            if (freeSlot(otherControl) == SLOTS) {
                continue;
            }
            if (!lockOther(other, otherControl, held)) {
                busy = true;
                continue;
            }
            CrashPoint.at("alternate-locked");
            fill(other, otherControl | LOCKED, freeSlot(otherControl), tag, word(location, number, window));
            unlockOther(other, held);
            CrashPoint.at("alternate-filled");
            if (number > farthest(control)) {
                // after the slot: a reader that sees the farthest alternate sees what is in it
                memory.putLongRelease(bucket, withFarthest(control, number));
            }
            return Insert.DONE;
        }
        return busy ? Insert.BUSY : Insert.FULL;
    }

    /** Locks another bucket than the home, without waiting. */
    private boolean lockOther(long other, long control, @Nullable HeldBuckets held) {
        if (held != null && held.contains(other)) {
            return true;
        }
        if ((control & LOCKED) != 0 || !memory.compareAndSetLong(other, control, control | LOCKED)) {
            return false;
        }
        if (held != null) {
            held.add(other);
        }
        return true;
    }

    private void unlockOther(long other, @Nullable HeldBuckets held) {
        if (held == null) {
            unlock(other);
        }
    }

    /** Locks the bucket of a slot, for {@link #removeLocked} to find it held; false if another lock is in the way. */
    public boolean holdOwner(long slot, HeldBuckets held) {
        long owner = slot & -BYTES;
        return lockOther(owner, memory.getLongAcquire(owner), held);
    }

    /** As {@link #tryLock} without waiting: {@link #CONTENDED} if the home is locked. */
    public long tryLockOnce(long descriptor, long hash, HeldBuckets held) {
        long bucket = homeAddress(descriptor, hash);
        long control = memory.getLongAcquire(bucket);
        if ((control & MOVED) != 0) {
            return 0;
        }
        return lockOther(bucket, control, held) ? bucket : CONTENDED;
    }

    public static final long CONTENDED = -1;

    private void fill(long bucket, long control, int slot, long tag, long word) {
        memory.putLongRelease(bucket + 8 + ((long) slot << 3), word); // the word before the tag (I4)
        CrashPoint.at("word-without-tag");
        memory.putLongRelease(bucket, withTag(control, slot, tag));
    }

    /** Removes a slot's key, whose home is locked. False: another lock was in the way; unlock and start over. */
    public boolean removeLocked(long descriptor, long bucket, long slot, long version, @Nullable HeldBuckets held) {
        long owner = slot & -BYTES;
        int number = (int) (slot - owner >>> 3) - 1;
        raise(descriptor + SubtableLayout.VERSION, version); // before: no later key may get the version again
        if (owner == bucket) {
            memory.putLongRelease(bucket, withTag(memory.getLong(bucket), number, 0)); // the tag before the word (I4)
            CrashPoint.at("tag-removed");
            memory.putLongRelease(slot, 0);
        } else {
            long control = memory.getLongAcquire(owner);
            if (!lockOther(owner, control, held)) {
                return false;
            }
            memory.putLongRelease(owner, withTag(control | LOCKED, number, 0));
            memory.putLongRelease(slot, 0);
            unlockOther(owner, held);
        }
        CrashPoint.at("removed");
        long keys = memory.getAndAddLong(descriptor + SubtableLayout.KEYS, -1) - 1;
        int limit = memory.getInt(descriptor + SubtableLayout.LIMIT);
        if (keys < limit - limit / 5 && (keys & 15) == 0) {
            askToShrink(descriptor);
        }
        return true;
    }

    private void askToShrink(long descriptor) {
        int tableGeometry = memory.getInt(descriptor);
        boolean smallest = SubtableLayout.depth(tableGeometry) == 0
                && SubtableLayout.units(tableGeometry) == SubtableLayout.MIN_UNITS
                && SubtableLayout.unitShift(tableGeometry) == unitShift(0);
        if (!smallest) {
            long prefix = memory.getLong(descriptor + SubtableLayout.PREFIX);
            ask(descriptor, 0, prefix);
            ask(descriptor, REFUSED, prefix);
        }
    }

    private void raiseVersions(long source, long target) {
        raise(target + SubtableLayout.VERSION, memory.getLongAcquire(source + SubtableLayout.VERSION));
        raise(target + SubtableLayout.SEEN, memory.getLongAcquire(source + SubtableLayout.SEEN));
    }

    /** Makes this new index give only versions above all that keys of {@code old} have or had. */
    public void raiseVersions(Index old) {
        long[] highest = {0};
        old.forEachTable(descriptor -> highest[0] = Math.max(
                highest[0],
                Math.max(
                        memory.getLongAcquire(descriptor + SubtableLayout.VERSION),
                        memory.getLongAcquire(descriptor + SubtableLayout.SEEN))));
        // operations in flight may still raise versions in the old index, each by one
        long floor = highest[0] == 0 ? 0 : highest[0] + IN_FLIGHT;
        forEachTable(descriptor -> {
            raise(descriptor + SubtableLayout.VERSION, floor);
            raise(descriptor + SubtableLayout.SEEN, floor);
        });
    }

    /** Remembers that a key of this subtable got a version. The home is locked. */
    public void noteVersion(long descriptor, long version) {
        if (version > memory.getLongOpaque(descriptor + SubtableLayout.SEEN)) {
            raise(descriptor + SubtableLayout.SEEN, version | VERSION_STEP - 1);
        }
    }

    private void raise(long address, long version) {
        for (long old = memory.getLongAcquire(address); old < version; old = memory.getLongAcquire(address)) {
            if (memory.compareAndSetLong(address, old, version)) {
                return;
            }
        }
    }

    /** A version above all that keys removed from this subtable had; for a key that is inserted. The home is locked. */
    public long freshVersion(long descriptor) {
        return memory.getLongAcquire(descriptor + SubtableLayout.VERSION) + 1;
    }

    // ---- resizing

    private int unitShift(int size) {
        return geometry.blockShift - 3 + size - 6;
    }

    private int sizeOf(int unitShift) {
        return unitShift - unitShift(0);
    }

    /** A new subtable, whose blocks are to be zeroed, or 0 when there is no memory. {@code window}: the bits that slots keep, -1 for the best. */
    private long newSubtable(int depth, long prefix, int size, int units, int window) {
        int unitShift = unitShift(size);
        int perBlock = 1 << 3 - size;
        int[] blocks = pool.allocateIndex((units + perBlock - 1) / perBlock);
        long offset = blocks.length == 0 ? 0 : slab.allocate();
        if (offset == 0) {
            pool.free(BlockTable.INDEX, blocks);
            return 0;
        }
        long descriptor = base + offset;
        int buckets = units << unitShift;
        memory.putInt(descriptor, SubtableLayout.geometry(units, unitShift, depth));
        for (int unit = 0; unit < units; unit++) {
            int granule = (blocks[unit / perBlock] << 3) + (unit % perBlock << size);
            memory.putInt(descriptor + SubtableLayout.UNITS + 4L * unit, granule);
        }
        memory.putLong(descriptor + SubtableLayout.PREFIX, prefix);
        int best = depth + unitShift + 2; // one bit less than log2 of 8 units, so that merging need not read keys
        memory.putInt(descriptor + SubtableLayout.WINDOW, window < 0 ? best : window);
        double spread = (double) (Long.hashCode((prefix >>> 17) * 0x9E3779B97F4A7C15L + units) & 0xFF) / 256;
        double limit = (LIMIT_LOW + LIMIT_SPREAD * spread) * share(buckets);
        memory.putInt(descriptor + SubtableLayout.LIMIT, (int) (buckets * SLOTS * limit));
        return offset;
    }

    /** The window that a successor keeps if the predecessor's still serves, else -1. */
    private int inherit(int window, int depth, int size) {
        int minimum = depth + unitShift(size) + 3;
        boolean serves = window <= minimum && window + WINDOW_BITS >= minimum + 1 + 4;
        return serves ? window : -1;
    }

    /**
     * Goes on with what is under way, then grows or shrinks the subtable of a hash by one step if its load asks for it. Returns when what is left, if anything, are pieces that
     * other threads have claimed. The caller is not pinned.
     */
    public void resize(long hash) {
        for (Resize resize : underWay) {
            complete(resize);
        }
        Resize begun = beginAsked(hash);
        if (begun != null) {
            complete(begun);
        }
    }

    /** Begins to resize the subtable of a hash if its load asks for it. */
    private @Nullable Resize beginAsked(long hash) {
        resizing.lock();
        try {
            long descriptor = descriptor(hash);
            if (destroyed || resizeOf(descriptor) != null) {
                return null; // who does the last piece asks again
            }
            memory.putLongRelease(descriptor + SubtableLayout.ASKED, 0);
            long keys = keys(descriptor);
            int limit = memory.getInt(descriptor + SubtableLayout.LIMIT);
            if (keys < limit) {
                return keys < limit - limit / 5 ? shrink(descriptor, keys) : null;
            }
            Resize grown = grow(descriptor, keys);
            if (grown == null) {
                memory.putLongRelease(descriptor + SubtableLayout.ASKED, REFUSED);
            }
            return grown;
        } finally {
            resizing.unlock();
        }
    }

    /**
     * Makes room for a key that {@link Insert#FULL} kept out of {@code full}, its subtable then: begins to grow that if nobody has, moves the key's home if it can be moved, and does a piece
     * of the rest. Then the caller tries again.
     *
     * @return 0, or the free blocks it takes when there is no memory. The caller is not pinned.
     */
    public int growNow(long hash, long full) {
        return resizer != null ? resizer.growNow(hash, full - base) : growHere(hash, full);
    }

    /** As {@link #growNow}, by this process. */
    public int growHere(long hash, long full) {
        boolean helped;
        long pin = epochs.pin();
        try {
            Resize resize = resizeOf(full);
            if (resize == null) {
                resizing.lock();
                try {
                    if (destroyed || descriptor(hash) != full || resizeOf(full) != null) {
                        return 0;
                    }
                    resize = grow(full, keys(full));
                    if (resize == null) {
                        // once more without memory, if it was only late
                        boolean late = memory.compareAndSetLong(full + SubtableLayout.ASKED, ASKED, REFUSED);
                        return late ? 0 : blocksToGrow(full);
                    }
                } finally {
                    resizing.unlock();
                }
                resizeAsked.accept(hash);
            }
            helped = help(resize, hash, full);
        } finally {
            epochs.unpin(pin);
        }
        if (!helped) {
            LockSupport.parkNanos(LAST_PIECES_NANOS);
        }
        return 0;
    }

    /** At most so many blocks the next larger subtable takes, or the two halves, and a block of descriptors. */
    private int blocksToGrow(long descriptor) {
        int unitShift = SubtableLayout.unitShift(memory.getInt(descriptor));
        int perBlock = 1 << 3 - sizeOf(unitShift);
        return 2 * ((SubtableLayout.MAX_UNITS + perBlock - 1) / perBlock) + 1;
    }

    /** Begins to grow a subtable; null when there is no memory. */
    private @Nullable Resize grow(long descriptor, long keys) {
        int tableGeometry = memory.getInt(descriptor);
        int depth = SubtableLayout.depth(tableGeometry);
        int size = sizeOf(SubtableLayout.unitShift(tableGeometry));
        int units = SubtableLayout.units(tableGeometry);
        long prefix = memory.getLong(descriptor + SubtableLayout.PREFIX);
        int window = memory.getInt(descriptor + SubtableLayout.WINDOW);
        double perUnit = (double) SubtableLayout.buckets(tableGeometry) * SLOTS / units;
        int wanted = Math.max(units + 1, unitsFor(keys, perUnit));
        if (wanted <= SubtableLayout.MAX_UNITS) {
            return begin(descriptor, 0, newSubtable(depth, prefix, size, wanted, inherit(window, depth, size)), 0);
        }
        if (size < UNIT_SIZES - 1) {
            int larger = Math.min(SubtableLayout.MAX_UNITS, unitsFor(keys, 2 * perUnit));
            return begin(
                    descriptor, 0, newSubtable(depth, prefix, size + 1, larger, inherit(window, depth, size + 1)), 0);
        }
        if (depth == maximumDepth) {
            return null;
        }
        int keep = inherit(window, depth + 1, size);
        // halves differ by a few per mille of the keys
        int halfUnits = Math.min(SubtableLayout.MAX_UNITS, unitsFor(keys / 2 + keys / 64, perUnit));
        long lower = newSubtable(depth + 1, prefix, size, halfUnits, keep);
        long upper = lower == 0 ? 0 : newSubtable(depth + 1, prefix | 1L << 63 - depth, size, halfUnits, keep);
        if (upper == 0 && lower != 0) {
            free(base + lower);
            return null;
        }
        return begin(descriptor, 0, lower, upper);
    }

    private static double share(int buckets) {
        return buckets < SMALL_BUCKETS ? SMALL_SHARE : 1;
    }

    private static int unitsFor(long keys, double slotsPerUnit) {
        double share = share((int) (slotsPerUnit / SLOTS * SubtableLayout.MAX_UNITS));
        return Math.max(SubtableLayout.MIN_UNITS, (int) Math.ceil(keys / (slotsPerUnit * GROWN_LOAD * share)));
    }

    /** Begins to shrink a subtable; null when it can't be. */
    private @Nullable Resize shrink(long descriptor, long keys) {
        int tableGeometry = memory.getInt(descriptor);
        int depth = SubtableLayout.depth(tableGeometry);
        int size = sizeOf(SubtableLayout.unitShift(tableGeometry));
        int units = SubtableLayout.units(tableGeometry);
        long prefix = memory.getLong(descriptor + SubtableLayout.PREFIX);
        int window = memory.getInt(descriptor + SubtableLayout.WINDOW);
        int perUnit = SubtableLayout.buckets(tableGeometry) / units;
        if (units > SubtableLayout.MIN_UNITS) {
            if (!fits(keys, perUnit * (units - 1))) {
                return null; // small ones hold less for their size: it would grow again at once
            }
            return begin(descriptor, 0, newSubtable(depth, prefix, size, units - 1, inherit(window, depth, size)), 0);
        }
        if (depth > 0) {
            return merge(descriptor, keys, depth, size, prefix, window);
        }
        return size == 0 || !fits(keys, perUnit / 2 * SubtableLayout.MAX_UNITS)
                ? null
                : begin(
                        descriptor,
                        0,
                        newSubtable(
                                depth, prefix, size - 1, SubtableLayout.MAX_UNITS, inherit(window, depth, size - 1)),
                        0);
    }

    /** Copies up to {@code most} subtables that have a block which {@code leave} names, to other blocks; how many. The caller is not pinned. */
    public int move(IntPredicate leave, int most) {
        int moved = 0;
        long position = 0;
        do {
            Resize begun;
            resizing.lock();
            try {
                if (destroyed) {
                    return moved;
                }
                long descriptor = descriptor(position);
                int depth = SubtableLayout.depth(memory.getInt(descriptor));
                begun = IntStream.of(blocksOf(descriptor)).anyMatch(leave) ? copy(descriptor) : null;
                position = depth == 0 ? 0 : memory.getLong(descriptor + SubtableLayout.PREFIX) + (1L << 64 - depth);
            } finally {
                resizing.unlock();
            }
            if (begun != null) {
                complete(begun);
                moved++;
            }
        } while (position != 0 && moved < most);
        return moved;
    }

    /** Begins to copy a subtable to one of its own size; null if it is too full to take inserts meanwhile, or there is no memory. */
    private @Nullable Resize copy(long descriptor) {
        int tableGeometry = memory.getInt(descriptor);
        int buckets = SubtableLayout.buckets(tableGeometry);
        if (resizeOf(descriptor) != null || !fits(keys(descriptor), buckets)) {
            return null;
        }
        int depth = SubtableLayout.depth(tableGeometry);
        int size = sizeOf(SubtableLayout.unitShift(tableGeometry));
        int window = inherit(memory.getInt(descriptor + SubtableLayout.WINDOW), depth, size);
        long prefix = memory.getLong(descriptor + SubtableLayout.PREFIX);
        return begin(descriptor, 0, newSubtable(depth, prefix, size, SubtableLayout.units(tableGeometry), window), 0);
    }

    private @Nullable Resize merge(long descriptor, long keys, int depth, int size, long prefix, int window) {
        long sibling = descriptor(prefix ^ 1L << 64 - depth);
        int siblingGeometry = memory.getInt(sibling);
        int limit = memory.getInt(sibling + SubtableLayout.LIMIT);
        if (SubtableLayout.depth(siblingGeometry) != depth
                || SubtableLayout.units(siblingGeometry) != SubtableLayout.MIN_UNITS
                || keys + keys(sibling) > 2L * (limit - limit / 5)
                || resizeOf(sibling) != null) {
            return null;
        }
        int keep = memory.getInt(sibling + SubtableLayout.WINDOW) == window ? inherit(window, depth - 1, size) : -1;
        long merged = newSubtable(depth - 1, prefix & ~(1L << 64 - depth), size, SubtableLayout.MAX_UNITS, keep);
        return begin(descriptor, sibling, merged, 0);
    }

    /** Begins a resizing, whose successors are given by offsets; null if {@code lower} is 0 or they are too small. The resizing lock is held. */
    private @Nullable Resize begin(long source, long sibling, long lower, long upper) {
        if (lower == 0) {
            return null;
        }
        int[] blocks = blocksOf(base + lower);
        if (upper != 0) {
            int[] more = blocksOf(base + upper);
            blocks = Arrays.copyOf(blocks, blocks.length + more.length);
            System.arraycopy(more, 0, blocks, blocks.length - more.length, more.length);
        }
        Resize resize = new Resize(
                source,
                sibling,
                base + lower,
                upper == 0 ? 0 : base + upper,
                blocks,
                SubtableLayout.buckets(memory.getInt(source)),
                sibling == 0 ? 0 : SubtableLayout.buckets(memory.getInt(sibling)),
                keys(source) + keys(sibling),
                mostKeys(lower, upper));
        if (sibling == 0 && mostKeys(lower, upper) > mostKeys(source - base, 0)) {
            // until they are linked others' inserts go on to what the successors surely hold, though growing was
            // refused before
            memory.putLongRelease(source + SubtableLayout.ASKED, ASKED);
        } else if (!stopInserts(resize)) {
            free(resize.lower);
            if (resize.upper != 0) {
                free(resize.upper);
            }
            return null;
        }
        addUnderWay(resize);
        return resize;
    }

    /**
     * Stops inserts into sources whose successors are not larger, until those are linked; false, and nothing is stopped, if there are too many keys by now: the successors would
     * overflow.
     */
    private boolean stopInserts(Resize resize) {
        markSources(resize);
        // the marks before the counts: who has not seen a mark is counted, but for an insert of each thread
        VarHandle.fullFence();
        int buckets = SubtableLayout.buckets(memory.getInt(resize.lower));
        long keys = keys(resize.source) + keys(resize.sibling);
        if (fits(resize.upper == 0 ? keys : keys / 2, buckets)) {
            return true;
        }
        for (long descriptor : new long[] {resize.source, resize.sibling}) {
            if (descriptor != 0) {
                memory.putLongRelease(descriptor + SubtableLayout.ASKED, 0);
                if (keys(descriptor) >= memory.getInt(descriptor + SubtableLayout.LIMIT)) {
                    ask(descriptor, 0, memory.getLong(descriptor + SubtableLayout.PREFIX));
                }
            }
        }
        return false;
    }

    /** Whether so many keys can be moved to a subtable of so many buckets. */
    private static boolean fits(long keys, int buckets) {
        return keys <= buckets * SLOTS * MOST_MOVED_LOAD * share(buckets);
    }

    private void addUnderWay(Resize resize) {
        Resize[] more = Arrays.copyOf(underWay, underWay.length + 1);
        more[underWay.length] = resize;
        underWay = more;
    }

    /** Goes on with the resizings that another process, which is gone, has linked. Nobody else resizes. */
    public void adoptResizes() {
        List<Resize> found = new ArrayList<>();
        forEachTable(descriptor -> {
            long lower = memory.getLongAcquire(descriptor + SubtableLayout.SUCCESSOR);
            if (lower != 0 && found.stream().noneMatch(resize -> resize.concerns(descriptor))) {
                long upper = memory.getLong(descriptor + SubtableLayout.UPPER);
                long sibling = siblingOf(descriptor, base + lower);
                if (sibling != 0) {
                    memory.putLongRelease(sibling + SubtableLayout.SUCCESSOR, lower);
                }
                found.add(Resize.goOn(
                        descriptor,
                        sibling,
                        base + lower,
                        upper == 0 ? 0 : base + upper,
                        SubtableLayout.buckets(memory.getInt(descriptor)),
                        sibling == 0 ? 0 : SubtableLayout.buckets(memory.getInt(sibling)),
                        mostKeys(lower, upper)));
            }
        });
        resizing.lock();
        try {
            for (Resize resize : found) {
                markSources(resize);
                addUnderWay(resize);
            }
        } finally {
            resizing.unlock();
        }
        forEachTable(descriptor -> {
            if (resizeOf(descriptor) == null) {
                askAgain(descriptor); // what was asked of who is gone
            }
        });
        if (!found.isEmpty()) {
            resizeAsked.accept(0);
        }
    }

    /** Adds the blocks that the index owns, but for those of descriptors, and the descriptors' offsets. Nobody resizes. */
    public void mark(Set<Integer> blocks, Set<Long> descriptors) {
        blocks.add(directoryBlock);
        forEachTable(descriptor -> {
            descriptors.add(descriptor - base);
            for (int block : blocksOf(descriptor)) {
                blocks.add(block);
            }
        });
    }

    /** Does all pieces that nobody else has claimed. The caller is not pinned. */
    private void complete(Resize resize) {
        boolean more = true;
        while (more) {
            checkNotPaused();
            long pin = epochs.pin();
            try {
                more = help(resize, 0, 0);
            } finally {
                epochs.unpin(pin);
            }
        }
    }

    /**
     * Moves the home of a hash, if {@code table} is not 0 and a source whose homes can be moved, and does a piece of a resizing; false if there was none to claim. The caller is pinned.
     */
    private boolean help(Resize resize, long hash, long table) {
        if (!pieces.readLock().tryLock()) {
            return false; // the index is being destroyed
        }
        try {
            if (destroyed) {
                return false;
            }
            if (table != 0 && resize.isLinked() && (table == resize.source || table == resize.sibling)) {
                int home = SubtableLayout.home(hash, memory.getInt(table));
                moveHomes(resize, table, home, home + 1);
            }
            int piece = resize.claim();
            if (piece == Resize.NONE) {
                return false;
            }
            if (resize.isBlock(piece)) {
                zero(resize.block(piece));
                if (resize.blockDone()) {
                    link(resize);
                }
            } else {
                moveHomes(resize, resize.table(piece), resize.firstHome(piece), resize.endHome(piece));
                if (resize.homesDone()) {
                    finish(resize);
                }
            }
            return true;
        } finally {
            pieces.readLock().unlock();
        }
    }

    private void zero(int block) {
        memory.fill(base + geometry.blockOffset(block), geometry.blockBytes, (byte) 0);
    }

    private void link(Resize resize) {
        long lower = resize.lower - base;
        long upper = resize.upper == 0 ? 0 : resize.upper - base;
        CrashPoint.at("linking");
        memory.putLong(resize.source + SubtableLayout.UPPER, upper);
        CrashPoint.at("upper-set");
        memory.putLongRelease(resize.source + SubtableLayout.SUCCESSOR, lower);
        CrashPoint.at("half-linked");
        if (resize.sibling != 0) {
            memory.putLongRelease(resize.sibling + SubtableLayout.SUCCESSOR, lower);
        }
        CrashPoint.at("linked");
        markSources(resize);
        resize.setLinked();
        resizeAsked.accept(
                memory.getLong(resize.source + SubtableLayout.PREFIX)); // who was asked may have found nothing to claim
    }

    /** All homes have been moved: publishes the successors and retires the sources. */
    private void finish(Resize resize) {
        resizing.lock();
        try {
            publish(resize.lower - base, resize.upper == 0 ? 0 : resize.upper - base);
            underWay = Arrays.stream(underWay).filter(other -> other != resize).toArray(Resize[]::new);
            resizes.addAndGet(resize.sibling == 0 ? 1 : 2);
            CrashPoint.at("published");
            askAgain(resize.lower);
            if (resize.upper != 0) {
                askAgain(resize.upper);
            }
            retire(resize.source); // now that nothing names it
            if (resize.sibling != 0) {
                retire(resize.sibling);
            }
        } finally {
            resizing.unlock();
        }
    }

    /** What was asked for while the subtable was a successor has not been heard; and it may have to shrink on though nobody removes another key. */
    private void askAgain(long descriptor) {
        memory.putLongRelease(descriptor + SubtableLayout.ASKED, 0);
        long keys = keys(descriptor);
        int limit = memory.getInt(descriptor + SubtableLayout.LIMIT);
        if (keys >= limit) {
            ask(descriptor, 0, memory.getLong(descriptor + SubtableLayout.PREFIX));
        } else if (keys < limit - limit / 5) {
            askToShrink(descriptor);
        }
    }

    /** Copies homes of a source to its successor(s), but for those that have been moved. */
    private void moveHomes(Resize resize, long source, int first, int end) {
        long movedLower = 0;
        long movedUpper = 0;
        for (int home = first; home < end; home++) {
            long moved = moveHome(source, home, resize.lower, resize.upper);
            movedLower += moved & MOVED_LOWER;
            movedUpper += moved >>> MOVED_UPPER_SHIFT;
        }
        if (movedLower + movedUpper == 0) {
            return;
        }
        transfersBegun.incrementAndGet();
        // in this order: whoever adds them up to see whether there is room finds too many for a moment, never too few
        memory.getAndAddLong(resize.lower + SubtableLayout.KEYS, movedLower);
        if (movedUpper != 0) {
            memory.getAndAddLong(resize.upper + SubtableLayout.KEYS, movedUpper);
        }
        memory.getAndAddLong(source + SubtableLayout.KEYS, -movedLower - movedUpper);
        transfersEnded.incrementAndGet();
    }

    /** Copies a home to the successor(s), unless that was done. How many keys went to the lower and, shifted, to the upper. */
    private long moveHome(long source, int home, long lower, long upper) {
        int tableGeometry = memory.getInt(source);
        long bucket = bucketAddress(source, tableGeometry, home);
        for (int spins = 0; ; spins++) {
            long control = memory.getLongAcquire(bucket);
            if ((control & MOVED) != 0) {
                return 0; // a second copy would bring back what has been removed since
            }
            if ((control & LOCKED) == 0 && memory.compareAndSetLong(bucket, control, control | LOCKED)) {
                break;
            }
            backOff(spins);
        }
        CrashPoint.at("moving-home");
        long control = memory.getLong(bucket);
        raiseVersions(source, lower);
        if (upper != 0) {
            raiseVersions(source, upper);
        }
        int farthest = farthest(control);
        long movedLower = 0;
        long movedUpper = 0;
        for (int number = 0; number <= farthest; number++) {
            long from = bucketAddress(source, tableGeometry, home, number);
            long fromControl = memory.getLongAcquire(from);
            for (int slot = 0; slot < SLOTS; slot++) {
                long tag = tagAt(fromControl, slot);
                long word = tag == 0 ? 0 : memory.getLongAcquire(from + 8 + ((long) slot << 3));
                if (word != 0 && alternate(word) == number) {
                    if (moveSlot(source, tableGeometry, home, tag, word, lower, upper) == lower) {
                        movedLower++;
                    } else {
                        movedUpper++;
                    }
                    CrashPoint.at("key-moved");
                }
            }
        }
        memory.putLongRelease(bucket, (memory.getLong(bucket) | MOVED) & ~LOCKED);
        CrashPoint.at("home-moved");
        return movedLower | movedUpper << MOVED_UPPER_SHIFT;
    }

    /** Copies a slot to the successor that it belongs to, and returns that. */
    private long moveSlot(long source, int sourceGeometry, int home, long tag, long word, long lower, long upper) {
        int sourceWindow = memory.getInt(source + SubtableLayout.WINDOW);
        long location = word & LOCATION;
        int depth = SubtableLayout.depth(sourceGeometry);
        int lowerGeometry = memory.getInt(lower);
        int targetDepth = SubtableLayout.depth(lowerGeometry);
        long window = window(word);
        long range = sourceWindow == memory.getInt(lower + SubtableLayout.WINDOW)
                ? positionOf(home, sourceGeometry, window, sourceWindow)
                : -1;
        if (range >= 0) {
            int cell = 32 - (sourceWindow - depth) - WINDOW_BITS;
            long low = translate(source, range, depth, targetDepth);
            long high = translate(source, range + (1L << cell) - 1, depth, targetDepth) | (targetDepth > depth ? 1 : 0);
            boolean sameHalf = upper == 0 || (range >>> 31) == (range + (1L << cell) - 1 >>> 31);
            int buckets = SubtableLayout.buckets(lowerGeometry);
            if (sameHalf && low * buckets >>> 32 == high * buckets >>> 32) {
                long target = upper != 0 && range >>> 31 != 0 ? upper : lower;
                insertMoved(target, low, tag, location, window);
                return target;
            }
        }
        long hash = hashAt(location, entries.stableHeader(location));
        long target = upper != 0 && hash << depth < 0 ? upper : lower;
        insertMoved(
                target,
                hash << targetDepth >>> 32,
                tag,
                location,
                windowOf(hash, memory.getInt(target + SubtableLayout.WINDOW)));
        return target;
    }

    /** A position of a subtable in terms of its successor. */
    private long translate(long source, long position, int depth, int targetDepth) {
        if (targetDepth == depth) {
            return position;
        }
        if (targetDepth > depth) {
            return position << 1 & 0xFFFF_FFFFL;
        }
        long half = memory.getLong(source + SubtableLayout.PREFIX) >>> 64 - depth & 1;
        return position >>> 1 | half << 31;
    }

    /**
     * The least position of a key that has this home and these bits in its slot, exact to the bits that the slot keeps; -1 when both ends of the home could be
     * meant.
     */
    private static long positionOf(int home, int tableGeometry, long window, int windowFrom) {
        int above = windowFrom - SubtableLayout.depth(tableGeometry);
        int cell = 32 - above - WINDOW_BITS;
        if (above < 0 || cell < 0) {
            return -1;
        }
        long low = SubtableLayout.firstPosition(home, tableGeometry);
        long end = SubtableLayout.firstPosition(home + 1, tableGeometry);
        long stride = 1L << 32 - above;
        long candidate = low / stride * stride + (window << cell);
        if (candidate + (1L << cell) <= low) {
            candidate += stride;
        }
        boolean inside = candidate >= low && candidate + (1L << cell) <= end;
        return inside && candidate + stride >= end ? candidate : -1;
    }

    /** Puts a key that is moved where there is room, and makes room if there is none. The lock of its home in the source is held. */
    void insertMoved(long target, long position, long tag, long location, long window) {
        int tableGeometry = memory.getInt(target);
        long bucket =
                bucketAddress(target, tableGeometry, (int) (position * SubtableLayout.buckets(tableGeometry) >>> 32));
        for (int spins = 0; ; spins++) {
            long control = memory.getLongAcquire(bucket);
            if ((control & LOCKED) == 0 && memory.compareAndSetLong(bucket, control, control | LOCKED)) {
                Insert outcome = place(target, bucket, position, tag, location, window, null);
                if (outcome == Insert.FULL) {
                    outcome = placeByDisplacing(target, bucket, position, tag, location, window);
                }
                unlock(bucket);
                if (outcome == Insert.DONE) {
                    return;
                }
            }
            if (spins == MANY_SPINS) {
                System.getLogger("io.loam.store")
                        .log(
                                System.Logger.Level.WARNING,
                                "a subtable of {0} buckets with {1} keys has had no room for a key for long",
                                SubtableLayout.buckets(tableGeometry),
                                keys(target));
            }
            backOff(spins);
        }
    }

    /**
     * Puts a key into the slot of another, which moves to a later alternate of its own home. {@link Insert#BUSY}: none could be moved now. Inserts stop at loads where this is
     * needed; but a key that is moved has no other place to go to, and at a load of 0.88 one in 10^5 finds all its 32 buckets full.
     *
     * <p>Readers of the displaced key look through its alternates in ascending order, and ask before each whether there is another ({@link #farthestNow}). It is copied to a
     * later one before it is cleared, so that who sees the old slot cleared sees the copy. The locks of its home and of both buckets are held, each taken without waiting.
     */
    Insert placeByDisplacing(long descriptor, long bucket, long position, long tag, long location, long window) {
        int tableGeometry = memory.getInt(descriptor);
        int buckets = SubtableLayout.buckets(tableGeometry);
        int home = (int) (position * buckets >>> 32);
        for (int number = 0; number <= ALTERNATES; number++) {
            int at = number == 0 ? home : alternateBucket(home, number, buckets);
            if (number > 0 && at == home) {
                continue;
            }
            for (int slot = 0; slot < SLOTS; slot++) {
                if (displace(descriptor, tableGeometry, bucket, at, slot, tag, word(location, number, window))) {
                    long control = memory.getLong(bucket);
                    if (number > farthest(control)) {
                        memory.putLongRelease(bucket, withFarthest(control, number)); // after the slot
                    }
                    return Insert.DONE;
                }
            }
        }
        return Insert.BUSY;
    }

    /** Moves the key in a slot of bucket number {@code at} to a later alternate, and fills the slot anew; whether it did. {@code bucket} is locked. */
    private boolean displace(long descriptor, int tableGeometry, long bucket, int at, int slot, long tag, long word) {
        int buckets = SubtableLayout.buckets(tableGeometry);
        long from = bucketAddress(descriptor, tableGeometry, at);
        long slotAddress = from + 8 + ((long) slot << 3);
        int number = alternate(memory.getLongAcquire(slotAddress));
        int home = homeOf(at, number, buckets);
        long homeAddress = bucketAddress(descriptor, tableGeometry, home);
        HeldBuckets held = new HeldBuckets();
        held.add(bucket);
        boolean displaced = lockOther(homeAddress, memory.getLongAcquire(homeAddress), held)
                && lockOther(from, memory.getLongAcquire(from), held)
                && moveOn(descriptor, tableGeometry, home, from, slot, number, held);
        if (displaced) {
            fill(from, memory.getLong(from), slot, tag, word);
        }
        for (int i = 1; i < held.count(); i++) {
            unlock(held.bucket(i));
        }
        return displaced;
    }

    /** Copies the key in a slot to an alternate after {@code number}, and clears the slot; whether there was room. Its home and its bucket are locked. */
    private boolean moveOn(
            long descriptor, int tableGeometry, int home, long from, int slot, int number, HeldBuckets held) {
        long slotAddress = from + 8 + ((long) slot << 3);
        long word = memory.getLongAcquire(slotAddress);
        long tag = tagAt(memory.getLongAcquire(from), slot);
        if (word == 0 || tag == 0 || alternate(word) != number) {
            return false; // another key came before the locks
        }
        long homeAddress = bucketAddress(descriptor, tableGeometry, home);
        for (int later = number + 1; later <= ALTERNATES; later++) {
            long to = bucketAddress(descriptor, tableGeometry, home, later);
            long control = memory.getLongAcquire(to);
            if (freeSlot(control) < SLOTS && to != from && lockOther(to, control, held)) {
                long homeControl = memory.getLong(homeAddress);
                if (later > farthest(homeControl)) {
                    memory.putLongRelease(
                            homeAddress, withFarthest(homeControl, later)); // before the slot it is in is cleared
                }
                fill(to, memory.getLong(to), freeSlot(control), tag, withAlternate(word, later));
                memory.putLongRelease(from, withTag(memory.getLong(from), slot, 0)); // the tag before the word (I4)
                memory.putLongRelease(slotAddress, 0);
                return true;
            }
        }
        return false;
    }

    private void publish(long lower, long upper) {
        publishOne(lower);
        if (upper != 0) {
            publishOne(upper);
        }
    }

    private void publishOne(long offset) {
        int depth = SubtableLayout.depth(memory.getInt(base + offset));
        int bits = (int) memory.getLong(rootAddress);
        if (depth > bits) {
            lengthen(bits);
            bits++;
        }
        long first = (1L << bits) + (memory.getLong(base + offset + SubtableLayout.PREFIX) >>> 1 >>> 63 - bits);
        for (long i = 0; i < 1L << bits - depth; i++) {
            memory.putLongRelease(rootAddress + (first + i << 3), offset); // release: pairs with descriptor()
            CrashPoint.at("publishing");
        }
    }

    private void lengthen(int bits) {
        for (long i = 0; i < 1L << bits; i++) {
            long word = memory.getLong(rootAddress + ((1L << bits) + i << 3));
            memory.putLong(rootAddress + ((2L << bits) + 2 * i << 3), word);
            memory.putLong(rootAddress + ((2L << bits) + 2 * i + 1 << 3), word);
        }
        memory.putLongRelease(rootAddress, bits + 1);
    }

    private void retire(long descriptor) {
        reclaimer.retire(() -> free(descriptor));
    }

    private void free(long descriptor) {
        pool.free(BlockTable.INDEX, blocksOf(descriptor));
        slab.free(descriptor - base);
    }

    private int[] blocksOf(long descriptor) {
        int tableGeometry = memory.getInt(descriptor);
        int perBlock = 1 << 3 - sizeOf(SubtableLayout.unitShift(tableGeometry));
        int[] blocks = new int[(SubtableLayout.units(tableGeometry) + perBlock - 1) / perBlock];
        for (int i = 0; i < blocks.length; i++) {
            blocks[i] = memory.getInt(descriptor + SubtableLayout.UNITS + 4L * i * perBlock) >>> 3;
        }
        return blocks;
    }

    // ---- all of it

    private interface Table {
        void visit(long descriptor);
    }

    private void forEachTable(Table visitor) {
        Set<Long> seen = new HashSet<>();
        int bits = (int) memory.getLongAcquire(rootAddress);
        for (long i = 0; i < 1L << bits; i++) {
            long descriptor = base + memory.getLongAcquire(rootAddress + ((1L << bits) + i << 3));
            visitTable(descriptor, seen, visitor);
        }
    }

    private void visitTable(long descriptor, Set<Long> seen, Table visitor) {
        if (seen.add(descriptor)) {
            // before the visit, which may free the descriptor
            long lower = memory.getLongAcquire(descriptor + SubtableLayout.SUCCESSOR);
            long upper = memory.getLong(descriptor + SubtableLayout.UPPER);
            visitor.visit(descriptor);
            if (lower != 0) { // else who linked died before, and upper is no table of the index
                visitTable(base + lower, seen, visitor);
                if (upper != 0) {
                    visitTable(base + upper, seen, visitor);
                }
            }
        }
    }

    /** Keys in the index, exact while nobody inserts or removes. The caller is pinned. */
    public long size() {
        long last = -1;
        for (int tries = 0; ; tries++) {
            long ended = transfersEnded.get();
            boolean still = transfersBegun.get() == ended;
            long[] sum = {0};
            forEachTable(descriptor -> sum[0] += memory.getLongAcquire(descriptor + SubtableLayout.KEYS));
            // another process's transfers can't be told, but seldom give the same wrong sum twice
            boolean steady = resizer == null || sum[0] == last;
            if ((still && transfersBegun.get() == ended && steady) || tries == SIZE_TRIES) {
                return Math.max(0, sum[0]);
            }
            last = sum[0];
            Thread.onSpinWait();
        }
    }

    /** Slots in the index. The caller is pinned. */
    public long slots() {
        long[] sum = {0};
        forEachTable(descriptor -> {
            if (memory.getLongAcquire(descriptor + SubtableLayout.SUCCESSOR) == 0) {
                sum[0] += (long) SubtableLayout.buckets(memory.getInt(descriptor)) * SLOTS;
            }
        });
        return sum[0];
    }

    public long resizes() {
        return resizes.get();
    }

    /** Receives locations. */
    public interface LocationVisitor {
        void visit(long location);
    }

    /**
     * Visits the locations of all keys whose home is that of {@code position}, and returns the least hash of the next home; 0 after the last. Some have hashes below
     * {@code position}: they were due before. The caller is pinned.
     */
    public long visitHome(long position, LocationVisitor visitor) {
        long descriptor = descriptor(position);
        long limit = 0;
        for (int spins = 0; ; ) {
            int tableGeometry = memory.getInt(descriptor);
            int home = SubtableLayout.home(position, tableGeometry);
            long bucket = bucketAddress(descriptor, tableGeometry, home);
            long control = memory.getLongAcquire(bucket);
            if ((control & MOVED) != 0) {
                // no further than this home: the next may not have moved yet, and its keys be still to come to the
                // successor's home
                limit = earlier(limit, nextHome(descriptor, tableGeometry, home));
                descriptor = successor(descriptor, position);
                continue;
            }
            if ((control & BUSY) != 0) {
                entries.awaitUpdate(spins++);
                continue;
            }
            for (int number = 0; number <= farthestNow(bucket); number++) {
                long from = bucketAddress(descriptor, tableGeometry, home, number);
                long fromControl = number == 0 ? control : memory.getLongAcquire(from);
                for (int slot = 0; slot < SLOTS; slot++) {
                    if (tagAt(fromControl, slot) != 0) {
                        long word = memory.getLongAcquire(from + 8 + ((long) slot << 3));
                        if ((word & LOCATION) != 0 && alternate(word) == number) {
                            visitor.visit(word & LOCATION);
                        }
                    }
                }
            }
            return earlier(limit, nextHome(descriptor, tableGeometry, home));
        }
    }

    /** The lesser of two positions, of which 0 is the end. */
    private static long earlier(long a, long b) {
        return a - 1 + Long.MIN_VALUE < b - 1 + Long.MIN_VALUE ? a : b;
    }

    private long nextHome(long descriptor, int tableGeometry, int home) {
        int depth = SubtableLayout.depth(tableGeometry);
        long prefix = memory.getLong(descriptor + SubtableLayout.PREFIX);
        if (home + 1 < SubtableLayout.buckets(tableGeometry)) {
            return prefix | SubtableLayout.firstPosition(home + 1, tableGeometry) << 32 >>> depth;
        }
        return depth == 0 ? 0 : prefix + (1L << 64 - depth);
    }

    /** Frees all memory of an index that nobody can reach. */
    public void destroy() {
        pieces.writeLock().lock();
        resizing.lock();
        try {
            destroyed = true;
            for (Resize resize : underWay) {
                if (!resize.isLinked()) {
                    free(resize.lower);
                    if (resize.upper != 0) {
                        free(resize.upper);
                    }
                }
            }
            forEachTable(this::free);
            pool.free(BlockTable.INDEX, directoryBlock);
        } finally {
            resizing.unlock();
            pieces.writeLock().unlock();
        }
    }

    // ---- repair

    /** The subtables that are being resized, and what they are resized to. Nobody resizes. */
    public Set<Long> resizedTables() {
        Set<Long> tables = new HashSet<>();
        forEachTable(source -> {
            long lower = memory.getLongAcquire(source + SubtableLayout.SUCCESSOR);
            if (lower != 0) {
                long upper = memory.getLong(source + SubtableLayout.UPPER);
                long sibling = siblingOf(source, base + lower);
                for (long table : new long[] {source, sibling, base + lower, upper == 0 ? 0 : base + upper}) {
                    if (table != 0) {
                        tables.add(table);
                    }
                }
            }
        });
        return tables;
    }

    /** Adds the subtables in which a key of this hash may be. */
    public void addTablesOf(long hash, Set<Long> tables) {
        long table = descriptor(hash);
        tables.add(table);
        while (memory.getLongAcquire(table + SubtableLayout.SUCCESSOR) != 0) {
            table = successor(table, hash);
            tables.add(table);
        }
    }

    /**
     * Undoes what dead processes have begun in subtables, which are all {@link #resizedTables} and those of the keys they were at: nothing is locked or half done afterwards, keys are counted
     * anew, and resizings that are linked can be gone on with by {@link #adoptResizes}. Nobody else writes; readers may be under way.
     */
    public void repair(Set<Long> tables) {
        tables.forEach(this::repairBuckets);
        for (long source : tables) {
            long lower = memory.getLongAcquire(source + SubtableLayout.SUCCESSOR);
            if (lower != 0) {
                long upper = memory.getLong(source + SubtableLayout.UPPER);
                long sibling = siblingOf(source, base + lower);
                removeUnmoved(base + lower, source, sibling);
                if (upper != 0) {
                    removeUnmoved(base + upper, source, 0);
                }
            }
        }
        tables.forEach(this::recount);
    }

    private interface SlotVisitor {
        /** {@code index} is the bucket's in the table, {@code number} the slot's in the bucket. */
        void visit(int index, long bucket, int number, long word);
    }

    private void forEachSlot(long table, SlotVisitor visitor) {
        int tableGeometry = memory.getInt(table);
        for (int i = 0; i < SubtableLayout.buckets(tableGeometry); i++) {
            long bucket = bucketAddress(table, tableGeometry, i);
            for (int number = 0; number < SLOTS; number++) {
                visitor.visit(i, bucket, number, memory.getLong(bucket + 8 + 8L * number));
            }
        }
    }

    private void repairBuckets(long table) {
        forEachSlot(table, (index, bucket, number, word) -> {
            long control = memory.getLong(bucket) & ~(LOCKED | BUSY);
            long location = word & LOCATION;
            if (word != 0 && (location == 0 || tagAt(control, number) == 0)) {
                if (location != 0) {
                    // a removal, perhaps: no later key may get the version again
                    raise(table + SubtableLayout.VERSION, EntryLayout.version(entries.headerAcquire(location)));
                }
                control = withTag(control, number, 0);
                memory.putLongRelease(bucket, control);
                memory.putLongRelease(bucket + 8 + 8L * number, 0);
            } else if (word == 0) {
                control = withTag(control, number, 0);
            }
            memory.putLongRelease(bucket, control);
        });
    }

    /** Removes the copies of keys from a successor whose homes are still to be moved, for moving will bring them again; and second copies of keys that were being displaced. */
    private void removeUnmoved(long successor, long source, long sibling) {
        Set<Long> found = new HashSet<>();
        forEachSlot(successor, (index, bucket, number, word) -> {
            if (word != 0 && (!isMoved(hashOf(word), source, sibling) || !found.add(word & LOCATION))) {
                memory.putLongRelease(bucket, withTag(memory.getLong(bucket), number, 0));
                memory.putLongRelease(bucket + 8 + 8L * number, 0);
            }
        });
    }

    private long hashOf(long word) {
        long location = word & LOCATION;
        return hashAt(location, entries.headerAcquire(location) & ~EntryLayout.LOCKED);
    }

    /** Whether the home of a hash in the source that it belongs to has been moved. */
    private boolean isMoved(long hash, long source, long sibling) {
        int depth = SubtableLayout.depth(memory.getInt(source));
        long prefix = memory.getLong(source + SubtableLayout.PREFIX);
        boolean own = depth == 0 || (hash ^ prefix) >>> 64 - depth == 0;
        long table = own ? source : sibling;
        return table == 0 || (memory.getLongAcquire(homeAddress(table, hash)) & MOVED) != 0;
    }

    /** Counts a table's keys, and makes homes know their farthest alternates. */
    private void recount(long table) {
        int tableGeometry = memory.getInt(table);
        int buckets = SubtableLayout.buckets(tableGeometry);
        long[] keys = {0};
        forEachSlot(table, (index, bucket, number, word) -> {
            if (word == 0) {
                return;
            }
            int alternate = alternate(word);
            long home = bucketAddress(table, tableGeometry, homeOf(index, alternate, buckets));
            long control = memory.getLong(home);
            if ((control & MOVED) != 0) {
                return; // left over: the key is counted in the successor
            }
            if (alternate > farthest(control)) {
                memory.putLongRelease(home, withFarthest(control, alternate));
            }
            keys[0]++;
        });
        memory.putLongRelease(table + SubtableLayout.KEYS, keys[0]);
    }

    /** The bucket of a slot. */
    public static long bucketOf(long slot) {
        return slot & -BYTES;
    }

    /** Makes a slot hold a location, for {@link #repair} to put the rest in order; 0 empties it. */
    public void repairSlot(long slot, long location) {
        if (location != 0) {
            setLocation(slot, location);
        } else {
            long bucket = slot & -BYTES;
            memory.putLongRelease(bucket, withTag(memory.getLong(bucket), (int) (slot - bucket >>> 3) - 1, 0));
        }
    }

    // ---- for the checker

    /** What {@link #audit} finds wrong. */
    public interface Complaint {
        void about(String what);
    }

    /** Checks the structure while nobody writes, and visits every location; what is under way is brought to its end before. */
    public void audit(Complaint complaint, LocationVisitor visitor) {
        for (int spins = 0; underWay.length > 0; spins++) {
            for (Resize resize : underWay) {
                complete(resize);
            }
            SpinLock.backOff(spins);
        }
        forEachTable(descriptor -> auditTable(descriptor, complaint, visitor));
    }

    private void auditTable(long descriptor, Complaint complaint, LocationVisitor visitor) {
        int tableGeometry = memory.getInt(descriptor);
        int buckets = SubtableLayout.buckets(tableGeometry);
        long keys = 0;
        for (int bucket = 0; bucket < buckets; bucket++) {
            long address = bucketAddress(descriptor, tableGeometry, bucket);
            long control = memory.getLongAcquire(address);
            if ((control & (LOCKED | MOVED | BUSY)) != 0) {
                complaint.about("bucket " + bucket + " is locked, moved or busy while nobody writes");
            }
            for (int slot = 0; slot < SLOTS; slot++) {
                long tag = tagAt(control, slot);
                long word = memory.getLongAcquire(address + 8 + ((long) slot << 3));
                if ((tag == 0) != (word == 0)) {
                    complaint.about("bucket " + bucket + " slot " + slot + " has tag " + tag + " and word "
                            + Long.toHexString(word));
                }
                if (word != 0) {
                    keys++;
                    auditSlot(descriptor, tableGeometry, bucket, tag, word, complaint);
                    visitor.visit(word & LOCATION);
                }
            }
        }
        if (keys != memory.getLongAcquire(descriptor + SubtableLayout.KEYS)) {
            complaint.about("a subtable counts " + memory.getLongAcquire(descriptor + SubtableLayout.KEYS)
                    + " keys and has " + keys);
        }
    }

    private void auditSlot(long descriptor, int tableGeometry, int bucket, long tag, long word, Complaint complaint) {
        long location = word & LOCATION;
        long hash = hashAt(location, entries.stableHeader(location));
        int home = SubtableLayout.home(hash, tableGeometry);
        int number = alternate(word);
        int expected = number == 0 ? home : alternateBucket(home, number, SubtableLayout.buckets(tableGeometry));
        if (expected != bucket
                || tag(hash) != tag
                || window(word) != windowOf(hash, memory.getInt(descriptor + SubtableLayout.WINDOW))) {
            complaint.about("the slot of location " + location + " does not match the key there: bucket " + bucket
                    + " for " + expected);
        }
        long homeControl = memory.getLongAcquire(bucketAddress(descriptor, tableGeometry, home));
        if (number > farthest(homeControl)) {
            complaint.about(
                    "location " + location + " lies in alternate " + number + " beyond the farthest of its home");
        }
        if (descriptor != descriptor(hash)) {
            complaint.about("location " + location + " lies in a subtable that its hash does not lead to");
        }
    }
}
