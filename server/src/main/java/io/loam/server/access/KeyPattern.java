package io.loam.server.access;

import io.loam.server.protocol.Glob;
import java.nio.charset.StandardCharsets;

/** Keys that may be read, written or both. */
final class KeyPattern {

    final String text;
    final boolean read;
    final boolean write;
    private final byte[] pattern;

    KeyPattern(String text, boolean read, boolean write) {
        this.text = text;
        this.read = read;
        this.write = write;
        this.pattern = text.getBytes(StandardCharsets.ISO_8859_1);
    }

    boolean allows(byte[] key, boolean toRead, boolean toWrite) {
        return (read || !toRead) && (write || !toWrite) && Glob.matches(pattern, key);
    }

    /** The rule that adds it. */
    @Override
    public String toString() {
        return (read && write ? "~" : read ? "%R~" : "%W~") + text;
    }
}
