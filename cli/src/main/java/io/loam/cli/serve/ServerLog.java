package io.loam.cli.serve;

import io.loam.server.ConfigFile;
import io.loam.server.ServerOptions;
import java.io.IOException;
import java.util.logging.ConsoleHandler;
import java.util.logging.FileHandler;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** Where the server's log goes, and how much of it: the settings {@code logfile} and {@code loglevel}. */
final class ServerLog {

    /** Held, so that its level is not forgotten. */
    private static final Logger LOAM = Logger.getLogger("io.loam");

    private ServerLog() {}

    /** Directs the log of this process. Lines read as those of other servers: when, how bad, what. */
    static void begin(ServerOptions options) throws IOException {
        System.setProperty("java.util.logging.SimpleFormatter.format", "%1$tF %1$tT.%1$tL %4$s %5$s%6$s%n");
        Handler handler = options.logFile().isEmpty()
                ? new ConsoleHandler()
                : new FileHandler(pattern(ConfigFile.path(options.logFile()).toString()), true);
        handler.setFormatter(new SimpleFormatter());
        handler.setLevel(Level.ALL);
        Logger root = Logger.getLogger("");
        for (Handler old : root.getHandlers()) {
            root.removeHandler(old);
        }
        root.addHandler(handler);
        LOAM.setLevel(level(options));
        options.onChange("loglevel", changed -> LOAM.setLevel(level(changed)));
    }

    /** A percent sign begins something in the pattern of a file handler. */
    private static String pattern(String path) {
        return path.replace("%", "%%");
    }

    private static Level level(ServerOptions options) {
        return switch (options.logLevel()) {
            case "debug" -> Level.FINER;
            case "verbose" -> Level.FINE;
            case "warning" -> Level.WARNING;
            default -> Level.INFO;
        };
    }
}
