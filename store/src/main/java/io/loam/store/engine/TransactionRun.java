package io.loam.store.engine;

import io.loam.store.Entry;
import io.loam.store.PutOptions;
import io.loam.store.RemovalListener.Cause;
import io.loam.store.Transaction;
import io.loam.store.crash.CrashPoint;
import io.loam.store.index.HeldBuckets;
import io.loam.store.index.Index;
import io.loam.store.log.BlockPool.Purpose;
import io.loam.store.log.Entries;
import io.loam.store.log.EntryLayout;
import io.loam.store.log.EntryShape;
import io.loam.store.log.Log;
import io.loam.store.log.SpinLock;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One transaction: reads optimistically, runs the body, then commits if nothing it read has changed.
 *
 * <p><b>Commit.</b> Reserve and write all new entries; lock the homes of all keys without waiting (on contention release all and start over, so that no cycle can
 * form with resizing, which holds an old home while it waits for a new one); compare versions; mark the homes BUSY so that readers of any of them wait; publish; clear BUSY; unlock. A reader that
 * loaded a home before it was BUSY reads the state before the transaction or overlaps it. All that may fail, slots
 * and versions, is secured before the first write is visible.
 */
final class TransactionRun<R> {

    /** A key of the transaction and what the body wants of it. */
    private static final class Item {
        final byte[] key;
        final long hash;

        @Nullable
        Entry before;

        boolean written;
        byte @Nullable [] value;
        PutOptions options = PutOptions.DEFAULT;

        /** Which of the transaction's keys it is. */
        final int number;

        // of the present attempt to commit
        @Nullable
        EntryShape shape;

        long expiresAt;
        long location;
        long descriptor;
        long bucket;
        long slot;
        long old;
        long oldHeader;
        long claimed;
        long version;

        Item(byte[] key, long hash, int number) {
            this.key = key;
            this.hash = hash;
            this.number = number;
        }
    }

    private enum Commit {
        DONE,
        CONFLICT,
        CONTENDED,
        NO_SPACE,
        NO_SLOT,
        TIGHT
    }

    private final KeySpace space;
    private final Engine engine;
    private final Entries entries;
    private final Function<Transaction, R> body;
    private final Map<ByteBuffer, Item> items = new LinkedHashMap<>();
    private long blockedHash;
    private long fullTable;
    private boolean swept;
    private long blockedSince;
    private long fruitlessSince;
    private long neededUnits;
    private Purpose purpose = Purpose.WRITE;
    /** What an attempt made while waiting came to. */
    private @Nullable Commit pending;
    /** What listeners are to be told of entries that had expired. */
    private final List<Runnable> expired = new ArrayList<>();

    TransactionRun(KeySpace space, List<byte[]> keys, Function<Transaction, R> body) {
        this.space = space;
        this.engine = space.engine;
        this.entries = engine.entries;
        this.body = body;
        for (byte[] key : keys) {
            byte[] own = key.clone();
            items.putIfAbsent(ByteBuffer.wrap(own), new Item(own, space.index.hash(own, 0, own.length), items.size()));
        }
        if (engine.sharing != null) {
            engine.sharing.checkKeys(items.size());
        }
    }

    R run() {
        long since = 0;
        long fruitless = 0;
        for (int tries = 0; ; tries++) {
            for (Item item : items.values()) {
                item.before = space.getEntry(item.key);
                item.written = false;
                item.value = null;
            }
            if (!isSnapshot()) {
                SpinLock.backOff(tries);
                continue;
            }
            R result = body.apply(new View());
            List<Item> writes =
                    items.values().stream().filter(item -> item.written).toList();
            if (commit(writes, since, fruitless)) {
                return result;
            }
            if (since == 0) {
                since = System.nanoTime();
                fruitless = engine.cleaner.fruitless();
            }
            SpinLock.backOff(tries);
        }
    }

    /** Whether what was read was true at one instant. */
    private boolean isSnapshot() {
        for (Item item : items.values()) {
            Entry before = item.before;
            if (space.version(item.key) != (before == null ? KeySpace.ABSENT : before.version())) {
                return false;
            }
        }
        return true;
    }

