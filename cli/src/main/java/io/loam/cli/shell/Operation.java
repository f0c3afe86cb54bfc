package io.loam.cli.shell;

import java.io.IOException;
import java.util.List;

/**
 * A command of the shell.
 *
 * @param usage its name and arguments
 * @param least how many arguments it needs
 * @param most how many it takes
 */
record Operation(String usage, String help, int least, int most, Action action) {

    /** What it does. */
    @FunctionalInterface
    interface Action {
        void run(Session session, Arguments arguments) throws IOException;
    }

    String name() {
        return usage.split(" ", 2)[0];
    }

    void run(Session session, List<byte[]> arguments) throws IOException {
        if (arguments.size() < least || arguments.size() > most) {
            throw new IllegalArgumentException("usage: " + usage);
        }
        action.run(session, new Arguments(arguments));
    }
}
