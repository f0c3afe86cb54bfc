package io.loam.store.reference;

import io.loam.store.Entry;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.Transaction;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What a transaction's keys held at its start, and what it wants them to hold. */
final class ReferenceTransaction implements Transaction {

    /** @param entry what the key shall hold (its version is still to come), or null for a delete */
    record Write(@Nullable Entry entry) {}

    final Map<ReferenceNamespace.Key, @Nullable Entry> before;
    final Map<ReferenceNamespace.Key, Write> writes = new LinkedHashMap<>();

    ReferenceTransaction(Map<ReferenceNamespace.Key, @Nullable Entry> before) {
        this.before = before;
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        Entry entry = now(own(key));
        return entry == null ? null : entry.value().clone();
    }

    @Override
    public @Nullable Entry getEntry(byte[] key) {
        Entry entry = before.get(own(key));
        return entry == null ? null : ReferenceNamespace.copy(entry);
    }

    @Override
    public void put(byte[] key, byte[] value) {
        put(key, value, PutOptions.DEFAULT);
    }

    @Override
    public void put(byte[] key, byte[] value, PutOptions options) {
        Objects.requireNonNull(value, "value");
        if (options.condition() != PutOptions.Condition.ALWAYS) {
            throw new IllegalArgumentException(
                    "condition " + options.condition() + " in a transaction; decide by what it reads");
        }
        ReferenceNamespace.Key own = own(key);
        Entry now = now(own);
        long expiresAtMillis = !options.keepExpiry()
                ? options.expiresAtMillis()
                : now == null ? Namespace.NEVER : now.expiresAtMillis();
        writes.put(own, new Write(new Entry(value.clone(), 0, expiresAtMillis, options.type())));
    }

    @Override
    public void delete(byte[] key) {
        writes.put(own(key), new Write(null));
    }

    private @Nullable Entry now(ReferenceNamespace.Key key) {
        Write write = writes.get(key);
        return write != null ? write.entry : before.get(key);
    }

    private ReferenceNamespace.Key own(byte[] key) {
        ReferenceNamespace.Key own = new ReferenceNamespace.Key(key);
        if (!before.containsKey(own)) {
            throw new IllegalArgumentException("a key that the transaction did not name; name it in transact(keys, …)");
        }
        return own;
    }
}
