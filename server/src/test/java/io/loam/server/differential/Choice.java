package io.loam.server.differential;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/** What a source of requests draws from: few keys, so that commands meet, and odd values more often than chance would. */
public final class Choice {

    private static final int KEYS = 8;
    private static final String[] INTEGERS = {
        "0",
        "1",
        "-1",
        "7",
        "10",
        "100",
        "-100",
        "255",
        "256",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "00",
        "+1",
        "-0",
        " 1",
        "1.5",
        "abc",
        ""
    };

    private final Random random;

    public Choice(long seed) {
        random = new Random(seed);
    }

    public int below(int bound) {
        return random.nextInt(bound);
    }

    public boolean oneIn(int bound) {
        return random.nextInt(bound) == 0;
    }

    @SafeVarargs
    public final <T> T of(T... values) {
        return values[random.nextInt(values.length)];
    }

    public String key() {
        return "k" + random.nextInt(KEYS);
    }

    /** A whole number in a range, or now and then something that is none, or hardly. */
    public String integer(int least, int most) {
        return oneIn(12) ? of(INTEGERS) : Integer.toString(least + random.nextInt(most - least + 1));
    }

    /** A time in a range, or now and then something that is none, but never one that comes while the test runs. */
    public String time(int least, int most) {
        return oneIn(12)
                ? of(
                        "0",
                        "-1",
                        "-100",
                        "9223372036854775807",
                        "-9223372036854775808",
                        "9223372036854775808",
                        "1.5",
                        "x",
                        "")
                : Integer.toString(least + random.nextInt(most - least + 1));
    }

    public String decimal() {
        return switch (below(8)) {
            case 0 -> of("inf", "-inf", "nan", "", "1e400", "abc", "1 ", " 1", "5e", ".5", "5.", "-.5e-3", "0x10");
            case 1 -> Integer.toString(below(1000) - 500);
            case 2 -> of("0.1", "0.2", "1e3", "-3.14159", "1e-10", "123456789.123456789", "1e17", "3e20");
            default -> Double.toString(Math.round((random.nextDouble() - 0.5) * 1e6) / 1e3);
        };
    }

    /** A value: a number, a text, bytes of any kind. */
    public byte[] value() {
        return switch (below(6)) {
            case 0 -> bytes(Integer.toString(below(2000) - 1000));
            case 1 -> bytes(of(INTEGERS));
            case 2 -> bytes(decimal());
            case 3 -> {
                byte[] raw = new byte[below(40)];
                random.nextBytes(raw);
                yield raw;
            }
            case 4 -> bytes("abcabcab".substring(0, below(9)).repeat(1 + below(6)));
            default -> oneIn(20) ? new byte[below(100_000)] : bytes("text" + below(10));
        };
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** A word in any case. */
    public String anyCase(String word) {
        return switch (below(3)) {
            case 0 -> word.toLowerCase(Locale.ROOT);
            case 1 -> word.toUpperCase(Locale.ROOT);
            default -> word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
        };
    }

    /** The words, and some of the options, each of one or more words, in any order. */
    public Object[] withOptions(List<Object> words, List<List<Object>> options) {
        List<Object> all = new ArrayList<>(words);
        int count = oneIn(3) ? 0 : 1 + below(3);
        for (int i = 0; i < count && !options.isEmpty(); i++) {
            all.addAll(options.get(below(options.size())));
        }
        return all.toArray();
    }
}
