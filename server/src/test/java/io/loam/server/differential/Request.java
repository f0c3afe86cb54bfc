package io.loam.server.differential;

import io.loam.server.differential.Value.Number;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiPredicate;

/**
 * A request and what is compared of the replies.
 *
 * @param words command and arguments
 * @param comparison whether the expected reply and the actual one agree
 */
public record Request(List<byte[]> words, BiPredicate<Value, Value> comparison) {

    /** Replies must be equal. */
    public static Request of(Object... words) {
        return new Request(bytes(words), Value::equals);
    }

    /** Replies must be equal but for the order of elements. */
    public static Request unordered(Object... words) {
        return new Request(
                bytes(words), (expected, actual) -> expected.canonical().equals(actual.canonical()));
    }

    /** Numbers may differ by so much, as times do. */
    public static Request about(long tolerance, Object... words) {
        return new Request(
                bytes(words),
                (expected, actual) -> expected instanceof Number right
                        && actual instanceof Number ours
                        && isAbout(right.value(), ours.value(), tolerance));
    }

    private static boolean isAbout(long right, long ours, long tolerance) {
        return right == ours || (right > 0 && ours > 0 && Math.abs(right - ours) <= tolerance);
    }

    /** Replies must be of one kind, or both errors. */
    public static Request kindOf(Object... words) {
        return new Request(bytes(words), (expected, actual) -> expected.getClass() == actual.getClass());
    }

    private static List<byte[]> bytes(Object... words) {
        List<byte[]> bytes = new ArrayList<>();
        for (Object word : words) {
            bytes.add(word instanceof byte[] raw ? raw : word.toString().getBytes(StandardCharsets.ISO_8859_1));
        }
        return bytes;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (byte[] word : words) {
            String shown = new String(word, StandardCharsets.ISO_8859_1);
            text.append(text.isEmpty() ? "" : " ")
                    .append(shown.length() > 80 ? shown.substring(0, 80) + "… (" + word.length + " bytes)" : shown);
        }
        return text.toString();
    }
}
