package io.loam.server;

import io.loam.memory.ProcessMemory;
import io.loam.server.command.Service;
import io.loam.server.connection.Transport;
import io.loam.server.family.Families;
import io.loam.server.watch.MetricsServer;
import io.loam.server.watch.Watch;
import io.loam.store.Store;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.BindException;
import java.time.InstantSource;
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
    private final CountDownLatch stopped = new CountDownLatch(1);
    private @Nullable MetricsServer metrics;
    private boolean closed;

    private LoamServer(ServerOptions options, Service service, Transport transport) {
        this.options = options;
        this.service = service;
        this.transport = transport;
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
        Store store = open(options, clock);
        Service service = new Service(options, store, clock);
        try {
            Watch watch = Watch.begin(service);
            Families.register(service, watch);
            Transport transport = new Transport(service);
            LoamServer server = new LoamServer(options, service, transport);
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

    /** A store that CONFIG SET maxmemory can make twice as large. */
    private static Store open(ServerOptions options, InstantSource clock) {
        ServerOptions.Policy policy = options.policy();
        return Store.builder()
                .capacityBytes(options.maxMemory())
                .maximumCapacityBytes(
                        Math.max(options.maxMemory(), Math.min(2 * options.maxMemory(), ProcessMemory.physicalBytes())))
                .updatePolicy(options.updatePolicy())
                .fullPolicy(policy.full())
                .eviction(policy.eviction())
                .clock(clock)
                .open();
    }

    /** The port it listens at; if there is none without TLS, {@link #tlsPort}. */
    public int port() {
        return service.port();
    }

    /** The port it listens at for TLS; 0: none. */
    public int tlsPort() {
        return transport.tlsPort();
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
        if (metrics != null) {
            metrics.close();
        }
        transport.close();
        service.close();
        stopped.countDown();
    }
}
