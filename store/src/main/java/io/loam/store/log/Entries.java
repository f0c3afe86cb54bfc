package io.loam.store.log;

import static io.loam.store.log.EntryLayout.*;

import io.loam.memory.RawMemory;
import io.loam.store.crash.CrashPoint;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.function.IntConsumer;

/**
 * Reads and writes entries at their locations. A location is an offset from the store's base, a multiple of 8. The caller is pinned.
 *
 * <p>Methods that read a value which may be overwritten in place validate it: they read the header, copy, fence, and read the header again. Key,
 * namespace and kind of an entry never change.
 */
public final class Entries {

    /** After so many looks at an update that does not end, each of which takes some 0.1 ms, somebody is asked whether it can end. */
    private static final int HELD_LOOKS = 1 << 13;

    private final RawMemory memory;
    private final long base;
    private final Geometry geometry;
    private final BlockTable blocks;
    private final MemorySegment view;
    private final IntConsumer held;

    /** @param view the memory from {@code base} on, that readers may be handed slices of */
    public Entries(RawMemory memory, long base, Geometry geometry, BlockTable blocks, MemorySegment view) {
        this(memory, base, geometry, blocks, view, looks -> {});
    }

    /**
     * @param view the memory from {@code base} on, that readers may be handed slices of
     * @param held is asked by who waits for the end of an update, seldom, with how often it has looked; throws if that is not to be waited for any longer
     */
    public Entries(
            RawMemory memory, long base, Geometry geometry, BlockTable blocks, MemorySegment view, IntConsumer held) {
        this.held = held;
        this.view = view;
        this.memory = memory;
        this.base = base;
        this.geometry = geometry;
        this.blocks = blocks;
    }

    // ---- bytes that may cross blocks

    private long bytesToBlockEnd(long offset) {
        return geometry.blockBytes - (offset - geometry.dataOffset & geometry.blockBytes - 1);
    }

    /** The offset {@code distance} bytes after {@code offset} in the segment's stream of bytes. */
    private long advance(long offset, long distance) {
        long room = bytesToBlockEnd(offset);
        while (distance >= room) {
            int next = blocks.next(geometry.blockAt(offset));
            if (next < 0) {
                if (distance == room) {
                    return offset + distance; // the end of the last block
                }
                throw new IllegalStateException(
                        "an entry at offset " + offset + " runs past its segment; the store is damaged");
            }
            distance -= room;
            offset = geometry.blockOffset(next);
            room = geometry.blockBytes;
        }
        return offset + distance;
    }

    private interface Piece {
        void take(long address, long position, long length);
    }

    /** Hands out the pieces of {@code length} bytes that start {@code skip} bytes after {@code location}. */
    private void pieces(long location, long skip, long length, Piece piece) {
        long offset = advance(location, skip);
        for (long position = 0; position < length; ) {
            long room = bytesToBlockEnd(offset);
            if (position > 0 && (offset - geometry.dataOffset & geometry.blockBytes - 1) != 0) {
                throw new IllegalStateException("pieces out of step");
            }
            long take = Math.min(room, length - position);
            piece.take(base + offset, position, take);
            position += take;
            if (position < length) {
                offset = advance(offset, take);
            }
        }
    }

    private boolean isContiguous(long location, long bytes) {
        return bytes <= bytesToBlockEnd(location);
    }

    // ---- reading

    public long headerAcquire(long location) {
        return memory.getLongAcquire(base + location);
    }

    /** The header, not locked by an overwrite. */
    public long stableHeader(long location) {
        for (int spins = 0; ; spins++) {
            long header = memory.getLongAcquire(base + location);
            if ((header & LOCKED) == 0) {
                return header;
            }
            awaitUpdate(spins);
        }
    }

    /** Waits for the end of an update, of an entry or of several, before the next look, of which there have been so many. */
    public void awaitUpdate(int looks) {
        SpinLock.backOff(looks);
        if ((looks & HELD_LOOKS - 1) == HELD_LOOKS - 1) {
            held.accept(looks);
        }
    }

    public int keyLength(long location, long header) {
        return isCompact(header) ? compactKeyLength(header) : (int) memory.getLong(base + location + 8) & 0xFFFF;
    }

