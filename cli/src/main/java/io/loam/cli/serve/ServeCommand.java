package io.loam.cli.serve;

import io.loam.cli.ByteSize;
import io.loam.cli.Version;
import io.loam.memory.ProcessMemory;
import io.loam.server.LoamServer;
import io.loam.server.ServerOptions;
import io.loam.store.FullPolicy;
import java.io.PrintWriter;
import java.net.BindException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code loam serve}. */
@Command(
        name = "serve",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Serves the Redis protocol, so that redis-cli and every Redis client can use the store.")
public final class ServeCommand implements Callable<Integer> {

    private static final int USUAL_PORT = 6379;
    private static final int PORTS_TRIED = 10;
    private static final long MOST_BY_DEFAULT = 1L << 30;

    @Spec
    CommandSpec spec = CommandSpec.create();

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

    @Override
    public Integer call() throws Exception {
        ServerOptions options = options();
        try (LoamServer server = start(options)) {
            Thread stop = new Thread(server::close, "loam-stop");
            Runtime.getRuntime().addShutdownHook(stop);
            print(banner(server));
            server.await();
            print("stopped");
        }
        return 0;
    }

    /** The options that the command line asks for. */
    ServerOptions options() {
        // as the logs of other servers: when, how bad, what
        System.setProperty("java.util.logging.SimpleFormatter.format", "%1$tF %1$tT.%1$tL %4$s %5$s%6$s%n");
        // a client of the metrics that sends or reads too slowly is given up, seconds
        System.setProperty("sun.net.httpserver.maxReqTime", "10");
        System.setProperty("sun.net.httpserver.maxRspTime", "30");
        ServerOptions options = new ServerOptions();
        long quarter = Math.min(ProcessMemory.physicalBytes(), ProcessMemory.cgroupLimitBytes()) / 4;
        set(options, "maxmemory", Long.toString(Math.min(MOST_BY_DEFAULT, quarter)));
        settings.forEach((name, value) -> set(options, name, value));
        if (memory != null) {
            set(options, "maxmemory", Long.toString(memory.bytes()));
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
        if (metricsPort != null) {
            set(options, "metrics-port", Integer.toString(metricsPort));
        }
        return options;
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
        if (port != null || settings.containsKey("port")) {
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
                  address  %s port %d
                  memory   %s, %s when it is full
                  threads  %d over %s%s
                  process  %d; stop it with SHUTDOWN or SIGTERM
                  try      redis-cli -p %d""",
                Version.ofBuild(),
                options.bind(),
                server.port(),
                ByteSize.format(options.maxMemory()),
                options.policy().full() == FullPolicy.REJECT
                        ? "refuses writes"
                        : "evicts (" + options.maxMemoryPolicy() + ")",
                options.eventLoops(),
                server.transport(),
                options.metricsPort() == 0
                        ? ""
                        : "\n  metrics  http://" + options.metricsBind() + ":" + options.metricsPort() + "/metrics",
                ProcessHandle.current().pid(),
                server.port());
    }

    private void print(String text) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(text);
        out.flush();
    }
}
