package io.loam.server.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.loam.server.protocol.Glob;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Patterns of keys against a matcher that tries everything. A pattern that takes long is found by Jazzer's own limit of an input's time. */
final class GlobFuzzing {

    /** @param data whether case counts, the pattern's length, the pattern; then the text */
    @FuzzTest
    void matches(byte[] data) {
        if (data.length < 2) {
            return;
        }
        boolean ignoreCase = (data[0] & 1) != 0;
        int end = Math.min(data.length, 2 + (data[1] & 0xFF));
        byte[] pattern = Arrays.copyOfRange(data, 2, end);
        byte[] text = Arrays.copyOfRange(data, end, data.length);
        assertThat(Glob.matches(pattern, text, ignoreCase)).isEqualTo(expected(elements(pattern, ignoreCase), text));
        // a long text shows what grows faster than the product of the lengths
        byte[] repeated = new byte[Math.min(1 << 16, text.length * 64)];
        for (int i = 0; i < repeated.length; i++) {
            repeated[i] = text[i % text.length];
        }
        Glob.matches(pattern, repeated, ignoreCase);
    }

    /** What each place of a pattern takes: one of a set of bytes, or null for any number of any. */
    private static List<@Nullable BitSet> elements(byte[] pattern, boolean ignoreCase) {
        List<@Nullable BitSet> elements = new ArrayList<>();
        int p = 0;
        while (p < pattern.length) {
            BitSet bytes = new BitSet(256);
            switch (pattern[p]) {
                case '*' -> {
                    elements.add(null);
                    p++;
                    continue;
                }
                case '?' -> bytes.set(0, 256);
                case '[' -> p = bracket(pattern, p + 1, ignoreCase, bytes);
                case '\\' -> {
                    p = Math.min(p + 1, pattern.length - 1);
                    add(bytes, pattern[p], ignoreCase);
                }
                default -> add(bytes, pattern[p], ignoreCase);
            }
            elements.add(bytes);
            p++;
        }
        return elements;
    }

    private static void add(BitSet bytes, int value, boolean ignoreCase) {
        int unsigned = value & 0xFF;
        bytes.set(unsigned);
        if (ignoreCase && unsigned < 128) {
            bytes.set(Character.toLowerCase(unsigned));
            bytes.set(Character.toUpperCase(unsigned));
        }
    }

    /** Where the bracket that closes is, or would be. */
    private static int bracket(byte[] pattern, int from, boolean ignoreCase, BitSet bytes) {
        int p = from;
        boolean negated = p < pattern.length && pattern[p] == '^';
        p += negated ? 1 : 0;
        for (; p < pattern.length && pattern[p] != ']'; p++) {
            if (pattern[p] == '\\' && p + 1 < pattern.length) {
                bytes.set(pattern[++p] & 0xFF);
            } else if (p + 2 < pattern.length && pattern[p + 1] == '-') {
                int first = lower(pattern[p], ignoreCase);
                int last = lower(pattern[p + 2], ignoreCase);
                for (int value = 0; value < 256; value++) {
                    int folded = lower(value, ignoreCase);
                    if (folded >= Math.min(first, last) && folded <= Math.max(first, last)) {
                        bytes.set(value);
                    }
                }
                p += 2;
            } else {
                add(bytes, pattern[p], ignoreCase);
            }
        }
        if (negated) {
            bytes.flip(0, 256);
        }
        return p;
    }

    private static int lower(int value, boolean ignoreCase) {
        int unsigned = value & 0xFF;
        return ignoreCase && unsigned < 128 ? Character.toLowerCase(unsigned) : unsigned;
    }

    /** By a table: which beginnings of the text each beginning of the pattern takes. */
    private static boolean expected(List<@Nullable BitSet> elements, byte[] text) {
        boolean[] taken = new boolean[text.length + 1];
        taken[0] = true;
        for (BitSet element : elements) {
            boolean[] next = new boolean[text.length + 1];
            for (int t = 0; t <= text.length; t++) {
                next[t] = element == null
                        ? taken[t] || (t > 0 && next[t - 1])
                        : t > 0 && taken[t - 1] && element.get(text[t - 1] & 0xFF);
            }
            taken = next;
        }
        return taken[text.length];
    }
}
