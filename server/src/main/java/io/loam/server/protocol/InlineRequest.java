package io.loam.server.protocol;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Splits a line into words: at blanks, with quotes of two kinds and escapes, as the shell of a person who types by telnet would. */
public final class InlineRequest {

    private InlineRequest() {}

    /**
     * The words of a line, with a character for each byte.
     *
     * @throws ProtocolException if a quote is not closed, or is not followed by a blank
     */
    public static List<String> words(String line) throws ProtocolException {
        byte[] bytes = line.getBytes(StandardCharsets.ISO_8859_1);
        Arguments arguments = new Arguments();
        parse(bytes, 0, bytes.length, arguments);
        return arguments.texts(0);
    }

    /**
     * Fills the arguments with the words of a line; false if it has none.
     *
     * @throws ProtocolException if a quote is not closed, or is not followed by a blank
     */
    static boolean parse(byte[] line, int from, int to, Arguments arguments) throws ProtocolException {
        List<byte[]> words = new ArrayList<>();
        int at = from;
        while (true) {
            while (at < to && isBlank(line[at])) {
                at++;
            }
            if (at == to) {
                break;
            }
            ByteArrayOutputStream word = new ByteArrayOutputStream();
            at = word(line, at, to, word);
            words.add(word.toByteArray());
        }
        int length = 0;
        for (byte[] word : words) {
            length += word.length;
        }
        byte[] bytes = new byte[length];
        arguments.begin(bytes, 0);
        int offset = 0;
        for (byte[] word : words) {
            System.arraycopy(word, 0, bytes, offset, word.length);
            arguments.add(offset, word.length);
            offset += word.length;
        }
        return !words.isEmpty();
    }

    private static int word(byte[] line, int from, int to, ByteArrayOutputStream word) throws ProtocolException {
        int at = from;
        while (at < to && !isBlank(line[at])) {
            if (line[at] == '"') {
                at = quoted(line, at + 1, to, word);
            } else if (line[at] == '\'') {
                at = literal(line, at + 1, to, word);
            } else {
                word.write(line[at++]);
            }
        }
        return at;
    }

    private static int quoted(byte[] line, int from, int to, ByteArrayOutputStream word) throws ProtocolException {
        int at = from;
        while (at < to && line[at] != '"') {
            if (line[at] != '\\' || at + 1 >= to) {
                word.write(line[at++]);
            } else if (line[at + 1] == 'x' && at + 3 < to && hex(line[at + 2]) >= 0 && hex(line[at + 3]) >= 0) {
                word.write(hex(line[at + 2]) << 4 | hex(line[at + 3]));
                at += 4;
            } else {
                word.write(escaped(line[at + 1]));
                at += 2;
            }
        }
        return closed(line, at, to);
    }

    private static int literal(byte[] line, int from, int to, ByteArrayOutputStream word) throws ProtocolException {
        int at = from;
        while (at < to && line[at] != '\'') {
            if (line[at] == '\\' && at + 1 < to && line[at + 1] == '\'') {
                at++;
            }
            word.write(line[at++]);
        }
        return closed(line, at, to);
    }

    private static int closed(byte[] line, int quote, int to) throws ProtocolException {
        if (quote >= to || (quote + 1 < to && !isBlank(line[quote + 1]))) {
            throw new ProtocolException("Protocol error: unbalanced quotes in request");
        }
        return quote + 1;
    }

    private static int escaped(byte letter) {
        return switch (letter) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'b' -> '\b';
            case 'a' -> 7;
            default -> letter;
        };
    }

    private static int hex(byte digit) {
        return Character.digit(digit, 16);
    }

    private static boolean isBlank(byte value) {
        return value == ' ' || (value >= '\t' && value <= '\r') || value == 0;
    }
}
