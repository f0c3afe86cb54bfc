package io.loam.store.engine;

import io.loam.store.FullPolicy;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.RemovalListener.Cause;
import io.loam.store.TryPut;
import io.loam.store.crash.CrashPoint;
import io.loam.store.epoch.Epochs;
import io.loam.store.index.Index;
import io.loam.store.log.BlockPool.Purpose;
import io.loam.store.log.Entries;
import io.loam.store.log.EntryLayout;
import io.loam.store.log.EntryShape;
import io.loam.store.log.Log;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One put, from reservation to publication, tried until it is done or refused. */
final class Write {

    /** What an attempt came to, besides a version or {@link Namespace#ABSENT}. */
    private static final long NO_SPACE = -10;

    private static final long NO_SLOT = -11;
    private static final long TIGHT = -12;
    private static final long RESHAPE = -13;
    private static final long APPEND = -14;

    private final KeySpace space;
    private final Engine engine;
    private final Entries entries;
    private final byte[] key;
    private final MemorySegment value;
    private final PutOptions options;
    private final long hash;
    /** Expiry that the entry is written with; follows the present one when that is to be kept. */
    private long expiresAt;

    private boolean wideVersion;
    private long blockedUnits;
    private Purpose purpose = Purpose.WRITE;
    /** What an attempt made while waiting came to; 0: none. */
    private long pending;

    private boolean swept;
    private boolean published;
    private Index fullIndex;
    private long fullTable;

    // the entry that was replaced, for listeners
    private byte @Nullable [] oldValue;
    private Cause oldCause = Cause.REPLACED;
    private int oldType;

    Write(KeySpace space, byte[] key, MemorySegment value, PutOptions options) {
        this.space = space;
        this.engine = space.engine;
        this.entries = engine.entries;
        this.key = key;
        this.value = value;
        this.options = options;
        this.fullIndex = space.index;
        this.hash = fullIndex.hash(key, 0, key.length);
        this.expiresAt = options.expiresAtMillis();
    }

    /** The new version, {@link Namespace#ABSENT} or, with {@code onSpace}, {@link TryPut#WOULD_WAIT}. */
    long run(@Nullable Runnable onSpace) {
        long since = 0;
        long fruitless = 0;
        while (true) {
            long outcome = pending != 0 ? pending : attempt();
            pending = 0;
            if (outcome >= Namespace.ABSENT) {
                byte[] old = oldValue;
                if (old != null) {
                    engine.tell(space.name(), key.clone(), old, oldCause, oldType);
                }
                return outcome;
            }
            if (outcome == RESHAPE) {
                continue;
            }
            if (since == 0) {
                since = System.nanoTime();
                fruitless = engine.cleaner.fruitless();
                if (isInVain()) {
                    return Namespace.ABSENT;
                }
            }
            if (onSpace != null) {
                if (wouldWait(outcome)) {
                    engine.onSpace(onSpace);
                    return TryPut.WOULD_WAIT;
                }
                continue;
            }
            waitFor(outcome, since, fruitless);
        }
    }

    private void waitFor(long outcome, long since, long fruitless) {
        if (outcome == TIGHT) {
            if (swept) {
                throw engine.refused(blockedUnits, "what is left is needed for overwriting and cleaning");
            }
            // tried again in any case: what was in the way may have become free since the attempt
            boolean ignored =
                    engine.awaitSweep(since + TimeUnit.MILLISECONDS.toNanos(engine.options.writeTimeoutMillis()));
            swept = true;
            return;
        }
        if (outcome == NO_SLOT) {
            engine.growIndex(fullIndex, hash, fullTable, since, fruitless);
            return;
        }
        checkPossible();
        pending = attemptInTurn(since, fruitless);
    }

    private long attemptInTurn(long since, long fruitless) {
        purpose = Purpose.WRITE_IN_TURN;
        try {
            long[] outcome = {0};
            engine.inTurn(blockedUnits, since, fruitless, () -> (outcome[0] = attempt()) != NO_SPACE);
            return outcome[0];
        } finally {
            purpose = Purpose.WRITE;
        }
    }

    private void checkPossible() {
        if (engine.blocksFor(blockedUnits) > engine.pool.budgetBlocks() - engine.pool.reserveBlocks()) {
            throw engine.refused(blockedUnits, "it is larger than the whole log");
        }
    }

