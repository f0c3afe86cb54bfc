package io.loam.server.watch;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.loam.server.ServerOptions;
import io.loam.server.command.Service;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * Metrics and health by HTTP, at a port of its own and on threads of its own: {@code /metrics}, {@code /health/live} (the process answers), {@code /health/ready} (it takes connections and its store works). No
 * authentication: bind it to where only those come who may see it.
 */
public final class MetricsServer implements AutoCloseable {

    private static final Logger LOG = System.getLogger(MetricsServer.class.getName());
    private static final int BACKLOG = 16;

    private final Service service;
    private final Figures figures;
    private final HttpServer http;
    private final ExecutorService executor = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("loam-metrics-", 0).factory());

    private record Page(int status, String type, String body) {
        private static Page plain(int status, String body) {
            return new Page(status, "text/plain; charset=utf-8", body);
        }
    }

    private @Nullable PrometheusPage prometheus;

    private MetricsServer(Service service, Figures figures, HttpServer http) {
        this.service = service;
        this.figures = figures;
        this.http = http;
    }

    /**
     * Listens where the options say.
     *
     * @throws BindException if the port is taken or the address is not this machine's
     */
    public static MetricsServer start(Service service, Figures figures) throws BindException {
        ServerOptions options = service.options();
        InetSocketAddress address = new InetSocketAddress(options.metricsBind(), options.metricsPort());
        HttpServer http;
        try {
            http = HttpServer.create(address, BACKLOG);
        } catch (IOException | IllegalArgumentException e) {
            BindException failure = new BindException("can't listen at " + options.metricsBind() + " port "
                    + options.metricsPort() + " for metrics: " + e.getMessage() + "; choose another metrics-port");
            failure.initCause(e);
            throw failure;
        }
        MetricsServer server = new MetricsServer(service, figures, http);
        http.setExecutor(server.executor);
        http.createContext("/", server::answer);
        http.start();
        return server;
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            boolean head = exchange.getRequestMethod().equals("HEAD");
            Page page = head || exchange.getRequestMethod().equals("GET")
                    ? page(exchange.getRequestURI().getPath())
                    : Page.plain(405, "only GET and HEAD\n");
            byte[] body = page.body.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", page.type);
            exchange.sendResponseHeaders(page.status, head ? -1 : body.length);
            if (!head) {
                exchange.getResponseBody().write(body);
            }
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, "a request for metrics failed", e);
        }
    }

    private Page page(String path) {
        return switch (path) {
            case "/metrics" -> metrics();
            case "/health/live" -> Page.plain(200, "live\n");
            case "/health/ready" -> ready();
            default -> Page.plain(404, "here are /metrics, /health/live and /health/ready\n");
        };
    }

    /** One at a time, however many ask. */
    private synchronized Page metrics() {
        PrometheusPage page = prometheus;
        if (page == null) {
            page = new PrometheusPage(service, figures);
            prometheus = page;
        }
        return new Page(200, PrometheusPage.TYPE, page.text());
    }

    private Page ready() {
        if (service.sessionCount() >= service.options().maxClients()) {
            return Page.plain(503, "as many connections as maxclients allows\n");
        }
        try {
            service.keyspace().database(0).entries().contains(new byte[0]);
        } catch (RuntimeException e) {
            return Page.plain(503, "the store does not work: " + e.getMessage() + "\n");
        }
        return Page.plain(200, "ready\n");
    }

    @Override
    public void close() {
        http.stop(0);
        executor.shutdownNow();
        closePage();
    }

    /** After a scrape that is under way: it reads the store. */
    private synchronized void closePage() {
        if (prometheus != null) {
            prometheus.close();
        }
    }
}
