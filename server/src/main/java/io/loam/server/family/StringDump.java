package io.loam.server.family;

import io.loam.server.protocol.Numbers;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A string as it stands in Redis's files, version 10:
 *
 * <pre>
 *   type 0 | length and bytes, or a number of 1, 2 or 4 bytes, or compressed bytes | version, 2 bytes | checksum, 8 bytes
 * </pre>
 */
final class StringDump {

    private static final int VERSION = 10;
    private static final int FOOTER_BYTES = 10;
    private static final int TYPE_STRING = 0;
    /** CRC-64 of the Jones polynomial, reflected. */
    private static final long POLYNOMIAL = 0x95AC9329AC4BC9B5L;

    private static final long[] CRC_TABLE = new long[256];

    static {
        for (int i = 0; i < 256; i++) {
            long crc = i;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 1) != 0 ? crc >>> 1 ^ POLYNOMIAL : crc >>> 1;
            }
            CRC_TABLE[i] = crc;
        }
    }

    private StringDump() {}

    static byte[] write(byte[] value) {
        ByteBuffer out =
                ByteBuffer.allocate(1 + 9 + value.length + FOOTER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        out.put((byte) TYPE_STRING);
        if (!writeNumber(out, value)) {
            writeLength(out, value.length);
            out.put(value);
        }
        out.putShort((short) VERSION);
        out.putLong(crc(out.array(), out.position()));
        return Arrays.copyOf(out.array(), out.position());
    }

    private static boolean writeNumber(ByteBuffer out, byte[] value) {
        if (value.length > 11 || !Numbers.isLong(value, 0, value.length)) {
            return false;
        }
        long number = Numbers.parseLong(value, 0, value.length);
        if (number == (byte) number) {
            out.put((byte) 0xC0).put((byte) number);
        } else if (number == (short) number) {
            out.put((byte) 0xC1).putShort((short) number);
        } else if (number == (int) number) {
            out.put((byte) 0xC2).putInt((int) number);
        } else {
            return false;
        }
        return true;
    }

    private static void writeLength(ByteBuffer out, int length) {
        if (length < 1 << 6) {
            out.put((byte) length);
        } else if (length < 1 << 14) {
            out.put((byte) (0x40 | length >>> 8)).put((byte) length);
        } else {
            out.put((byte) 0x80).putInt(Integer.reverseBytes(length));
        }
    }

    /** Whether the version is known and the checksum right. */
    static boolean isIntact(byte[] payload) {
        if (payload.length < FOOTER_BYTES) {
            return false;
        }
        ByteBuffer footer = ByteBuffer.wrap(payload, payload.length - FOOTER_BYTES, FOOTER_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        int version = footer.getShort() & 0xFFFF;
        long checksum = footer.getLong();
        return version <= VERSION && (checksum == 0 || checksum == crc(payload, payload.length - 8));
    }

    /** The string of an intact payload, or null if it holds none, or is damaged nevertheless. */
    static byte @Nullable [] read(byte[] payload) {
        ByteBuffer in =
                ByteBuffer.wrap(payload, 0, payload.length - FOOTER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        try {
            return in.get() == TYPE_STRING ? readString(in) : null;
        } catch (java.nio.BufferUnderflowException | IndexOutOfBoundsException e) {
            return null;
        }
    }

    private static byte @Nullable [] readString(ByteBuffer in) {
        int first = in.get() & 0xFF;
        switch (first >>> 6) {
            case 3 -> {
                return switch (first & 0x3F) {
                    case 0 -> text(in.get());
                    case 1 -> text(in.getShort());
                    case 2 -> text(in.getInt());
                    case 3 -> decompress(in);
                    default -> null;
                };
            }
            default -> {
                in.position(in.position() - 1);
                return bytes(in, readLength(in));
            }
        }
    }

    private static byte[] text(long number) {
        return Long.toString(number).getBytes(StandardCharsets.US_ASCII);
    }

    private static long readLength(ByteBuffer in) {
        int first = in.get() & 0xFF;
        return switch (first >>> 6) {
            case 0 -> first;
            case 1 -> (first & 0x3F) << 8 | in.get() & 0xFF;
            case 2 ->
                first == 0x80
                        ? Integer.toUnsignedLong(Integer.reverseBytes(in.getInt()))
                        : first == 0x81 ? Long.reverseBytes(in.getLong()) : -1;
            default -> -1;
        };
    }

    private static byte @Nullable [] bytes(ByteBuffer in, long length) {
        if (length < 0 || length > in.remaining()) {
            return null;
        }
        byte[] bytes = new byte[(int) length];
        in.get(bytes);
        return bytes;
    }

    /** LZF: literals, and copies of what was there before. */
    private static byte @Nullable [] decompress(ByteBuffer in) {
        long compressed = readLength(in);
        long length = readLength(in);
        // one byte of input makes at most some 90 bytes
        if (compressed < 0 || compressed > in.remaining() || length < 0 || length > compressed * 300) {
            return null;
        }
        byte[] out = new byte[(int) length];
        int end = in.position() + (int) compressed;
        int at = 0;
        while (in.position() < end) {
            int control = in.get() & 0xFF;
            if (control < 32) {
                in.get(out, at, control + 1);
                at += control + 1;
            } else {
                int count = control >>> 5;
                if (count == 7) {
                    count += in.get() & 0xFF;
                }
                int from = at - ((control & 0x1F) << 8) - (in.get() & 0xFF) - 1;
                for (int i = 0; i < count + 2; i++) {
                    out[at++] = out[from + i];
                }
            }
        }
        return at == length ? out : null;
    }

    static long crc(byte[] bytes, int length) {
        long crc = 0;
        for (int i = 0; i < length; i++) {
            crc = CRC_TABLE[(int) (crc ^ bytes[i]) & 0xFF] ^ crc >>> 8;
        }
        return crc;
    }
}
