package io.loam.store;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/** Turns objects into byte strings and back, for {@link Namespace#asMap}. Equal objects must encode to equal bytes when used for keys. */
public interface Codec<T> {

    byte[] encode(T object);

    T decode(byte[] bytes);

    /** The bytes themselves. As keys they are compared by content. */
    Codec<byte[]> BYTES = of(byte[]::clone, byte[]::clone);

    /** UTF-8; a string with unpaired surrogates is refused. */
    Codec<String> STRING = of(Codecs::encodeString, bytes -> new String(bytes, StandardCharsets.UTF_8));

    /** 8 bytes, little-endian: what {@link Namespace#add} counts in. */
    Codec<Long> LONG = of(
            number -> ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(number)
                    .array(),
            bytes -> ByteBuffer.wrap(Codecs.sized(bytes, 8))
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .getLong());

    /** 16 bytes, big-endian, as in RFC 9562. */
    Codec<UUID> UUID = of(
            uuid -> ByteBuffer.allocate(16)
                    .putLong(uuid.getMostSignificantBits())
                    .putLong(uuid.getLeastSignificantBits())
                    .array(),
            bytes -> {
                ByteBuffer buffer = ByteBuffer.wrap(Codecs.sized(bytes, 16));
                return new UUID(buffer.getLong(), buffer.getLong());
            });

    static <T> Codec<T> of(
            java.util.function.Function<T, byte[]> encoder, java.util.function.Function<byte[], T> decoder) {
        return new Codec<>() {
            @Override
            public byte[] encode(T object) {
                return encoder.apply(object);
            }

            @Override
            public T decode(byte[] bytes) {
                return decoder.apply(bytes);
            }
        };
    }
}
