package io.loam.cli.shell;

import io.loam.cli.ByteSize;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** The words after an operation's name. */
record Arguments(List<byte[]> words) {

    int count() {
        return words.size();
    }

    byte[] bytes(int index) {
        return words.get(index);
    }

    String text(int index) {
        return new String(words.get(index), StandardCharsets.UTF_8);
    }

    Path path(int index) {
        return Path.of(text(index));
    }

    long integer(int index, long ifMissing) {
        if (index >= words.size()) {
            return ifMissing;
        }
        try {
            return Long.parseLong(text(index));
        } catch (NumberFormatException ignored) {
            throw new IllegalArgumentException("'" + text(index) + "' is not a whole number of 64 bits");
        }
    }

    long atLeast(long minimum, int index, long ifMissing) {
        long value = integer(index, ifMissing);
        if (value < minimum) {
            throw new IllegalArgumentException(value + " is too small; allowed: " + minimum + " or more");
        }
        return value;
    }

    /** An array's length. */
    int length(int index) {
        long bytes = ByteSize.parse(text(index)).bytes();
        if (bytes > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(bytes + " bytes are more than an array holds");
        }
        return (int) bytes;
    }
}
