package io.loam.server.command;

/** How a command is kept apart from others that touch its keys; see the keyspace's package. */
public enum Isolation {
    /** Touches no keys, or minds itself. */
    NONE,
    /** Reads each key by one operation of the store: a single key needs no more than a look at its stripe after it. */
    ONE_READ,
    /** Reads, by several operations: again, with locks, if somebody wrote meanwhile. */
    READ,
    /** Has its keys for itself. */
    LOCKED,
    /** Has all keys for itself. */
    EXCLUSIVE,
    /** Has the keys of the session's transaction for itself, or all. */
    TRANSACTION
}
