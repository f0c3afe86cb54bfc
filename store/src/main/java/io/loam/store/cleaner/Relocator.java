package io.loam.store.cleaner;

import io.loam.store.RemovalListener.Cause;
import io.loam.store.crash.CrashPoint;
import io.loam.store.epoch.Epochs;
import io.loam.store.index.Index;
import io.loam.store.log.BlockPool.Purpose;
import io.loam.store.log.BlockTable;
import io.loam.store.log.Entries;
import io.loam.store.log.EntryLayout;
import io.loam.store.log.Geometry;
import io.loam.store.log.Log;
import io.loam.store.log.SegmentTable;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Moves the live entries of a block to a survivor head. One for each thread that cleans. */
final class Relocator {

    /** Entries whose index lines are fetched before the first of them is looked at. */
    private static final int BATCH = 16;

    private static final Index[] NO_INDEX = {};

    /** No entry has this header. */
    private static final long OVERWRITTEN = -1;

    private final Geometry geometry;
    private final BlockTable blocks;
    private final SegmentTable segments;
    private final Entries entries;
    private final Log log;
    private final Owners owners;
    private final Epochs epochs;

    private boolean trims;
    private long pin;
    private final long[] locations = new long[BATCH];
    private final long[] headers = new long[BATCH];
    private final long[] hashes = new long[BATCH];
    private final long[] homes = new long[BATCH];
    private final Index[] indexes = new Index[BATCH];
    private int survivorSegment = -1;
    private double survivorUnits;
    private double survivorCreated;
    private double survivorNanos;

    /** What the last block came to. */
    long copiedUnits;

    long deadUnits;
    long evicted;
    long expired;
    private long deadOverhead;
    private List<Runnable> untold = new ArrayList<>();

    Relocator(
            Geometry geometry,
            BlockTable blocks,
            SegmentTable segments,
            Entries entries,
            Log log,
            Owners owners,
            Epochs epochs) {
        this.epochs = epochs;
        this.geometry = geometry;
        this.blocks = blocks;
        this.segments = segments;
        this.entries = entries;
        this.log = log;
        this.owners = owners;
    }

    /**
     * Moves what is live in a block of a segment in state CLEANING; false if the survivors found no memory before all was moved.
     *
     * @param trimming whether entries lose the spare room that overwrites in place left in them
     * @param callersPin the pin of the caller, where what is changed is noted
     */
    boolean clean(int block, int survivor, int evictFrom, boolean trimming, long callersPin) {
        trims = trimming;
        pin = callersPin;
        clearCounts();
        int segment = blocks.owner(block);
        boolean ok;
        try {
            ok = moveAll(block, survivor, evictFrom);
        } finally {
            segments.addDeadOf(segment, deadUnits, deadOverhead);
        }
        age(survivor, segment);
        return ok;
    }

    void clearCounts() {
        copiedUnits = 0;
        deadUnits = 0;
        deadOverhead = 0;
        evicted = 0;
        expired = 0;
    }

    private boolean moveAll(int block, int survivor, int evictFrom) {
        long start = geometry.blockOffset(block);
        long position = blocks.firstUnit(block);
        long used = blocks.usedUnits(block);
        boolean ok = true;
        while (position < used && ok) {
            int count = 0;
            while (position < used && count < BATCH) {
                long location = start + (position << 3);
                long header = entries.stableHeader(location);
                long units = entries.units(location, header);
                if (units <= 0) {
                    throw new IllegalStateException(
                            "no entry at unit " + position + " of block " + block + "; the store is damaged");
                }
                position += units;
                if (!entries.isFiller(header)) {
                    count = gather(count, location, header);
                }
            }
            if (count > 0) {
                indexes[0].fetch(homes, count);
            }
            for (int i = 0; i < count && ok; i++) {
                ok = settle(i, survivor, evictFrom);
            }
        }
        if (ok && !segments.isOversized(blocks.owner(block))) {
            blocks.checkWalked(block, position, geometry.blockUnits); // else live entries would be freed with it
        }
        return ok;
    }

    /** What listeners are to be told of, which the caller gives to {@link Owners#tell}. */
    List<Runnable> takeUntold() {
        List<Runnable> taken = untold;
        if (!taken.isEmpty()) {
            untold = new ArrayList<>();
        }
        return taken;
    }

    private int gather(int at, long location, long header) {
        int namespace = entries.namespaceId(location, header);
        Index index = owners.index(namespace);
        locations[at] = location;
        headers[at] = header;
        if (index == null) {
            Index[] condemned = owners.condemned(namespace);
            if (condemned.length == 0) {
                return at;
            }
            index = condemned[0];
        }
        indexes[at] = index;
        hashes[at] = index.hashAt(location, header);
        homes[at] = index.home(hashes[at]);
        return at + 1;
    }

    /** Moves, removes or ignores one entry; false when there was no memory for it. */
    private boolean settle(int i, int survivor, int evictFrom) {
        long location = locations[i];
        long hash = hashes[i];
        int namespace = entries.namespaceId(location, headers[i]);
        epochs.setWriting(pin, namespace, hash);
        Index index = owners.index(namespace);
        while (index != null && index.pointsTo(hash, location)) {
            long header = entries.stableHeader(location);
            Cause cause = causeToDrop(location, header, evictFrom);
            if (cause == null) {
                // an entry of its own segment is evicted or left alone, never copied
                return !segments.isOversized(blocks.owner(geometry.blockAt(location)))
                        && move(index, hash, location, survivor);
            }
            if (drop(index, hash, location, header, namespace, cause)) {
                return true;
            }
        }
        Index[] condemned = owners.condemned(namespace);
        for (Index old : condemned.length == 0 ? NO_INDEX : condemned) {
            forget(old, hash, location);
        }
        return true;
    }

