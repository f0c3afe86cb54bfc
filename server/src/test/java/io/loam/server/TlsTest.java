package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.SslOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.loam.server.command.Session;
import io.loam.server.differential.RealRedis;
import io.loam.server.differential.RespClient;
import io.loam.server.differential.Value;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Failure;
import io.loam.server.differential.Value.Status;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;

/** The server over TLS. */
final class TlsTest {

    private static final Status OK = new Status("OK");

    @TempDir
    Path directory;

    private Certificates certificates;
    private final List<AutoCloseable> opened = new ArrayList<>();

    @BeforeEach
    void makeCertificates() throws Exception {
        certificates = Certificates.make(directory, "server");
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened.reversed()) {
            each.close();
        }
    }

    private LoamServer start(String... settings) throws Exception {
        ServerOptions options = new ServerOptions()
                .set("maxmemory", "64mb")
                .set("port", "0")
                .set("tls-port", Integer.toString(FreePort.find()))
                .set("tls-cert-file", certificates.certificate().toString())
                .set("tls-key-file", certificates.key().toString())
                .set("tls-auth-clients", "no");
        for (int i = 0; i < settings.length; i += 2) {
            options.set(settings[i], settings[i + 1]);
        }
        LoamServer server = LoamServer.start(options);
        opened.add(server);
        return server;
    }

    private RespClient connect(LoamServer server, SSLContext context) throws IOException {
        Socket socket = context.getSocketFactory().createSocket("127.0.0.1", server.tlsPort());
        opened.add(socket);
        ((SSLSocket) socket).startHandshake();
        RespClient client = new RespClient(socket);
        opened.add(client);
        return client;
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "nio"})
    void servesOverTls(String transport) throws Exception {
        LoamServer server = start("transport", transport);
        assertThat(server.port()).as("no port without TLS").isEqualTo(server.tlsPort());
        RespClient client = connect(server, certificates.client(null));
        assertThat(client.call("SET", "a", "b")).isEqualTo(OK);
        assertThat(client.call("GET", "a")).isEqualTo(new Bulk("b"));
        byte[] large = new byte[5 << 20];
        for (int i = 0; i < large.length; i++) {
            large[i] = (byte) (i * 31 >>> 3);
        }
        assertThat(client.call(List.of(bytes("SET"), bytes("large"), large))).isEqualTo(OK);
        assertThat(client.call("GET", "large")).isEqualTo(new Bulk(new String(large, StandardCharsets.ISO_8859_1)));
        for (int i = 0; i < 1000; i++) {
            client.send("SET", "k" + i, "v" + i);
        }
        for (int i = 0; i < 1000; i++) {
            assertThat(client.read()).isEqualTo(OK);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** What waits for a client that does not read is bounded as without TLS: what is to be encrypted counts. */
    @ParameterizedTest
    @ValueSource(strings = {"auto", "nio"})
    void aSlowReaderDoesNotGrowMemory(String transport) throws Exception {
        LoamServer server = start("transport", transport);
        RespClient client = connect(server, certificates.client(null));
        String value = "x".repeat(250_000);
        assertThat(client.call("SET", "a", value)).isEqualTo(OK);
        Session session = server.service().sessions().iterator().next();
        int count = 400;
        ByteArrayOutputStream requests = new ByteArrayOutputStream();
        for (int i = 0; i < count; i++) {
            requests.writeBytes(RespClient.encode("GET", "a"));
        }
        client.sendRaw(requests.toByteArray()); // all come at once
        while (session.link().outputBytes() < 1 << 20) {
            Thread.sleep(1); // the server is full in the end: the sockets hold less than the replies
        }
        for (int i = 0; i < 100; i++) {
            assertThat(session.link().outputBytes()).isLessThan(4 << 20);
            Thread.sleep(1);
        }
        for (int i = 0; i < count; i++) {
            assertThat(client.read()).isEqualTo(new Bulk(value));
        }
    }

    @Test
    void bothPortsServeTheSame() throws Exception {
        LoamServer server = start("port", Integer.toString(FreePort.find()));
        assertThat(server.port()).isNotEqualTo(server.tlsPort());
        RespClient plain = new RespClient(server.port());
        opened.add(plain);
        assertThat(plain.call("SET", "a", "1")).isEqualTo(OK);
        assertThat(connect(server, certificates.client(null)).call("GET", "a")).isEqualTo(new Bulk("1"));
    }

    @Test
    void aClientWithoutTlsIsSentAway() throws Exception {
        LoamServer server = start();
        try (RespClient plain = new RespClient(server.tlsPort())) {
            plain.send("PING");
            assertThatThrownBy(plain::read).isInstanceOf(IOException.class);
        }
        assertThat(connect(server, certificates.client(null)).call("PING")).isEqualTo(new Status("PONG"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"yes", "optional"})
    void clientsShowCertificates(String whether) throws Exception {
        Certificates client = Certificates.make(directory, "client");
        Certificates stranger = Certificates.make(directory, "stranger");
        LoamServer server = start(
                "tls-auth-clients",
                whether,
                "tls-ca-cert-file",
                client.certificate().toString());
        assertThat(connect(server, certificates.client(client)).call("PING")).isEqualTo(new Status("PONG"));
        assertThatThrownBy(() -> connect(server, certificates.client(stranger)).call("PING"))
                .isInstanceOf(IOException.class);
        if (whether.equals("optional")) {
            assertThat(connect(server, certificates.client(null)).call("PING")).isEqualTo(new Status("PONG"));
        } else {
            assertThatThrownBy(() -> connect(server, certificates.client(null)).call("PING"))
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void onlyTheProtocolsThatAreAllowed() throws Exception {
        LoamServer server = start("tls-protocols", "tlsv1.3");
        SSLSocket socket =
                (SSLSocket) certificates.client(null).getSocketFactory().createSocket("127.0.0.1", server.tlsPort());
        opened.add(socket);
        socket.setEnabledProtocols(new String[] {"TLSv1.2"});
        assertThatThrownBy(socket::startHandshake).isInstanceOf(SSLException.class);
        assertThat(connect(server, certificates.client(null)).call("PING")).isEqualTo(new Status("PONG"));
    }

    @Test
    void certificatesAreReplacedWhileItRuns() throws Exception {
        Certificates next = Certificates.make(directory, "next");
        LoamServer server = start();
        RespClient before = connect(server, certificates.client(null));
        assertThat(before.call(
                        "CONFIG",
                        "SET",
                        "tls-cert-file",
                        next.certificate().toString(),
                        "tls-key-file",
                        next.key().toString()))
                .isEqualTo(OK);
        assertThat(before.call("PING")).as("the connection stays").isEqualTo(new Status("PONG"));
        assertThat(connect(server, next.client(null)).call("PING")).isEqualTo(new Status("PONG"));
        assertThatThrownBy(() -> connect(server, certificates.client(null))).isInstanceOf(SSLException.class);

        Value refused = before.call(
                "CONFIG", "SET", "tls-cert-file", directory.resolve("absent").toString());
        assertThat(((Failure) refused).text())
                .contains("tls-cert-file: the file")
                .contains("can't be read");
        Path broken = Files.writeString(directory.resolve("broken"), "-----BEGIN PRIVATE KEY-----\nxx\n");
        assertThat(before.call("CONFIG", "SET", "tls-key-file", broken.toString()))
                .isInstanceOf(Failure.class);
        assertThat(server.options().tlsKey()).isEqualTo(next.key().toString());
        assertThat(connect(server, next.client(null)).call("PING")).isEqualTo(new Status("PONG"));
    }

    // ---- clients that people use

    @Test
    void jedisSpeaksTls() throws Exception {
        LoamServer server = start();
        var config = DefaultJedisClientConfig.builder()
                .ssl(true)
                .timeoutMillis(60_000)
                .sslSocketFactory(certificates.client(null).getSocketFactory())
                .build();
        try (Jedis jedis = new Jedis(new HostAndPort("127.0.0.1", server.tlsPort()), config)) {
            assertThat(jedis.set("a", "x".repeat(100_000))).isEqualTo("OK");
            assertThat(jedis.get("a")).isEqualTo("x".repeat(100_000));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void lettuceSpeaksTls(String protocol) throws Exception {
        Certificates own = Certificates.make(directory, "client");
        LoamServer server = start(
                "tls-auth-clients", "yes", "tls-ca-cert-file", own.certificate().toString());
        RedisClient client = RedisClient.create(RedisURI.builder()
                .withHost("127.0.0.1")
                .withPort(server.tlsPort())
                .withSsl(true)
                .build());
        try {
            client.setOptions(ClientOptions.builder()
                    .socketOptions(SocketOptions.builder()
                            .connectTimeout(Duration.ofSeconds(60))
                            .build())
                    .sslOptions(SslOptions.builder()
                            .jdkSslProvider()
                            .protocols(protocol)
                            .trustManager(certificates.certificate().toFile())
                            .keyManager(own.certificate().toFile(), own.key().toFile(), new char[0])
                            .build())
                    .build());
            try (StatefulRedisConnection<String, String> connection = client.connect()) {
                assertThat(connection.sync().set("a", "b")).isEqualTo("OK");
                assertThat(connection.sync().get("a")).isEqualTo("b");
            }
        } finally {
            client.shutdown();
        }
    }

    @Test
    void redisCliSpeaksTls() throws Exception {
        Assumptions.assumeTrue(redisCliHasTls(), "no redis-cli with --tls on the PATH");
        Certificates own = Certificates.make(directory, "client");
        LoamServer server = start(
                "tls-auth-clients", "yes", "tls-ca-cert-file", own.certificate().toString());
        List<String> command = new ArrayList<>(List.of("redis-cli", "--tls", "-p", Integer.toString(server.tlsPort())));
        command.addAll(List.of("--cacert", certificates.certificate().toString()));
        List<String> with = new ArrayList<>(command);
        with.addAll(List.of(
                "--cert", own.certificate().toString(), "--key", own.key().toString(), "SET", "a", "b"));
        assertThat(output(with)).isEqualTo("OK");
        command.add("PING");
        assertThat(output(command)).as("without a certificate").doesNotContain("PONG");
    }

    private static boolean redisCliHasTls() throws IOException {
        return RealRedis.isInstalled() && output(List.of("redis-cli", "--help")).contains("--tls");
    }

    private static String output(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    }

    @Test
    void whatIsMissingIsNamed() {
        ServerOptions options = new ServerOptions().set("maxmemory", "16mb").set("tls-port", "1");
        assertThatThrownBy(() -> LoamServer.start(options)).hasMessage("tls-port needs tls-cert-file");
    }
}