    private static int prefix(long header) {
        return isCompact(header) ? compactPrefix(header) : widePrefix(header);
    }

    public long valueLength(long location, long header) {
        if (isCompact(header)) {
            return compactValueLength(location, header);
        }
        return memory.getLong(base + location + 8) >>> 16;
    }

    private int compactValueLength(long location, long header) {
        int end = compactUnits(header) << 3;
        int room = end - compactPrefix(header) - compactKeyLength(header);
        if ((header & SLACK) != 0) {
            // may be torn while an overwrite is under way: bounded here, validated by the caller
            int slack = memory.getInt(base + location + end - SLACK_BYTES);
            return slack >= 0 && slack <= room ? room - slack : 0;
        }
        return room - pad(header);
    }

    /** Size of the entry in units of 8 bytes. */
    public long units(long location, long header) {
        if (isCompact(header)) {
            return compactUnits(header);
        }
        if (isFiller(header)) {
            return fillerUnits(header);
        }
        long lengths = memory.getLong(base + location + 8);
        return widePrefix(header) + (lengths & 0xFFFF) + (lengths >>> 16) + 7 >>> 3;
    }

    /** Bytes of the entry that are neither key nor value. */
    public long overhead(long location, long header) {
        return (units(location, header) << 3) - keyLength(location, header) - valueLength(location, header);
    }

    public boolean isFiller(long header) {
        return EntryLayout.isFiller(header);
    }

    /** When the entry expires, 0 for never. */
    public long expiresAt(long location, long header) {
        return expires(header) ? memory.getLong(base + location + (isCompact(header) ? 8 : 16)) : 0;
    }

    /** Id of the entry's namespace, 0 for the default one. */
    public int namespaceId(long location, long header) {
        return isNamespaced(header) ? memory.getInt(base + location + prefix(header) - 4) : 0;
    }

    /** Whether the entry has this key. */
    public boolean keyEquals(long location, byte[] key, int offset, int length) {
        long header = memory.getLongAcquire(base + location);
        if (isCompact(header)) {
            return compactKeyLength(header) == length
                    && memory.matches(base + location + compactPrefix(header), key, offset, length);
        }
        return wideKeyEquals(location, header, key, offset, length);
    }

    private boolean wideKeyEquals(long location, long header, byte[] key, int offset, int length) {
        if (!isWide(header) || keyLength(location, header) != length) {
            return false;
        }
        int prefix = widePrefix(header);
        if (isContiguous(location, prefix + length)) {
            return memory.matches(base + location + prefix, key, offset, length);
        }
        boolean[] equal = {true};
        pieces(
                location,
                prefix,
                length,
                (address, position, take) ->
                        equal[0] &= memory.matches(address, key, offset + (int) position, (int) take));
        return equal[0];
    }

    public byte[] key(long location, long header) {
        byte[] key = new byte[keyLength(location, header)];
        int prefix = prefix(header);
        if (isContiguous(location, prefix + key.length)) {
            memory.copyOut(base + location + prefix, key, 0, key.length);
        } else {
            pieces(
                    location,
                    prefix,
                    key.length,
                    (address, position, take) -> memory.copyOut(address, key, (int) position, (int) take));
        }
        return key;
    }

    /** Address of the key if it lies in one piece, else 0. */
    public long keyAddress(long location, long header) {
        int prefix = prefix(header);
        return isContiguous(location, prefix + keyLength(location, header)) ? base + location + prefix : 0;
    }

    /** First byte's distance from the location. */
    private long valueStart(long location, long header) {
        return prefix(header) + keyLength(location, header);
    }

    /**
     * Copies a value that fits and returns its length; {@link #CHANGED} if the caller has to start over with a new header. {@code header} is one that
     * the caller read by acquire and found not locked.
     */
    public int copyValue(long location, long header, byte[] destination, int offset) {
        if (isCompact(header)) {
            int start = compactPrefix(header) + compactKeyLength(header);
            int length = compactValueLength(location, header);
            if (length <= destination.length - offset) {
                memory.copyOut(base + location + start, destination, offset, length);
            }
            VarHandle.acquireFence(); // the copy's loads come before the second look at the header
            return memory.getLongOpaque(base + location) == header ? length : CHANGED;
        }
        long length = valueLength(location, header);
        if (length > Integer.MAX_VALUE - 8) {
            throw new IllegalStateException(
                    "the value has " + length + " bytes, more than an array holds; read it in pieces by read()");
        }
        if (length <= destination.length - offset) {
            copyWide(location, valueStart(location, header), length, MemorySegment.ofArray(destination), offset);
        }
        return (int) length;
    }

