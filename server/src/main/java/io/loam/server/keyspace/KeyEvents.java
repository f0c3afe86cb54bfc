package io.loam.server.keyspace;

/**
 * Told of what commands do to keys, after they have done it and under the lock of the key. Must not block, nor touch the keyspace.
 */
@FunctionalInterface
public interface KeyEvents {

    /** The classes of events, as the flags of {@code notify-keyspace-events}. */
    enum Class {
        /** DEL, EXPIRE, RENAME …: {@code g}. */
        GENERIC,
        /** {@code $}. */
        STRING,
        /** {@code h}. */
        HASH,
        /** {@code x}. */
        EXPIRED,
        /** {@code e}. */
        EVICTED,
        /** A new key: {@code n}. */
        NEW
    }

    KeyEvents NONE = (eventClass, event, database, key) -> {};

    /** @param event the event's name, as subscribers see it */
    void happened(Class eventClass, String event, int database, byte[] key);
}
