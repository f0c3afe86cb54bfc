package io.loam.store.engine;

import io.loam.store.Codec;
import io.loam.store.Entry;
import io.loam.store.EntryVisitor;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.RemovalListener.Cause;
import io.loam.store.Transaction;
import io.loam.store.ValueReader;
import io.loam.store.index.Index;
import io.loam.store.loading.SingleFlight;
import io.loam.store.log.Entries;
import io.loam.store.log.Entries.Likeness;
import io.loam.store.log.EntryLayout;
import io.loam.store.log.EntryShape;
import io.loam.store.log.SpinLock;
import io.loam.store.view.MapView;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The operations on one namespace. */
class KeySpace implements Namespace {

    private static final byte[] EMPTY = {};
    private static final Index[] NONE = {};
    private static final int BATCH = 16;
    private static final ValueLayout.OfLong COUNTER =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    final Engine engine;
    final int id;
    private final String name;
    final boolean namespaced;
    final SingleFlight loads = new SingleFlight();
    volatile Index index;
    /** Cleared indexes whose entries are not yet all counted dead; the maintenance thread works on the first. */
    volatile Index[] condemned = NONE;

    long sweepPosition;
    private long expiryPosition;
    private long expiryCycle;
    private volatile long condemnedTag;
    private volatile boolean dropped;
    /** Whether entries may be dropped to make room, in a private store. */
    private volatile boolean evictable = true;
    /** In a shared store: the word that says which index is the namespace's now; else 0. */
    private final long rootWord;

    /** What many entries are like: a guess, written and read by races. */
    private Likeness usual = Likeness.NONE;

    KeySpace(Engine engine, int id, String name) {
        this.engine = engine;
        this.id = id;
        this.name = name;
        this.namespaced = id != 0;
        this.rootWord = 0;
        this.index = engine.newIndex(this, id != 0);
        engine.register(this);
    }

    /** A namespace of a shared store, which others may have made. */
    KeySpace(Engine engine, Sharing sharing, Namespaces.Entry entry) {
        this.engine = engine;
        this.id = entry.id();
        this.name = entry.name();
        this.namespaced = id != 0;
        this.rootWord = sharing.namespaces().rootWord(entry.slot());
        this.index = sharing.viewOf(this, entry.root());
        engine.register(this);
    }

    /** What is left of a dropped namespace of a shared store. */
    KeySpace(Engine engine, Sharing sharing, int id, long root) {
        this.engine = engine;
        this.id = id;
        this.name = "";
        this.namespaced = id != 0;
        this.rootWord = 0;
        this.index = sharing.viewOf(this, root);
        this.dropped = true;
        engine.register(this);
    }

    @Override
    public String name() {
        return name;
    }

    boolean isDropped() {
        return dropped;
    }

    private void checkUsable(byte[] key) {
        checkLength(key);
        checkNotDropped();
    }

    private static void checkLength(byte[] key) {
        if (key.length > MAX_KEY_BYTES) {
            throw new IllegalArgumentException("a key of " + key.length + " bytes; allowed: 0 to " + MAX_KEY_BYTES);
        }
    }

    /** The index to work on. The caller is pinned, so that it stays as long as the operation, dropped or not. */
    Index pinnedIndex() {
        Index present = index;
        if (rootWord != 0 && engine.memory.getLongAcquire(rootWord) != present.root()) {
            present = renew();
        }
        checkNotDropped();
        return present;
    }

    /** The index that another process has made the namespace's. */
    private Index renew() {
        Sharing sharing = Objects.requireNonNull(engine.sharing);
        synchronized (this) {
            long root = engine.memory.getLongAcquire(rootWord);
            if (root != index.root()) {
                if (sharing.namespaces().idAt(rootWord) != id || root == 0) {
                    dropped = true;
                } else {
                    index = sharing.viewOf(this, root);
                }
            }
            return index;
        }
    }

    /** What names the index of a namespace of a shared store; 0: it was dropped. */
    long root() {
        return engine.memory.getLongAcquire(rootWord);
    }

    /** Looks whether the namespace was cleared or dropped by another process. */
    void refresh() {
        if (rootWord != 0 && engine.memory.getLongAcquire(rootWord) != index.root()) {
            Index ignored = renew();
        }
    }

