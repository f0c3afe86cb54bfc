package io.loam.server.hash;

import io.loam.server.command.Session;
import io.loam.server.keyspace.Database;
import io.loam.server.keyspace.Elements;
import io.loam.server.keyspace.Keyspace;
import io.loam.server.keyspace.ValueType;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.RequestParser;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.RemovalListener;
import io.loam.store.StoreClosedException;
import io.loam.store.StoreFullException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Where the fields of large hashes are, and the reclaimer of those whose header has gone.
 *
 * <p>A header that a command removes comes by {@link #abandoned}, one that the store drops by the listener for removals. Its id is put into a queue, in memory and, if there is room, in the store; {@link #run}
 * takes it from there, after a restart from the store. What slips through (the process died after the header went and before the id was put down; a whole database was cleared) is found by {@link #sweep}: every
 * large hash has an owner entry that names its key, and an id that no header at that key has is nobody's. A header at a key is put and removed under the lock of the key, after the owner entry was written, and an id is
 * never used again; so an id that has no header while the key is locked never has one again.
 */
public final class HashElements implements Elements {

    private static final Logger LOG = System.getLogger(HashElements.class.getName());

    static final byte FIELD = 'f';
    static final byte ORDINAL = 'o';
    static final byte OWNER = 'k';

    /** Ids taken from the store at a time. */
    private static final int IDS = 1000;
    /** Ordinals reclaimed before others get the processor. */
    private static final int PIECE = 256;
    /** While there is memory, commands have the processor for as long as this between pieces, which take less. */
    private static final long BREATH_NANOS = 1_000_000;
    /** So many pieces are reclaimed between looks at how full the store is. */
    private static final int PIECES_PER_LOOK = 64;
    /** From this share on memory is wanted soon, and nothing waits. */
    private static final double HURRY_ABOVE = 0.75;
    /** Ids of orphans held in memory at a time. */
    private static final int MOST_ORPHANS = 100_000;

    private static final byte[] NEXT_ID = "next-id".getBytes(StandardCharsets.US_ASCII);
    private static final Runnable NOTHING = () -> {};

    private final Keyspace keyspace;
    private final Namespace elements;
    private final Namespace persistent;
    private final Namespace server;
    private final Queue<byte[]> queue = new ConcurrentLinkedQueue<>();
    /** Held by who reclaims. */
    private final Object reclaiming = new Object();
    /** Ordinals since the last breath, pieces since the start, and whether memory is wanted. Under {@link #reclaiming}. */
    private long reclaimed;

    private int pieces;
    private boolean hurry;

    private final Semaphore wake = new Semaphore(0);
    private volatile boolean sweepWanted;
    private long nextId = 1;
    private long endOfIds;

    public HashElements(Keyspace keyspace) {
        this.keyspace = keyspace;
        this.elements = keyspace.internal("elements");
        this.persistent = keyspace.internal("abandoned");
        this.server = keyspace.store().namespace("server");
        for (Namespace own : List.of(elements, persistent, server)) {
            keyspace.store().setEvictable(own.name(), false);
        }
        if (elements.size() > 0) {
            sweepWanted = true;
            keyspace.noteLargeValues();
        }
        keyspace.setElements(this);
        keyspace.store().addListener(new RemovalListener() {
            @Override
            public boolean wants(Cause cause, int type) {
                return type == ValueType.LARGE_HASH.bits() && (cause == Cause.EXPIRED || cause == Cause.EVICTED);
            }

            @Override
            public void removed(String namespace, byte[] key, byte[] value, Cause cause) {
                enqueue(value); // in memory only: the caller may be the cleaner, and must not write
            }
        });
    }

    Namespace namespace() {
        return elements;
    }

    // ---- ids and keys

    /** An id that no value had or will have. */
    synchronized long newId(Session session) {
        if (nextId > endOfIds) {
            session.mustBeAllowedToWait();
        }
        return newId();
    }

    private synchronized long newId() {
        if (nextId > endOfIds) {
            endOfIds = server.add(NEXT_ID, IDS);
            nextId = endOfIds - IDS + 1;
        }
        return nextId++;
    }

    static byte[] key(long id, byte kind, byte[] rest) {
        byte[] key = new byte[9 + rest.length];
        ByteBuffer.wrap(key).putLong(id).put(kind).put(rest);
        return key;
    }

    static byte[] ordinalKey(long id, long ordinal) {
        byte[] key = new byte[17];
        ByteBuffer.wrap(key).putLong(id).put(ORDINAL).putLong(ordinal);
        return key;
    }

    static byte[] fieldKey(long id, byte[] name) {
        return key(id, FIELD, name);
    }

    static byte[] ownerKey(long id) {
        return key(id, OWNER, new byte[0]);
    }

    // ---- owners

    /** A key that may have the header: the database's place among the store's namespaces, and the key in it. */
    private record Place(String database, byte[] key) {}

    static byte[] owner(Database database, byte[] key) {
        return owners(List.of(new Place(database.entries().name(), key)));
    }

    private static byte[] owners(List<Place> places) {
        ByteBuffer value = ByteBuffer.allocate(
                places.stream().mapToInt(place -> 3 + place.key.length).sum());
        for (Place place : places) {
            String name = place.database;
            value.put(name.isEmpty() ? 0 : Byte.parseByte(name.substring(2)))
                    .putShort((short) place.key.length)
                    .put(place.key);
        }
        return value.array();
    }

    private static List<Place> places(byte[] owner) {
        ByteBuffer value = ByteBuffer.wrap(owner);
        List<Place> places = new ArrayList<>(2);
        while (value.hasRemaining()) {
            int database = value.get();
            byte[] key = new byte[value.getShort() & 0xFFFF];
            value.get(key);
            places.add(new Place(database == 0 ? "" : "db" + database, key));
        }
        return places;
    }

    @Override
    public void moving(byte[] header, Database from, byte[] fromKey, Database to, byte[] toKey) {
        Place target = new Place(to.entries().name(), toKey);
        Place source = new Place(from.entries().name(), fromKey);
        elements.put(ownerKey(HashHeader.of(header).id()), owners(List.of(target, source)));
    }

    @Override
    public byte[] copy(byte[] header, Database to, byte[] key) {
        HashHeader source = HashHeader.of(header);
        long id = newId();
        long[] copied = {0, 0};
        try {
            elements.put(ownerKey(id), owner(to, key));
            new LargeHash(this, source, 0).forEach(true, (name, value) -> {
                elements.put(ordinalKey(id, copied[0]), name);
                elements.put(fieldKey(id, name), LargeHash.element(copied[0], value));
                copied[0]++;
                copied[1] += name.length + value.length;
            });
        } catch (StoreFullException e) {
            abandoned(new HashHeader(id, copied[0], copied[1], copied[0], HashHeader.NONE).encoded());
            throw e;
        }
        return new HashHeader(id, copied[0], copied[1], copied[0], HashHeader.NONE).encoded();
    }

    @Override
    public long storedBytes(byte[] header) {
        return new LargeHash(this, HashHeader.of(header), 0).storedBytes();
    }

    // ---- what is to be reclaimed

    @Override
    public void abandoned(byte[] header) {
        try {
            byte[] id = Arrays.copyOf(ownerKey(HashHeader.of(header).id()), 8);
            persistent.tryPut(MemorySegment.ofArray(id), MemorySegment.ofArray(header), PutOptions.DEFAULT, NOTHING);
        } catch (StoreFullException e) {
            LOG.log(Level.DEBUG, "no room to put an abandoned hash down; the sweep after a restart would find it", e);
        }
        enqueue(header);
    }

    private void enqueue(byte[] header) {
        queue.add(header);
        wake.release();
    }

    @Override
    public void cleared() {
        if (elements.size() == 0) {
            return;
        }
        if (keyspace.keys() > 0) {
            sweepWanted = true;
            wake.release();
            return;
        }
        // no key is left, and all are locked
        queue.clear();
        persistent.clear();
        elements.clear();
    }

    /** Reclaims, until the store is closed or the thread interrupted. */
    public void run() {
        try {
            restore();
            while (true) {
                drain();
                if (sweepWanted) {
                    sweepWanted = false;
                    sweep();
                } else {
                    wake.acquire();
                    wake.drainPermits();
                }
            }
        } catch (InterruptedException | StoreClosedException e) {
            LOG.log(Level.DEBUG, "the reclaimer of hashes ends", e);
        } catch (RuntimeException e) {
            LOG.log(
                    Level.ERROR,
                    "the reclaimer of hashes fails: memory of deleted hashes is not reclaimed until a restart",
                    e);
        }
    }

    /** Takes over what an earlier process has put down. */
    void restore() {
        persistent.forEach((id, view) -> queue.add(view.toByteArray()));
    }

    /** Reclaims what is in the queue. */
    void drain() {
        synchronized (reclaiming) {
            byte[] header;
            while ((header = queue.poll()) != null) {
                reclaim(HashHeader.of(header));
                persistent.delete(Arrays.copyOf(ownerKey(HashHeader.of(header).id()), 8));
            }
        }
    }

    /** Deletes the elements of an id: those beyond the limit first, which a write left that never came to its end. */
    private void reclaim(HashHeader header) {
        long end = header.limit();
        while (reclaim(header.id(), end, end + 1) > 0) {
            end++;
        }
        while (end > 0) {
            long from = Math.max(0, end - PIECE);
            reclaim(header.id(), from, end);
            reclaimed += end - from;
            end = from;
            if (reclaimed >= PIECE) {
                reclaimed = 0;
                breathe();
            }
            checkNotEnding();
        }
        elements.delete(ownerKey(header.id()));
    }

    /** After each piece, be it of one hash or of many. */
    private void breathe() {
        if (pieces++ % PIECES_PER_LOOK == 0) {
            hurry = keyspace.store().stats().utilisation() > HURRY_ABOVE;
        }
        if (hurry) {
            Thread.yield();
        } else {
            LockSupport.parkNanos(BREATH_NANOS);
        }
    }

    /** The server closes: what is left is for the next one, which finds it as this one has. */
    private static void checkNotEnding() {
        if (Thread.currentThread().isInterrupted()) {
            throw new StoreClosedException();
        }
    }

    /** Deletes the elements with these ordinals; how many there were. */
    private int reclaim(long id, long from, long to) {
        List<byte[]> keys = ordinalKeys(id, from, to);
        List<byte @Nullable []> names = elements.getAll(keys);
        int found = 0;
        for (int i = 0; i < keys.size(); i++) {
            byte[] name = names.get(i);
            if (name != null) {
                found++;
                elements.delete(fieldKey(id, name)); // before its ordinal, by which it is found again after a crash
                elements.delete(keys.get(i));
            }
        }
        return found;
    }

    static List<byte[]> ordinalKeys(long id, long from, long to) {
        List<byte[]> keys = new ArrayList<>((int) (to - from));
        for (long ordinal = from; ordinal < to; ordinal++) {
            keys.add(ordinalKey(id, ordinal));
        }
        return keys;
    }

    // ---- orphans

    /** Deletes elements that belong to no key; how many hashes they were of. */
    int sweep() {
        synchronized (reclaiming) {
            int all = 0;
            int found;
            do {
                Set<Long> orphans = findOrphans();
                found = orphans.size();
                all += found;
                delete(orphans);
            } while (found == MOST_ORPHANS);
            return all;
        }
    }

    private void delete(Set<Long> orphans) {
        if (!orphans.isEmpty()) {
            scan((key, value) -> {
                if (key[8] != OWNER && orphans.contains(id(key))) {
                    elements.delete(key);
                }
            });
            orphans.forEach(id -> elements.delete(ownerKey(id)));
        }
    }

    private static long id(byte[] key) {
        return ByteBuffer.wrap(key).getLong();
    }

    private Set<Long> findOrphans() {
        Set<Long> orphans = new HashSet<>();
        scan((key, value) -> {
            if (value != null && orphans.size() < MOST_ORPHANS && isOrphan(key, value)) {
                orphans.add(id(key));
            }
        });
        return orphans;
    }

    private interface ElementVisitor {
        /** @param value of an owner entry; null for others */
        void visit(byte[] key, byte @Nullable [] value);
    }

    private void scan(ElementVisitor visitor) {
        List<byte[]> keys = new ArrayList<>();
        List<byte @Nullable []> values = new ArrayList<>();
        long position = 0;
        do {
            position = elements.scan(position, PIECE, (key, view) -> {
                keys.add(key);
                values.add(key[8] == OWNER ? view.toByteArray() : null);
            });
            for (int i = 0; i < keys.size(); i++) {
                visitor.visit(keys.get(i), values.get(i));
            }
            keys.clear();
            values.clear();
            Thread.yield();
            checkNotEnding();
        } while (position != 0);
    }

    private boolean isOrphan(byte[] ownerKey, byte[] owner) {
        List<Place> places = places(owner);
        int[] stripes = places.stream()
                .mapToInt(place -> stripe(place.key))
                .sorted()
                .distinct()
                .toArray();
        keyspace.locks().lock(stripes, stripes.length, false);
        try {
            if (!Arrays.equals(elements.get(ownerKey), owner)) {
                return false; // moved or reclaimed meanwhile
            }
            long id = id(ownerKey);
            boolean found = false;
            for (Place place : places) {
                Namespace database = keyspace.store().findNamespace(place.database);
                if (database != null && hasHeader(database, place.key, id)) {
                    if (found) {
                        database.delete(place.key); // the process died in the midst of a RENAME
                    }
                    found = true;
                }
            }
            return !found;
        } finally {
            keyspace.locks().unlock(stripes, stripes.length);
        }
    }

    private static boolean hasHeader(Namespace database, byte[] key, long id) {
        return Boolean.TRUE.equals(database.read(
                key,
                view -> view.type() == ValueType.LARGE_HASH.bits()
                        && HashHeader.of(view.toByteArray()).id() == id));
    }

    private int stripe(byte[] key) {
        int hash = key.length > RequestParser.LARGE_BYTES ? key.length : Arguments.hash(key, 0, key.length);
        return keyspace.locks().stripe(hash);
    }
}
