package io.loam.server;

import java.util.List;
import java.util.Locale;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * A setting that has a name and a text, as in {@code redis.conf}.
 *
 * @param name as operators know it
 * @param modifiable whether CONFIG SET may change it while the server runs
 * @param get its text
 * @param set takes a text; {@link IllegalArgumentException} with a message for people if it is not allowed
 */
public record Parameter(
        String name, boolean modifiable, Function<ServerOptions, String> get, BiConsumer<ServerOptions, String> set) {

    /** Says why a setting is not taken. */
    public static final class Refusal extends IllegalArgumentException {
        private static final long serialVersionUID = 1;

        private final String name;

        Refusal(String name, RuntimeException cause) {
            super(cause.getMessage(), cause);
            this.name = name;
        }

        /** The setting's name. */
        public String name() {
            return name;
        }
    }

    /** A whole number with or without a unit: {@code k}, {@code kb}, {@code m}, {@code gb} …; {@code k} is 1000, {@code kb} 1024. */
    static long parseBytes(String text) {
        String lower = text.strip().toLowerCase(Locale.ROOT);
        int digits = 0;
        while (digits < lower.length() && Character.isDigit(lower.charAt(digits))) {
            digits++;
        }
        long unit = switch (lower.substring(digits)) {
            case "", "b" -> 1;
            case "k" -> 1_000;
            case "kb" -> 1L << 10;
            case "m" -> 1_000_000;
            case "mb" -> 1L << 20;
            case "g" -> 1_000_000_000;
            case "gb" -> 1L << 30;
            default -> throw new IllegalArgumentException("argument must be a memory value");
        };
        if (digits == 0) {
            throw new IllegalArgumentException("argument must be a memory value");
        }
        try {
            return Math.multiplyExact(Long.parseLong(lower.substring(0, digits)), unit);
        } catch (ArithmeticException | NumberFormatException e) {
            throw new IllegalArgumentException("argument must be a memory value", e);
        }
    }

    static long parseNumber(String text, long least, long most) {
        long value;
        try {
            value = Long.parseLong(text.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("argument couldn't be parsed into an integer", e);
        }
        if (value < least || value > most) {
            throw new IllegalArgumentException("argument must be between " + least + " and " + most + " inclusive");
        }
        return value;
    }

    static boolean parseBoolean(String text) {
        return switch (text.strip().toLowerCase(Locale.ROOT)) {
            case "yes" -> true;
            case "no" -> false;
            default -> throw new IllegalArgumentException("argument must be 'yes' or 'no'");
        };
    }

    static String parseChoice(String text, List<String> choices) {
        String lower = text.strip().toLowerCase(Locale.ROOT);
        if (!choices.contains(lower)) {
            throw new IllegalArgumentException(
                    "argument(s) must be one of the following: " + String.join(", ", choices));
        }
        return lower;
    }
}
