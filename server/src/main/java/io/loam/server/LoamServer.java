package io.loam.server;

import io.loam.server.command.Service;
import io.loam.server.connection.Transport;
import io.loam.server.family.Families;
import io.loam.server.watch.MetricsServer;
import io.loam.server.watch.ServerMeters;
import io.loam.server.watch.Watch;
import io.loam.store.Store;
import io.micrometer.core.instrument.MeterRegistry;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.BindException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * A running server.
 *
 * <pre>{@code
 * try (LoamServer server = LoamServer.start(new ServerOptions().set("port", "7000"))) {
 *     server.await();
 * }
 * }</pre>
 */
public final class LoamServer implements AutoCloseable {

    private static final Logger LOG = System.getLogger(LoamServer.class.getName());
    /** Open files that are no clients. */
    private static final int FILES_OF_OWN = 64;

    private final ServerOptions options;
    private final Service service;
    private final Transport transport;
    private final String data;
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final Watch watch;
    private final List<ServerMeters> bound = new ArrayList<>();
    private @Nullable MetricsServer metrics;
    private boolean closed;

    private LoamServer(ServerOptions options, Service service, Watch watch, Transport transport, String data) {
        this.options = options;
        this.service = service;
        this.watch = watch;
        this.transport = transport;
        this.data = data;
    }

    /**
     * Opens a store, and listens.
     *
     * @throws BindException if the port is taken or an address is not this machine's
     * @throws IllegalArgumentException for options that are out of range or don't fit together
     */
    public static LoamServer start(ServerOptions options) throws BindException {
        return start(options, InstantSource.system());
    }

    /** As {@link #start(ServerOptions)}; expiry goes by {@code clock}. */
    public static LoamServer start(ServerOptions options, InstantSource clock) throws BindException {
        long begin = System.nanoTime();
        Store store = ServerStore.open(options, clock);
        Service service;
        try {
            service = new Service(options, store, clock);
        } catch (RuntimeException e) {
            store.close();
            throw e;
        }
        try {
            String data = data(options, service, (System.nanoTime() - begin) / 1_000_000);
            if (!data.isEmpty()) {
                LOG.log(Level.INFO, "data {0}", data);
            }
            Watch watch = Watch.begin(service);
            Families.register(service, watch);
            Transport transport = new Transport(service);
            LoamServer server = new LoamServer(options, service, watch, transport, data);
            try {
                transport.bind();
                service.setPort(transport.port() > 0 ? transport.port() : transport.tlsPort());
                if (options.metricsPort() > 0) {
                    server.metrics = MetricsServer.start(service, watch.figures());
                }
            } catch (BindException | RuntimeException e) {
                transport.close();
                throw e;
            }
            service.setShutdown(server.stopped::countDown);
            limitClients(options);
            options.onChange("maxmemory", changed -> store.setCapacityBytes(changed.maxMemory()));
            return server;
        } catch (BindException | RuntimeException e) {
            service.close();
            throw e;
        }
    }

    /** Sees to it that no more clients are allowed than files can be open, as each is one. */
    private static void limitClients(ServerOptions options) {
        long most = Math.max(1, OpenFiles.limit() - FILES_OF_OWN);
        if (options.maxClients() > most) {
            LOG.log(
                    Level.WARNING,
                    "maxclients is {0} instead of {1}: this process may open {2} files; raise its limit (ulimit -n, LimitNOFILE)",
                    most,
                    options.maxClients(),
                    OpenFiles.limit());
            options.set("maxclients", Long.toString(most));
        }
        options.onChange("maxclients", changed -> {
            if (changed.maxClients() > most) {
                throw new IllegalArgumentException(
                        "The operating system is not able to handle the specified number of clients, try with " + most);
            }
        });
    }

    private static String data(ServerOptions options, Service service, long millis) {
        if (options.data().isEmpty()) {
            return "";
        }
        long keys = service.keyspace().keys();
        String how = switch (service.store().stats().opening()) {
            case CREATED -> "new";
            case REPAIRED -> String.format(Locale.ROOT, "%,d keys, repaired after its server had died", keys);
            default -> String.format(Locale.ROOT, "%,d keys, left in order", keys);
        };
        return String.format(Locale.ROOT, "%s: %s, opened in %,d ms", ConfigFile.path(options.data()), how, millis);
    }

    /** The port it listens at; if there is none without TLS, {@link #tlsPort}. */
    public int port() {
        return service.port();
    }

    /** The port it listens at for TLS; 0: none. */
    public int tlsPort() {
        return transport.tlsPort();
    }

    /** What the directory of the data held when the server started, in words; empty if the data are this process's alone. */
    public String data() {
        return data;
    }

    /** The transport's name: {@code io_uring}, {@code epoll} or {@code nio}. */
    public String transport() {
        return transport.name();
    }

    public ServerOptions options() {
        return options;
    }

    /** What the commands share; for what watches the server. */
    Service service() {
        return service;
    }

    /**
     * Adds what the server counts to an application's own registry of Micrometer, until the server is closed: {@code server::bindTo} is a {@code MeterBinder}. The names are those of {@code /metrics}, written as
     * Micrometer has them: {@code loam.memory.live} in {@code bytes}. A registry holds one server's meters.
     *
     * @throws IllegalArgumentException if the registry has the meters of a server already
     * @throws IllegalStateException if the server is closed
     */
    public synchronized void bindTo(MeterRegistry registry) {
        if (closed) {
            throw new IllegalStateException("the server is closed: it has no figures any more");
        }
        bound.add(ServerMeters.bind(service, watch.figures(), registry));
    }

    /** Waits until a client sends SHUTDOWN. */
    public void await() throws InterruptedException {
        stopped.await();
    }

    /** Ends connections, then the store. Idempotent. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        LOG.log(Level.INFO, "stopping; {0} connections end", service.sessionCount());
        if (metrics != null) {
            metrics.close();
        }
        bound.forEach(ServerMeters::close);
        transport.close();
        service.close();
        LOG.log(Level.INFO, "stopped");
        stopped.countDown();
    }
}
