package io.loam.cli.serve;

import io.loam.cli.ByteSize;
import io.loam.cli.Version;
import io.loam.memory.ProcessMemory;
import io.loam.server.LoamServer;
import io.loam.server.ServerOptions;
import io.loam.store.FullPolicy;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.BindException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/** {@code loam serve}. */
@Command(
        name = "serve",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Serves the Redis protocol, so that redis-cli and every Redis client can use the store.",
        footer = {
            "",
            "Every setting of the configuration file is an option too, as redis-server has it:",
            "  loam serve --requirepass secret --timeout 300 --user \"worker on >secret ~job:* +@all\"",
            "docs/server.md lists them. Options override the file."
        })
public final class ServeCommand implements Callable<Integer> {

    private static final int USUAL_PORT = 6379;
    private static final int PORTS_TRIED = 10;
    private static final long MOST_BY_DEFAULT = 1L << 30;

    private static final Logger LOG = System.getLogger(ServeCommand.class.getName());

    /** Words on settings that have no effect; they are logged once the log has a place. */
    private final List<String> notes = new ArrayList<>();

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Option(names = "--config", paramLabel = "FILE", description = "Settings, in the format of redis.conf.")
    @Nullable
    Path config;

    @Option(names = "--port", paramLabel = "PORT", description = "Default: 6379, or the next that is free.")
    @Nullable
    Integer port;

    @Option(
            names = "--bind",
            paramLabel = "ADDRESS",
            description = "Listen at this address; * for all of them. Default: 127.0.0.1.")
    @Nullable
    String bind;

    @Option(
            names = {"--memory", "--maxmemory"},
            paramLabel = "SIZE",
            description =
                    "For everything the store holds, as 512m or 8g. Default: 1g, or a quarter of the machine's memory"
                            + " if that is less.")
    @Nullable
    ByteSize memory;

