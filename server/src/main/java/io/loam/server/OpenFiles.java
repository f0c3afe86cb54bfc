package io.loam.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How many files the process may have open; a connection is one. */
final class OpenFiles {

    private static final Path LIMITS = Path.of("/proc/self/limits");

    private OpenFiles() {}

    /** The limit, or the largest number if the system does not tell. */
    static long limit() {
        try {
            for (String line : Files.readAllLines(LIMITS)) {
                if (line.startsWith("Max open files")) {
                    String soft =
                            line.substring("Max open files".length()).strip().split("\\s+")[0];
                    return soft.equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(soft);
                }
            }
        } catch (IOException | NumberFormatException e) {
            // not Linux, or one without /proc: the system will say it when a connection can't be accepted
        }
        return Long.MAX_VALUE;
    }
}