    /** The entry was overwritten while it was read. */
    public static final int CHANGED = -2;

    public long copyValue(long location, long header, MemorySegment destination) {
        if (isCompact(header)) {
            int start = compactPrefix(header) + compactKeyLength(header);
            int length = compactValueLength(location, header);
            if (length <= destination.byteSize()) {
                memory.copyOut(base + location + start, destination, 0, length);
            }
            VarHandle.acquireFence(); // the copy's loads come before the second look at the header
            return memory.getLongOpaque(base + location) == header ? length : CHANGED;
        }
        long length = valueLength(location, header);
        if (length <= destination.byteSize()) {
            copyWide(location, valueStart(location, header), length, destination, 0);
        }
        return length;
    }

    /**
     * As {@link #copyValue(long, long, byte[], int)} for the commonest entry, whose key the caller has compared: the value's place follows from the key's
     * length, so that the copy's first load need not wait for the header's. {@code PLAIN_ONLY} tells that it is not that kind.
     */
    public int copyPlainValue(long location, int keyLength, byte[] destination, int offset) {
        RawMemory m = memory;
        long address = m.within(base + location);
        long header = m.getLongAcquire(address);
        if ((header & PLAIN_MASK) != COMPACT) {
            return PLAIN_ONLY;
        }
        int start = 8 + keyLength;
        int length = (compactUnits(header) << 3) - start - pad(header);
        if (length <= destination.length - offset) {
            m.copyOut(address + start, destination, offset, length);
        }
        VarHandle.acquireFence(); // the copy's loads come before the second look at the header
        return m.getLong(address) == header ? length : PLAIN_ONLY;
    }

    /**
     * What headers have in common of entries whose key and value have certain lengths; of the commonest kind: compact, of the default namespace, without expiry.
     *
     * @param bits the header under {@link #LIKENESS_MASK}
     */
    public record Likeness(long bits, int keyLength, int valueLength) {
        /** What no entry is like. */
        public static final Likeness NONE = new Likeness(-1, 0, 0);

        /** What an entry of that kind is like. */
        public static Likeness of(int keyLength, int valueLength) {
            int bytes = 8 + keyLength + valueLength;
            int units = bytes + 7 >>> 3;
            return new Likeness(compactHeader(0, keyLength, units, (units << 3) - bytes, 0, 0), keyLength, valueLength);
        }
    }

    private static final long LIKENESS_MASK = (1L << VERSION_SHIFT) - 1 & ~(15L << TYPE_SHIFT);

    /**
     * Copies a value that fits and returns its length, if the entry at the location has the key and is like what is usual; else {@link #UNUSUAL}. The value is copied by the usual
     * lengths and not by the header's, which are equal: the CPU goes on while the header is still missing, so that the loads of all of the value's lines overlap
     * with it, and what depends on the header is no more than a comparison.
     */
    public int copyUsual(long location, Likeness usual, byte[] key, byte[] destination, int offset) {
        RawMemory m = memory;
        long address = m.within(base + location);
        fetchSecondLine(m, address);
        long header = m.getLongAcquire(address);
        if ((header & LIKENESS_MASK) != usual.bits
                || key.length != usual.keyLength
                || !m.matches(address + 8, key, 0, key.length)) {
            return UNUSUAL;
        }
        int length = usual.valueLength;
        if (length <= destination.length - offset) {
            m.copyOut(address + 8 + key.length, destination, offset, length);
        }
        VarHandle.acquireFence(); // the copy's loads come before the second look at the header
        return m.getLong(address) == header ? length : UNUSUAL;
    }

    /** The entry is another key's, or has to be read in another way, or was overwritten meanwhile. */
    public static final int UNUSUAL = -4;

    private static final long PLAIN_MASK = LOCKED | KIND | EXPIRES | NAMESPACED | SLACK;

