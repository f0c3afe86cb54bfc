package io.loam.server.keyspace;

import org.jspecify.annotations.Nullable;

/**
 * What an entry of a database holds, by its type bits; docs/encoding.md has the layouts. Numbers are kept in files and regions: never change one.
 */
public enum ValueType {
    STRING(0, "string", false),
    /** A hash in one entry. */
    HASH(1, "hash", false),
    /** A hash whose fields are entries of {@link Keyspace#elements}. */
    LARGE_HASH(2, "hash", true),
    LIST(3, "list", false),
    LARGE_LIST(4, "list", true),
    SET(5, "set", false),
    LARGE_SET(6, "set", true),
    SORTED_SET(7, "zset", false),
    LARGE_SORTED_SET(8, "zset", true),
    STREAM(9, "stream", true);

    private static final @Nullable ValueType[] BY_BITS = new ValueType[16];

    static {
        for (ValueType type : values()) {
            BY_BITS[type.bits] = type;
        }
    }

    private final int bits;
    private final String typeName;
    private final boolean large;

    ValueType(int bits, String typeName, boolean large) {
        this.bits = bits;
        this.typeName = typeName;
        this.large = large;
    }

    /** The type bits of its entries. */
    public int bits() {
        return bits;
    }

    /** What TYPE says. */
    public String typeName() {
        return typeName;
    }

    /** Whether the entry is a header, and elements of it are elsewhere, which have to be given back when it goes. */
    public boolean isLarge() {
        return large;
    }

    /** @throws IllegalStateException for bits that mean nothing */
    public static ValueType of(int bits) {
        ValueType type = BY_BITS[bits];
        if (type == null) {
            throw new IllegalStateException(
                    "an entry of type " + bits + ", which is not of this version; see docs/encoding.md");
        }
        return type;
    }
}