    /** Whether the transaction is committed; false: run the body again. */
    private boolean commit(List<Item> writes, long since, long fruitless) {
        for (int tries = 0; ; tries++) {
            Commit waited = pending;
            pending = null;
            Commit outcome = waited != null ? waited : attempt(writes);
            switch (outcome) {
                case DONE -> {
                    tellListeners(writes);
                    return true;
                }
                case CONFLICT -> {
                    return false;
                }
                case CONTENDED -> SpinLock.backOff(tries);
                case TIGHT -> {
                    if (swept) {
                        throw engine.refused(neededUnits, "what is left is needed for overwriting and cleaning");
                    }
                    // tried again in any case: what was in the way may have become free since the attempt
                    boolean ignored = engine.awaitSweep(
                            System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(engine.options.writeTimeoutMillis()));
                    swept = true;
                }
                case NO_SLOT -> {
                    startWaiting(since, fruitless);
                    engine.growIndex(space.index, blockedHash, fullTable, blockedSince, fruitlessSince);
                }
                case NO_SPACE -> {
                    if (engine.blocksFor(neededUnits) > engine.pool.budgetBlocks() - engine.pool.reserveBlocks()) {
                        throw engine.refused(neededUnits, "the transaction is larger than the whole log");
                    }
                    startWaiting(since, fruitless);
                    pending = attemptInTurn(writes);
                }
            }
        }
    }

    private void startWaiting(long since, long fruitless) {
        if (blockedSince == 0) {
            blockedSince = since == 0 ? System.nanoTime() : since;
            fruitlessSince = since == 0 ? engine.cleaner.fruitless() : fruitless;
        }
    }

    private Commit attemptInTurn(List<Item> writes) {
        purpose = Purpose.WRITE_IN_TURN;
        try {
            Commit[] outcome = {Commit.NO_SPACE};
            engine.inTurn(
                    neededUnits, blockedSince, fruitlessSince, () -> (outcome[0] = attempt(writes)) != Commit.NO_SPACE);
            return outcome[0];
        } finally {
            purpose = Purpose.WRITE;
        }
    }

    private Commit attempt(List<Item> writes) {
        long pin = engine.enterWriter(space.id, 0);
        try {
            if (!beginTouching(pin)) {
                return Commit.NO_SPACE;
            }
            Index index = space.pinnedIndex();
            if (!reserve(writes, pin)) {
                abandon(writes);
                return Commit.NO_SPACE;
            }
            Commit outcome = Commit.CONTENDED;
            try {
                outcome = publish(index, writes, pin);
            } finally {
                if (outcome != Commit.DONE) {
                    abandon(writes);
                }
            }
            if (outcome == Commit.DONE) {
                account(writes);
            }
            return outcome;
        } finally {
            if (engine.sharing != null) {
                engine.sharing.journals().end(pin);
            }
            engine.exitWriter(pin);
        }
    }

    /** In a shared store: says which keys will be locked, for whoever repairs that if this process dies; false if there is no memory to write it down. */
    private boolean beginTouching(long pin) {
        if (engine.sharing != null) {
            Journals journals = engine.sharing.journals();
            if (!journals.begin(pin, items.size())) {
                neededUnits = (long) journals.blocksFor(items.size()) * engine.geometry.blockUnits;
                return false;
            }
            items.values().forEach(item -> journals.setHash(pin, item.number, item.hash));
            journals.touching(pin);
        }
        return true;
    }

    private boolean reserve(List<Item> writes, long pin) {
        neededUnits = 0;
        boolean all = true;
        for (Item item : writes) {
            item.location = 0;
            byte[] value = item.value;
            if (value != null) {
                Entry before = item.before;
                item.expiresAt = item.options.keepExpiry()
                        ? (before == null ? 0 : before.expiresAtMillis())
                        : item.options.expiresAtMillis();
                EntryShape shape = space.shape(
                        item.key.length,
                        value.length,
                        item.expiresAt != 0,
                        item.options.type(),
                        before != null && before.version() >= 1L << 32);
                item.shape = shape;
                neededUnits += shape.units();
                if (all) {
                    long note = engine.sharing == null
                            ? 0
                            : engine.sharing.journals().locationOf(pin, item.number);
                    long location = engine.log.reserve(engine.head(), shape.units(), shape.overhead(), purpose, note);
                    all = location != Log.NO_SPACE;
                    item.location = all ? location : 0;
                    if (all) {
                        entries.write(
                                location, shape, item.expiresAt, space.id, item.key, MemorySegment.ofArray(value));
                    }
                }
            }
        }
        return all;
    }

