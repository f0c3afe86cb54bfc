package io.loam.server.hash;

import io.loam.server.ServerOptions;
import io.loam.server.command.Session;
import io.loam.server.keyspace.Database;
import io.loam.server.keyspace.KeyEvents;
import io.loam.server.keyspace.ValueType;
import io.loam.server.protocol.RedisError;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Finds the hashes of keys, and changes them, whichever of the two forms they have. */
public final class Hashes {

    /** The store has dropped the hash since it was read: it must be read again. */
    public static final int GONE = -1;

    /** Fields that an event loop may read or write in one command: some 0.1 ms. */
    public static final int QUICK_FIELDS = 256;

    /** The longest name of a field of a large hash: the key of its entry has 9 bytes more. */
    public static final int LONGEST_NAME = Namespace.MAX_KEY_BYTES - 9;

    private final HashElements elements;

    public Hashes(HashElements elements) {
        this.elements = elements;
    }

    /**
     * The hash of a key, or null when it is absent.
     *
     * @throws RedisError if the key has another type
     */
    public @Nullable HashValue find(Session session, byte[] key) {
        return session.entries().read(key, view -> switch (ValueType.of(view.type())) {
            case HASH -> {
                session.aboutToCopy(view.length());
                yield new SmallHash(view.toByteArray(), view.version());
            }
            case LARGE_HASH -> new LargeHash(elements, HashHeader.of(view.toByteArray()), view.version());
            default -> throw RedisError.WRONG_TYPE;
        });
    }

    /** Whether what was read of the hash may be told: its elements were not being reclaimed. Commands that change it are seen by the locks. */
    public static boolean isStill(Session session, byte[] key, @Nullable HashValue hash) {
        return !(hash instanceof LargeHash) || session.entries().contains(key);
    }

    /**
     * Sets fields with different names, all or none. The key is locked.
     *
     * @param present what {@link #find} found
     * @param longest the length of the longest name or value that the command has, of a value too that a later one of the same field replaces
     * @return how many are new, or {@link #GONE}
     */
    public int set(
            Session session,
            byte[] key,
            @Nullable HashValue present,
            List<byte[]> names,
            List<byte[]> values,
            int longest) {
        if (names.size() > QUICK_FIELDS) {
            session.mustBeAllowedToWait();
        }
        if (present instanceof LargeHash large) {
            return large.set(session, session.database(), key, names, values);
        }
        SmallHash small = (SmallHash) present;
        ServerOptions options = session.service().options();
        if (longest <= options.hashMaxListpackValue() && names.size() <= options.hashMaxListpackEntries()) {
            CompactHash fields = new CompactHash(
                    small == null ? new byte[0] : small.fields().encoded().clone());
            int added = 0;
            for (int i = 0; i < names.size(); i++) {
                added += fields.set(names.get(i), values.get(i)) ? 1 : 0;
            }
            if (fields.count() <= options.hashMaxListpackEntries()) {
                return put(session, key, fields.encoded(), ValueType.HASH, version(small)) ? added : GONE;
            }
        }
        return enlarge(session, key, small, names, values);
    }

    private static long version(@Nullable SmallHash small) {
        return small == null ? 0 : small.version();
    }

    /** Puts an entry in place of the one with this version, 0: of none. */
    private static boolean put(Session session, byte[] key, byte[] value, ValueType type, long version) {
        PutOptions plain = PutOptions.DEFAULT.keepingExpiry().withType(type.bits());
        PutOptions options = version == 0 ? plain.withCondition(PutOptions.Condition.ABSENT) : plain.ifVersion(version);
        boolean put =
                session.keep(session.database(), MemorySegment.ofArray(key), MemorySegment.ofArray(value), options)
                        != Namespace.ABSENT;
        if (put && version == 0) {
            session.happened(KeyEvents.Class.NEW, "new", key);
        }
        return put;
    }

    /** Makes a large hash of a small one and more fields. */
    private int enlarge(
            Session session, byte[] key, @Nullable SmallHash small, List<byte[]> names, List<byte[]> values) {
        CompactHash all = new CompactHash(
                small == null ? new byte[0] : small.fields().encoded().clone());
        int added = 0;
        if (small != null) {
            if (all.count() + names.size() > 4 * QUICK_FIELDS) {
                session.mustBeAllowedToWait();
            }
            for (int i = 0; i < names.size(); i++) {
                added += all.set(names.get(i), values.get(i)) ? 1 : 0;
            }
        }
        List<byte[]> allNames = names;
        List<byte[]> allValues = values;
        if (small != null) {
            allNames = new ArrayList<>();
            allValues = new ArrayList<>();
            for (all.reset(); all.next(); ) {
                allNames.add(all.name());
                allValues.add(all.value());
            }
        } else {
            added = names.size();
        }
        return create(session, key, allNames, allValues, version(small)) ? added : GONE;
    }

    private boolean create(Session session, byte[] key, List<byte[]> names, List<byte[]> values, long replaced) {
        Database database = session.database();
        session.service().keyspace().noteLargeValues();
        long id = elements.newId(session);
        long bytes = LargeHash.bytesOf(names, values);
        byte[] header = new HashHeader(id, names.size(), bytes, names.size(), HashHeader.NONE).encoded();
        Namespace namespace = elements.namespace();
        boolean created = false;
        try {
            session.putElement(namespace, HashElements.ownerKey(id), HashElements.owner(database, key));
            for (int i = 0; i < names.size(); i++) {
                session.putElement(namespace, HashElements.ordinalKey(id, i), names.get(i));
                session.putElement(
                        namespace, HashElements.fieldKey(id, names.get(i)), LargeHash.element(i, values.get(i)));
            }
            created = put(session, key, header, ValueType.LARGE_HASH, replaced);
            return created;
        } finally {
            if (!created) {
                elements.abandoned(header);
            }
        }
    }

    /**
     * Deletes fields, and the key with the last of them. The key is locked.
     *
     * @return how many there were, or {@link #GONE}
     */
    public int delete(Session session, byte[] key, HashValue present, List<byte[]> names) {
        if (names.size() > 1
                && (names.size() > QUICK_FIELDS || session.service().isShortOfMemory(4096))) {
            session.mustBeAllowedToWait();
        }
        if (present instanceof LargeHash large) {
            return large.delete(session, session.database(), key, names);
        }
        SmallHash small = (SmallHash) present;
        CompactHash fields = new CompactHash(small.fields().encoded().clone());
        int deleted = 0;
        for (byte[] name : names) {
            deleted += fields.remove(name) ? 1 : 0;
        }
        if (deleted == 0) {
            return 0;
        }
        byte[] rest = fields.encoded();
        if (rest.length == 0) {
            return session.database().delete(key) ? deleted : GONE;
        }
        return put(session, key, rest, ValueType.HASH, small.version()) ? deleted : GONE;
    }
}