    /** Whether entries may be dropped to make room. */
    boolean isEvictable() {
        return rootWord == 0
                ? evictable
                : Objects.requireNonNull(engine.sharing).namespaces().isEvictable(rootWord);
    }

    /** In a shared store by the leader. */
    void setEvictable(boolean may) {
        if (rootWord == 0) {
            evictable = may;
        } else {
            Objects.requireNonNull(engine.sharing).namespaces().setEvictable(rootWord, may);
        }
    }

    /** This process resizes from now on: the index and the cleared ones, as one that does. */
    void lead(Index own, Index[] cleared) {
        synchronized (this) {
            index = own;
            condemned = cleared;
            sweepPosition = 0; // the first of them may be another one now
            condemnedTag = engine.epochs.retireTag();
        }
    }

    private void checkNotDropped() {
        if (dropped) {
            throw new IllegalStateException("the namespace \"" + name + "\" was dropped; get a new one from the store");
        }
    }

    private static byte[] bytes(MemorySegment key) {
        if (key.byteSize() > MAX_KEY_BYTES) {
            throw new IllegalArgumentException("a key of " + key.byteSize() + " bytes; allowed: 0 to " + MAX_KEY_BYTES);
        }
        return key.toArray(ValueLayout.JAVA_BYTE);
    }

    private static byte[] bytes(ByteBuffer key) {
        if (key.remaining() > MAX_KEY_BYTES) {
            throw new IllegalArgumentException(
                    "a key of " + key.remaining() + " bytes; allowed: 0 to " + MAX_KEY_BYTES);
        }
        byte[] bytes = new byte[key.remaining()];
        key.get(key.position(), bytes);
        return bytes;
    }

    private boolean isExpired(long location, long header) {
        long expiresAt = engine.entries.expiresAt(location, header);
        return expiresAt != 0 && expiresAt <= engine.nowMillis();
    }

    // ---- reading

    /** The location of the key's entry if it has not expired, else 0. The caller is pinned. */
    private long find(byte[] key) {
        Index present = pinnedIndex();
        long location = present.lookup(present.hash(key, 0, key.length), key, 0, key.length);
        if (location != 0) {
            engine.mark(location);
        }
        return location;
    }

    /**
     * What follows from an entry of the key that has expired: 0 if the key is absent, else where to look again. The entry may have been replaced before it expired, and
     * the reader have come to it late; only one that is still the key's when the clock has been read says that the key is absent. The caller is pinned.
     */
    private long afterExpired(byte[] key, long location, long header) {
        long present = find(key);
        return present == location && engine.entries.headerAcquire(location) == header ? 0 : present;
    }

    @Override
    public int get(byte[] key, byte[] destination, int offset) {
        if (offset < 0 || offset > destination.length) {
            throw new IndexOutOfBoundsException("offset " + offset + " in an array of " + destination.length);
        }
        // The commonest case alone: the fewer instructions, the more of the next key's misses fit into the CPU's
        // window.
        Engine e = engine;
        long pin = e.enter();
        try {
            Index present = pinnedIndex();
            long hash = present.hash(key, 0, key.length);
            long location = present.guess(hash, present.home(hash));
            int length =
                    location == 0 ? Entries.UNUSUAL : e.entries.copyUsual(location, usual, key, destination, offset);
            if (length < 0) {
                return getUnusual(present, hash, location, key, destination, offset);
            }
            e.mark(location);
            return length;
        } finally {
            e.exit(pin);
        }
    }

    private int getUnusual(Index present, long hash, long guess, byte[] key, byte[] destination, int offset) {
        checkLength(key);
        Entries entries = engine.entries;
        long location = guess != 0 && entries.keyEquals(guess, key, 0, key.length)
                ? guess
                : present.lookup(hash, key, 0, key.length);
        if (location == 0) {
            return (int) ABSENT;
        }
        engine.mark(location);
        int length = entries.copyPlainValue(location, key.length, destination, offset);
        if (length < 0) {
            return copy(key, location, destination, offset);
        }
        // seldom, so that threads don't fight for the field's line when no length is usual
        if (usual == Likeness.NONE || location * 0x9E3779B97F4A7C15L >>> 58 == 0) {
            usual = Likeness.of(key.length, length);
        }
        return length;
    }

