package io.loam.server.keyspace;

import java.nio.ByteBuffer;

/** A key that a client watches, and what it was when that began; see {@link Watches}. */
public final class Watch {

    private final Name name;
    private final int keyHash;
    private final long version;
    private volatile boolean touched;

    /** A key in the database of a number. */
    record Name(int database, ByteBuffer key) {}

    Watch(Name name, int keyHash, long version) {
        this.name = name;
        this.keyHash = keyHash;
        this.version = version;
    }

    Name name() {
        return name;
    }

    /** The key's hash, for its lock. */
    public int keyHash() {
        return keyHash;
    }

    void touch() {
        touched = true;
    }

    boolean isTouched() {
        return touched;
    }

    long version() {
        return version;
    }
}
