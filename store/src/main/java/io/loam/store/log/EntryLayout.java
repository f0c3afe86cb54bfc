package io.loam.store.log;

/**
 * An entry of the log: header, then the optional fields, key, value and padding to 8 bytes.
 *
 * <pre>
 * offset size name       present when   order    meaning
 *      0    8 header     always         release  see below; a seqlock word for overwriting in place
 *      8    8 lengths    wide           plain    bits 0–15 key length, 16–63 value length
 *      +    8 expiry     EXPIRES        plain    milliseconds since 1970
 *      +    4 namespace  NAMESPACED     plain    id of the namespace; absent in the default one
 *      +      key, value
 * </pre>
 *
 * <p>The header's bits:
 *
 * <pre>
 *  bits   name       compact                          wide                filler
 *  0      LOCKED     an overwrite in place is under way    –                   –
 *  1–2    kind       1                                2                   0
 *  3      EXPIRES    has the expiry field             same                –
 *  4      NAMESPACED has the namespace field          same                –
 *  5      SLACK      the value's room has 8 or more bytes to spare; the room's last 4 bytes say how many
 *  6–9    type       the user's type bits             same                –
 *  10–12  pad        bytes of padding, 0 to 7         same                –
 *  13–22  units      size of the entry, 8 bytes each  version, 51 bits    size in units, 51 bits
 *  23–30  key        key length                       "                   "
 *  31–63  version    33 bits                          "                   "
 * </pre>
 *
 * <p>An entry is compact when it is small ({@link Geometry#smallEntryBytes}), its key has at most 255 bytes and its version at most 33
 * bits. The header is one word so that an overwrite in place, which may change version and length, is validated by reading it twice.
 */
public final class EntryLayout {

    public static final long LOCKED = 1;
    static final long KIND = 6;
    static final long FILLER = 0;
    static final long COMPACT = 2;
    static final long WIDE = 4;
    static final long EXPIRES = 8;
    static final long NAMESPACED = 16;
    static final long SLACK = 32;
    static final int TYPE_SHIFT = 6;
    private static final int PAD_SHIFT = 10;
    private static final int UNITS_SHIFT = 13;
    static final int KEY_SHIFT = 23;
    static final int VERSION_SHIFT = 31;
    static final long MAX_COMPACT_VERSION = (1L << 33) - 1;
    static final int MAX_COMPACT_KEY = 255;
    static final int SLACK_BYTES = 4;

    private EntryLayout() {}

    static boolean isCompact(long header) {
        return (header & KIND) == COMPACT;
    }

    static boolean isWide(long header) {
        return (header & KIND) == WIDE;
    }

    static boolean isFiller(long header) {
        return (header & KIND) == FILLER;
    }

    static long fillerHeader(long units) {
        return units << UNITS_SHIFT | FILLER;
    }

    static long fillerUnits(long header) {
        return header >>> UNITS_SHIFT;
    }

    static long compactHeader(long version, int keyLength, int units, int pad, int type, long flags) {
        return version << VERSION_SHIFT
                | (long) keyLength << KEY_SHIFT
                | (long) units << UNITS_SHIFT
                | (long) pad << PAD_SHIFT
                | (long) type << TYPE_SHIFT
                | flags
                | COMPACT;
    }

    static long wideHeader(long version, int pad, int type, long flags) {
        return version << UNITS_SHIFT | (long) pad << PAD_SHIFT | (long) type << TYPE_SHIFT | flags | WIDE;
    }

    static int compactUnits(long header) {
        return (int) (header >>> UNITS_SHIFT) & 0x3FF;
    }

    static int compactKeyLength(long header) {
        return (int) (header >>> KEY_SHIFT) & 0xFF;
    }

    static int pad(long header) {
        return (int) (header >>> PAD_SHIFT) & 7;
    }

    public static int type(long header) {
        return (int) (header >>> TYPE_SHIFT) & 15;
    }

    /** Version of a compact or wide entry. */
    public static long version(long header) {
        return isCompact(header) ? header >>> VERSION_SHIFT : header >>> UNITS_SHIFT;
    }

    /** Bytes before the key of a compact entry. */
    static int compactPrefix(long header) {
        return 8 + (int) (header & EXPIRES) + ((int) (header & NAMESPACED) >>> 2);
    }

    /** Bytes before the key of a wide entry. */
    static int widePrefix(long header) {
        return 8 + compactPrefix(header);
    }

    static boolean expires(long header) {
        return (header & EXPIRES) != 0;
    }

    static boolean isNamespaced(long header) {
        return (header & NAMESPACED) != 0;
    }

    static int prefix(boolean wide, boolean expires, boolean namespaced) {
        return 8 + (wide ? 8 : 0) + (expires ? 8 : 0) + (namespaced ? 4 : 0);
    }
}