    private int copy(byte[] key, long found, byte[] destination, int offset) {
        Entries entries = engine.entries;
        long location = found;
        while (location != 0) {
            long header = entries.stableHeader(location);
            if (isExpired(location, header)) {
                location = afterExpired(key, location, header);
                continue;
            }
            int length = entries.copyValue(location, header, destination, offset);
            if (length != Entries.CHANGED) {
                return length;
            }
        }
        return (int) ABSENT;
    }

    @Override
    public int getOfType(byte[] key, int type, byte[] destination, int offset) {
        Objects.checkFromIndexSize(offset, 0, destination.length);
        checkUsable(key);
        Entries entries = engine.entries;
        long pin = engine.enter();
        try {
            long location = find(key);
            while (location != 0) {
                long header = entries.stableHeader(location);
                if (isExpired(location, header)) {
                    location = afterExpired(key, location, header);
                    continue;
                }
                if (EntryLayout.type(header) != type) {
                    return OTHER_TYPE;
                }
                int length = entries.copyValue(location, header, destination, offset);
                if (length != Entries.CHANGED) {
                    return length;
                }
            }
            return (int) ABSENT;
        } finally {
            engine.exit(pin);
        }
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        checkUsable(key);
        long pin = engine.enter();
        try {
            return copyToArray(key, find(key));
        } finally {
            engine.exit(pin);
        }
    }

    private byte @Nullable [] copyToArray(byte[] key, long found) {
        Entries entries = engine.entries;
        long location = found;
        while (location != 0) {
            long header = entries.stableHeader(location);
            if (isExpired(location, header)) {
                location = afterExpired(key, location, header);
                continue;
            }
            byte[] value = new byte[arrayLength(entries.valueLength(location, header))];
            if (entries.copyValue(location, header, value, 0) == value.length) {
                return value;
            }
        }
        return null;
    }

    private static int arrayLength(long length) {
        if (length > Integer.MAX_VALUE - 8) {
            throw new IllegalStateException(
                    "the value has " + length + " bytes, more than an array holds; use read() or get() into a segment");
        }
        return (int) length;
    }

    @Override
    public long get(MemorySegment key, MemorySegment destination) {
        byte[] bytes = bytes(key);
        checkUsable(bytes);
        long pin = engine.enter();
        try {
            long location = find(bytes);
            Entries entries = engine.entries;
            while (location != 0) {
                long header = entries.stableHeader(location);
                if (isExpired(location, header)) {
                    location = afterExpired(bytes, location, header);
                    continue;
                }
                long length = entries.copyValue(location, header, destination);
                if (length != Entries.CHANGED) {
                    return length;
                }
            }
            return ABSENT;
        } finally {
            engine.exit(pin);
        }
    }

    @Override
    public long get(ByteBuffer key, ByteBuffer destination) {
        long length = get(MemorySegment.ofArray(bytes(key)), MemorySegment.ofBuffer(destination));
        if (length >= 0 && length <= destination.remaining()) {
            destination.position(destination.position() + (int) length);
        }
        return length;
    }

    @Override
    public <R> @Nullable R read(byte[] key, ValueReader<R> reader) {
        checkUsable(key);
        Objects.requireNonNull(reader);
        long pin = engine.enter();
        try {
            EntryView view = view(key);
            return view == null ? null : reader.read(view);
        } finally {
            engine.exit(pin);
        }
    }

    /** A view of the key's value that stays right as long as the caller's pin, or null. */
    @Nullable
    EntryView view(byte[] key) {
        checkUsable(key);
        return viewAt(key, find(key));
    }

