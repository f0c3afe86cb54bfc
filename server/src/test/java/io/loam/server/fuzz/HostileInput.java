package io.loam.server.fuzz;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Bytes that a hostile or broken client may send: requests of the protocol, most of them damaged. The same seed gives the same bytes. */
final class HostileInput {

    private static final String[] LENGTHS = {
        "0",
        "1",
        "2",
        "3",
        "00",
        "01",
        "-1",
        "-2",
        "+1",
        "",
        " ",
        "1 ",
        "x",
        "1x",
        "65536",
        "65537",
        "1048576",
        "1048577",
        "536870912",
        "536870913",
        "2147483647",
        "2147483648",
        "4294967296",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "99999999999999999999999",
        "1e3",
        "0x10",
        "\0",
        "\n",
        "\r"
    };
    private static final String[] INLINE = {
        "PING",
        "SET a \"b c\"",
        "SET a 'b\\'c'",
        "GET \"unbalanced",
        "GET 'unbalanced",
        "ECHO \"\\x41\\n\\r\\t\\q\"",
        "ECHO \"\\x4\"",
        "\"\"",
        "''",
        "\"a\"b",
        "   ",
        "\t\t",
        "GET a\0b",
        "POST / HTTP/1.1",
        "Host: x",
        "*",
        "$",
        "*3",
        "$5",
        "\u00e9\u00ff",
        "a".repeat(300)
    };
    private static final String[] NAMES = {
        "PING", "ECHO", "SET", "GET", "APPEND", "MSET", "MGET", "DEL", "NOSUCH", "", "set"
    };

    private final Random random;

    HostileInput(long seed) {
        random = new Random(seed);
    }

    int below(int bound) {
        return random.nextInt(bound);
    }

    @SafeVarargs
    final <T> T of(T... values) {
        return values[random.nextInt(values.length)];
    }

    private char oneOf(String characters) {
        return characters.charAt(below(characters.length()));
    }

    /** A stream of one client. */
    byte[] stream() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int parts = 1 + below(8);
        for (int i = 0; i < parts; i++) {
            out.writeBytes(part());
        }
        byte[] bytes = out.toByteArray();
        return switch (below(4)) {
            case 0 -> damaged(bytes);
            case 1 -> Arrays.copyOf(bytes, below(bytes.length + 1));
            default -> bytes;
        };
    }

    private byte[] part() {
        return switch (below(8)) {
            case 0 -> bytes(of(INLINE) + of("\r\n", "\n", "\r", "\n\n", "\r\n\r\n"));
            case 1 -> frame(of(LENGTHS), of("\r\n", "\n", "\r"));
            case 2 -> noise(1 + below(60));
            case 3 -> longLine();
            default -> request();
        };
    }

    /** A request in form. */
    byte[] request() {
        List<byte[]> words = new ArrayList<>();
        words.add(bytes(of(NAMES)));
        int count = below(5);
        for (int i = 0; i < count; i++) {
            words.add(argument());
        }
        return encode(words);
    }

    /** An argument of any bytes; now and then one that is kept apart for its length. */
    byte[] argument() {
        return switch (below(12)) {
            case 0 -> noise((32 << 10) - 3 + below(6));
            case 1 -> noise(below(200_000));
            case 2 -> new byte[0];
            case 3 -> bytes("*1\r\n$4\r\nPING\r\n");
            default -> noise(below(40));
        };
    }

    static byte[] encode(List<byte[]> words) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(bytes("*" + words.size() + "\r\n"));
        for (byte[] word : words) {
            out.writeBytes(bytes("$" + word.length + "\r\n"));
            out.writeBytes(word);
            out.writeBytes(bytes("\r\n"));
        }
        return out.toByteArray();
    }

    /** A request whose lengths say something else than follows. */
    private byte[] frame(String length, String lineEnd) {
        String text =
                of("*", "$", "*2\r\n$4\r\nECHO\r\n$", "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$", "*1\r\n", ":", "+", "-", "%")
                        + length
                        + lineEnd;
        return bytes(text + of("", "$4\r\nPING\r\n", "abc", "\r\n", "$-1\r\n", "*1\r\n"));
    }

    private byte[] longLine() {
        byte[] line = new byte[of(100, 65_534, 65_536, 65_540, 70_000)];
        Arrays.fill(line, (byte) oneOf("a 1\"*"));
        line[0] = (byte) oneOf("*$a\"");
        return line;
    }

    byte[] noise(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private byte[] damaged(byte[] bytes) {
        byte[] copy = bytes.clone();
        int times = 1 + below(4);
        for (int i = 0; i < times && copy.length > 0; i++) {
            int at = below(copy.length);
            switch (below(3)) {
                case 0 -> copy[at] ^= (byte) (1 << below(8));
                case 1 -> copy[at] = (byte) oneOf("\r\n*$-9\0");
                default -> {
                    byte[] shorter = new byte[copy.length - 1];
                    System.arraycopy(copy, 0, shorter, 0, at);
                    System.arraycopy(copy, at + 1, shorter, at, copy.length - 1 - at);
                    copy = shorter;
                }
            }
        }
        return copy;
    }

    /** Lengths of pieces that add up to {@code total}. */
    int[] cuts(int total) {
        int[] cuts = new int[total + 1];
        int count = 0;
        int left = total;
        int usual = of(1, 3, 17, 100, 1500, 65_536, Integer.MAX_VALUE - 1);
        while (left > 0) {
            // single bytes only for short streams: a long one in single bytes takes long and shows no more
            int piece = Math.min(left, Math.max(total / 2000, 1 + below(usual)));
            cuts[count++] = piece;
            left -= piece;
        }
        return Arrays.copyOf(cuts, count);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** For messages. */
    static String shown(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < Math.min(400, bytes.length); i++) {
            int value = bytes[i] & 0xFF;
            text.append(
                    switch (value) {
                        case '\r' -> "\\r";
                        case '\n' -> "\\n";
                        case '\\' -> "\\\\";
                        default ->
                            value >= ' ' && value < 127
                                    ? String.valueOf((char) value)
                                    : String.format("\\x%02x", value);
                    });
        }
        return text + (bytes.length > 400 ? "… (" + bytes.length + " bytes)" : "");
    }
}