    /** Whether trying again later may help; throws if not. Without waiting. */
    private boolean wouldWait(long outcome) {
        if (outcome == TIGHT) {
            throw engine.refused(blockedUnits, "what is left is needed for overwriting and cleaning");
        }
        if (outcome == NO_SLOT) {
            if (fullIndex.growNow(hash, fullTable) == 0) {
                return false;
            }
        } else {
            checkPossible();
        }
        if (engine.options.fullPolicy() == FullPolicy.REJECT && engine.cleaner.liveShare() > 1) {
            throw engine.refused(blockedUnits, "all of the log is live");
        }
        return true;
    }

    private long attempt() {
        while (true) {
            try {
                return attemptOnce();
            } catch (Index.PausedException e) {
                Thread.onSpinWait(); // it let go of all it held; enterWriter waits
            }
        }
    }

    private long attemptOnce() {
        long pin = engine.enterWriter(space.id, hash);
        try {
            if (expiresAt != 0) {
                engine.noteExpiry();
            }
            Index index = space.pinnedIndex();
            if (engine.inPlace && value.byteSize() <= engine.geometry.smallEntryBytes) {
                long outcome = overwrite(index, pin);
                if (outcome != APPEND) {
                    return outcome;
                }
            }
            if (options.keepExpiry()) {
                expiresAt = presentExpiry(index);
            }
            return append(index, pin);
        } finally {
            engine.exitWriter(pin);
        }
    }

    /** Whether the condition does not hold now, so that the write needs no memory. */
    private boolean isInVain() {
        long version = options.condition() == PutOptions.Condition.ALWAYS ? 0 : space.version(key);
        boolean found = version != Namespace.ABSENT;
        return !holds(found, false, version);
    }

    private long presentExpiry(Index index) {
        long location = index.lookup(hash, key, 0, key.length);
        if (location == 0) {
            return 0;
        }
        long header = entries.stableHeader(location);
        long expiry = entries.expiresAt(location, header);
        return expiry != 0 && expiry <= engine.nowMillis() ? 0 : expiry;
    }

    // ---- in place

    private long overwrite(Index index, long pin) {
        long descriptor = index.descriptor(hash);
        long bucket;
        while ((bucket = index.tryLock(descriptor, hash)) == 0) {
            descriptor = index.successor(descriptor, hash);
        }
        try {
            long slot = index.findLocked(descriptor, bucket, hash, key, 0, key.length);
            if (slot == 0) {
                return APPEND;
            }
            long location = index.location(slot);
            long header = entries.headerAcquire(location);
            long oldExpiry = entries.expiresAt(location, header);
            boolean expired = oldExpiry != 0 && oldExpiry <= engine.nowMillis();
            if (!holds(true, expired, EntryLayout.version(header))) {
                return Namespace.ABSENT;
            }
            long expiry = options.keepExpiry() ? (expired ? 0 : oldExpiry) : options.expiresAtMillis();
            if (!entries.fitsInPlace(location, header, value.byteSize(), expiry != 0)) {
                return APPEND;
            }
            remember(location, header, expired);
            long units = entries.units(location, header);
            if (oldExpiry != 0) {
                engine.log.countExpiring(location, -units, oldExpiry);
            }
            long version = EntryLayout.version(header) + 1;
            index.noteVersion(descriptor, version);
            if (engine.sharing != null) {
                engine.sharing.beginOverwrite(entries, pin, location, header, version, expiry, options.type(), value);
            }
            long shrunk = entries.overwrite(location, header, version, expiry, options.type(), value);
            if (engine.sharing != null) {
                engine.sharing.journals().done(pin, false);
            }
            engine.log.countShrunk(location, shrunk);
            if (expiry != 0) {
                engine.log.countExpiring(location, units, expiry);
            }
            engine.overwrittenBytes.add(value.byteSize());
            engine.mark(location);
            return version;
        } finally {
            index.unlock(bucket);
        }
    }

    /** Keeps the value that goes, if a listener wants it. */
    private void remember(long location, long header, boolean expired) {
        Cause cause = expired ? Cause.EXPIRED : Cause.REPLACED;
        int type = EntryLayout.type(header);
        if (engine.isTold(cause, type)) {
            oldValue = engine.valueForListeners(location, header);
            oldCause = cause;
            oldType = type;
        }
    }

