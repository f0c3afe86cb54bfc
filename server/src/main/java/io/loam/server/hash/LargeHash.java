package io.loam.server.hash;

import io.loam.server.command.Session;
import io.loam.server.keyspace.Database;
import io.loam.server.keyspace.ValueType;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.StoreFullException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A hash whose fields are entries of their own; docs/encoding.md has the layout, and what each order of writes is for.
 *
 * <p>A field is there if its entry has an ordinal that the header covers; an ordinal is a field's if the field's entry says so too, else it is a hole. Hence every prefix of a write's steps
 * is a right state, before or after: the header, put once, is what makes new fields appear and a deleted one vanish.
 */
final class LargeHash implements HashValue {

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int ORDINAL_BYTES = 8;
    private static final byte[] NO_VALUE = {};
    /** Fields read at a time, so that their misses overlap. */
    private static final int BATCH = 64;

    private static final long BATCH_BYTES = 1 << 20;
    /** Draws of an ordinal before all are looked through. */
    private static final int DRAWS = 100;

    private final HashElements store;
    private final Namespace elements;
    private HashHeader header;
    private long version;

    /** @param version the header entry's; 0 for reading only */
    LargeHash(HashElements store, HashHeader header, long version) {
        this.store = store;
        this.elements = store.namespace();
        this.header = header;
        this.version = version;
    }

    /** The entry of a field. */
    static byte[] element(long ordinal, byte[] value) {
        byte[] element = new byte[ORDINAL_BYTES + value.length];
        LONGS.set(element, 0, ordinal);
        System.arraycopy(value, 0, element, ORDINAL_BYTES, value.length);
        return element;
    }

    private static long ordinal(byte[] element) {
        return (long) LONGS.get(element, 0);
    }

    private static byte[] value(byte[] element) {
        return Arrays.copyOfRange(element, ORDINAL_BYTES, element.length);
    }

    // ---- reading

    @Override
    public long count() {
        return header.count();
    }

    @Override
    public long bytes() {
        return header.bytes();
    }

    @Override
    public byte @Nullable [] get(byte[] name) {
        byte[] element = elements.get(fieldKey(name));
        return element == null || !header.covers(ordinal(element)) ? null : value(element);
    }

    @Override
    public long length(byte[] name) {
        Found found = find(name);
        return found == null ? Namespace.ABSENT : found.length;
    }

    /** Where a field is, and its value's length. */
    private record Found(long ordinal, long length) {}

    private @Nullable Found find(byte[] name) {
        Found found = findAnywhere(name);
        return found == null || !header.covers(found.ordinal) ? null : found;
    }

