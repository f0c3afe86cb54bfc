package io.loam.cli.top;

import io.loam.cli.Screen;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code loam top}. */
@Command(
        name = "top",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Shows what a running server does: throughput, latencies, memory, segments, cleaner. Ends with Ctrl-C.",
        footer = {
            "",
            "A password is the first line of --password-file, or taken from the environment variable LOAM_PASSWORD (or REDISCLI_AUTH)."
        })
public final class TopCommand implements Callable<Integer> {

    private static final String OTHER_SCREEN = "\033[?1049h\033[?25l";
    private static final String FORMER_SCREEN = "\033[?25h\033[?1049l";

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Option(names = "--host", paramLabel = "HOST", description = "Default: ${DEFAULT-VALUE}.")
    String host = "127.0.0.1";

    @Option(names = "--port", paramLabel = "PORT", description = "Default: ${DEFAULT-VALUE}.")
    int port = 6379;

    @Option(names = "--user", paramLabel = "NAME", description = "Default: the default user.")
    @Nullable
    String user;

    @Option(names = "--password-file", paramLabel = "FILE", description = "A file whose first line is the password.")
    @Nullable
    Path passwordFile;

    @Mixin
    TlsOptions tls = new TlsOptions();

    @Option(
            names = "--interval",
            paramLabel = "SECONDS",
            description = "Between two pictures. Default: ${DEFAULT-VALUE}.")
    double seconds = 1;

    @Option(names = "--once", description = "One picture, of one interval, and no more: for scripts.")
    boolean once;

    @Option(names = "--no-color", description = "No colours; NO_COLOR does the same.")
    boolean noColour;

    private @Nullable String password;
    private @Nullable SSLSocketFactory sockets;
    private @Nullable RespClient client;

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (!(seconds >= 0.05 && seconds <= 3600)) {
            throw new ParameterException(spec.commandLine(), "--interval: 0.05 to 3600 seconds, not " + seconds);
        }
        String fault = tls.fault();
        if (fault != null) {
            throw new ParameterException(spec.commandLine(), fault);
        }
        password = readPassword();
        sockets = tls.sockets();
        PrintWriter out = spec.commandLine().getOut();
        Screen screen = Screen.of(System.out, !noColour);
        try {
            Reading first = connectAndRead();
            if (once || !screen.live()) {
                Thread.sleep((long) (seconds * 1000));
                new TopPicture(screen, Integer.MAX_VALUE)
                        .draw(address(), first, connectAndRead())
                        .forEach(out::println);
                out.flush();
            } else {
                show(out, first);
            }
            return 0;
        } finally {
            disconnect();
        }
    }

    private String address() {
        return host + ":" + port;
    }

    /** Redraws until the process is ended. A server that goes away is waited for. */
    private void show(PrintWriter out, Reading first) throws InterruptedException {
        Thread restore = new Thread(() -> {
            System.out.print(FORMER_SCREEN);
            System.out.flush();
        });
        Runtime.getRuntime().addShutdownHook(restore);
        out.print(OTHER_SCREEN);
        Reading before = first;
        while (true) {
            Thread.sleep((long) (seconds * 1000));
            List<String> lines;
            try {
                Reading now = connectAndRead();
                lines = new TopPicture(Screen.of(System.out, !noColour), Screen.rows()).draw(address(), before, now);
                before = now;
            } catch (IOException e) {
                lines = List.of("loam top  " + address(), "", String.valueOf(e.getMessage()), "", "Trying again.");
            }
            out.print("\033[H" + String.join("\033[K\r\n", lines) + "\033[K\033[J");
            out.flush();
        }
    }

    private Reading connectAndRead() throws IOException {
        try {
            RespClient connected = client;
            if (connected == null) {
                connected = new RespClient(host, port, sockets);
                client = connected;
                if (password != null) {
                    connected.authenticate(user, password);
                }
            }
            return connected.read();
        } catch (IOException e) {
            disconnect();
            throw new IOException(explain(e), e);
        }
    }

    private @Nullable String readPassword() throws IOException {
        if (passwordFile != null) {
            return Files.readString(passwordFile).lines().findFirst().orElse("");
        }
        String own = System.getenv("LOAM_PASSWORD");
        return own != null ? own : System.getenv("REDISCLI_AUTH");
    }

    private String explain(IOException failure) {
        String message = String.valueOf(failure.getMessage());
        if (failure instanceof SSLException) {
            return "the server at " + address() + " can't be spoken to over TLS: " + message
                    + "; --cacert says who vouches for its certificate, --cert and --key what to show it";
        }
        if (!(failure instanceof RespClient.Refusal)) {
            return "no server answers at " + address() + " (" + message
                    + "); start one with bin/loam serve, or say with --host and --port where it is"
                    + (tls.wanted ? "; if it wants a certificate, show one with --cert and --key" : "");
        }
        if (message.startsWith("NOAUTH") || message.startsWith("WRONGPASS")) {
            return "the server at " + address()
                    + " wants another password than --password-file or LOAM_PASSWORD, and --user, say: " + message;
        }
        if (message.startsWith("ERR unknown command")) {
            return "the server at " + address() + " is not Loam: it does not know the command LOAM";
        }
        return "the server at " + address() + " refuses: " + message;
    }

    private void disconnect() {
        RespClient connected = client;
        client = null;
        if (connected != null) {
            try {
                connected.close();
            } catch (IOException ignored) {
                // it is gone, which is what is wanted
            }
        }
    }
}
