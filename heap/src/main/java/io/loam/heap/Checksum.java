package io.loam.heap;

import io.loam.memory.persistence.PersistentMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/** CRC32C of what lies in the heap. Each covers the place too, so that a header copied elsewhere is not taken for one. */
final class Checksum {

    private static final int CHECK_SHIFT = 48;
    private static final long PAYLOAD = (1L << CHECK_SHIFT) - 1;

    private Checksum() {}

    /** Of {@code length} bytes at {@code offset}, and of {@code seed}. */
    static int of(PersistentMemory memory, long offset, int length, long seed) {
        return new Repeated(memory, length).of(offset, seed);
    }

    /** Of the first {@code length} bytes and of {@code seed}, for which there must be room behind them. */
    static int of(byte[] bytes, int length, long seed) {
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(length, seed);
        var crc = new CRC32C();
        crc.update(bytes, 0, length + Long.BYTES);
        return (int) crc.getValue();
    }

    /** As {@link #of(PersistentMemory, long, int, long)}, of many ranges of one length, without garbage. Used by one thread. */
    static final class Repeated {

        private final PersistentMemory memory;
        private final int length;
        private final byte[] bytes;
        private final ByteBuffer buffer;
        private final CRC32C crc = new CRC32C();

        Repeated(PersistentMemory memory, int length) {
            this.memory = memory;
            this.length = length;
            bytes = new byte[length + Long.BYTES];
            buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        }

        int of(long offset, long seed) {
            memory.copyOut(offset, bytes, 0, length);
            buffer.putLong(length, seed);
            crc.reset();
            crc.update(bytes, 0, bytes.length);
            return (int) crc.getValue();
        }
    }

    /**
     * A word that is updated as one: 48 bits of payload and 16 of a CRC32C of payload and place, folded. A payload of 0 is the word 0, as new memory holds it.
     */
    static long word(long payload, long place) {
        if (payload == 0) {
            return 0;
        }
        int crc = of(new byte[2 * Long.BYTES], Long.BYTES, payload * 0x9E3779B97F4A7C15L ^ place);
        long check = (crc ^ crc >>> 16) & 0xFFFF;
        return check << CHECK_SHIFT | payload;
    }

    static long payload(long word) {
        return word & PAYLOAD;
    }

    static boolean holds(long word, long place) {
        return word == word(payload(word), place);
    }
}