    /** The entry has to be read by the general way. */
    public static final int PLAIN_ONLY = -3;

    /** Starts the load of an entry's second line together with that of the first. */
    public static void fetchSecondLine(RawMemory memory, long address) {
        keepAlive(memory.getLong(address + 64));
    }

    private void copyWide(long location, long start, long length, MemorySegment destination, long offset) {
        if (isContiguous(location, start + length)) {
            memory.copyOut(base + location + start, destination, offset, length);
        } else {
            pieces(
                    location,
                    start,
                    length,
                    (address, position, take) -> memory.copyOut(address, destination, offset + position, take));
        }
    }

    /** The pieces that an entry's value lies in, read-only; for entries that are not overwritten in place. */
    public MemorySegment[] valuePieces(long location, long header) {
        long length = valueLength(location, header);
        long start = valueStart(location, header);
        if (length == 0) {
            return new MemorySegment[0];
        }
        if (isContiguous(location, start + length)) {
            return new MemorySegment[] {view.asSlice(location + start, length)};
        }
        java.util.List<MemorySegment> found = new java.util.ArrayList<>();
        pieces(location, start, length, (address, position, take) -> found.add(view.asSlice(address - base, take)));
        return found.toArray(MemorySegment[]::new);
    }

    /** Whether the entry may be overwritten in place, so that its bytes must be copied with validation. */
    public boolean isOverwritable(long header) {
        return isCompact(header);
    }

