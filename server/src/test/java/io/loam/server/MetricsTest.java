package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.server.differential.RespClient;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Nothing;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.BindException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Metrics and health, as Prometheus and an orchestrator ask for them. */
final class MetricsTest {

    private static final Pattern HEAD =
            Pattern.compile("# (HELP|TYPE) (loam_[a-z0-9_]+) (counter|gauge|summary|histogram|[A-Z].*\\.)");
    private static final Pattern SAMPLE = Pattern.compile(
            "(loam_[a-z0-9_]+)(\\{[a-z]+=\"[^\"\\\\]*\"(?:,[a-z]+=\"[^\"\\\\]*\")*\\})? (-?\\d+(?:\\.\\d+)?(?:E-?\\d+)?)");

    private static ServerOptions options(int metricsPort) {
        return new ServerOptions()
                .set("port", "0")
                .set("maxmemory", "32mb")
                .set("maxclients", "2")
                .set("metrics-port", Integer.toString(metricsPort));
    }

    private record Page(int status, String type, String text) {}

    private static Page get(int port, String method, String path) throws IOException {
        HttpURLConnection connection = (HttpURLConnection)
                URI.create("http://127.0.0.1:" + port + path).toURL().openConnection();
        connection.setRequestMethod(method);
        int status = connection.getResponseCode();
        try (var body = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            String text = body == null ? "" : new String(body.readAllBytes(), StandardCharsets.UTF_8);
            return new Page(status, connection.getContentType(), text);
        }
    }

    /** The samples of a page, whose every line must be of the format, every metric described once and before its samples. */
    private static Map<String, Double> samples(String text) {
        Set<String> typed = new HashSet<>();
        Map<String, Double> samples = new HashMap<>();
        for (String line : text.split("\n")) {
            Matcher head = HEAD.matcher(line);
            Matcher sample = SAMPLE.matcher(line);
            if (head.matches()) {
                assertThat(typed.add(head.group(1) + head.group(2))).as(line).isTrue();
            } else {
                assertThat(sample.matches()).as(line).isTrue();
                String family = sample.group(1).replaceAll("_(bucket|sum|count)$", "");
                assertThat(typed).contains("TYPE" + family, "HELP" + family);
                String labels = sample.group(2) == null ? "" : sample.group(2);
                assertThat(samples.put(sample.group(1) + labels, Double.valueOf(sample.group(3))))
                        .as(line)
                        .isNull();
            }
        }
        return samples;
    }

