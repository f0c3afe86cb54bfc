package io.loam.store;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** The checks of the built-in codecs. */
final class Codecs {

    private Codecs() {}

    static byte[] encodeString(String string) {
        try {
            ByteBuffer encoded = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(string));
            byte[] bytes = new byte[encoded.remaining()];
            encoded.get(bytes);
            return bytes;
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(
                    "a string with an unpaired surrogate has no UTF-8 form; use Codec.BYTES or a codec of your own", e);
        }
    }

    static byte[] sized(byte[] bytes, int length) {
        if (bytes.length != length) {
            throw new IllegalStateException("a value of " + bytes.length + " bytes where this codec expects " + length);
        }
        return bytes;
    }
}