    private @Nullable EntryView viewAt(byte[] key, long found) {
        Entries entries = engine.entries;
        long location = found;
        while (location != 0) {
            long header = entries.stableHeader(location);
            if (isExpired(location, header)) {
                location = afterExpired(key, location, header);
                continue;
            }
            long expiresAt = entries.expiresAt(location, header);
            if (engine.inPlace && entries.isOverwritable(header)) {
                byte[] value = new byte[(int) entries.valueLength(location, header)];
                if (entries.copyValue(location, header, value, 0) != value.length) {
                    continue;
                }
                engine.checkNotDiscarded();
                MemorySegment[] pieces = value.length == 0
                        ? new MemorySegment[0]
                        : new MemorySegment[] {MemorySegment.ofArray(value).asReadOnly()};
                return new EntryView(
                        pieces,
                        value.length,
                        EntryLayout.version(header),
                        expiresAt,
                        EntryLayout.type(header),
                        entries.units(location, header) << 3);
            }
            EntryView view = new EntryView(
                    entries.valuePieces(location, header),
                    entries.valueLength(location, header),
                    EntryLayout.version(header),
                    expiresAt,
                    EntryLayout.type(header),
                    entries.units(location, header) << 3);
            engine.checkNotDiscarded();
            return view;
        }
        engine.checkNotDiscarded();
        return null;
    }

    @Override
    public @Nullable Entry getEntry(byte[] key) {
        return read(key, view -> new Entry(view.toByteArray(), view.version(), view.expiresAtMillis(), view.type()));
    }

    @Override
    public boolean contains(byte[] key) {
        return version(key) != ABSENT;
    }

    @Override
    public long version(byte[] key) {
        checkUsable(key);
        long pin = engine.enter();
        try {
            long location = find(key);
            while (location != 0) {
                long header = engine.entries.stableHeader(location);
                if (!isExpired(location, header)) {
                    return EntryLayout.version(header);
                }
                location = afterExpired(key, location, header);
            }
            return ABSENT;
        } finally {
            engine.exit(pin);
        }
    }

    @Override
    public List<byte @Nullable []> getAll(List<byte[]> keys) {
        List<byte @Nullable []> values = new ArrayList<>(keys.size());
        byte[][] array = keys.toArray(byte[][]::new);
        for (byte[] key : array) {
            checkUsable(key);
        }
        long[] locations = new long[BATCH];
        for (int from = 0; from < array.length; from += BATCH) {
            long pin = engine.enter();
            try {
                int count = Math.min(BATCH, array.length - from);
                locate(array, from, count, locations);
                for (int i = 0; i < count; i++) {
                    values.add(copyToArray(array[from + i], locations[i]));
                }
            } finally {
                engine.exit(pin);
            }
        }
        return values;
    }

    @Override
    public int getAll(byte[][] keys, byte[][] destinations, int[] lengths, int count) {
        Objects.checkFromIndexSize(0, count, Math.min(keys.length, Math.min(destinations.length, lengths.length)));
        for (int i = 0; i < count; i++) {
            checkUsable(keys[i]);
            Objects.requireNonNull(destinations[i]);
        }
        int found = 0;
        long[] locations = new long[BATCH];
        for (int from = 0; from < count; from += BATCH) {
            long pin = engine.enter();
            try {
                int batch = Math.min(BATCH, count - from);
                locate(keys, from, batch, locations);
                for (int i = 0; i < batch; i++) {
                    int length = locations[i] == 0
                            ? (int) ABSENT
                            : copyBatched(keys[from + i], locations[i], destinations[from + i]);
                    lengths[from + i] = length;
                    found += length < 0 ? 0 : 1;
                }
            } finally {
                engine.exit(pin);
            }
        }
        return found;
    }

    private int copyBatched(byte[] key, long location, byte[] destination) {
        int length = engine.entries.copyPlainValue(location, key.length, destination, 0);
        return length >= 0 ? length : copy(key, location, destination, 0);
    }

    /**
     * Finds several keys in passes, so that their misses overlap: home buckets; first lines of the likely entries; keys. The passes that miss do nothing else, so that all of their
     * loads fit into the CPU's window.
     */
    private void locate(byte[][] keys, int from, int count, long[] locations) {
        Index present = pinnedIndex();
        Entries entries = engine.entries;
        long[] hashes = new long[BATCH];
        long[] homes = new long[BATCH];
        for (int i = 0; i < count; i++) {
            hashes[i] = present.hash(keys[from + i], 0, keys[from + i].length);
            homes[i] = present.home(hashes[i]);
        }
        present.fetch(homes, count);
        for (int i = 0; i < count; i++) {
            locations[i] = present.guess(hashes[i], homes[i]);
        }
        entries.fetch(locations, count);
        for (int i = 0; i < count; i++) {
            byte[] key = keys[from + i];
            if (locations[i] == 0 || !entries.keyEquals(locations[i], key, 0, key.length)) {
                locations[i] = present.lookup(hashes[i], key, 0, key.length);
            }
            if (locations[i] != 0) {
                engine.mark(locations[i]);
            }
        }
    }