    /** Fields of INFO by name. */
    private static Map<String, String> info(RespClient client) throws IOException {
        Map<String, String> fields = new HashMap<>();
        for (String line : ((Bulk) client.call("INFO", "all")).text().split("\r\n")) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                fields.put(line.substring(0, colon), line.substring(colon + 1));
            }
        }
        return fields;
    }

    @Test
    void everyLineIsOfTheFormatAndEveryMetricIsDescribedOnce() throws IOException {
        int port = FreePort.find();
        try (LoamServer server = LoamServer.start(options(port));
                RespClient client = new RespClient(server.port())) {
            for (int i = 0; i < 50; i++) {
                client.call("SET", "k" + i, "v".repeat(500));
            }
            client.call("GET");
            client.call("CONFIG", "GET", "port");
            Page page = get(port, "GET", "/metrics");
            assertThat(page.status).isEqualTo(200);
            assertThat(page.type).isEqualTo("text/plain; version=0.0.4; charset=utf-8");
            Map<String, Double> samples = samples(page.text);
            assertThat(samples)
                    .containsEntry("loam_command_calls_total{command=\"set\"}", 50.0)
                    .containsEntry("loam_command_rejections_total{command=\"get\"}", 1.0)
                    .containsEntry("loam_errors_total{code=\"ERR\"}", 1.0)
                    .containsEntry("loam_database_keys{database=\"0\"}", 50.0)
                    .containsEntry("loam_clients", 1.0)
                    .containsEntry("loam_duration_seconds_count", 51.0)
                    .containsEntry("loam_duration_seconds_bucket{le=\"+Inf\"}", 51.0)
                    .containsKey("loam_command_latency_seconds{command=\"config|get\",quantile=\"0.999\"}");
            assertThat(samples.get("loam_memory_live_bytes")).isBetween(25_000.0, 40_000.0);
            client.call("FLUSHALL");
            client.call("SELECT", "3");
            client.call("SET", "x", "y");
            client.call("GET", "x");
            assertThat(samples(get(port, "GET", "/metrics").text))
                    .as("what came since the page was first asked for")
                    .containsEntry("loam_command_calls_total{command=\"get\"}", 1.0)
                    .containsEntry("loam_command_calls_total{command=\"flushall\"}", 1.0)
                    .containsEntry("loam_command_latency_seconds_count{command=\"flushall\"}", 1.0)
                    .containsEntry("loam_database_keys{database=\"0\"}", 0.0)
                    .containsEntry("loam_database_keys{database=\"3\"}", 1.0);
        }
    }

    private static Map<String, String> subset(Map<String, String> fields, Set<String> names) {
        Map<String, String> subset = new HashMap<>(fields);
        subset.keySet().retainAll(names);
        return subset;
    }

    @Test
    void thePageSaysWhatInfoSays() throws IOException {
        int port = FreePort.find();
        try (LoamServer server = LoamServer.start(options(port));
                RespClient client = new RespClient(server.port())) {
            for (int i = 0; i < 3000; i++) {
                client.call("SET", "k" + i % 700, "v".repeat(i % 400));
            }
            client.call("DEL", "k1", "k2");
            client.call("INCR", "k3");
            client.call("SET", "short", "lived", "PX", "1");
            while (!client.call("GET", "short").equals(new Nothing(false))) {
                Thread.onSpinWait();
            }
            Map<String, String> metrics = Map.of(
                    "maxmemory", "loam_memory_limit_bytes",
                    "live_log_bytes", "loam_memory_live_bytes",
                    "live_user_bytes", "loam_memory_live_user_bytes",
                    "dead_log_bytes", "loam_memory_dead_bytes",
                    "index_bytes", "loam_memory_index_bytes",
                    "table_bytes", "loam_memory_table_bytes",
                    "total_connections_received", "loam_connections_total",
                    "connected_clients", "loam_clients",
                    "expired_keys", "loam_expired_keys_total",
                    "evicted_keys", "loam_evicted_keys_total");
            Map<String, String> info;
            Map<String, Double> samples;
            do { // the cleaner may be at work
                info = info(client);
                samples = samples(get(port, "GET", "/metrics").text);
            } while (!subset(info, metrics.keySet()).equals(subset(info(client), metrics.keySet())));
            for (Map.Entry<String, String> each : metrics.entrySet()) {
                assertThat(samples.get(each.getValue()))
                        .as(each.toString())
                        .isEqualTo(Double.parseDouble(info.get(each.getKey())));
            }
            for (String command : List.of("set", "get", "del", "incr")) {
                assertThat(info.get("cmdstat_" + command))
                        .startsWith("calls="
                                + samples.get("loam_command_calls_total{command=\"" + command + "\"}")
                                        .longValue() + ",")
                        .endsWith("failed_calls="
                                + samples.get("loam_command_failures_total{command=\"" + command + "\"}")
                                        .longValue());
            }
            double below = 0;
            for (int bound = 10; bound <= 33; bound += 2) {
                double next = samples.get("loam_duration_seconds_bucket{le=\"" + (1L << bound) / 1e9 + "\"}");
                assertThat(next).isGreaterThanOrEqualTo(below);
                below = next;
            }
            assertThat(samples.get("loam_duration_seconds_bucket{le=\"+Inf\"}"))
                    .isGreaterThanOrEqualTo(below)
                    .isEqualTo(samples.get("loam_duration_seconds_count"))
                    .isEqualTo(samples.get("loam_commands_total"));
        }
    }

    @Test
    void anApplicationsRegistryHasTheMetersWhileTheServerRuns() throws IOException {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        LoamServer server =
                LoamServer.start(new ServerOptions().set("port", "0").set("maxmemory", "32mb"));
        MeterBinder binder = server::bindTo;
        try (RespClient client = new RespClient(server.port())) {
            client.call("SET", "a", "b");
            client.call("GET", "a");
            client.call("GET");
            binder.bindTo(registry);
            assertThat(registry.get("loam.memory.limit").gauge().value()).isEqualTo(32 << 20);
            assertThat(registry.get("loam.memory.limit").gauge().getId().getBaseUnit())
                    .isEqualTo("bytes");
            assertThat(registry.get("loam.commands").functionCounter().count()).isEqualTo(2);
            assertThat(registry.get("loam.command.calls")
                            .tag("command", "set")
                            .functionCounter()
                            .count())
                    .isEqualTo(1);
            assertThat(registry.get("loam.errors")
                            .tag("code", "ERR")
                            .functionCounter()
                            .count())
                    .isEqualTo(1);
            FunctionTimer timer =
                    registry.get("loam.command.latency").tag("command", "get").functionTimer();
            assertThat(timer.count()).isEqualTo(1);
            assertThat(timer.totalTime(TimeUnit.NANOSECONDS)).isPositive();
            assertThat(registry.get("loam.duration.percentile")
                            .tag("phi", "0.99")
                            .timeGauge()
                            .value(TimeUnit.NANOSECONDS))
                    .isGreaterThanOrEqualTo(timer.totalTime(TimeUnit.NANOSECONDS));
            client.call("INCR", "n");
            assertThat(registry.find("loam.command.calls")
                            .tag("command", "incr")
                            .functionCounter())
                    .isNull();
            while (registry.find("loam.command.calls").tag("command", "incr").functionCounter() == null) {
                registry.get("loam.keys").gauge().value(); // read anew when the last reading is a second old
                LockSupport.parkNanos(10_000_000);
            }
        } finally {
            Gauge gauge = registry.get("loam.memory.limit").gauge();
            server.close();
            assertThat(gauge.value()).isEqualTo(32 << 20);
        }
        assertThat(registry.getMeters()).isEmpty();
        assertThatThrownBy(() -> binder.bindTo(registry)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aRegistryHoldsOneServer() throws IOException {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        Gauge.builder("loam_of_others", () -> 1)
                .description("Not the server's.")
                .register(registry);
        try (LoamServer first =
                        LoamServer.start(new ServerOptions().set("port", "0").set("maxmemory", "32mb"));
                LoamServer second =
                        LoamServer.start(new ServerOptions().set("port", "0").set("maxmemory", "32mb"));
                RespClient client = new RespClient(first.port())) {
            client.call("PING");
            first.bindTo(registry);
            assertThat(samples(registry.scrape()))
                    .containsEntry("loam_duration_seconds_count", 1.0)
                    .containsEntry("loam_command_calls_total{command=\"ping\"}", 1.0);
            assertThatThrownBy(() -> second.bindTo(registry)).isInstanceOf(IllegalArgumentException.class);
            first.close();
            second.bindTo(registry);
            assertThat(samples(registry.scrape())).containsEntry("loam_duration_seconds_count", 0.0);
        }
        assertThat(samples(registry.scrape())).containsOnlyKeys("loam_of_others");
    }

    @Test
    void healthTellsWhetherClientsCanCome() throws IOException {
        int port = FreePort.find();
        try (LoamServer server = LoamServer.start(options(port))) {
            assertThat(get(port, "GET", "/health/live"))
                    .isEqualTo(new Page(200, "text/plain; charset=utf-8", "live\n"));
            assertThat(get(port, "GET", "/health/ready").status).isEqualTo(200);
            try (RespClient first = new RespClient(server.port());
                    RespClient second = new RespClient(server.port())) {
                first.call("PING");
                second.call("PING");
                Page full = get(port, "GET", "/health/ready");
                assertThat(full.status).isEqualTo(503);
                assertThat(full.text).contains("maxclients");
            }
            assertThat(get(port, "GET", "/metricsandmore").status).isEqualTo(404);
            assertThat(get(port, "POST", "/metrics").status).isEqualTo(405);
            assertThat(get(port, "HEAD", "/metrics").text).isEmpty();
        }
        assertThatThrownBy(() -> get(port, "GET", "/health/live")).isInstanceOf(IOException.class);
    }

    @Test
    void aTakenPortIsAnErrorThatNamesIt() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThatThrownBy(() -> LoamServer.start(options(taken.getLocalPort())))
                    .isInstanceOf(BindException.class)
                    .hasMessageContaining("port " + taken.getLocalPort())
                    .hasMessageContaining("metrics-port");
        }
    }
}
