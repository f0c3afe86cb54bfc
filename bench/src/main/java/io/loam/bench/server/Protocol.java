package io.loam.bench.server;

import java.nio.charset.StandardCharsets;

/**
 * What a server is spoken to in: requests whose key ends in 12 digits, to be filled in, and a reader of replies. Keys are those of
 * redis-benchmark: {@code key:000000000042} of 16 bytes; of a hash {@code myhash}, fields {@code element:000000000042}.
 */
public enum Protocol {
    /** RESP2. */
    RESP {
        @Override
        Request request(Command command, int valueBytes) {
            return switch (command) {
                case PING -> array("PING");
                case GET -> array("GET", KEY);
                case SET -> array("SET", KEY, value(valueBytes));
                case DELETE -> array("DEL", KEY);
                case HASH_SET -> array("HSET", HASH, FIELD, value(valueBytes));
            };
        }

        @Override
        ReplyReader replies() {
            return new ReplyReader.Resp();
        }
    },
    /** The text protocol of memcached; it has no hashes. */
    MEMCACHED {
        @Override
        Request request(Command command, int valueBytes) {
            return switch (command) {
                case PING -> new Request("version\r\n");
                case GET -> new Request("get " + KEY + "\r\n");
                case SET -> new Request("set " + KEY + " 0 0 " + valueBytes + "\r\n" + value(valueBytes) + "\r\n");
                case DELETE -> new Request("delete " + KEY + "\r\n");
                case HASH_SET -> throw new IllegalArgumentException("memcached has no hashes");
            };
        }

        @Override
        ReplyReader replies() {
            return new ReplyReader.Memcached();
        }
    };

    enum Command {
        PING,
        GET,
        SET,
        DELETE,
        HASH_SET
    }

    static final String HASH = "myhash";
    private static final String KEY = "key:" + Request.DIGITS;
    private static final String FIELD = "element:" + Request.DIGITS;

    /** Bytes of a key, or of a field's name: {@code key:} or {@code element:}, and 12 digits. */
    static final int KEY_BYTES = 16;

    abstract Request request(Command command, int valueBytes);

    abstract ReplyReader replies();

    private static Request array(String... words) {
        StringBuilder text = new StringBuilder("*" + words.length + "\r\n");
        for (String word : words) {
            text.append('$').append(word.length()).append("\r\n").append(word).append("\r\n");
        }
        return new Request(text.toString());
    }

    private static String value(int bytes) {
        return "x".repeat(bytes);
    }

    /** ASCII. */
    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