    // ---- appended

    private long append(Index index, long pin) {
        EntryShape shape = space.shape(key.length, value.byteSize(), expiresAt != 0, options.type(), wideVersion);
        long units = shape.units();
        long overhead = shape.overhead();
        blockedUnits = units;
        if (units > engine.maximumUnits()) {
            throw new IllegalArgumentException("an entry of " + (units << 3) + " bytes; this store can hold one of "
                    + (engine.maximumUnits() << 3) + " at most");
        }
        long location = engine.log.reserve(engine.head(), units, overhead, purpose, Epochs.mineOf(pin));
        if (location == Log.NO_SPACE) {
            return NO_SPACE;
        }
        CrashPoint.at("reserved");
        published = false;
        try {
            entries.write(location, shape, expiresAt, space.id, key, value);
            CrashPoint.at("entry-written");
            return publish(index, location, shape, pin);
        } finally {
            if (!published) {
                engine.log.abandon(location, units, overhead);
            }
        }
    }

    private boolean holds(boolean found, boolean expired, long version) {
        boolean present = found && !expired;
        return switch (options.condition()) {
            case ALWAYS -> true;
            case ABSENT -> !present;
            case PRESENT -> present;
            case VERSION -> present && version == options.expectedVersion();
        };
    }

    private long publish(Index index, long location, EntryShape shape, long pin) {
        while (true) {
            long descriptor = index.descriptor(hash);
            long bucket;
            while ((bucket = index.tryLock(descriptor, hash)) == 0) {
                descriptor = index.successor(descriptor, hash);
            }
            long old = 0;
            long oldHeader = 0;
            long version = 0;
            boolean expired = false;
            try {
                long slot = index.findLocked(descriptor, bucket, hash, key, 0, key.length);
                if (slot != 0) {
                    old = index.location(slot);
                    oldHeader = entries.headerAcquire(old);
                    long oldExpiry = entries.expiresAt(old, oldHeader);
                    expired = oldExpiry != 0 && oldExpiry <= engine.nowMillis();
                    if (!holds(true, expired, EntryLayout.version(oldHeader))) {
                        return Namespace.ABSENT;
                    }
                    if (options.keepExpiry() && expiresAt != (expired ? 0 : oldExpiry)) {
                        return RESHAPE;
                    }
                    if (shape.units() > entries.units(old, oldHeader) && engine.cleaner.isTight()) {
                        return TIGHT;
                    }
                    version = EntryLayout.version(oldHeader) + 1;
                } else {
                    if (!holds(false, false, 0)) {
                        return Namespace.ABSENT;
                    }
                    if (options.keepExpiry() && expiresAt != 0) {
                        return RESHAPE;
                    }
                    if (engine.cleaner.isTight()) {
                        return TIGHT;
                    }
                    version = index.freshVersion(descriptor);
                }
                if (!shape.holds(version)) {
                    wideVersion = true;
                    return RESHAPE;
                }
                entries.setHeader(location, shape.header(version));
                index.noteVersion(descriptor, version); // before: no later key may get the version again
                CrashPoint.at("publishing-entry");
                if (slot != 0) {
                    engine.epochs.setOld(pin, old);
                    index.setLocation(slot, location);
                } else {
                    Index.Insert outcome = index.insertLocked(descriptor, bucket, hash, location, null);
                    if (outcome == Index.Insert.FULL) {
                        fullIndex = index;
                        fullTable = descriptor;
                        return NO_SLOT;
                    }
                    if (outcome == Index.Insert.BUSY) {
                        index.checkNotPaused();
                        continue;
                    }
                }
                published = true;
                CrashPoint.at("entry-published");
            } finally {
                index.unlock(bucket);
            }
            account(location, shape, old, oldHeader, expired);
            return version;
        }
    }

    private void account(long location, EntryShape shape, long old, long oldHeader, boolean expired) {
        if (expiresAt != 0) {
            engine.log.countExpiring(location, shape.units(), expiresAt);
        }
        engine.markAppended(location, old);
        if (old != 0) {
            engine.log.markDead(old, oldHeader);
            remember(old, oldHeader, expired);
        }
    }
}
