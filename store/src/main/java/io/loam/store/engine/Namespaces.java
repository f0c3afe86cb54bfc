package io.loam.store.engine;

import io.loam.memory.RawMemory;
import io.loam.store.StoreBuilder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The namespaces of a shared store, and the indexes of cleared and dropped ones. Written by the leader alone.
 *
 * <pre>
 * record, 256 bytes; the first is the default namespace's
 * offset size name   order    meaning
 *      0    8 root   release  the index: its directory's block (low half) and a number never used twice (high half); 0: no namespace
 *      8    4 id     plain    of the namespace, as its entries have it
 *     12    4 kept   release  1: its entries are not evicted
 *     16    4 length plain    of the name, bytes
 *     20  236 name   plain    UTF-8
 *
 * then condemned indexes, 16 bytes each: 8 root (release, 0: none), 8 id of the namespace
 * </pre>
 */
final class Namespaces {

    static final int MAX_NAME_BYTES = 236;

    /** A namespace as the table has it. */
    record Entry(int slot, int id, String name, long root) {}

    /** An index whose entries are not all counted dead. */
    record Condemned(int id, long root) {}

    private static final int RECORDS = StoreBuilder.MAX_NAMESPACES + 1;
    private static final int RECORD_BYTES = 256;
    private static final int CONDEMNED = 512;
    static final int BYTES = RECORDS * RECORD_BYTES + 16 * CONDEMNED;

    private final RawMemory memory;
    private final long table;

    Namespaces(RawMemory memory, long table) {
        this.memory = memory;
        this.table = table;
    }

    long rootWord(int slot) {
        return table + (long) slot * RECORD_BYTES;
    }

    /** The id of the namespace whose root's word is at this address. */
    int idAt(long rootWord) {
        return memory.getInt(rootWord + 8);
    }

    /** Whether entries of the namespace whose root's word is at this address may be evicted. */
    boolean isEvictable(long rootWord) {
        return memory.getIntAcquire(rootWord + 12) == 0;
    }

    void setEvictable(long rootWord, boolean evictable) {
        memory.putIntRelease(rootWord + 12, evictable ? 0 : 1);
    }

    List<Entry> list() {
        List<Entry> found = new ArrayList<>();
        for (int slot = 0; slot < RECORDS; slot++) {
            Entry entry = read(slot);
            if (entry != null) {
                found.add(entry);
            }
        }
        return found;
    }

    /** The namespace of a slot, or null; what a record says while it changes hands is not taken. */
    private @Nullable Entry read(int slot) {
        long record = rootWord(slot);
        long root = memory.getLongAcquire(record);
        if (root == 0) {
            return null;
        }
        int length = Math.clamp(memory.getInt(record + 16), 0, MAX_NAME_BYTES);
        byte[] name = new byte[length];
        memory.copyOut(record + 20, name, 0, length);
        int id = memory.getInt(record + 8);
        java.lang.invoke.VarHandle.acquireFence(); // the record's fields come before the second look at its root
        if (memory.getLongOpaque(record) != root) {
            return read(slot);
        }
        return new Entry(slot, id, new String(name, StandardCharsets.UTF_8), root);
    }

    @Nullable
    Entry find(String name) {
        for (Entry entry : list()) {
            if (entry.name().equals(name)) {
                return entry;
            }
        }
        return null;
    }

    /** Adds a namespace; null if the table is full. */
    @Nullable
    Entry add(String name, int id, long root) {
        for (int slot = id == 0 ? 0 : 1; slot < RECORDS; slot++) {
            long record = rootWord(slot);
            if (memory.getLongAcquire(record) == 0) {
                byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
                memory.putInt(record + 8, id);
                memory.putIntRelease(record + 12, 0);
                memory.putInt(record + 16, bytes.length);
                memory.copyIn(bytes, 0, record + 20, bytes.length);
                memory.putLongRelease(record, root); // release: pairs with read: publishes the record and the index
                return new Entry(slot, id, name, root);
            }
        }
        return null;
    }

    List<Condemned> condemned() {
        List<Condemned> found = new ArrayList<>();
        for (int i = 0; i < CONDEMNED; i++) {
            long at = condemnedAt(i);
            long root = memory.getLongAcquire(at);
            if (root != 0) {
                found.add(new Condemned((int) memory.getLong(at + 8), root));
            }
        }
        return found;
    }

    boolean hasCondemned() {
        for (int i = 0; i < CONDEMNED; i++) {
            if (memory.getLongAcquire(condemnedAt(i)) != 0) {
                return true;
            }
        }
        return false;
    }

    /** Whether {@link #condemn} has room for one more. */
    boolean hasRoomForCondemned() {
        for (int i = 0; i < CONDEMNED; i++) {
            if (memory.getLongAcquire(condemnedAt(i)) == 0) {
                return true;
            }
        }
        return false;
    }

    void condemn(int id, long root) {
        for (int i = 0; i < CONDEMNED; i++) {
            long at = condemnedAt(i);
            if (memory.getLongAcquire(at) == 0) {
                memory.putLong(at + 8, id);
                memory.putLongRelease(at, root);
                return;
            }
        }
        throw new IllegalStateException("no room for a cleared index; ask hasRoomForCondemned before");
    }

    void absolve(long root) {
        for (int i = 0; i < CONDEMNED; i++) {
            if (memory.getLongAcquire(condemnedAt(i)) == root) {
                memory.putLongRelease(condemnedAt(i), 0);
            }
        }
    }

    private long condemnedAt(int i) {
        return table + (long) RECORDS * RECORD_BYTES + 16L * i;
    }
}
