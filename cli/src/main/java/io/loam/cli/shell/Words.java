package io.loam.cli.shell;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Byte strings as typed words. Blanks separate; {@code "…"} may hold blanks; {@code '…'} may too, and takes backslashes as they are;
 * elsewhere {@code \xHH} is any byte and {@code \n \r \t \0 \\ \" \'} and {@code "\ "} are what they are in most languages. Text is UTF-8.
 */
final class Words {
    private final String line;
    private final ByteArrayOutputStream word = new ByteArrayOutputStream();
    private int at;

    private Words(String line) {
        this.line = line;
    }

    /** @throws IllegalArgumentException for an open quote or an unknown escape */
    static List<byte[]> split(String line) {
        var words = new Words(line);
        var found = new ArrayList<byte[]>();
        for (byte[] next = words.next(); next != null; next = words.next()) {
            found.add(next);
        }
        return found;
    }

    private byte @Nullable [] next() {
        while (at < line.length() && Character.isWhitespace(line.charAt(at))) {
            at++;
        }
        if (at == line.length()) {
            return null;
        }
        word.reset();
        while (at < line.length() && !Character.isWhitespace(line.charAt(at))) {
            char c = line.charAt(at);
            switch (c) {
                case '"', '\'' -> quoted(c);
                default -> one(true);
            }
        }
        return word.toByteArray();
    }

    private void quoted(char quote) {
        at++;
        while (at < line.length() && line.charAt(at) != quote) {
            one(quote == '"');
        }
        if (at == line.length()) {
            throw new IllegalArgumentException("the quote " + quote + " is not closed");
        }
        at++;
    }

    private void one(boolean escapes) {
        if (escapes && line.charAt(at) == '\\') {
            escape();
            return;
        }
        int character = line.codePointAt(at);
        word.writeBytes(Character.toString(character).getBytes(StandardCharsets.UTF_8));
        at += Character.charCount(character);
    }

    private void escape() {
        char kind = at + 1 < line.length() ? line.charAt(at + 1) : '\n';
        at += 2;
        switch (kind) {
            case 'n' -> word.write('\n');
            case 'r' -> word.write('\r');
            case 't' -> word.write('\t');
            case '0' -> word.write(0);
            case '\\', '"', '\'', ' ' -> word.write(kind);
            case 'x' -> hex();
            default ->
                throw new IllegalArgumentException("unknown escape; allowed: \\xHH \\n \\r \\t \\0 \\\\ \\\" \\'");
        }
    }

    private void hex() {
        if (at + 2 > line.length()
                || !HexFormat.isHexDigit(line.charAt(at))
                || !HexFormat.isHexDigit(line.charAt(at + 1))) {
            throw new IllegalArgumentException("\\x needs two hexadecimal digits, as in \\x0a");
        }
        word.write(HexFormat.fromHexDigits(line, at, at + 2));
        at += 2;
    }

    /** As a quoted word that {@link #split} reads back; bytes that are no text, and with {@code ascii} all beyond ASCII, are escaped. */
    static String quote(byte[] bytes, boolean ascii) {
        String text = ascii ? null : decoded(bytes);
        var quoted = new StringBuilder("\"");
        if (text != null) {
            text.codePoints().forEach(c -> append(quoted, c));
        } else {
            for (byte b : bytes) {
                append(quoted, b < 0 ? -1 - (b & 0xFF) : b);
            }
        }
        return quoted.append('"').toString();
    }

    /** A character, or one byte beyond ASCII as -1 - value. */
    private static void append(StringBuilder quoted, int c) {
        switch (c) {
            case '"', '\\' -> quoted.append('\\').append((char) c);
            case '\n' -> quoted.append("\\n");
            case '\r' -> quoted.append("\\r");
            case '\t' -> quoted.append("\\t");
            default -> {
                if (c < 0 || c < ' ' || c == 0x7F) {
                    quoted.append(String.format("\\x%02x", c < 0 ? -1 - c : c));
                } else {
                    quoted.appendCodePoint(c);
                }
            }
        }
    }

    private static @Nullable String decoded(byte[] bytes) {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            return text.codePoints().allMatch(c -> c < 0x80 || !Character.isISOControl(c) && Character.isDefined(c))
                    ? text
                    : null;
        } catch (CharacterCodingException ignored) {
            return null;
        }
    }
}
