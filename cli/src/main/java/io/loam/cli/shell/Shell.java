package io.loam.cli.shell;

import io.loam.cli.Failure;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads lines and runs them; an error is one line and, unless strict, the next line goes on. */
final class Shell {
    private final Session session;
    private final PrintWriter out;
    private final boolean interactive;
    private final boolean strict;

    Shell(Session session, PrintWriter out, boolean interactive, boolean strict) {
        this.session = session;
        this.out = out;
        this.interactive = interactive;
        this.strict = strict;
    }

    /** Whether it ended well: always, unless strict. */
    boolean run(BufferedReader in) throws IOException {
        if (interactive) {
            out.println("An empty store, kept in memory only. 'help' lists the commands, 'exit' leaves.");
        }
        for (String line = read(in); line != null; line = session.ended ? null : read(in)) {
            String error = execute(line);
            if (error != null) {
                out.println("error: " + error);
            }
            out.flush();
            if (error != null && strict) {
                return false;
            }
        }
        return true;
    }

    private @Nullable String read(BufferedReader in) throws IOException {
        if (interactive) {
            out.print(session.prompt());
            out.flush();
        }
        return in.readLine();
    }

    /** What was wrong, or null. */
    private @Nullable String execute(String line) {
        try {
            List<byte[]> words = line.stripLeading().startsWith("#") ? List.of() : Words.split(line);
            if (!words.isEmpty()) {
                operation(new Arguments(words).text(0)).run(session, words.subList(1, words.size()));
            }
            return null;
        } catch (RuntimeException | IOException | OutOfMemoryError e) {
            return Failure.describe(e);
        }
    }

    private static Operation operation(String name) {
        Operation operation = Operations.ALL.get(name.equals("quit") ? "exit" : name);
        if (operation == null) {
            throw new IllegalArgumentException("unknown command '" + name + "'; 'help' lists them");
        }
        return operation;
    }
}
