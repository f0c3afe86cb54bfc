package io.loam.cli;

import java.io.Console;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * What the user's screen can show.
 *
 * @param width in columns
 * @param colour whether ANSI colours are wanted and understood
 * @param unicode whether block characters can be shown
 * @param live whether a line can be redrawn (a terminal, not a file)
 */
public record Screen(int width, boolean colour, boolean unicode, boolean live) {
    private static final int DEFAULT_WIDTH = 80;
    private static final int MINIMUM_WIDTH = 40;
    private static final int MAXIMUM_WIDTH = 160;

    /** No terminal: nothing but lines of ASCII. */
    public static final Screen PLAIN = new Screen(DEFAULT_WIDTH, false, false, false);

    /** This process's screen; honours {@code NO_COLOR}, {@code TERM=dumb} and {@code COLUMNS}. */
    public static Screen of(PrintStream out, boolean colourWanted) {
        Console console = System.console();
        boolean terminal = console != null && console.isTerminal();
        return of(System.getenv(), terminal, out.charset().equals(StandardCharsets.UTF_8), colourWanted);
    }

    static Screen of(Map<String, String> environment, boolean terminal, boolean unicode, boolean colourWanted) {
        boolean dumb = "dumb".equals(environment.get("TERM"));
        boolean colour = terminal
                && !dumb
                && colourWanted
                && environment.getOrDefault("NO_COLOR", "").isEmpty();
        return new Screen(width(environment.get("COLUMNS"), terminal), colour, unicode, terminal && !dumb);
    }

    private static int width(@org.jspecify.annotations.Nullable String columns, boolean terminal) {
        int width = columns != null && columns.matches("\\d{1,4}")
                ? Integer.parseInt(columns)
                : terminal ? ofTerminal() : DEFAULT_WIDTH;
        return Math.clamp(width, MINIMUM_WIDTH, MAXIMUM_WIDTH);
    }

    /** How many rows the terminal has; as good as any number if there is none. */
    public static int rows() {
        return sizeOfTerminal(0, Integer.MAX_VALUE);
    }

    private static int ofTerminal() {
        return sizeOfTerminal(1, DEFAULT_WIDTH);
    }

    /** Asks {@code stty}, which knows the size of the terminal it inherits: rows, then columns. */
    private static int sizeOfTerminal(int which, int otherwise) {
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(ProcessBuilder.Redirect.INHERIT)
                    .start();
            String[] size = new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
                    .strip()
                    .split(" ", -1);
            return size.length == 2 && size[which].matches("[1-9]\\d{0,3}") ? Integer.parseInt(size[which]) : otherwise;
        } catch (IOException ignored) {
            return otherwise;
        }
    }
}
