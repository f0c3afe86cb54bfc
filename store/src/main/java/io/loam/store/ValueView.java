package io.loam.store;

import java.lang.foreign.MemorySegment;

/**
 * A value where it lies, without a copy. The value of an entry of up to 2 KiB (or 1/32 of a block) is one segment; a longer one may lie in several pieces.
 * Valid only as long as the call or {@link Guard} that gave it; used after that, it shows bytes of other entries,
 * and after the store was closed it throws {@link IllegalStateException}.
 */
public interface ValueView {

    /** The value's length, bytes. */
    long length();

    /** How many pieces the value lies in; 0 for an empty value. */
    int segmentCount();

    /** Piece {@code index}, read-only, in the value's order. */
    MemorySegment segment(int index);

    /** The whole value as one read-only segment: the piece itself if there is one, else copied into {@code scratch}, which must have room. */
    MemorySegment asContiguous(MemorySegment scratch);

    /** A copy; {@link IllegalStateException} for a value longer than an array can be. */
    byte[] toByteArray();

    long version();

    /** {@link Namespace#NEVER} or milliseconds since 1970. */
    long expiresAtMillis();

    /** The type bits, 0 to 15. */
    int type();

    /** Bytes of the log that the entry takes: header, key, value and padding. */
    long storedBytes();
}
