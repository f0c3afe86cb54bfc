package io.loam.bench;

import java.util.Locale;

/** Sizes and ranges as the command line writes them. */
final class Sizes {

    private Sizes() {}

    /** A number of bytes, with k, m or g for powers of 1024. */
    static long bytes(String option, String text) {
        String lower = text.strip().toLowerCase(Locale.ROOT);
        int shift = switch (lower.isEmpty() ? ' ' : lower.charAt(lower.length() - 1)) {
            case 'k' -> 10;
            case 'm' -> 20;
            case 'g' -> 30;
            default -> 0;
        };
        try {
            double number = Double.parseDouble(shift == 0 ? lower : lower.substring(0, lower.length() - 1));
            if (number < 0 || !Double.isFinite(number)) {
                throw new NumberFormatException();
            }
            return (long) (number * (1L << shift));
        } catch (NumberFormatException e) {
            throw new BadInput(
                    option + " '" + text + "' is no size; write bytes, or a number with k, m or g, such as 256m");
        }
    }

    /** A size or a range of sizes such as 75-125: the lower and the upper bound. */
    static int[] range(String option, String text) {
        String[] bounds = text.split("-", -1);
        if (bounds.length > 2) {
            throw new BadInput(option + " '" + text + "' is no size or range of sizes, such as 100 or 75-125");
        }
        long low = bytes(option, bounds[0]);
        long high = bytes(option, bounds[bounds.length - 1]);
        if (low > high || high > Integer.MAX_VALUE - 64) {
            throw new BadInput(option + " '" + text + "': the lower bound comes first, the upper is at most 2g");
        }
        return new int[] {(int) low, (int) high};
    }

    /** A positive number of things, with k, m or g for thousands, millions, billions. */
    static long count(String option, String text) {
        String lower = text.strip().toLowerCase(Locale.ROOT).replace("_", "");
        double unit = switch (lower.isEmpty() ? ' ' : lower.charAt(lower.length() - 1)) {
            case 'k' -> 1e3;
            case 'm' -> 1e6;
            case 'g' -> 1e9;
            default -> 1;
        };
        try {
            long number =
                    (long) (Double.parseDouble(unit == 1 ? lower : lower.substring(0, lower.length() - 1)) * unit);
            if (number >= 1) {
                return number;
            }
        } catch (NumberFormatException e) {
            // told below, like numbers that are too small
        }
        throw new BadInput(option + " '" + text
                + "'; allowed: a number from 1 on, with k, m or g for thousands, millions, billions");
    }

    static String text(double bytes) {
        if (bytes >= 1L << 30) {
            return String.format(Locale.ROOT, "%.2f GiB", bytes / (1L << 30));
        }
        return bytes >= 1 << 20
                ? String.format(Locale.ROOT, "%.1f MiB", bytes / (1 << 20))
                : String.format(Locale.ROOT, "%.0f B", bytes);
    }
}