    private @Nullable Found findAnywhere(byte[] name) {
        return elements.read(fieldKey(name), view -> {
            MemorySegment first = view.segment(0);
            long ordinal = first.byteSize() >= ORDINAL_BYTES
                    ? first.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0)
                    : ordinal(view.toByteArray());
            return new Found(ordinal, view.length() - ORDINAL_BYTES);
        });
    }

    private byte[] fieldKey(byte[] name) {
        return HashElements.fieldKey(header.id(), name);
    }

    private byte[] ordinalKey(long ordinal) {
        return HashElements.ordinalKey(header.id(), ordinal);
    }

    /** The name of the field that has the ordinal, or null for a hole. */
    private byte @Nullable [] nameAt(long ordinal) {
        byte[] name = header.covers(ordinal) ? elements.get(ordinalKey(ordinal)) : null;
        return name == null || !hasOrdinal(name, ordinal) ? null : name;
    }

    private boolean hasOrdinal(byte[] name, long ordinal) {
        Found found = findAnywhere(name);
        return found != null && found.ordinal == ordinal;
    }

    @Override
    public void forEach(boolean values, FieldVisitor visitor) {
        int batch = (int) Math.clamp(BATCH_BYTES * header.count() / Math.max(1, header.bytes()), 1, BATCH);
        for (long from = 0; from < header.limit(); from += batch) {
            visit(from, Math.min(header.limit(), from + batch), values, visitor);
            if (header.limit() > Hashes.QUICK_FIELDS) {
                Thread.yield(); // others wait for this processor
            }
        }
    }

    /** Bytes that owner, ordinals and fields take in log and index. */
    long storedBytes() {
        long bytes = storedBytes(HashElements.ownerKey(header.id()));
        for (long ordinal = 0; ordinal < header.limit(); ordinal++) {
            if (ordinal % BATCH == BATCH - 1) {
                Thread.yield(); // others wait for this processor
            }
            byte[] name = nameAt(ordinal);
            bytes += storedBytes(ordinalKey(ordinal)) + (name == null ? 0 : storedBytes(fieldKey(name)));
        }
        return bytes;
    }

    private long storedBytes(byte[] key) {
        Long bytes = elements.read(key, Database::storedBytes);
        return bytes == null ? 0 : bytes;
    }

    /** Visits the fields with ordinals from {@code from} to {@code to}. */
    private void visit(long from, long to, boolean values, FieldVisitor visitor) {
        List<byte @Nullable []> names = elements.getAll(HashElements.ordinalKeys(header.id(), from, to));
        List<byte[]> present = new ArrayList<>(names.size());
        long[] ordinals = new long[names.size()];
        for (int i = 0; i < names.size(); i++) {
            byte[] name = names.get(i);
            if (name != null && header.covers(from + i)) {
                ordinals[present.size()] = from + i;
                present.add(name);
            }
        }
        if (!values) {
            for (int i = 0; i < present.size(); i++) {
                if (hasOrdinal(present.get(i), ordinals[i])) {
                    visitor.field(present.get(i), NO_VALUE);
                }
            }
            return;
        }
        List<byte @Nullable []> found =
                elements.getAll(present.stream().map(this::fieldKey).toList());
        for (int i = 0; i < present.size(); i++) {
            byte[] element = found.get(i);
            if (element != null && ordinal(element) == ordinals[i]) {
                visitor.field(present.get(i), value(element));
            }
        }
    }

    @Override
    public long scan(long cursor, long count, boolean values, FieldVisitor visitor) {
        // ordinals go down: a field that moves meanwhile moves down too, so one that was not told stays ahead
        long end = cursor == 0 ? header.limit() : Math.min(cursor, header.limit());
        long last = Math.max(0, end - count);
        while (end > last) {
            long from = Math.max(last, end - BATCH);
            visit(from, end, values, visitor);
            end = from;
        }
        return end;
    }

    @Override
    public void drawWithRepeats(long draws, RandomGenerator random, boolean values, FieldVisitor visitor) {
        for (long i = 0; i < draws; i++) {
            drawOne(random, values, visitor);
        }
    }

    private void drawOne(RandomGenerator random, boolean values, FieldVisitor visitor) {
        for (int tries = 0; tries < DRAWS; tries++) {
            if (tell(random.nextLong(header.limit()), values, visitor)) {
                return;
            }
        }
        draw(1, random, values, visitor); // nearly all are holes
    }

    /** Visits the field of an ordinal; false for a hole. */
    private boolean tell(long ordinal, boolean values, FieldVisitor visitor) {
        boolean[] told = {false};
        visit(ordinal, ordinal + 1, values, (name, value) -> {
            told[0] = true;
            visitor.field(name, value);
        });
        return told[0];
    }

    @Override
    public void draw(long most, RandomGenerator random, boolean values, FieldVisitor visitor) {
        long limit = header.limit();
        long left = Math.min(most, header.count());
        if (left * 4 < limit && header.holes() * 4 < limit) {
            Set<Long> drawn = new HashSet<>();
            for (long tries = 0; left > 0 && tries < DRAWS * most; tries++) {
                long ordinal = random.nextLong(limit);
                if (drawn.add(ordinal) && tell(ordinal, values, visitor)) {
                    left--;
                }
            }
            return;
        }
        if (left == header.count()) {
            forEach(values, visitor);
            return;
        }
        int[] ordinals = new int[Math.toIntExact(limit)];
        Arrays.setAll(ordinals, i -> i);
        for (int i = 0; i < ordinals.length && left > 0; i++) {
            int other = random.nextInt(i, ordinals.length);
            int ordinal = ordinals[other];
            ordinals[other] = ordinals[i];
            if (tell(ordinal, values, visitor)) {
                left--;
            }
        }
    }

    // ---- writing; the key is locked

    /**
     * Sets fields with different names, all or none.
     *
     * @return how many are new; {@link Hashes#GONE} if the header was dropped by the store meanwhile
     */
    int set(Session session, Database database, byte[] key, List<byte[]> names, List<byte[]> values) {
        buryDying();
        int count = names.size();
        long[] ordinals = new long[count];
        boolean[] inPlace = new boolean[count];
        int added = 0;
        long bytes = header.bytes();
        for (int i = 0; i < count; i++) {
            Found found = find(names.get(i));
            if (found == null) {
                ordinals[i] = header.limit() + added++;
                bytes += names.get(i).length + values.get(i).length;
            } else {
                ordinals[i] = found.ordinal;
                inPlace[i] = found.length == values.get(i).length;
                bytes += values.get(i).length - found.length;
            }
        }
        for (int i = 0; i < added; i++) {
            dropLeftover(header.limit() + i);
        }
        boolean isShort = session.service().isShortOfMemory(2 * bytesOf(names, values) + 128L * count);
        if (isShort) {
            session.mustBeAllowedToWait(); // not in the midst: HINCRBY would add twice
        }
        if (isShort && count > 1) {
            putTogether(names, values, ordinals);
        } else {
            // the new ones first, which nobody sees before the header says so, and what needs no memory last
            for (int i = 0; i < count; i++) {
                if (ordinals[i] >= header.limit()) {
                    session.putElement(elements, ordinalKey(ordinals[i]), names.get(i));
                    session.putElement(elements, fieldKey(names.get(i)), element(ordinals[i], values.get(i)));
                }
            }
            putPresent(session, names, values, ordinals, inPlace, false);
            putPresent(session, names, values, ordinals, inPlace, true);
        }
        HashHeader after =
                new HashHeader(header.id(), header.count() + added, bytes, header.limit() + added, HashHeader.NONE);
        long put =
                session.keep(database, MemorySegment.ofArray(key), MemorySegment.ofArray(after.encoded()), options());
        if (put == Namespace.ABSENT) {
            for (int i = 0; i < count; i++) {
                elements.delete(fieldKey(names.get(i))); // the reclaimer may have passed
                elements.delete(ordinalKey(ordinals[i]));
            }
            return Hashes.GONE;
        }
        header = after;
        version = put;
        return added;
    }

    /** Puts those of the fields that are there already whose values have the length of those before, or have not. */
    private void putPresent(
            Session session,
            List<byte[]> names,
            List<byte[]> values,
            long[] ordinals,
            boolean[] inPlace,
            boolean wanted) {
        for (int i = 0; i < ordinals.length; i++) {
            if (ordinals[i] < header.limit() && inPlace[i] == wanted) {
                session.putElement(elements, fieldKey(names.get(i)), element(ordinals[i], values.get(i)));
            }
        }
    }

    static long bytesOf(List<byte[]> names, List<byte[]> values) {
        long bytes = 0;
        for (int i = 0; i < names.size(); i++) {
            bytes += names.get(i).length + values.get(i).length;
        }
        return bytes;
    }

    /** In a transaction of the store: where there is not memory for all, nothing is written. */
    private void putTogether(List<byte[]> names, List<byte[]> values, long[] ordinals) {
        List<byte[]> keys = new ArrayList<>();
        List<byte[]> contents = new ArrayList<>();
        for (int i = 0; i < ordinals.length; i++) {
            if (ordinals[i] >= header.limit()) {
                keys.add(ordinalKey(ordinals[i]));
                contents.add(names.get(i));
            }
            keys.add(fieldKey(names.get(i)));
            contents.add(element(ordinals[i], values.get(i)));
        }
        elements.transact(keys, transaction -> {
            for (int i = 0; i < keys.size(); i++) {
                transaction.put(keys.get(i), contents.get(i));
            }
            return true;
        });
    }

    /** Keeps the expiry; only while the header is the one that was read, as it may expire or be evicted at any moment. */
    private PutOptions options() {
        return PutOptions.DEFAULT
                .keepingExpiry()
                .withType(ValueType.LARGE_HASH.bits())
                .ifVersion(version);
    }

    /** Deletes the entries of an ordinal at or beyond the limit, which a write left that never came to its end. */
    private void dropLeftover(long ordinal) {
        byte[] name = elements.get(ordinalKey(ordinal));
        if (name != null) {
            if (hasOrdinal(name, ordinal)) {
                elements.delete(fieldKey(name));
            }
            elements.delete(ordinalKey(ordinal));
        }
    }

    /** Finishes a deletion that was not. The next header forgets it. */
    private void buryDying() {
        if (header.dying() != HashHeader.NONE) {
            dropLeftover(header.dying());
        }
    }

    /**
     * Deletes fields. Takes no memory with the update policy in place.
     *
     * @return how many there were; {@link Hashes#GONE} if the header was dropped by the store meanwhile, and nothing was done
     */
    int delete(Session session, Database database, byte[] key, List<byte[]> names) {
        buryDying();
        int deleted = 0;
        for (byte[] name : names) {
            Found found = find(name);
            if (found == null) {
                continue;
            }
            if (header.count() == 1) {
                database.delete(key);
                return deleted + 1;
            }
            HashHeader after = new HashHeader(
                    header.id(),
                    header.count() - 1,
                    header.bytes() - name.length - found.length,
                    header.limit(),
                    found.ordinal);
            long put = deleted == 0
                    ? session.keep(
                            database, MemorySegment.ofArray(key), MemorySegment.ofArray(after.encoded()), options())
                    : database.keep( // the command can't begin again any more; an overwrite in place does not wait
                            MemorySegment.ofArray(key), MemorySegment.ofArray(after.encoded()), options(), true);
            if (put == Namespace.ABSENT) {
                return deleted == 0 ? Hashes.GONE : deleted;
            }
            header = after;
            version = put;
            deleted++;
            elements.delete(fieldKey(name));
            elements.delete(ordinalKey(found.ordinal));
            closeHole(database, key, found.ordinal);
        }
        return deleted;
    }

    /** Moves the last field to the ordinal that has become free, and maybe to others that could not be closed before. Without memory the hole stays, which is right too. */
    private void closeHole(Database database, byte[] key, long hole) {
        try {
            boolean moved = hole == header.limit() - 1
                    ? putHeader(database, key, hole)
                    : putHeader(database, key, header.limit()) && moveLast(database, key, hole);
            for (int i = 0; moved && i < 2 && header.holes() > 0; i++) {
                long ordinal = ThreadLocalRandom.current().nextLong(header.limit());
                if (nameAt(ordinal) == null) {
                    moved = moveLast(database, key, ordinal);
                }
            }
        } catch (StoreFullException e) {
            // the holes stay
        }
    }

    private boolean putHeader(Database database, byte[] key, long limit) {
        HashHeader after = new HashHeader(header.id(), header.count(), header.bytes(), limit, HashHeader.NONE);
        long put = database.keep(MemorySegment.ofArray(key), MemorySegment.ofArray(after.encoded()), options(), false);
        if (put < 0) {
            return false;
        }
        header = after;
        version = put;
        return true;
    }

    /** Moves the last field to a hole, and drops the holes behind it. */
    private boolean moveLast(Database database, byte[] key, long hole) {
        long last = header.limit() - 1;
        byte[] name = nameAt(last);
        while (name == null && last > hole) {
            elements.delete(ordinalKey(last));
            name = --last > hole ? nameAt(last) : null;
        }
        if (name == null) {
            elements.delete(ordinalKey(hole));
            return putHeader(database, key, hole);
        }
        byte[] element = elements.get(fieldKey(name));
        if (element == null) {
            return false;
        }
        LONGS.set(element, 0, hole);
        if (!tryPut(ordinalKey(hole), name) || !tryPut(fieldKey(name), element)) {
            return false;
        }
        elements.delete(ordinalKey(last));
        boolean put = putHeader(database, key, last);
        if (!put && !database.entries().contains(key)) {
            elements.delete(fieldKey(name)); // the reclaimer may have passed
            elements.delete(ordinalKey(hole));
        }
        return put;
    }

    private boolean tryPut(byte[] key, byte[] value) {
        return elements.tryPut(MemorySegment.ofArray(key), MemorySegment.ofArray(value), PutOptions.DEFAULT, () -> {})
                >= 0;
    }
}
