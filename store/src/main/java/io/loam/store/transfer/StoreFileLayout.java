package io.loam.store.transfer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The bytes of an export. All numbers are little-endian, nothing is aligned, checksums are CRC32C.
 *
 * <pre>
 * file   = header frame* end
 * frame  = kind length payload checksum
 *
 * header, once
 *  offset  size  name                 meaning
 *       0     8  HEADER_MAGIC         "LOAMFILE"
 *       8     4  HEADER_VERSION       format version, now 1
 *      12     4  HEADER_CHECKSUM      of the bytes before it
 *
 * frame
 *  offset  size  name                 meaning
 *       0     4  FRAME_KIND           1 namespace, 2 records, 3 end
 *       4     8  FRAME_LENGTH         payload bytes
 *      12     0  FRAME_PAYLOAD        the payload; after it 4 bytes checksum of all of the frame before
 *
 * payload of a namespace frame: the namespace's name in UTF-8; the records up to the next one belong to it
 *
 * payload of a records frame: one record or more, each with its key and value behind it
 *  offset  size  name                 meaning
 *       0     8  RECORD_EXPIRY        0 (never) or milliseconds since 1970
 *       8     8  RECORD_VALUE_BYTES   length of the value
 *      16     2  RECORD_KEY_BYTES     length of the key
 *      18     1  RECORD_TYPE          type bits, 0 to 15
 *      19     0  RECORD_KEY           the key, then the value
 *
 * payload of the end frame, with which the file ends
 *  offset  size  name                 meaning
 *       0     8  END_ENTRIES          how many records
 *       8     8  END_NAMESPACES       how many namespace frames
 *      16     4  END_FILE_CHECKSUM    of all the file before the end frame
 * </pre>
 */
final class StoreFileLayout {

    static final long MAGIC = 0x454C49464D414F4CL;
    static final int VERSION = 1;

    static final int HEADER_MAGIC = 0;
    static final int HEADER_VERSION = 8;
    static final int HEADER_CHECKSUM = 12;
    static final int HEADER_BYTES = 16;

    static final int FRAME_KIND = 0;
    static final int FRAME_LENGTH = 4;
    static final int FRAME_PAYLOAD = 12;
    static final int CHECKSUM_BYTES = 4;

    static final int KIND_NAMESPACE = 1;
    static final int KIND_RECORDS = 2;
    static final int KIND_END = 3;

    static final int RECORD_EXPIRY = 0;
    static final int RECORD_VALUE_BYTES = 8;
    static final int RECORD_KEY_BYTES = 16;
    static final int RECORD_TYPE = 18;
    static final int RECORD_KEY = 19;

    static final int END_ENTRIES = 0;
    static final int END_NAMESPACES = 8;
    static final int END_FILE_CHECKSUM = 16;
    static final int END_BYTES = 20;

    /** The longest payload that writer and reader hold in the heap; a longer one is a single record. */
    static final int BUFFERED_PAYLOAD_BYTES = 128 << 10;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private StoreFileLayout() {}

    static int unsignedShort(MemorySegment bytes, long offset) {
        return Short.toUnsignedInt(bytes.get(SHORT, offset));
    }

    static int integer(MemorySegment bytes, long offset) {
        return bytes.get(INT, offset);
    }

    static long number(MemorySegment bytes, long offset) {
        return bytes.get(LONG, offset);
    }

    static int unsignedByte(MemorySegment bytes, long offset) {
        return Byte.toUnsignedInt(bytes.get(ValueLayout.JAVA_BYTE, offset));
    }
}
