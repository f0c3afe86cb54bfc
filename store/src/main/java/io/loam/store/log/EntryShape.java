package io.loam.store.log;

import static io.loam.store.log.EntryLayout.*;

/**
 * The size and fields of an entry that is to be written.
 *
 * @param wide whether it has the wide header
 * @param keyLength bytes
 * @param valueLength bytes
 */
public record EntryShape(boolean wide, boolean expires, boolean namespaced, int keyLength, long valueLength, int type) {

    /** The shape for these fields; {@code version} is the largest it may get before it is written anew. */
    public static EntryShape of(
            Geometry geometry,
            int keyLength,
            long valueLength,
            boolean expires,
            boolean namespaced,
            int type,
            boolean wideVersion) {
        long compactBytes = prefixBytes(false, expires, namespaced) + keyLength + valueLength;
        boolean wide = wideVersion || keyLength > MAX_COMPACT_KEY || align(compactBytes) > geometry.smallEntryBytes;
        return new EntryShape(wide, expires, namespaced, keyLength, valueLength, type);
    }

    private static int prefixBytes(boolean wide, boolean expires, boolean namespaced) {
        return EntryLayout.prefix(wide, expires, namespaced);
    }

    private static long align(long bytes) {
        return bytes + 7 & ~7L;
    }

    private long bytes() {
        return prefixBytes(wide, expires, namespaced) + keyLength + valueLength;
    }

    public long units() {
        return align(bytes()) >>> 3;
    }

    /** Bytes that are neither key nor value. */
    public long overhead() {
        return align(bytes()) - keyLength - valueLength;
    }

    /** Whether the version still fits the header. */
    public boolean holds(long version) {
        return wide || version <= MAX_COMPACT_VERSION;
    }

    public long header(long version) {
        long flags = (expires ? EXPIRES : 0) | (namespaced ? NAMESPACED : 0);
        int pad = (int) (align(bytes()) - bytes());
        return wide
                ? wideHeader(version, pad, type, flags)
                : compactHeader(version, keyLength, (int) units(), pad, type, flags);
    }
}