    // ---- writing

    @Override
    public long put(byte[] key, byte[] value) {
        return write(key, MemorySegment.ofArray(value), PutOptions.DEFAULT, null);
    }

    @Override
    public long put(byte[] key, byte[] value, long expiresAtMillis) {
        return write(key, MemorySegment.ofArray(value), PutOptions.DEFAULT.expiringAt(expiresAtMillis), null);
    }

    @Override
    public long put(MemorySegment key, MemorySegment value) {
        return write(bytes(key), value, PutOptions.DEFAULT, null);
    }

    @Override
    public long put(ByteBuffer key, ByteBuffer value) {
        return write(bytes(key), MemorySegment.ofBuffer(value), PutOptions.DEFAULT, null);
    }

    @Override
    public long put(byte[] key, byte[] value, PutOptions options) {
        return write(key, MemorySegment.ofArray(value), options, null);
    }

    @Override
    public long put(MemorySegment key, MemorySegment value, PutOptions options) {
        return write(bytes(key), value, options, null);
    }

    @Override
    public long tryPut(MemorySegment key, MemorySegment value, PutOptions options, Runnable onSpace) {
        return write(bytes(key), value, options, Objects.requireNonNull(onSpace));
    }

    @Override
    public void putAll(List<byte[]> keys, List<byte[]> values) {
        if (keys.size() != values.size()) {
            throw new IllegalArgumentException(keys.size() + " keys for " + values.size() + " values");
        }
        for (int i = 0; i < keys.size(); i++) {
            put(keys.get(i), values.get(i));
        }
    }

    @Override
    public long putIfAbsent(byte[] key, byte[] value) {
        return put(key, value, PutOptions.IF_ABSENT);
    }

    @Override
    public long replace(byte[] key, byte[] value) {
        return put(key, value, PutOptions.IF_PRESENT);
    }

    @Override
    public long replace(byte[] key, long version, byte[] value) {
        return version < 1 ? absentVersion(key, value) : put(key, value, PutOptions.DEFAULT.ifVersion(version));
    }

    private long absentVersion(byte[] key, byte[] value) {
        checkUsable(key);
        Objects.requireNonNull(value);
        engine.checkOpen();
        return ABSENT;
    }

    /** One put. With {@code onSpace} it does not wait. */
    private long write(byte[] key, MemorySegment value, PutOptions options, @Nullable Runnable onSpace) {
        checkUsable(key);
        Objects.requireNonNull(options);
        MemorySegment stable = value;
        if (engine.inPlace && !isArray(value) && value.byteSize() <= engine.geometry.smallEntryBytes) {
            // an overwrite must not fail half-way because the user closes the segment's arena
            stable = MemorySegment.ofArray(value.toArray(ValueLayout.JAVA_BYTE));
        }
        return new Write(this, key, stable, options).run(onSpace);
    }

    private static boolean isArray(MemorySegment value) {
        return value.heapBase().isPresent() || !value.isNative();
    }

    @Override
    public boolean delete(byte[] key) {
        return remove(key, 0, false) != null;
    }

    @Override
    public boolean delete(MemorySegment key) {
        return delete(bytes(key));
    }

    @Override
    public boolean delete(ByteBuffer key) {
        return delete(bytes(key));
    }

    @Override
    public boolean delete(byte[] key, long version) {
        if (version < 1) {
            checkUsable(key);
            engine.checkOpen();
            return false;
        }
        return remove(key, version, false) != null;
    }

    @Override
    public byte @Nullable [] getAndDelete(byte[] key) {
        return remove(key, 0, true);
    }

