package io.loam.server.keyspace;

/**
 * Told of what commands do to keys, after they have done it and under the lock of the key. Must not block, nor touch the keyspace.
 */
@FunctionalInterface
public interface KeyEvents {

    /** The classes of events, each with its letter in {@code notify-keyspace-events}, in the order of Redis's normal form. */
    enum Class {
        /** DEL, EXPIRE, RENAME …: what is done to keys of any type. */
        GENERIC('g'),
        STRING('$'),
        LIST('l'),
        SET('s'),
        HASH('h'),
        SORTED_SET('z'),
        EXPIRED('x'),
        EVICTED('e'),
        STREAM('t'),
        MODULE('d'),
        /** A new key. */
        NEW('n'),
        /** A key that was read and is not there. */
        MISSED('m');

        private final char letter;

        Class(char letter) {
            this.letter = letter;
        }

        public char letter() {
            return letter;
        }

        /** Whether such an event says that a command has changed a key. */
        boolean isChange() {
            return this != NEW && this != MISSED && this != EXPIRED && this != EVICTED;
        }
    }

    KeyEvents NONE = (eventClass, event, database, key) -> {};

    /** @param event the event's name, as subscribers see it */
    void happened(Class eventClass, String event, int database, byte[] key);
}
