package io.loam.heap;

import io.loam.memory.persistence.PersistentMemory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The durable table of types.
 *
 * <pre>
 * offset size name              order    meaning
 *      0    8 word              release  0: free; else bits 0–31 CRC32C of the rest, 32–39 length of the name, 40–55 version, 56–63 1
 *      8    4 prefixBytes       plain
 *     12    4 elementBytes      plain
 *     16   64 prefixReferences  plain    bitmap of words
 *     80   64 elementReferences plain    bitmap of words
 *    144  112 name              plain    UTF-8
 * </pre>
 *
 * <p>The rest is durable before the word is stored; a type never changes and is never removed.
 */
final class Types {

    static final int MOST = 0xFFFF - HeapType.FIRST_ID;

    private static final long CRC = 0xFFFF_FFFFL;
    private static final int NAME = 144;

    private final PersistentMemory memory;
    private final Geometry geometry;
    private final Map<String, HeapType> byName = new HashMap<>();
    private final HeapType[] byId;
    private int count;

    /** @throws HeapException if an entry is damaged */
    Types(PersistentMemory memory, Geometry geometry) {
        this.memory = memory;
        this.geometry = geometry;
        byId = new HeapType[geometry.types() + HeapType.FIRST_ID];
        byId[HeapType.OPAQUE_ID] = HeapType.OPAQUE;
        byId[HeapType.BYTES_ID] = HeapType.BYTES;
        while (count < geometry.types() && memory.getLongAcquire(geometry.type(count)) != 0) {
            keep(new HeapType(count + HeapType.FIRST_ID, read(count)));
        }
    }

    private void keep(HeapType type) {
        byName.put(type.name(), type);
        byId[type.id()] = type;
        count++;
    }

    private ObjectLayout read(int index) {
        long at = geometry.type(index);
        long word = memory.getLongAcquire(at);
        long fields = word & ~CRC;
        long crc = crc(at, fields, index);
        if (crc != (word & CRC)) {
            throw new HeapException(memory.name() + ", type " + (index + HeapType.FIRST_ID) + " at offset 0x"
                    + Long.toHexString(at) + ": checksum " + Long.toHexString(crc) + ", stored "
                    + Long.toHexString(word & CRC) + "; restore the heap from a copy");
        }
        byte[] name = new byte[(int) (word >>> 32) & 0xFF];
        memory.copyOut(at + NAME, name, 0, name.length);
        return new ObjectLayout(
                new String(name, StandardCharsets.UTF_8),
                (int) (word >>> 40) & 0xFFFF,
                memory.getInt(at + 8),
                bitmap(at + 16),
                memory.getInt(at + 12),
                bitmap(at + 80));
    }

    private long[] bitmap(long at) {
        long[] bitmap = new long[ObjectLayout.BITMAP_WORDS];
        for (int i = 0; i < bitmap.length; i++) {
            bitmap[i] = memory.getLong(at + 8L * i);
        }
        return bitmap;
    }

    private long crc(long at, long fields, int index) {
        return Checksum.of(memory, at + 8, Geometry.TYPE_BYTES - 8, fields ^ index) & CRC;
    }

    /** Whether {@link #register} would store nothing. */
    synchronized boolean isKnown(ObjectLayout layout) {
        return byName.containsKey(layout.toString());
    }

    /** The type of this name and version, made if there is none; durable when it returns. */
    synchronized HeapType register(ObjectLayout layout) {
        HeapType known = byName.get(layout.toString());
        if (known != null) {
            if (!layout.equals(known.layout())) {
                throw new IllegalArgumentException(memory.name() + " knows type '" + layout
                        + "' with another layout; give the new one another version");
            }
            return known;
        }
        if (count == geometry.types()) {
            throw new HeapFullException(
                    memory.name() + " has room for " + count + " types and all are taken; make a heap with more");
        }
        write(layout, count);
        var type = new HeapType(count + HeapType.FIRST_ID, layout);
        keep(type);
        return type;
    }

    private void write(ObjectLayout layout, int index) {
        long at = geometry.type(index);
        byte[] name = layout.name().getBytes(StandardCharsets.UTF_8);
        memory.putInt(at + 8, layout.prefixBytes());
        memory.putInt(at + 12, layout.elementBytes());
        for (int i = 0; i < ObjectLayout.BITMAP_WORDS; i++) {
            memory.putLong(at + 16 + 8L * i, word(layout.prefixReferences(), i));
            memory.putLong(at + 80 + 8L * i, word(layout.elementReferences(), i));
        }
        memory.fill(at + NAME, ObjectLayout.MOST_NAME_BYTES, (byte) 0);
        memory.copyIn(name, 0, at + NAME, name.length);
        memory.persist(at, Geometry.TYPE_BYTES);
        long fields = 1L << 56 | (long) layout.version() << 40 | (long) name.length << 32;
        memory.putLongRelease(at, fields | crc(at, fields, index));
        memory.persist(at, 8);
    }

    private static long word(long[] bitmap, int index) {
        return index < bitmap.length ? bitmap[index] : 0;
    }

    @Nullable
    HeapType get(int id) {
        return id < byId.length ? byId[id] : null;
    }

    /** Ids are below this. */
    synchronized int limit() {
        return count + HeapType.FIRST_ID;
    }

    synchronized Collection<HeapType> all() {
        return List.copyOf(new ArrayList<>(byName.values()));
    }
}
