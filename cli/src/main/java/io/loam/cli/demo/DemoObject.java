package io.loam.cli.demo;

import java.nio.charset.StandardCharsets;

/** An object and what the store must hold of it. Written by one thread at a time. */
final class DemoObject {
    static final int ABSENT = -1;

    final String name;
    final byte[] key;
    final byte[] source;
    /** The generation that the store holds, or {@link #ABSENT}. */
    int stored = ABSENT;
    /** The last generation ever written; generations are not reused after a deletion. */
    int last = -1;

    DemoObject(String name, int copy, byte[] source) {
        this.name = name;
        this.key = (copy == 0 ? name : name + "#" + copy).getBytes(StandardCharsets.UTF_8);
        this.source = source;
    }

    int userBytes() {
        return key.length + source.length;
    }

    String keyText() {
        return new String(key, StandardCharsets.UTF_8);
    }
}
