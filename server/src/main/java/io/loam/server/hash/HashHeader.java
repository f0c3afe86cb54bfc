package io.loam.server.hash;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The entry of a large hash's key; docs/encoding.md has the layout.
 *
 * @param id under which the elements are
 * @param count of fields
 * @param bytes of names and values together
 * @param limit ordinals are below it; those that no field has are holes
 * @param dying the ordinal of a field that has been deleted, whose elements may still be there, or {@link #NONE}
 */
record HashHeader(long id, long count, long bytes, long limit, long dying) {

    static final long NONE = -1;
    static final int BYTES = 40;

    static HashHeader of(byte[] value) {
        ByteBuffer buffer = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
        return new HashHeader(
                buffer.getLong(), buffer.getLong(), buffer.getLong(), buffer.getLong(), buffer.getLong() - 1);
    }

    byte[] encoded() {
        return ByteBuffer.allocate(BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(id)
                .putLong(count)
                .putLong(bytes)
                .putLong(limit)
                .putLong(dying + 1)
                .array();
    }

    long holes() {
        return limit - count - (dying == NONE ? 0 : 1);
    }

    /** Whether the ordinal may be a field's. */
    boolean covers(long ordinal) {
        return ordinal < limit && ordinal != dying;
    }
}