    /** Eight bytes of an 8-byte value. */
    public long longValue(long location, long header) {
        byte[] bytes = new byte[8];
        MemorySegment target = MemorySegment.ofArray(bytes);
        copyWide(location, valueStart(location, header), 8, target, 0);
        return target.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(java.nio.ByteOrder.LITTLE_ENDIAN), 0);
    }

    // ---- writing

    /** Writes a filler over reserved space. */
    public void writeFiller(long location, long units) {
        memory.putLong(base + location, fillerHeader(units));
    }

    /** Writes all of an entry but its final version into reserved space. The entry's size can be told from what is there at any moment. */
    public void write(
            long location, EntryShape shape, long expiresAt, int namespaceId, byte[] key, MemorySegment value) {
        long address = base + location;
        long position = 8;
        if (shape.wide()) {
            memory.putLong(address + 8, shape.valueLength() << 16 | shape.keyLength());
            position = 16;
        }
        memory.putLongRelease(address, shape.header(0)); // the lengths before it, should the process die here
        if (shape.expires()) {
            memory.putLong(address + position, expiresAt);
            position += 8;
        }
        if (shape.namespaced()) {
            memory.putInt(address + position, namespaceId);
            position += 4;
        }
        if (isContiguous(location, position + shape.keyLength() + shape.valueLength())) {
            memory.copyIn(key, 0, address + position, key.length);
            memory.copyIn(value, 0, address + position + key.length, shape.valueLength());
        } else {
            pieces(location, position, key.length, (to, at, take) -> memory.copyIn(key, (int) at, to, (int) take));
            pieces(
                    location,
                    position + key.length,
                    shape.valueLength(),
                    (to, at, take) -> memory.copyIn(value, at, to, take));
        }
    }

    /** As {@link #write}, for a compact entry of the default namespace without expiry, from arrays: the fast path. */
    public void writeCompact(long location, long header, byte[] key, byte[] value, int offset, int length) {
        long address = base + location;
        memory.putLong(address, header);
        memory.copyIn(key, 0, address + 8, key.length);
        memory.copyIn(value, offset, address + 8 + key.length, length);
    }

    /** Overwrites the header of an entry that is not published yet. */
    public void setHeader(long location, long header) {
        memory.putLong(base + location, header);
    }

    /**
     * Whether a compact entry has room for a value of this length and the same fields; the caller holds the key's lock.
     */
    public boolean fitsInPlace(long location, long header, long length, boolean expires) {
        if (!isCompact(header) || expires(header) != expires || version(header) >= MAX_COMPACT_VERSION) {
            return false;
        }
        long room = (compactUnits(header) << 3) - compactPrefix(header) - compactKeyLength(header);
        return length <= room;
    }

    /**
     * Overwrites value, expiry, type and version of an entry for which {@link #fitsInPlace} holds; the caller holds the key's lock, readers may be
     * reading. Returns by how many bytes the entry's user bytes shrank.
     */
    public long overwrite(long location, long header, long version, long expiresAt, int type, MemorySegment value) {
        long address = base + location;
        int end = compactUnits(header) << 3;
        int prefix = compactPrefix(header);
        int keyLength = compactKeyLength(header);
        int oldLength = compactValueLength(location, header);
        int length = (int) value.byteSize();
        int spare = end - prefix - keyLength - length;
        memory.putLongOpaque(address, header | LOCKED);
        VarHandle.storeStoreFence(); // the lock is seen before any byte of the new value
        if (expires(header)) {
            memory.putLong(address + 8, expiresAt);
        }
        CrashPoint.at("overwriting");
        memory.copyIn(value, 0, address + prefix + keyLength, length);
        CrashPoint.at("overwritten");
        if (spare >= 8) {
            memory.putInt(address + end - SLACK_BYTES, spare);
        }
        long flags = header & (EXPIRES | NAMESPACED) | (spare >= 8 ? SLACK : 0);
        // release: pairs with the reader's acquire of the header: publishes the value
        memory.putLongRelease(
                address, compactHeader(version, keyLength, end >>> 3, spare >= 8 ? 0 : spare, type, flags));
        return oldLength - length;
    }

    /** Makes the entry at {@code location} what is at {@code image}: the end of an overwrite that was cut short. Nobody else holds the key's lock, readers may be reading. */
    public void redo(long image, long location) {
        long header = memory.getLong(base + image);
        memory.putLongOpaque(base + location, memory.getLong(base + location) | LOCKED);
        VarHandle.storeStoreFence(); // as in overwrite
        memory.copy(base + image + 8, base + location + 8, (units(image, header) << 3) - 8);
        memory.putLongRelease(base + location, header);
    }

    /** Copies a whole entry to reserved space, not overwritten meanwhile (its key's lock is held, or it is wide); its header last. */
    public void copyEntry(long from, long to, long bytes) {
        if (isContiguous(from, bytes) && isContiguous(to, bytes)) {
            memory.copy(base + from + 8, base + to + 8, bytes - 8);
        } else {
            pieces(from, 8, bytes - 8, (source, position, take) -> {
                pieces(to, 8 + position, take, (target, at, length) -> memory.copy(source + at, target, length));
            });
        }
        memory.putLongRelease(base + to, memory.getLong(base + from));
    }

    /** Units that the entry would have, with a value of so many bytes, without the spare room that an overwrite left in it. */
    public long trimmedUnits(long location, long header, long valueLength) {
        if ((header & SLACK) == 0 || !isCompact(header)) {
            return units(location, header);
        }
        return compactPrefix(header) + compactKeyLength(header) + valueLength + 7 >>> 3;
    }

    /** As {@link #copyEntry}, for an entry with spare room, which the copy lacks. Its key's lock is held. */
    public void copyTrimmed(long from, long to, long header) {
        int bytes = compactPrefix(header) + compactKeyLength(header) + compactValueLength(from, header);
        int units = bytes + 7 >>> 3;
        memory.copy(base + from + 8, base + to + 8, bytes - 8);
        long flags = header & (EXPIRES | NAMESPACED);
        memory.putLong(
                base + to,
                compactHeader(
                        version(header), compactKeyLength(header), units, (units << 3) - bytes, type(header), flags));
    }

    /** Loads the first three lines of entries, so that they are in the cache or on their way; a location may be 0. */
    public void fetch(long[] locations, int count) {
        RawMemory m = memory;
        long start = base;
        long seen = 0;
        for (int i = 0; i < count; i++) {
            long address = m.within(start + locations[i]);
            seen ^= m.getLong(address) ^ m.getLong(address + 64) ^ m.getLong(address + 128);
        }
        keepAlive(seen);
    }

    /** Uses a value that was only loaded to have its line fetched, so that the compiler does not leave the load away. Nothing happens when it is the one number either. */
    public static void keepAlive(long seen) {
        if (seen == 0x9D3FA6C1E57B2048L) {
            Thread.onSpinWait();
        }
    }
}
