package io.loam.server.differential;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.LoamServer;
import io.loam.server.ServerOptions;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Failure;
import io.loam.server.differential.Value.Many;
import io.loam.server.differential.Value.Nothing;
import io.loam.server.differential.Value.Number;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Transactions of three clients, their requests in a random order, here and in {@code redis-server}: every reply is the same. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class TransactionDifferentialTest {

    private static final int CLIENTS = 3;
    private static final int STEPS = Integer.getInteger("loam.differential.steps", 3000);
    private static final int SHOWN = 40;

    private final RequestSource usual = new StringRequests();
    private final RequestSource keys = new KeyRequests();
    private RealRedis redis;
    private LoamServer server;

    @BeforeAll
    void start() throws IOException {
        redis = RealRedis.start();
        server = LoamServer.start(new ServerOptions().set("port", "0").set("maxmemory", "64mb"));
    }

    @AfterAll
    void stop() {
        if (server != null) {
            server.close();
        }
        if (redis != null) {
            redis.close();
        }
    }

    static Stream<Arguments> runs() {
        return Stream.of("2", "3")
                .flatMap(version -> Stream.of(11, 12, 13, 14).map(seed -> Arguments.of(version, seed)));
    }

    @ParameterizedTest(name = "protocol {0}, seed {1}")
    @MethodSource("runs")
    void transactionsReplyTheSame(String version, long seed) throws IOException {
        Choice choice = new Choice(seed * 31 + version.hashCode());
        List<RespClient> expected = connect(redis.port(), version);
        List<RespClient> actual = connect(server.port(), version);
        ArrayDeque<String> before = new ArrayDeque<>();
        int aborted = 0;
        int executed = 0;
        for (int step = 0; step < STEPS; step++) {
            int client = choice.below(CLIENTS);
            Request request = next(choice);
            Value right = expected.get(client).call(request.words());
            Value ours = actual.get(client).call(request.words());
            if (request.toString().equals("EXEC")) {
                aborted += right instanceof Nothing ? 1 : 0;
                executed += right instanceof Many ? 1 : 0;
            }
            before.add(client + ": " + request + "  ->  " + right);
            if (before.size() > SHOWN) {
                before.remove();
            }
            assertThat(request.comparison().test(right, ours))
                    .as(() -> "protocol " + version + ", seed " + seed + ", client " + client + ", request " + request
                            + "\nredis-server: " + right + "\nthis server:  " + ours + "\nbefore it:\n"
                            + String.join("\n", before))
                    .isTrue();
        }
        assertThat(aborted).as("transactions that a watched key ended").isGreaterThan(STEPS / 200);
        assertThat(executed).as("transactions that were executed").isGreaterThan(STEPS / 50);
        for (List<RespClient> clients : List.of(expected, actual)) {
            for (RespClient client : clients) {
                client.close();
            }
        }
    }

    private static List<RespClient> connect(int port, String version) throws IOException {
        List<RespClient> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            RespClient client = new RespClient(port);
            client.call("HELLO", version);
            clients.add(client);
        }
        clients.getFirst().call("FLUSHALL");
        return clients;
    }

    /** Few keys and small steps, so that clients get in each other's way; nothing whose reply a clock decides, for EXEC's reply is compared as a whole. */
    private Request next(Choice c) {
        return switch (c.below(20)) {
            case 0, 1, 2 -> Request.of("MULTI");
            case 3, 4, 5 -> Request.of("EXEC");
            case 6, 7 -> c.oneIn(4) ? Request.of("WATCH", c.key(), c.key(), c.key()) : Request.of("WATCH", c.key());
            case 8 -> Request.of(c.of("DISCARD", "UNWATCH", "UNWATCH"));
            case 9 -> c.oneIn(3) ? refused(c) : Request.of("GET", c.key());
            case 10 -> Request.of("DEL", c.key());
            case 11 -> Request.of("SET", c.key(), c.value());
            case 12 -> Request.of("INCR", c.key());
            case 13 -> c.oneIn(4) ? Request.of(c.of("FLUSHALL", "FLUSHDB")) : Request.of("SELECT", c.below(2));
            case 14 -> c.oneIn(3) ? Request.of("SWAPDB", 0, 1) : Request.of("DBSIZE");
            case 15 -> c.oneIn(2) ? Request.of("EXPIRE", c.key(), c.of("-1", "1000")) : Request.of("PERSIST", c.key());
            case 16 -> Request.of(c.of("RENAME", "COPY", "RENAMENX"), c.key(), c.key());
            default -> timeless(c);
        };
    }

    private static Request refused(Choice c) {
        return c.of(
                Request.of("NOSUCH", "x"),
                Request.of("GET"),
                Request.of("EXEC", "x"),
                Request.of("SHUTDOWN", "ABORT"),
                Request.of("CLIENT", "NOSUCH"),
                Request.of("INCR", "k0", "1"));
    }

    private Request timeless(Choice c) {
        while (true) {
            Request request = (c.oneIn(4) ? keys : usual).next(c);
            String text = request.toString();
            if (!text.matches("(?s)(P?TTL|P?EXPIRETIME|KEYS|SCAN|RANDOMKEY|OBJECT) .*|(RANDOMKEY|SCAN|OBJECT|KEYS)")) {
                return request;
            }
        }
    }

    /** In both servers a watched key whose time comes ends the transaction; one that was over before does not. */
    @Test
    void expiryOfAWatchedKeyEndsTheTransaction() throws IOException {
        for (int port : List.of(redis.port(), server.port())) {
            try (RespClient client = new RespClient(port)) {
                do { // until it is there when it is watched
                    client.call("UNWATCH");
                    client.call("SET", "soon", "1", "PX", "300");
                    client.call("WATCH", "soon");
                } while (client.call("EXISTS", "soon").equals(new Number(0)));
                awaitAbsence(port, "soon");
                client.call("MULTI");
                client.call("PING");
                assertThat(client.call("EXEC")).isEqualTo(new Nothing(true));
                client.call("SET", "soon", "1", "PX", "1");
                awaitAbsence(port, "soon");
                client.call("WATCH", "soon");
                client.call("MULTI");
                client.call("ECHO", "x");
                assertThat(client.call("EXEC")).isEqualTo(new Many('*', List.of(new Bulk("x"))));
            }
        }
    }

    private static void awaitAbsence(int port, String key) throws IOException {
        try (RespClient other = new RespClient(port)) {
            while (other.call("GET", key) instanceof Bulk) {
                LockSupport.parkNanos(1_000_000);
            }
        }
    }

    @Test
    void commandsOfAConnectionAreAnsweredTheSameInTransactions() throws IOException {
        List<List<Value>> replies = new ArrayList<>();
        for (int port : List.of(redis.port(), server.port())) {
            List<Value> all = new ArrayList<>();
            try (RespClient client = new RespClient(port)) {
                for (String line : List.of(
                        "MULTI",
                        "MULTI",
                        "WATCH a",
                        "MONITOR",
                        "CLIENT GETNAME",
                        "SELECT 2",
                        "SET t 1",
                        "SELECT 0",
                        "GET t",
                        "EXEC",
                        "EXEC",
                        "DISCARD",
                        "MULTI",
                        "SET a",
                        "DISCARD",
                        "MULTI",
                        "RESET",
                        "EXEC",
                        "WATCH",
                        "UNWATCH",
                        "MULTI",
                        "SUBSCRIBE c",
                        "PING",
                        "UNSUBSCRIBE",
                        "PING",
                        "DISCARD",
                        "MULTI",
                        "CONFIG SET maxclients abc",
                        "SET a x",
                        "INCR a",
                        "APPEND a y",
                        "EXEC",
                        "CLIENT TRACKING OFF",
                        "CLIENT TRACKINGINFO",
                        "MULTI",
                        "QUIT")) {
                    all.add(client.call(line.split(" ")));
                }
                assertThat(client.isEnded()).isTrue();
            }
            replies.add(all);
        }
        assertThat(replies.get(1)).isEqualTo(replies.get(0));
        assertThat(replies.get(1)).contains(new Failure("ERR MULTI calls can not be nested"));
    }
}
