package io.loam.heap.structure;

import java.nio.charset.StandardCharsets;

/** Objects as bytes. Equal objects must give equal bytes; for the keys of a {@link PersistentTree} the order of bytes, unsigned, is the order of keys. */
public interface HeapCodec<T> {

    byte[] encode(T object);

    T decode(byte[] bytes);

    /** UTF-8; in the order of code points. */
    static HeapCodec<String> strings() {
        return new HeapCodec<>() {
            @Override
            public byte[] encode(String object) {
                return object.getBytes(StandardCharsets.UTF_8);
            }

            @Override
            public String decode(byte[] bytes) {
                return new String(bytes, StandardCharsets.UTF_8);
            }
        };
    }

    /** 8 bytes, in the order of numbers. */
    static HeapCodec<Long> longs() {
        return new HeapCodec<>() {
            @Override
            public byte[] encode(Long object) {
                long ordered = object ^ Long.MIN_VALUE;
                byte[] bytes = new byte[Long.BYTES];
                for (int i = 0; i < Long.BYTES; i++) {
                    bytes[i] = (byte) (ordered >>> 56 - 8 * i);
                }
                return bytes;
            }

            @Override
            public Long decode(byte[] bytes) {
                long ordered = 0;
                for (byte b : bytes) {
                    ordered = ordered << 8 | b & 0xFF;
                }
                return ordered ^ Long.MIN_VALUE;
            }
        };
    }

    /** The arrays themselves; compare them by content. */
    static HeapCodec<byte[]> bytes() {
        return new HeapCodec<>() {
            @Override
            public byte[] encode(byte[] object) {
                return object;
            }

            @Override
            public byte[] decode(byte[] bytes) {
                return bytes;
            }
        };
    }
}
