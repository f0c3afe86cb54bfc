package io.loam.store;

import org.jspecify.annotations.Nullable;

/**
 * Keeps memory from being reused while values are read where they lie. What a guard reads stays valid until it is closed. A guard that is
 * forgotten corrupts nothing but holds up reclamation; {@link StoreStats#oldestGuard} says which thread opened it and how old it is.
 */
public interface Guard extends AutoCloseable {

    /** The value of a key of the default namespace, or null. The view is valid until this guard is closed. */
    @Nullable
    ValueView get(byte[] key);

    /** The value of a key of {@code namespace}, or null. */
    @Nullable
    ValueView get(Namespace namespace, byte[] key);

    /** Idempotent; by any thread. */
    @Override
    void close();
}
