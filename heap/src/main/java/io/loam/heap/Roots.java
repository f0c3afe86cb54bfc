package io.loam.heap;

import io.loam.memory.persistence.PersistentMemory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * The durable table of roots.
 *
 * <pre>
 * offset size name    order    meaning
 *      0    8 word    release  0: free; else bits 0–31 CRC32C of name and the rest of the word, 32–47 type, 48–55 length of the name, 56–63 1
 *      8    8 value   release  checked word: offset of an object, or 0
 *     16  112 name    plain    UTF-8
 * </pre>
 */
final class Roots {

    private static final long CRC = 0xFFFF_FFFFL;
    private static final int VALUE = 8;
    private static final int NAME = 16;
    private static final int MOST_NAME_BYTES = 112;

    private final PersistentMemory memory;
    private final Geometry geometry;
    private final Map<String, Root> byName = new HashMap<>();
    private final PriorityQueue<Integer> freed = new PriorityQueue<>();
    /** All slots from here on are free. */
    private int limit;

    /** @throws HeapException if an entry is damaged */
    Roots(PersistentMemory memory, Geometry geometry, Types types, PersistentHeap heap) {
        this.memory = memory;
        this.geometry = geometry;
        for (int i = 0; i < geometry.roots(); i++) {
            if (memory.getLongAcquire(geometry.root(i)) != 0) {
                Root root = read(i, types, heap);
                byName.put(root.name(), root);
                for (int gap = limit; gap < i; gap++) {
                    freed.add(gap);
                }
                limit = i + 1;
            }
        }
    }

    private Root read(int index, Types types, PersistentHeap heap) {
        long at = geometry.root(index);
        long word = memory.getLongAcquire(at);
        long crc = crc(at, word & ~CRC, index);
        HeapType type = types.get((int) (word >>> 32) & 0xFFFF);
        if (crc != (word & CRC) || type == null) {
            throw new HeapException(memory.name() + ", root " + index + " at offset 0x" + Long.toHexString(at)
                    + ": checksum " + Long.toHexString(crc) + ", stored " + Long.toHexString(word & CRC)
                    + "; restore the heap from a copy");
        }
        byte[] name = new byte[(int) (word >>> 48) & 0xFF];
        memory.copyOut(at + NAME, name, 0, name.length);
        return new Root(heap, index, new String(name, StandardCharsets.UTF_8), type);
    }

    private long crc(long at, long fields, int index) {
        return Checksum.of(memory, at + NAME, MOST_NAME_BYTES, fields ^ index) & CRC;
    }

    synchronized @Nullable Root find(String name) {
        return byName.get(name);
    }

    synchronized List<Root> all() {
        return new ArrayList<>(byName.values());
    }

    /** Durable when it returns. */
    synchronized Root create(String name, HeapType type, PersistentHeap heap) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        if (bytes.length == 0 || bytes.length > MOST_NAME_BYTES) {
            throw new IllegalArgumentException(
                    "root name '" + name + "'; allowed: 1 to " + MOST_NAME_BYTES + " bytes of UTF-8");
        }
        if (freed.isEmpty() && limit == geometry.roots()) {
            throw new HeapFullException(memory.name() + " has room for " + limit
                    + " roots and all are taken; remove some, or keep many objects under one");
        }
        Integer reused = freed.poll();
        int index = reused != null ? reused : limit++;
        long at = geometry.root(index);
        memory.putLongRelease(at + VALUE, 0);
        memory.fill(at + NAME, MOST_NAME_BYTES, (byte) 0);
        memory.copyIn(bytes, 0, at + NAME, bytes.length);
        memory.persist(at, Geometry.ROOT_BYTES);
        long fields = 1L << 56 | (long) bytes.length << 48 | (long) type.id() << 32;
        memory.putLongRelease(at, fields | crc(at, fields, index));
        memory.persist(at, 8);
        Root root = new Root(heap, index, name, type);
        byName.put(name, root);
        return root;
    }

    /** Durable when it returns. */
    synchronized void remove(Root root) {
        if (!byName.remove(root.name(), root)) {
            throw new IllegalArgumentException(memory.name() + " has no " + root + "; it was removed before");
        }
        memory.putLongRelease(geometry.root(root.index()), 0);
        memory.persist(geometry.root(root.index()), 8);
        freed.add(root.index());
    }

    long valueOffset(int index) {
        return geometry.root(index) + VALUE;
    }

    long get(int index) {
        long at = valueOffset(index);
        long word = memory.getLongAcquire(at);
        if (!Checksum.holds(word, at)) {
            throw new HeapException(memory.name() + ", value of root " + index + " at offset 0x" + Long.toHexString(at)
                    + ": its check bits do not fit word 0x" + Long.toHexString(word)
                    + "; restore the heap from a copy");
        }
        return Checksum.payload(word);
    }

    /** Not durable yet. */
    void set(int index, long offset) {
        long at = valueOffset(index);
        memory.putLongRelease(at, Checksum.word(offset, at));
    }
}