    /** Copies a live entry to the survivor and points the index there; false when there was no memory. */
    private boolean move(Index index, long hash, long location, int survivor) {
        while (true) {
            long header = entries.stableHeader(location);
            // read once: it may be overwritten meanwhile, and units and overhead are to be of one value
            long length = entries.valueLength(location, header);
            long units = unitsToKeep(location, header, length);
            long overhead = (units << 3) - entries.keyLength(location, header) - length;
            long target = log.reserve(survivor, units, overhead, Purpose.CLEAN);
            if (target == Log.NO_SPACE) {
                target = log.reserveInOpenBlock(units, overhead);
                if (target == Log.NO_SPACE) {
                    return false;
                }
            }
            boolean overwritable = entries.isOverwritable(header);
            if (!overwritable) {
                entries.copyEntry(location, target, units << 3); // immutable: no lock needed for what may be long
            }
            CrashPoint.at("survivor-reserved");
            long descriptor = index.descriptor(hash);
            long bucket;
            try {
                while ((bucket = index.tryLock(descriptor, hash)) == 0) {
                    descriptor = index.successor(descriptor, hash);
                }
            } catch (Index.PausedException e) {
                log.abandon(target, units, overhead);
                throw e;
            }
            long slot = index.findLocationLocked(descriptor, bucket, hash, location);
            boolean changed = slot != 0 && entries.headerAcquire(location) != header;
            if (slot != 0 && !changed) {
                if (overwritable && units < entries.units(location, header)) {
                    entries.copyTrimmed(location, target, header);
                } else if (overwritable) {
                    entries.copyEntry(location, target, units << 3);
                }
                owners.moved(location, target);
                index.setLocation(slot, target);
                CrashPoint.at("entry-moved");
            }
            index.unlock(bucket);
            if (slot == 0 || changed) {
                log.abandon(target, units, overhead);
                if (changed) {
                    continue; // overwritten in place meanwhile
                }
                return true;
            }
            count(location, header, target, units);
            return true;
        }
    }

    /** Without the spare room that overwrites left, if memory is short or most of the entry is spare. */
    private long unitsToKeep(long location, long header, long valueLength) {
        long whole = entries.units(location, header);
        long trimmed = entries.trimmedUnits(location, header, valueLength);
        return trims || 2 * trimmed <= whole ? trimmed : whole;
    }

    private void count(long location, long header, long target, long units) {
        long oldUnits = entries.units(location, header);
        copiedUnits += units;
        deadUnits += oldUnits;
        deadOverhead += entries.overhead(location, header);
        long expiresAt = entries.expiresAt(target, header);
        if (expiresAt != 0) {
            log.countExpiring(location, -oldUnits, expiresAt);
            log.countExpiring(target, units, expiresAt);
        }
    }

    private @Nullable Cause causeToDrop(long location, long header, int evictFrom) {
        long expiresAt = entries.expiresAt(location, header);
        if (expiresAt != 0 && expiresAt <= owners.nowMillis()) {
            return Cause.EXPIRED;
        }
        return evictFrom <= 255 && owners.coldness(location, header) >= evictFrom ? Cause.EVICTED : null;
    }

    /** Removes an entry that has expired or is cold; false if it was overwritten in place meanwhile, so that it may no longer be. */
    private boolean drop(Index index, long hash, long location, long seen, int namespace, Cause cause) {
        long header = removeFrom(index, hash, location, seen);
        if (header == OVERWRITTEN) {
            return false;
        }
        if (header != 0) {
            Runnable told = owners.removed(namespace, location, header, cause);
            if (told != null) {
                untold.add(told);
            }
            log.markDead(location, header);
            if (cause == Cause.EXPIRED) {
                expired++;
            } else {
                evicted++;
            }
        }
        return true;
    }

    /** An entry of a cleared index: whoever accounts for that index must not meet it any more. */
    private void forget(Index old, long hash, long location) {
        long header = removeFrom(old, hash, location, 0);
        if (header != 0) {
            log.markDead(location, header);
        }
    }

    /**
     * Removes the slot that holds the location; the entry's header, or 0 if there is none. An entry that has another header than {@code seen} by now (0: any) stays:
     * {@link #OVERWRITTEN}.
     */
    private long removeFrom(Index index, long hash, long location, long seen) {
        epochs.setOld(pin, location);
        while (true) {
            long descriptor = index.descriptor(hash);
            long bucket;
            while ((bucket = index.tryLock(descriptor, hash)) == 0) {
                descriptor = index.successor(descriptor, hash);
            }
            long slot = index.findLocationLocked(descriptor, bucket, hash, location);
            long header = slot == 0 ? 0 : entries.headerAcquire(location);
            boolean changed = slot != 0 && seen != 0 && header != seen;
            boolean removed = slot == 0
                    || changed
                    || index.removeLocked(descriptor, bucket, slot, EntryLayout.version(header), null);
            index.unlock(bucket);
            if (removed) {
                return changed ? OVERWRITTEN : header;
            }
            index.checkNotPaused();
            Thread.onSpinWait();
        }
    }

    private void age(int survivor, int source) {
        if (copiedUnits == 0) {
            return;
        }
        int segment = log.segmentOf(survivor);
        if (segment != survivorSegment) {
            survivorSegment = segment;
            survivorUnits = 0;
            survivorCreated = 0;
            survivorNanos = 0;
        }
        double units = survivorUnits + copiedUnits;
        survivorCreated += (segments.created(source) - survivorCreated) * copiedUnits / units;
        survivorNanos += (segments.createdNanos(source) - survivorNanos) * copiedUnits / units;
        survivorUnits = units;
        log.setAge(survivor, (long) survivorCreated, (long) survivorNanos);
    }
}
