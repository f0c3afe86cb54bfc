package io.loam.server.protocol;

/** Patterns of keys: {@code *}, {@code ?}, {@code [a-z]}, {@code [^…]}, {@code \\} before a literal. */
public final class Glob {

    private Glob() {}

    /** Whether the pattern matches every text. */
    public static boolean isEverything(byte[] pattern) {
        return pattern.length == 1 && pattern[0] == '*';
    }

    public static boolean matches(byte[] pattern, byte[] text) {
        return matches(pattern, text, false);
    }

    /**
     * Whether all of {@code text} matches. Goes back to the last star only, which is enough: what an earlier star took, the last one can take too. So the time is at most the product of
     * the lengths, whatever the pattern.
     */
    public static boolean matches(byte[] pattern, byte[] text, boolean ignoreCase) {
        int p = 0;
        int t = 0;
        int star = -1;
        int starText = 0;
        while (t < text.length) {
            if (p < pattern.length && pattern[p] == '*') {
                star = p++;
                starText = t;
                continue;
            }
            int next = p < pattern.length ? matchOne(pattern, p, text[t], ignoreCase) : -1;
            if (next >= 0) {
                p = next;
                t++;
            } else if (star >= 0) {
                p = star + 1;
                t = ++starText;
            } else {
                return false;
            }
        }
        while (p < pattern.length && pattern[p] == '*') {
            p++;
        }
        return p == pattern.length;
    }

    /** Where the pattern goes on if its element at {@code p} matches the byte, else -1. */
    private static int matchOne(byte[] pattern, int p, byte value, boolean ignoreCase) {
        switch (pattern[p]) {
            case '?' -> {
                return p + 1;
            }
            case '[' -> {
                return matchClass(pattern, p + 1, value, ignoreCase);
            }
            case '\\' -> {
                int at = p + 1 < pattern.length ? p + 1 : p;
                return fold(pattern[at], ignoreCase) == fold(value, ignoreCase) ? at + 1 : -1;
            }
            default -> {
                return fold(pattern[p], ignoreCase) == fold(value, ignoreCase) ? p + 1 : -1;
            }
        }
    }

    private static int matchClass(byte[] pattern, int start, byte value, boolean ignoreCase) {
        int p = start;
        boolean negated = p < pattern.length && pattern[p] == '^';
        if (negated) {
            p++;
        }
        int folded = fold(value, ignoreCase);
        boolean matched = false;
        while (p < pattern.length && pattern[p] != ']') {
            if (pattern[p] == '\\' && p + 1 < pattern.length) {
                p++;
                matched |= pattern[p] == value;
                p++;
            } else if (p + 2 < pattern.length && pattern[p + 1] == '-') {
                int low = fold(pattern[p], ignoreCase);
                int high = fold(pattern[p + 2], ignoreCase);
                matched |= Math.min(low, high) <= folded && folded <= Math.max(low, high);
                p += 3;
            } else {
                matched |= fold(pattern[p], ignoreCase) == folded;
                p++;
            }
        }
        if (matched == negated) {
            return -1;
        }
        return Math.min(p + 1, pattern.length);
    }

    private static int fold(byte value, boolean ignoreCase) {
        int unsigned = value & 0xFF;
        return ignoreCase && unsigned >= 'A' && unsigned <= 'Z' ? unsigned | 0x20 : unsigned;
    }
}
