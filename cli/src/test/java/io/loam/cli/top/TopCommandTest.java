package io.loam.cli.top;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.cli.Screen;
import io.loam.server.LoamServer;
import io.loam.server.ServerOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

final class TopCommandTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter errors = new StringWriter();

    private int run(String... arguments) {
        CommandLine command = new CommandLine(new TopCommand())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(errors, true));
        return command.execute(arguments);
    }

    @SafeVarargs
    private int run(List<String>... arguments) {
        return run(Stream.of(arguments).flatMap(List::stream).toArray(String[]::new));
    }

    private static ServerOptions options() {
        return new ServerOptions().set("port", "0").set("maxmemory", "32mb");
    }

    @Test
    void showsARunningServerOnce() throws IOException {
        try (LoamServer server = LoamServer.start(options());
                RespClient client = new RespClient("127.0.0.1", server.port(), null)) {
            for (int i = 0; i < 500; i++) {
                client.call("SET", "key" + i, "v".repeat(1000));
            }
            int status = run("--once", "--interval", "0.1", "--port", Integer.toString(server.port()));
            assertThat(errors.toString()).isEmpty();
            assertThat(status).isZero();
            assertThat(out.toString())
                    .contains("loam top  127.0.0.1:" + server.port(), "2 clients", "commands ", "latency  ")
                    .contains("Memory: 32.0 MiB", "live ", "dead ", "index ", "cleaner ", "write cost ")
                    .contains("Segments, oldest first: ")
                    .doesNotContain("\033");
            assertThat(out.toString().lines())
                    .allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(160));
        }
    }

    /** One below those that the kernel gives to connections, so that nobody else has it meanwhile. */
    private static int freePort() throws IOException {
        while (true) {
            int port = ThreadLocalRandom.current().nextInt(20_000, 32_000);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (BindException taken) {
                // another one
            }
        }
    }

    @Test
    void saysThatThereIsNoServer() throws IOException {
        int port = freePort();
        assertThat(run("--once", "--port", Integer.toString(port))).isEqualTo(1);
        assertThat(errors.toString()).contains("no server answers at 127.0.0.1:" + port, "bin/loam serve", "--port");
    }

    @Test
    void saysThatAPasswordIsWanted() throws IOException {
        try (LoamServer server = LoamServer.start(options().set("requirepass", "secret"))) {
            assertThat(run("--once", "--port", Integer.toString(server.port()))).isEqualTo(1);
            assertThat(errors.toString()).contains("LOAM_PASSWORD", "NOAUTH");
        }
    }

    /** A server over TLS alone that wants a password, and a certificate of its clients. */
    private LoamServer startSecured(Certificates server, Certificates client) throws Exception {
        return LoamServer.start(options()
                .set("tls-port", Integer.toString(freePort()))
                .set("tls-cert-file", server.certificate().toString())
                .set("tls-key-file", server.key().toString())
                .set("tls-ca-cert-file", client.certificate().toString())
                .set("requirepass", "secret"));
    }

    @Test
    void speaksTlsWithAPasswordOfAFile(@TempDir Path directory) throws Exception {
        Certificates certificates = Certificates.make(directory, "server", "ip:127.0.0.1");
        Certificates own = Certificates.make(directory, "own", "dns:client");
        Path password = Files.writeString(directory.resolve("password"), "secret\nof this the first line\n");
        try (LoamServer server = startSecured(certificates, own)) {
            List<String> once =
                    List.of("--once", "--interval", "0.05", "--port", Integer.toString(server.tlsPort()), "--tls");
            List<String> trust = List.of("--cacert", certificates.certificate().toString());
            List<String> show = List.of(
                    "--cert", own.certificate().toString(), "--key", own.key().toString());
            List<String> login = List.of("--password-file", password.toString());
            assertThat(run(once, trust, show, login)).as(errors.toString()).isZero();
            assertThat(out.toString()).contains("loam top  127.0.0.1:" + server.tlsPort(), "Memory: 32.0 MiB");

            assertThat(run(once, trust, show)).isEqualTo(1);
            assertThat(errors.toString()).contains("NOAUTH", "--password-file");
            assertThat(run(once, show, login)).isEqualTo(1);
            assertThat(errors.toString()).contains("can't be spoken to over TLS", "PKIX", "--cacert");
            assertThat(run(once, trust, login)).isEqualTo(1);
            // the alert that says so, or the end of the connection before it is read
            assertThat(errors.toString()).containsPattern("(certificate_required|no server answers).*--cert and --key");
            assertThat(run(once, List.of("--cacert", own.certificate().toString()), show, login))
                    .isEqualTo(1);
            assertThat(errors.toString()).contains("PKIX");
        }
    }

    @Test
    void refusesAServerWhoseCertificateIsForAnotherHost(@TempDir Path directory) throws Exception {
        Certificates certificates = Certificates.make(directory, "server", "dns:elsewhere");
        try (LoamServer server = startSecured(certificates, certificates)) {
            assertThat(run(
                            List.of("--once", "--port", Integer.toString(server.tlsPort())),
                            List.of(
                                    "--tls",
                                    "--cacert",
                                    certificates.certificate().toString())))
                    .isEqualTo(1);
            assertThat(errors.toString()).contains("can't be spoken to over TLS", "127.0.0.1 found");
        }
    }

    @Test
    void tlsOptionsFitTogether(@TempDir Path directory) throws IOException {
        assertThat(run("--cacert", "a")).isEqualTo(2);
        assertThat(errors.toString()).contains("need --tls");
        assertThat(run("--tls", "--cert", "a")).isEqualTo(2);
        assertThat(errors.toString()).contains("need each other");
        String absent = directory.resolve("absent").toString();
        assertThat(run("--tls", "--cacert", absent)).isEqualTo(1);
        assertThat(errors.toString()).contains("the file " + absent + " can't be read");
        String empty = Files.createFile(directory.resolve("empty")).toString();
        assertThat(run("--tls", "--cacert", empty)).isEqualTo(1);
        assertThat(errors.toString()).contains("TLS: ", "PEM");
        assertThat(run("--password-file", absent)).isEqualTo(1);
        assertThat(errors.toString()).contains("absent");
    }

    @Test
    void saysThatAnotherServerIsNotLoam() throws Exception {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> {
                try (Socket accepted = other.accept()) {
                    accepted.getInputStream().read();
                    accepted.getOutputStream()
                            .write("-ERR unknown command 'LOAM'\r\n".getBytes(StandardCharsets.US_ASCII));
                } catch (IOException ignored) {
                    // the test fails by what it reads
                }
            });
            assertThat(run("--once", "--port", Integer.toString(other.getLocalPort())))
                    .isEqualTo(1);
            assertThat(errors.toString()).contains("is not Loam");
        }
    }

    @Test
    void refusesAnIntervalThatIsNone() {
        assertThat(run("--interval", "0")).isEqualTo(2);
        assertThat(errors.toString()).contains("0.05 to 3600");
    }

    @Test
    void fitsANarrowAndLowScreen() {
        Map<String, Double> figures = new TreeMap<>(Map.of(
                "memory_limit_bytes",
                1e9,
                "memory_used_bytes",
                8e8,
                "memory_live_bytes",
                7e8,
                "memory_free_bytes",
                2e8,
                "memory_dead_bytes",
                1e8,
                "block_bytes",
                65536.0,
                "commands",
                1e6));
        List<Reading.Segment> segments = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            segments.add(new Reading.Segment("SEALED", 16, 1 << 19, 1 << 20, i));
        }
        Reading before = new Reading(0, Map.of(), Map.of(), List.of());
        Reading now = new Reading(2_000_000_000L, figures, Map.of(1000L, 98L, 50_000L, 2L), segments);
        List<String> lines =
                new TopPicture(new Screen(40, true, true, true), 24).draw("a-long-host-name:6379", before, now);
        assertThat(lines).hasSizeLessThanOrEqualTo(24);
        assertThat(lines)
                .allSatisfy(
                        line -> assertThat(line.replaceAll("\033\\[\\d+m", "")).hasSizeLessThanOrEqualTo(40));
        assertThat(lines).allSatisfy(line -> assertThat(count(line, "\033[0m")).isEqualTo(count(line, "\033[") / 2));
        assertThat(String.join("\n", lines))
                .contains("500,000/s", "p50 1.0 us  p99 50.0 us", "Segments, oldest first: 1000");
    }

    private static int count(String text, String part) {
        return text.split(Pattern.quote(part), -1).length - 1;
    }

    @Test
    void latenciesAreOfTheIntervalAlone() {
        assertThat(TopPicture.latency(Map.of(1000L, 1000L), Map.of(1000L, 1000L)))
                .isEqualTo("no commands");
        assertThat(TopPicture.latency(
                        Map.of(1000L, 1000L, 9_000_000L, 5L), Map.of(1000L, 1000L, 2000L, 99L, 9_000_000L, 6L)))
                .startsWith("p50 2.0 us  p99 2.0 us  p99.9 9.0 ms  longest 9.0 ms");
    }
}
