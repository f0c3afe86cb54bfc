package io.loam.store;

import org.jspecify.annotations.Nullable;

/** What a {@link Namespace#transact} body sees and does. Only the keys named in the call may be used; others give {@link IllegalArgumentException}. */
public interface Transaction {

    /** The value as of the transaction, its own writes included; null when absent. */
    byte @Nullable [] get(byte[] key);

    /** Value with version, expiry and type as of the transaction's start; null when absent. Own writes are not seen. */
    @Nullable
    Entry getEntry(byte[] key);

    void put(byte[] key, byte[] value);

    /** As put; conditions are not allowed here, the body decides by what it reads. */
    void put(byte[] key, byte[] value, PutOptions options);

    void delete(byte[] key);
}