    /** Removes the key if it has the version (0: any). Its value if wanted, else an empty array; null when it was absent. */
    private byte @Nullable [] remove(byte[] key, long version, boolean wantValue) {
        checkUsable(key);
        Entries entries = engine.entries;
        while (true) {
            long hash = index.hash(key, 0, key.length);
            long pin = engine.enterWriter(id, hash);
            try {
                Index present = pinnedIndex();
                long descriptor = present.descriptor(hash);
                long bucket;
                while ((bucket = present.tryLock(descriptor, hash)) == 0) {
                    descriptor = present.successor(descriptor, hash);
                }
                long location = 0;
                long header = 0;
                boolean expired = false;
                boolean removed = false;
                try {
                    long slot = present.findLocked(descriptor, bucket, hash, key, 0, key.length);
                    if (slot == 0) {
                        return null;
                    }
                    location = present.location(slot);
                    header = entries.headerAcquire(location);
                    expired = isExpired(location, header);
                    if (version != 0 && (expired || EntryLayout.version(header) != version)) {
                        return null;
                    }
                    engine.epochs.setOld(pin, location);
                    removed = present.removeLocked(descriptor, bucket, slot, EntryLayout.version(header), null);
                } finally {
                    present.unlock(bucket);
                }
                if (removed) {
                    int type = EntryLayout.type(header);
                    Cause cause = expired ? Cause.EXPIRED : Cause.DELETED;
                    boolean told = engine.isTold(cause, type);
                    byte[] value = wantValue || told ? valueOf(location, header) : EMPTY;
                    engine.log.markDead(location, header);
                    if (told) {
                        engine.endWriting(pin);
                        engine.tell(name, key.clone(), value, cause, type);
                    }
                    return expired ? null : value;
                }
            } catch (Index.PausedException e) {
                // it holds nothing any more; enterWriter waits
            } finally {
                engine.exitWriter(pin);
            }
            Thread.onSpinWait();
        }
    }

    /** The value of an entry that is no longer in the index, so that nobody overwrites it. */
    private byte[] valueOf(long location, long header) {
        byte[] value = new byte[arrayLength(engine.entries.valueLength(location, header))];
        engine.entries.copyValue(location, header, value, 0);
        return value;
    }

    @Override
    public byte @Nullable [] compute(byte[] key, UnaryOperator<byte @Nullable []> function) {
        Objects.requireNonNull(function);
        for (int tries = 0; ; tries++) {
            Entry entry = getEntry(key);
            byte[] value = function.apply(entry == null ? null : entry.value().clone());
            if (value == null) {
                if (entry == null || delete(key, entry.version())) {
                    return null;
                }
            } else if (replaceEntry(key, entry, value) != ABSENT) {
                return value;
            }
            backOff(tries);
        }
    }

    private static void backOff(int tries) {
        if (tries > 8) {
            SpinLock.backOff(tries);
        }
    }

    /** Puts a new value with the old expiry and type if the key still has this entry (null: is still absent). */
    private long replaceEntry(byte[] key, @Nullable Entry entry, byte[] value) {
        if (entry == null) {
            return put(key, value, PutOptions.IF_ABSENT);
        }
        PutOptions options = new PutOptions(
                PutOptions.Condition.VERSION, entry.version(), entry.expiresAtMillis(), false, entry.type());
        return put(key, value, options);
    }

    @Override
    public long add(byte[] key, long delta) {
        for (int tries = 0; ; tries++) {
            Entry entry = getEntry(key);
            if (entry != null && entry.value().length != 8) {
                throw new IllegalStateException("the value has " + entry.value().length + " bytes; a counter has 8");
            }
            byte[] value = new byte[8];
            long sum = Math.addExact(
                    entry == null ? 0 : MemorySegment.ofArray(entry.value()).get(COUNTER, 0), delta);
            MemorySegment.ofArray(value).set(COUNTER, 0, sum);
            if (replaceEntry(key, entry, value) != ABSENT) {
                return sum;
            }
            backOff(tries);
        }
    }

    @Override
    public long append(byte[] key, byte[] suffix) {
        Objects.requireNonNull(suffix);
        for (int tries = 0; ; tries++) {
            Entry entry = getEntry(key);
            byte[] old = entry == null ? EMPTY : entry.value();
            byte[] value = Arrays.copyOf(old, arrayLength((long) old.length + suffix.length));
            System.arraycopy(suffix, 0, value, old.length, suffix.length);
            if (replaceEntry(key, entry, value) != ABSENT) {
                return value.length;
            }
            backOff(tries);
        }
    }