    @Option(
            names = {"--policy", "--maxmemory-policy"},
            paramLabel = "POLICY",
            description =
                    "What happens when memory is full: noeviction, allkeys-lru, volatile-ttl … Default: noeviction.")
    @Nullable
    String policy;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "Keep the data in this directory, as /dev/shm/NAME, where the next server finds them however"
                    + " this one ends. Default: they end with the process.")
    @Nullable
    Path data;

    @Option(
            names = "--metrics-port",
            paramLabel = "PORT",
            description = "Metrics for Prometheus and health by HTTP at this port of 127.0.0.1 (or of the setting"
                    + " metrics-bind). Default: none.")
    @Nullable
    Integer metricsPort;

    @Option(
            names = "--set",
            paramLabel = "NAME=VALUE",
            description = "Any setting, by its name in redis.conf: --set requirepass=secret. Several are allowed.")
    Map<String, String> settings = new LinkedHashMap<>();

    @Unmatched
    List<String> others = new ArrayList<>();

    @Override
    public Integer call() throws Exception {
        ServerOptions options = options();
        ServerLog.begin(options);
        notes.forEach(note -> LOG.log(Level.INFO, note));
        try (LoamServer server = start(options)) {
            Thread stop = new Thread(() -> stop(server), "loam-stop");
            Runtime.getRuntime().addShutdownHook(stop);
            print(banner(server));
            server.await();
            if (remove(stop)) {
                print("stopped: a client sent SHUTDOWN");
            }
        }
        return 0;
    }

    /** False if the process is ending, so that the hook does its work. */
    private static boolean remove(Thread hook) {
        try {
            return Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            return false;
        }
    }

    /** The log may be closed already when the process gets a signal. */
    private void stop(LoamServer server) {
        print("stopping: the process got a signal");
        server.close();
        print("stopped");
    }

    /** The options that the file and the command line ask for. */
    ServerOptions options() throws IOException {
        // a client of the metrics that sends or reads too slowly is given up, seconds
        System.setProperty("sun.net.httpserver.maxReqTime", "10");
        System.setProperty("sun.net.httpserver.maxRspTime", "30");
        ServerOptions options = new ServerOptions();
        long quarter = Math.min(ProcessMemory.physicalBytes(), ProcessMemory.cgroupLimitBytes()) / 4;
        options.setDefaultMaxMemory(Math.min(MOST_BY_DEFAULT, quarter));
        if (config != null) {
            notes.addAll(options.read(config)); // what is wrong in it is said without the words on usage
        }
        settings.forEach((name, value) -> directive(options, name, List.of(value)));
        directives(options);
        if (memory != null) {
            directive(options, "maxmemory", List.of(Long.toString(memory.bytes())));
        }
        if (policy != null) {
            set(options, "maxmemory-policy", policy);
        }
        if (bind != null) {
            set(options, "bind", bind);
        }
        if (port != null) {
            set(options, "port", Integer.toString(port));
        }
        if (data != null) {
            // a character for each byte
            String text = new String(data.toString().getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
            set(options, "data", text);
        }
        if (metricsPort != null) {
            set(options, "metrics-port", Integer.toString(metricsPort));
        }
        return options;
    }

    /** The words that are no options of this command: {@code --name value …}, as {@code redis-server} takes them. */
    private void directives(ServerOptions options) {
        int at = 0;
        while (at < others.size()) {
            String name = others.get(at);
            if (!name.startsWith("--") || name.length() == 2) {
                throw new ParameterException(spec.commandLine(), "'" + name + "' is no option; options begin with --");
            }
            int end = at + 1;
            while (end < others.size() && !others.get(end).startsWith("--")) {
                end++;
            }
            directive(options, name.substring(2), others.subList(at + 1, end));
            at = end;
        }
    }

    private void directive(ServerOptions options, String name, List<String> words) {
        try {
            // the server's texts have a character for each byte
            String note = options.directive(
                    name,
                    words.stream()
                            .map(word -> new String(word.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1))
                            .toList());
            if (note != null) {
                notes.add(note);
            }
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--" + name + ": " + e.getMessage(), e);
        }
    }

    private void set(ServerOptions options, String name, String value) {
        try {
            options.set(name, value);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), name + " " + value + ": " + e.getMessage(), e);
        }
    }

    /** Listens at the port asked for; if none was, at the usual one or one of the next. */
    private LoamServer start(ServerOptions options) throws BindException {
        boolean isChosen = options.port() != USUAL_PORT || options.tlsPort() > 0 || options.file() != null;
        if (port != null || settings.containsKey("port") || isChosen) {
            return LoamServer.start(options);
        }
        for (int tried = USUAL_PORT; ; tried++) {
            try {
                LoamServer server = LoamServer.start(options.set("port", Integer.toString(tried)));
                if (tried != USUAL_PORT) {
                    print("port " + USUAL_PORT + " is taken, so this server listens at port " + tried
                            + "; --port chooses another");
                }
                return server;
            } catch (BindException e) {
                if (tried == USUAL_PORT + PORTS_TRIED - 1) {
                    throw e;
                }
            }
        }
    }

    private String banner(LoamServer server) {
        ServerOptions options = server.options();
        return String.format(
                Locale.ROOT,
                """
                Loam %s serves the Redis protocol
                  address  %s port %s
                  memory   %s, %s when it is full%s
                  threads  %d over %s%s
                  process  %d; stop it with SHUTDOWN or SIGTERM
                  try      redis-cli%s -p %d%s""",
                Version.ofBuild(),
                options.bind(),
                ports(server),
                ByteSize.format(options.maxMemory()),
                options.policy().full() == FullPolicy.REJECT
                        ? "refuses writes"
                        : "evicts (" + options.maxMemoryPolicy() + ")",
                server.data().isEmpty() ? "" : "\n  data     " + server.data(),
                options.eventLoops(),
                server.transport(),
                options.metricsPort() == 0
                        ? ""
                        : "\n  metrics  http://" + options.metricsBind() + ":" + options.metricsPort() + "/metrics",
                ProcessHandle.current().pid(),
                server.port() == server.tlsPort() ? " --tls" : "",
                server.port(),
                isOpen(options)
                        ? "\n  WARNING  whoever reaches this machine can read and write: no password, no protected-mode"
                        : "");
    }

    private static boolean isOpen(ServerOptions options) {
        return !options.protectedMode()
                && options.requirePass().isEmpty()
                && options.users().isEmpty()
                && options.aclFile().isEmpty()
                && !options.bind().matches("(-?(127\\.0\\.0\\.1|::1|localhost)\\s*)+");
    }

    private static String ports(LoamServer server) {
        if (server.tlsPort() == 0) {
            return Integer.toString(server.port());
        }
        return server.port() == server.tlsPort()
                ? server.tlsPort() + " (TLS)"
                : server.port() + ", " + server.tlsPort() + " (TLS)";
    }

    private void print(String text) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(text);
        out.flush();
    }
}