    private void abandon(List<Item> writes) {
        for (Item item : writes) {
            EntryShape shape = item.shape;
            if (item.location != 0 && shape != null) {
                engine.log.abandon(item.location, shape.units(), shape.overhead());
                item.location = 0;
            }
        }
    }

    private Commit publish(Index index, List<Item> writes, long pin) {
        HeldBuckets held = new HeldBuckets();
        try {
            if (!lockAll(index, held, writes) || space.pinnedIndex() != index) {
                return Commit.CONTENDED;
            }
            if (!isUnchanged()) {
                return Commit.CONFLICT;
            }
            if (writes.stream().anyMatch(this::grows) && engine.cleaner.isTight()) {
                return Commit.TIGHT;
            }
            Commit outcome = claim(index, writes, held);
            if (outcome == Commit.DONE) {
                publishAll(index, writes, held, pin);
            }
            return outcome;
        } finally {
            held.release(index);
        }
    }

    private boolean grows(Item item) {
        EntryShape shape = item.shape;
        return item.value != null
                && shape != null
                && (item.slot == 0 || shape.units() > entries.units(item.old, item.oldHeader));
    }

    private boolean lockAll(Index index, HeldBuckets held, List<Item> writes) {
        for (Item item : items.values()) {
            item.descriptor = index.descriptor(item.hash);
            while ((item.bucket = index.tryLockOnce(item.descriptor, item.hash, held)) == 0) {
                item.descriptor = index.successor(item.descriptor, item.hash);
            }
            if (item.bucket == Index.CONTENDED) {
                return false;
            }
        }
        for (Item item : items.values()) {
            item.slot = index.findLocked(item.descriptor, item.bucket, item.hash, item.key, 0, item.key.length);
            item.old = item.slot == 0 ? 0 : index.location(item.slot);
            item.oldHeader = item.slot == 0 ? 0 : entries.headerAcquire(item.old);
        }
        for (Item item : writes) {
            if (item.value == null && item.slot != 0 && !index.holdOwner(item.slot, held)) {
                return false;
            }
        }
        return true;
    }

    private boolean isUnchanged() {
        long now = engine.nowMillis();
        for (Item item : items.values()) {
            Entry before = item.before;
            long expiry = item.slot == 0 ? 0 : entries.expiresAt(item.old, item.oldHeader);
            boolean present = item.slot != 0 && (expiry == 0 || expiry > now);
            if (present != (before != null)
                    || (before != null && EntryLayout.version(item.oldHeader) != before.version())) {
                return false;
            }
        }
        return true;
    }

    /** Secures everything that may fail: slots for new keys, and versions that fit their entries. Nothing is visible yet. */
    private Commit claim(Index index, List<Item> writes, HeldBuckets held) {
        Commit outcome = Commit.DONE;
        for (Item item : writes) {
            item.claimed = 0;
        }
        for (Item item : writes) {
            EntryShape shape = item.shape;
            if (outcome != Commit.DONE || item.value == null || shape == null) {
                continue;
            }
            item.version =
                    item.slot != 0 ? EntryLayout.version(item.oldHeader) + 1 : index.freshVersion(item.descriptor);
            if (!shape.holds(item.version)) {
                outcome = Commit.CONFLICT;
            } else if (item.slot == 0) {
                long slot = index.claimLocked(item.descriptor, item.bucket, item.hash, held);
                item.claimed = Math.max(0, slot);
                if (slot <= 0) {
                    blockedHash = item.hash;
                    fullTable = item.descriptor;
                    outcome = slot == 0 ? Commit.CONTENDED : Commit.NO_SLOT;
                }
            }
        }
        if (outcome != Commit.DONE) {
            for (Item item : writes) {
                if (item.claimed != 0) {
                    index.unclaim(item.descriptor, item.bucket, item.claimed, held);
                }
            }
        }
        return outcome;
    }

