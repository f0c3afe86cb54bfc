package io.loam.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A number of bytes as people write it: {@code 4096}, {@code 512k}, {@code 64m}, {@code 1g}, {@code 2t}; powers of 1024. */
public record ByteSize(long bytes) {
    private static final Pattern FORM = Pattern.compile("(\\d+)\\s*([kmgt]?)(?:i?b)?");
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};

    /** @throws IllegalArgumentException saying which forms are allowed */
    public static ByteSize parse(String text) {
        Matcher form = FORM.matcher(text.strip().toLowerCase(Locale.ROOT));
        if (!form.matches()) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not a size; write bytes, or a number with k, m, g or t, as in 64m");
        }
        int shift = form.group(2).isEmpty() ? 0 : 10 * (1 + "kmgt".indexOf(form.group(2)));
        try {
            return new ByteSize(Math.multiplyExact(Long.parseLong(form.group(1)), 1L << shift));
        } catch (ArithmeticException | NumberFormatException ignored) {
            throw new IllegalArgumentException("'" + text + "' is more bytes than a 64-bit number holds");
        }
    }

    /** For people: three or four digits and a unit, {@code 131.7 MiB}. */
    public static String format(long bytes) {
        double amount = bytes;
        int unit = 0;
        while (Math.abs(amount) >= 1023.95 && unit < UNITS.length - 1) {
            amount /= 1024;
            unit++;
        }
        return unit == 0 ? bytes + " B" : String.format(Locale.ROOT, "%.1f %s", amount, UNITS[unit]);
    }

    @Override
    public String toString() {
        return format(bytes);
    }
}
