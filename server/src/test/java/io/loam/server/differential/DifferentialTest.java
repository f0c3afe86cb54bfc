package io.loam.server.differential;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.LoamServer;
import io.loam.server.ServerOptions;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Many;
import io.loam.server.differential.Value.Number;
import io.loam.server.differential.Value.Verbatim;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The same requests to {@code redis-server} and to this server, and the same replies from both, byte for byte but for what a request excuses. Sequences follow from their seed: a failure
 * names it, and the requests before. With {@code -Dloam.differential.steps=N} more of them.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class DifferentialTest {

    /** Where requests come from; a family of commands adds its own. */
    static final List<RequestSource> SOURCES = List.of(
            new StringRequests(),
            new StringRequests(),
            new KeyRequests(),
            new BitRequests(),
            new HashRequests(),
            new HashRequests(),
            new ConnectionRequests(),
            new WatchRequests());

    private static final int STEPS = Integer.getInteger("loam.differential.steps", 3000);
    private static final long FIRST_SEED = Long.getLong("loam.differential.seed", 1);
    private static final int SEEDS = 4;
    private static final int SHOWN = 30;

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
                .flatMap(version -> Stream.iterate(FIRST_SEED, seed -> seed + 1)
                        .limit(SEEDS)
                        .map(seed -> Arguments.of(version, seed)));
    }

    @ParameterizedTest(name = "protocol {0}, seed {1}")
    @MethodSource("runs")
    void bothServersReplyTheSame(String version, long seed) throws IOException {
        Choice choice = new Choice(seed * 31 + version.hashCode());
        ArrayDeque<String> before = new ArrayDeque<>();
        try (RespClient expected = new RespClient(redis.port());
                RespClient actual = new RespClient(server.port())) {
            for (RespClient client : List.of(expected, actual)) {
                client.call("HELLO", version);
                client.call("FLUSHALL");
                client.call("CONFIG", "RESETSTAT");
            }
            long scanned = 0;
            for (int step = 0; step < STEPS; step++) {
                Request request = SOURCES.get(choice.below(SOURCES.size())).next(choice);
                boolean isTypeScan = request.toString().matches("(?i)SCAN .*\\bTYPE .*");
                long counted = isTypeScan ? hits(expected) : 0;
                Value right = expected.call(request.words());
                scanned += isTypeScan ? hits(expected) - counted : 0;
                Value ours = actual.call(request.words());
                before.add(request + "  ->  " + shown(right));
                if (before.size() > SHOWN) {
                    before.remove();
                }
                assertThat(request.comparison().test(right, ours))
                        .as(() -> "protocol " + version + ", seed " + seed + ", request " + request + "\nredis-server: "
                                + shown(right) + "\nthis server:  " + shown(ours) + "\nbefore it:\n"
                                + String.join("\n", before))
                        .isTrue();
            }
            // redis-server counts what SCAN looks at for TYPE
            assertThat(hits(actual)).isEqualTo(hits(expected) - scanned);
            assertThat(count(actual, "keyspace_misses")).isEqualTo(count(expected, "keyspace_misses"));
            compareContents(expected, actual);
        }
    }

    private static long hits(RespClient client) throws IOException {
        return count(client, "keyspace_hits");
    }

    private static long count(RespClient client, String field) throws IOException {
        String text = switch (client.call("INFO", "stats")) {
            case Bulk bulk -> bulk.text();
            case Verbatim verbatim -> verbatim.text();
            default -> "";
        };
        return Long.parseLong(text.replaceAll("(?s).*\r\n" + field + ":(\\d+)\r\n.*", "$1"));
    }

    private static String shown(Value value) {
        String text = value.toString();
        return text.length() > 2000 ? text.substring(0, 2000) + "… (" + text.length() + ")" : text;
    }

    /** All databases hold the same, and the keys expire at the same time. */
    private static void compareContents(RespClient expected, RespClient actual) throws IOException {
        for (String database : List.of("0", "1", "2", "3")) {
            expected.call("SELECT", database);
            actual.call("SELECT", database);
            Many names = (Many) expected.call("KEYS", "*");
            assertThat(actual.call("KEYS", "*").canonical()).isEqualTo(names.canonical());
            assertThat(actual.call("DBSIZE"))
                    .isEqualTo(new Number(names.values().size()));
            for (Value name : names.values()) {
                String key = ((Bulk) name).text();
                assertThat(actual.call("TYPE", key)).isEqualTo(expected.call("TYPE", key));
                assertThat(actual.call("GET", key)).isEqualTo(expected.call("GET", key));
                assertThat(actual.call("HGETALL", key).canonical())
                        .isEqualTo(expected.call("HGETALL", key).canonical());
                Request encoding = HashRequests.encoding(key);
                Value wanted = expected.call(encoding.words());
                Value got = actual.call(encoding.words());
                assertThat(encoding.comparison().test(wanted, got))
                        .as("OBJECT ENCODING %s: %s, here %s", key, wanted, got)
                        .isTrue();
                long right = ((Number) expected.call("PEXPIRETIME", key)).value();
                long ours = ((Number) actual.call("PEXPIRETIME", key)).value();
                assertThat(Math.abs(right - ours)).isLessThanOrEqualTo(right < 0 ? 0 : 30_000);
            }
        }
    }
}
