package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.command.Throttle;
import io.loam.server.differential.RespClient;
import io.loam.server.differential.Value.Failure;
import io.loam.server.differential.Value.Status;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What an operator reads of a server. */
final class LogTest {

    @RegisterExtension
    final Servers servers = new Servers();

    private final Logger logger = Logger.getLogger("io.loam.server");
    private final Queue<String> lines = new ConcurrentLinkedQueue<>();
    private final Handler handler = new Handler() {
        private final SimpleFormatter formatter = new SimpleFormatter();

        @Override
        public void publish(LogRecord line) {
            lines.add(line.getLevel() + " " + formatter.formatMessage(line));
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    @BeforeEach
    void listen() {
        logger.addHandler(handler);
    }

    @AfterEach
    void stopListening() {
        logger.removeHandler(handler);
    }

    @Test
    void startAndStopAreLogged() throws Exception {
        LoamServer server =
                LoamServer.start(new ServerOptions().set("port", "0").set("maxmemory", "32mb"));
        try (RespClient client = new RespClient(server.port())) {
            assertThat(lines)
                    .contains("INFO listening at 127.0.0.1 port " + server.port() + " over " + server.transport());
            client.send("SHUTDOWN");
            server.await();
            server.close();
        }
        assertThat(lines)
                .anyMatch(line ->
                        line.matches("INFO client 1 at 127.0.0.1:\\d+, user default, ends the server by SHUTDOWN"))
                .anyMatch(line -> line.matches("INFO stopping; \\d connections end"))
                .contains("INFO stopped");
    }

    @Test
    void aFailedAuthenticationIsLoggedWithoutThePassword() throws IOException {
        LoamServer server = servers.start("requirepass", "geheim");
        RespClient client = servers.connect(server);
        assertThat(client.call("AUTH", "falsch1")).isInstanceOf(Failure.class);
        assertThat(client.call("AUTH", "falsch2", "falsch3")).isInstanceOf(Failure.class);
        assertThat(client.call("HELLO", "3", "AUTH", "default", "falsch4")).isInstanceOf(Failure.class);
        assertThat(client.call("AUTH", "geheim")).isEqualTo(new Status("OK"));
        List<String> failed =
                lines.stream().filter(line -> line.contains("authenticate")).toList();
        assertThat(failed).hasSize(3).allMatch(line -> line.startsWith("WARNING client 1 at 127.0.0.1:"));
        assertThat(failed.get(0)).endsWith(" fails to authenticate as user default");
        assertThat(failed.get(1)).endsWith(" fails to authenticate as a user that does not exist");
        assertThat(failed.get(2)).endsWith(" fails to authenticate as user default");
        assertThat(lines).noneMatch(line -> line.contains("falsch") || line.contains("geheim"));
    }

    @Test
    void refusedConnectionsAreLoggedButNotAllOfMany() throws IOException {
        LoamServer server = servers.start(InstantSource.fixed(Instant.now()), "maxclients", "1");
        servers.connect(server).call("PING");
        for (int i = 0; i < 30; i++) {
            try (RespClient client = new RespClient(server.port())) {
                assertThat(client.read()).isEqualTo(new Failure("ERR max number of clients reached"));
            }
        }
        List<String> refused =
                lines.stream().filter(line -> line.contains("refused")).toList();
        assertThat(refused)
                .hasSize(10)
                .allMatch(line -> line.matches(
                        "WARNING a connection from 127.0.0.1:\\d+ is refused: ERR max number of clients reached"));
    }

    @Test
    void whatWasLeftOutIsCountedInTheNextMessage() {
        AtomicLong millis = new AtomicLong(1_000_000);
        Throttle throttle = new Throttle(() -> Instant.ofEpochMilli(millis.get()));
        List<String> told = new ArrayList<>();
        for (int i = 0; i < 25; i++) {
            throttle.tell(told::add);
        }
        assertThat(told).hasSize(10).containsOnly("");
        millis.addAndGet(59_999);
        throttle.tell(told::add);
        assertThat(told).hasSize(10);
        millis.addAndGet(1);
        throttle.tell(told::add);
        throttle.tell(told::add);
        assertThat(told).hasSize(12).endsWith(" (and 16 times more since the last such message)", "");
    }
}
