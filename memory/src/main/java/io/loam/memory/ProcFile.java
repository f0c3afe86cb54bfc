package io.loam.memory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Reads of small procfs and sysfs files; absence and strange content are empty answers, since kernels and containers differ. */
final class ProcFile {

    private ProcFile() {}

    static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException | RuntimeException e) {
            return List.of();
        }
    }

    /** The whole file without surrounding white space. */
    static Optional<String> text(Path file) {
        try {
            return Optional.of(Files.readString(file).strip());
        } catch (IOException | RuntimeException e) {
            return Optional.empty();
        }
    }

    /** What follows {@code name:} in a file of {@code name: value} lines. */
    static Optional<String> field(Path file, String name) {
        return lines(file).stream()
                .filter(line -> line.startsWith(name + ":"))
                .map(line -> line.substring(name.length() + 1).strip())
                .findFirst();
    }

    /** A field given in kB, in bytes. */
    static OptionalLong kilobyteField(Path file, String name) {
        return field(file, name)
                .filter(value -> value.endsWith(" kB"))
                .map(value -> number(value.substring(0, value.length() - 3)))
                .filter(OptionalLong::isPresent)
                .map(value -> OptionalLong.of(value.getAsLong() << 10))
                .orElse(OptionalLong.empty());
    }

    /** A count of up to 19 digits. */
    static OptionalLong number(String text) {
        try {
            return OptionalLong.of(Long.parseLong(text.strip()));
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }
}