    @Override
    public byte @Nullable [] getOrLoad(byte[] key, Function<byte[], byte @Nullable []> loader) {
        return loads.getOrLoad(this, key, loader);
    }

    @Override
    public boolean expireAt(byte[] key, long expiresAtMillis) {
        for (int tries = 0; ; tries++) {
            Entry entry = getEntry(key);
            if (entry == null) {
                return false;
            }
            PutOptions options = PutOptions.DEFAULT
                    .ifVersion(entry.version())
                    .withType(entry.type())
                    .expiringAt(expiresAtMillis);
            if (put(key, entry.value(), options) != ABSENT) {
                return true;
            }
            backOff(tries);
        }
    }

    @Override
    public <R> R transact(List<byte[]> keys, Function<Transaction, R> body) {
        for (byte[] key : keys) {
            checkUsable(key);
        }
        return new TransactionRun<>(this, keys, Objects.requireNonNull(body)).run();
    }

    // ---- all keys

    @Override
    public long scan(long position, int count, EntryVisitor visitor) {
        if (count < 1) {
            throw new IllegalArgumentException("count " + count + "; allowed: at least 1");
        }
        Objects.requireNonNull(visitor);
        checkUsable(EMPTY);
        long at = position;
        long[] visited = {0};
        long pin = engine.enter();
        try {
            Index present = pinnedIndex();
            do {
                at = present.visitHome(at, location -> visited[0] += visit(location, visitor));
            } while (at != 0 && visited[0] < count);
        } finally {
            engine.exit(pin);
        }
        return at;
    }

    private int visit(long location, EntryVisitor visitor) {
        byte[] key = engine.entries.key(location, engine.entries.headerAcquire(location));
        EntryView view = viewAt(key, location);
        if (view == null) {
            return 0;
        }
        visitor.visit(key, view);
        return 1;
    }

    @Override
    public void forEach(EntryVisitor visitor) {
        long position = 0;
        do {
            position = scan(position, 64, visitor);
        } while (position != 0);
    }

    @Override
    public long size() {
        checkUsable(EMPTY);
        long pin = engine.enter();
        try {
            return pinnedIndex().size();
        } finally {
            engine.exit(pin);
        }
    }

    @Override
    public void clear() {
        checkUsable(EMPTY);
        engine.checkOpen();
        if (engine.sharing != null) {
            engine.sharing.clear(this);
            return;
        }
        swap(engine.newIndex(this, true));
        engine.maintenance.wake();
    }

    /** Goes on with an empty index and condemns the old one; or destroys the new one if the namespace was dropped meanwhile. */
    void swap(Index fresh) {
        synchronized (this) {
            if (dropped) {
                fresh.destroy();
                return;
            }
            long pin = engine.epochs.pin();
            try {
                fresh.raiseVersions(index);
            } finally {
                engine.epochs.unpin(pin);
            }
            condemn(index);
            if (rootWord != 0) {
                // before the field: who finds another root in the word waits for this monitor. Release: pairs with
                // pinnedIndex: publishes the index
                engine.memory.putLongRelease(rootWord, fresh.root());
            }
            index = fresh;
            condemnedTag = engine.epochs.retireTag();
        }
        engine.maintenance.wake();
    }

    private void condemn(Index old) {
        if (engine.sharing != null) {
            engine.sharing.condemn(id, old);
        }
        Index[] more = Arrays.copyOf(condemned, condemned.length + 1);
        more[condemned.length] = old;
        condemned = more;
    }

    /** By the maintenance thread: removes expired entries from up to {@code homes} homes; whether the look numbered {@code cycle} is complete. */
    boolean expireSome(int homes, long cycle) {
        if (expiryCycle > cycle || dropped) {
            return true;
        }
        for (int i = 0; i < homes; i++) {
            long pin = engine.epochs.pin();
            try {
                Index present = index;
                expiryPosition = present.visitHome(expiryPosition, location -> expire(present, location, pin));
            } finally {
                engine.epochs.endWriting(pin);
                engine.epochs.unpin(pin);
            }
            if (expiryPosition == 0) {
                expiryCycle = cycle + 1;
                return true;
            }
        }
        return false;
    }

