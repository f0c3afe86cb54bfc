package io.loam.bench;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reading figures out of maps by name. */
public final class Figures {

    private Figures() {}

    /** An ordered map to put figures in. */
    public static Map<String, Object> create() {
        return new LinkedHashMap<>();
    }

    /** @throws IllegalArgumentException if there is no such number */
    public static double number(Map<String, ?> figures, String name) {
        if (figures.get(name) instanceof Number number) {
            return number.doubleValue();
        }
        throw new IllegalArgumentException("no number '" + name + "'");
    }

    /** The number of this name, or NaN. */
    static double numberOrNaN(Map<String, ?> figures, String name) {
        return figures.get(name) instanceof Number number ? number.doubleValue() : Double.NaN;
    }

    /** The object of this name, or an empty one. */
    @SuppressWarnings("unchecked")
    static Map<String, Object> object(Map<String, ?> figures, String name) {
        return figures.get(name) instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
    }

    /** How much a counter has grown from one reading to the next. */
    static double growth(String name, Map<String, ?> before, Map<String, ?> after) {
        return number(after, name) - number(before, name);
    }

    /** {@code map.get(name)} for maps whose values may be null. */
    static @Nullable Object value(Map<String, ?> figures, String name) {
        return figures.get(name);
    }
}
