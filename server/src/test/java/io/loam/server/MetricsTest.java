package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.server.differential.RespClient;
import java.io.IOException;
import java.net.BindException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Metrics and health, as Prometheus and an orchestrator ask for them. */
final class MetricsTest {

    private static final Pattern HEAD =
            Pattern.compile("# (HELP|TYPE) (loam_[a-z0-9_]+) (counter|gauge|summary|histogram|[A-Z].*\\.)");
    private static final Pattern SAMPLE = Pattern.compile(
            "(loam_[a-z0-9_]+)(\\{[a-z]+=\"[^\"\\\\]*\"(?:,[a-z]+=\"[^\"\\\\]*\")*\\})? (-?\\d+(?:\\.\\d+)?(?:E-?\\d+)?)");

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

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

    @Test
    void everyLineIsOfTheFormatAndEveryMetricIsDescribedOnce() throws IOException {
        int port = freePort();
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
            Set<String> typed = new HashSet<>();
            Map<String, Double> samples = new HashMap<>();
            for (String line : page.text.split("\n")) {
                Matcher head = HEAD.matcher(line);
                Matcher sample = SAMPLE.matcher(line);
                if (head.matches()) {
                    assertThat(typed.add(head.group(1) + head.group(2)))
                            .as(line)
                            .isTrue();
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
        }
    }

    @Test
    void healthTellsWhetherClientsCanCome() throws IOException {
        int port = freePort();
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