    private void expire(Index present, long location, long pin) {
        long header = engine.entries.stableHeader(location);
        if (!isExpired(location, header)) {
            return;
        }
        long hash = present.hashAt(location, header);
        engine.epochs.setWriting(pin, id, hash);
        engine.epochs.setOld(pin, location);
        long descriptor = present.descriptor(hash);
        long bucket;
        while ((bucket = present.tryLock(descriptor, hash)) == 0) {
            descriptor = present.successor(descriptor, hash);
        }
        boolean removed = false;
        try {
            long slot = present.findLocationLocked(descriptor, bucket, hash, location);
            header = engine.entries.headerAcquire(location);
            removed = slot != 0
                    && isExpired(location, header)
                    && present.removeLocked(descriptor, bucket, slot, EntryLayout.version(header), null);
        } finally {
            present.unlock(bucket);
        }
        if (removed) {
            engine.expiredEntries.increment();
            Runnable told = engine.removed(id, location, header, Cause.EXPIRED);
            engine.log.markDead(location, header);
            if (told != null) {
                engine.tell(List.of(told));
            }
        }
    }

    /** Makes the namespace unusable; its entries are dead from now on. */
    void drop() {
        synchronized (this) {
            condemn(index); // before: the cleaner must find its entries in one place or the other
            if (rootWord != 0) {
                engine.memory.putLongRelease(rootWord, 0);
            }
            dropped = true;
            condemnedTag = engine.epochs.retireTag();
        }
        engine.maintenance.wake();
    }

    /** Whether no operation from before the last clear can still write to a condemned index. The caller is not pinned. */
    boolean isCondemnedQuiet() {
        return engine.epochs.isSafe(condemnedTag);
    }

    /** Counts the entries of one home of a condemned index as dead, and returns where to go on; 0 at the end. {@code pin} is the caller's. */
    long sweepHome(Index old, long position, long pin) {
        return old.visitHome(position, location -> sweep(old, location, pin));
    }

    private void sweep(Index old, long location, long pin) {
        long header = engine.entries.stableHeader(location);
        long hash = old.hashAt(location, header);
        engine.epochs.setWriting(pin, id, hash);
        engine.epochs.setOld(pin, location);
        while (true) {
            long descriptor = old.descriptor(hash);
            long bucket;
            while ((bucket = old.tryLock(descriptor, hash)) == 0) {
                descriptor = old.successor(descriptor, hash);
            }
            long slot = old.findLocationLocked(descriptor, bucket, hash, location);
            boolean removed = slot == 0 || old.removeLocked(descriptor, bucket, slot, 0, null);
            old.unlock(bucket);
            if (removed) {
                if (slot != 0) {
                    engine.log.markDead(location, header);
                }
                return;
            }
            old.checkNotPaused();
            Thread.onSpinWait();
        }
    }

    /** All entries of a condemned index have been counted: its memory can go. */
    void absolve(Index old) {
        synchronized (this) {
            condemned = Arrays.stream(condemned).filter(index -> index != old).toArray(Index[]::new);
            sweepPosition = 0;
            if (dropped && condemned.length == 0) {
                engine.unregister(this);
            }
        }
        if (engine.sharing != null) {
            engine.sharing.absolve(id, old);
        }
        engine.reclaimer.retire(old::destroy);
    }

    /** Takes the condemned indexes out of the sweep; every segment is being freed. */
    Index[] takeCondemned() {
        synchronized (this) {
            Index[] old = condemned;
            condemned = NONE;
            sweepPosition = 0;
            if (dropped) {
                engine.unregister(this);
            }
            return old;
        }
    }

    @Override
    public <K, V> ConcurrentMap<K, V> asMap(Codec<K> keys, Codec<V> values) {
        return new MapView<>(this, Objects.requireNonNull(keys), Objects.requireNonNull(values));
    }

    EntryShape shape(int keyLength, long valueLength, boolean expires, int type, boolean wideVersion) {
        return EntryShape.of(engine.geometry, keyLength, valueLength, expires, namespaced, type, wideVersion);
    }
}