    /** Makes all writes visible while readers of any of the homes wait. Nothing here can fail. */
    private void publishAll(Index index, List<Item> writes, HeldBuckets held, long pin) {
        int buckets = held.count();
        for (Item item : writes) {
            EntryShape shape = item.shape;
            if (item.value != null && shape != null) {
                entries.setHeader(item.location, shape.header(item.version));
                index.noteVersion(item.descriptor, item.version);
            }
        }
        beginCommit(writes, pin);
        for (int i = 0; i < buckets; i++) {
            index.setBusy(held.bucket(i));
        }
        try {
            for (Item item : writes) {
                CrashPoint.at("committing");
                if (item.value != null) {
                    index.setLocation(item.slot != 0 ? item.slot : item.claimed, item.location);
                } else if (item.slot != 0) {
                    index.removeLocked(
                            item.descriptor, item.bucket, item.slot, EntryLayout.version(item.oldHeader), held);
                }
            }
        } finally {
            for (int i = 0; i < buckets; i++) {
                index.clearBusy(held.bucket(i));
            }
        }
        if (engine.sharing != null) {
            engine.sharing.journals().done(pin, true);
        }
    }

    /** In a shared store: from now on the changes will be made, by this process or by whoever repairs what it leaves. */
    private void beginCommit(List<Item> writes, long pin) {
        if (engine.sharing != null) {
            Journals journals = engine.sharing.journals();
            items.values().forEach(item -> journals.setHome(pin, item.number, item.bucket));
            for (Item item : writes) {
                journals.setChange(pin, item.number, item.slot != 0 ? item.slot : item.claimed, item.old);
            }
            journals.committing(pin);
        }
    }

    private void account(List<Item> writes) {
        for (Item item : writes) {
            EntryShape shape = item.shape;
            if (item.value != null && shape != null) {
                if (item.expiresAt != 0) {
                    engine.log.countExpiring(item.location, shape.units(), item.expiresAt);
                }
                engine.markAppended(item.location, item.slot == 0 ? 0 : item.old);
            }
            if (item.slot != 0) {
                engine.log.markDead(item.old, item.oldHeader);
                if (item.before == null) {
                    // told when the write is over: a listener may write itself
                    Runnable told = engine.removed(space.id, item.old, item.oldHeader, Cause.EXPIRED);
                    if (told != null) {
                        expired.add(told);
                    }
                }
            }
        }
    }

    private void tellListeners(List<Item> writes) {
        if (engine.listeners.isEmpty()) {
            return;
        }
        engine.tell(expired);
        for (Item item : writes) {
            Entry before = item.before;
            if (before != null) {
                Cause cause = item.value == null ? Cause.DELETED : Cause.REPLACED;
                engine.tell(space.name(), item.key.clone(), before.value(), cause, before.type());
            }
        }
    }

    /** What the body sees. */
    private final class View implements Transaction {

        private Item item(byte[] key) {
            Item item = items.get(ByteBuffer.wrap(key));
            if (item == null) {
                throw new IllegalArgumentException("a key of " + key.length
                        + " bytes that the transaction does not name; name it in the call of transact");
            }
            return item;
        }

        @Override
        public byte @Nullable [] get(byte[] key) {
            Item item = item(key);
            byte[] value = item.value;
            if (item.written) {
                return value == null ? null : value.clone();
            }
            Entry before = item.before;
            return before == null ? null : before.value().clone();
        }

        @Override
        public @Nullable Entry getEntry(byte[] key) {
            return item(key).before;
        }

        @Override
        public void put(byte[] key, byte[] value) {
            put(key, value, PutOptions.DEFAULT);
        }

        @Override
        public void put(byte[] key, byte[] value, PutOptions options) {
            if (options.condition() != PutOptions.Condition.ALWAYS) {
                throw new IllegalArgumentException(
                        "a condition in a transaction's put; decide in the body by what you read");
            }
            Item item = item(key);
            item.written = true;
            item.value = value.clone();
            item.options = options;
            if (options.expiresAtMillis() != 0) {
                engine.noteExpiry();
            }
        }

        @Override
        public void delete(byte[] key) {
            Item item = item(key);
            item.written = true;
            item.value = null;
        }
    }
}
