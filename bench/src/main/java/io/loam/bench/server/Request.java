package io.loam.bench.server;

import java.nio.ByteBuffer;

/** A request as bytes, with a place for 12 digits of a key, or none. */
final class Request {

    /** Stands for the digits in the text that a request is made from. */
    static final String DIGITS = "############";

    private final byte[] bytes;
    private final int digitsAt;

    Request(String text) {
        bytes = Protocol.bytes(text);
        digitsAt = text.indexOf(DIGITS);
    }

    int length() {
        return bytes.length;
    }

    /** Appends the request for this key to {@code out}. */
    void write(long key, ByteBuffer out) {
        int from = out.position();
        out.put(bytes);
        if (digitsAt >= 0) {
            long rest = key;
            for (int at = from + digitsAt + DIGITS.length() - 1; at >= from + digitsAt; at--) {
                out.put(at, (byte) ('0' + rest % 10));
                rest /= 10;
            }
        }
    }
}
