package io.loam.bench.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.loam.bench.WorkerFailure;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Every request has its reply, and every latency counts from when its request was due. */
class LoadGeneratorTest {

    private static final long MILLISECOND = 1_000_000;
    private static final long PATIENCE_NANOS = 20_000 * MILLISECOND;

    private static LoadPlan plan(TinyServer server, String command, String order, long keys, double share) {
        return new LoadPlan("RESP", server.port(), command, 0.9, 40, 0, keys, order, share, 7, 16, 0, 1, 0, 1);
    }

    private static Map<String, Object> run(LoadPlan plan) {
        return new LoadGenerator(System::nanoTime, PATIENCE_NANOS).run(plan);
    }

    private static long count(Map<String, Object> figures, String name) {
        return ((Number) figures.getOrDefault(name, -1)).longValue();
    }

    @Test
    void aSequenceSendsEveryKeyOnceAndCountsEveryReply() throws IOException {
        Map<String, String> stored = new ConcurrentHashMap<>();
        try (TinyServer server = new TinyServer(request -> {
            if (request.getFirst().equals("SET")) {
                return stored.put(request.get(1), request.get(2)) == null ? "+OK\r\n" : "-twice\r\n";
            }
            String value = stored.get(request.get(1));
            return value == null ? "$-1\r\n" : "$" + value.length() + "\r\n" + value + "\r\n";
        })) {
            Map<String, Object> filled = run(plan(server, "set", LoadPlan.SEQUENCE, 5000, 1));
            assertThat(count(filled, "operations")).isEqualTo(5000);
            assertThat(count(filled, "errors")).isZero();
            assertThat(stored).hasSize(5000).containsKeys("key:000000000000", "key:000000004999");
            assertThat(stored.get("key:000000000042")).hasSize(40);
            Map<String, Object> read = run(plan(server, "get", LoadPlan.SEQUENCE, 6000, 1));
            assertThat(count(read, "operations")).isEqualTo(6000);
            assertThat(count(read, "misses")).isEqualTo(1000);
        }
    }

    @Test
    void aShareOfASequenceIsChosenAtRandomAndTheSameEachTime() throws IOException {
        Set<String> deleted = ConcurrentHashMap.newKeySet();
        try (TinyServer server = new TinyServer(request -> deleted.add(request.get(1)) ? ":1\r\n" : ":0\r\n")) {
            Map<String, Object> figures = run(plan(server, "delete", LoadPlan.SEQUENCE, 10_000, 0.9));
            assertThat(count(figures, "operations")).isEqualTo(deleted.size());
            assertThat(deleted.size()).isCloseTo(9000, within(150));
            for (int key = 0; key < 10_000; key++) {
                assertThat(deleted.contains("key:%012d".formatted(key)))
                        .as("key %s", key)
                        .isEqualTo(LoadPlan.isChosen(key, 0.9));
            }
        }
    }

    @Test
    void mixesAreSentAsAskedUntilTheTimeIsOver() throws IOException {
        AtomicInteger gets = new AtomicInteger();
        AtomicInteger sets = new AtomicInteger();
        try (TinyServer server = new TinyServer(request -> {
            (request.getFirst().equals("GET") ? gets : sets).incrementAndGet();
            return request.getFirst().equals("GET") ? "$3\r\nabc\r\n" : "+OK\r\n";
        })) {
            Map<String, Object> figures = run(plan(server, "mixed", "zipfian", 1000, 1));
            assertThat(count(figures, "operations"))
                    .isEqualTo(gets.get() + sets.get())
                    .isGreaterThan(100);
            assertThat((double) gets.get() / (gets.get() + sets.get())).isCloseTo(0.9, within(0.1));
        }
    }

    @Test
    void refusalsAreCountedAndTheFirstIsKept() throws IOException {
        try (TinyServer server = new TinyServer(request -> "-OOM command not allowed\r\n")) {
            Map<String, Object> figures = run(plan(server, "hset", LoadPlan.SEQUENCE, 100, 1));
            assertThat(count(figures, "errors")).isEqualTo(100);
            assertThat(figures).containsEntry("firstError", "-OOM command not allowed");
        }
    }

    @Test
    void aLostReplyIsAFailure() throws IOException {
        AtomicInteger requests = new AtomicInteger();
        try (TinyServer server = new TinyServer(request -> requests.incrementAndGet() == 50 ? "" : "+OK\r\n")) {
            LoadPlan plan = plan(server, "set", LoadPlan.SEQUENCE, 112, 1);
            assertThatThrownBy(() -> new LoadGenerator(System::nanoTime, 5_000 * MILLISECOND).run(plan))
                    .isInstanceOf(WorkerFailure.class)
                    .hasMessageContaining("1 replies are missing");
        }
    }

    @Test
    void aReplyTooManyIsAFailure() throws IOException {
        try (TinyServer server = new TinyServer(request -> "+OK\r\n+OK\r\n")) {
            LoadPlan plan = plan(server, "set", LoadPlan.SEQUENCE, 1000, 1);
            assertThatThrownBy(() -> run(plan))
                    .isInstanceOf(WorkerFailure.class)
                    .hasMessageContaining("too many");
        }
    }

    @Test
    void aClosedConnectionIsAFailure() throws IOException {
        AtomicInteger requests = new AtomicInteger();
        try (TinyServer server = new TinyServer(request -> requests.incrementAndGet() > 50 ? null : "+OK\r\n")) {
            LoadPlan plan = plan(server, "set", LoadPlan.SEQUENCE, 1000, 1);
            assertThatThrownBy(() -> run(plan))
                    .isInstanceOf(WorkerFailure.class)
                    .hasMessageMatching("the server closed a connection.*|a connection broke.*");
        }
    }

    @Test
    void withoutARateLatencyIsTheServersTime() throws IOException {
        // Time passes only while the server works: 1 ms for the first request, 2 for the second …
        AtomicLong clock = new AtomicLong(5);
        AtomicInteger requests = new AtomicInteger();
        try (TinyServer server = new TinyServer(request -> {
            clock.addAndGet(requests.incrementAndGet() * MILLISECOND);
            return "+OK\r\n";
        })) {
            LoadPlan plan =
                    new LoadPlan("RESP", server.port(), "set", 0, 1, 0, 100, LoadPlan.SEQUENCE, 1, 1, 1, 0, 0, 0, 1);
            Map<String, Object> figures = new LoadGenerator(clock::get, PATIENCE_NANOS).run(plan);
            assertThat(count(figures, "p50Nanos")).isCloseTo(50 * MILLISECOND, within(MILLISECOND / 2));
            assertThat(count(figures, "p99Nanos")).isCloseTo(99 * MILLISECOND, within(MILLISECOND / 2));
            assertThat(count(figures, "longestNanos")).isEqualTo(100 * MILLISECOND);
        }
    }

    @Test
    void atARateLatencyCountsFromWhenARequestWasDue() throws IOException {
        // A request a millisecond for 100 ms, of which each takes the server 10: request i is due at i and done at 10
        // (i + 1).
        AtomicLong clock = new AtomicLong(5);
        try (TinyServer server = new TinyServer(request -> {
            clock.addAndGet(10 * MILLISECOND);
            return "+OK\r\n";
        })) {
            LoadPlan plan =
                    new LoadPlan("RESP", server.port(), "set", 0, 1, 0, 1000, "uniform", 1, 1, 1, 1000, 0.1, 0, 1);
            Map<String, Object> figures = new LoadGenerator(clock::get, PATIENCE_NANOS).run(plan);
            assertThat(count(figures, "operations")).isEqualTo(100);
            assertThat(count(figures, "p50Nanos")).isCloseTo(451 * MILLISECOND, within(4 * MILLISECOND));
            assertThat(count(figures, "p99Nanos")).isCloseTo(892 * MILLISECOND, within(4 * MILLISECOND));
            assertThat(count(figures, "longestNanos")).isEqualTo(901 * MILLISECOND);
        }
    }

    @Test
    void connectionsShareTheRateAndPingsHaveTheirOwn() throws IOException {
        AtomicInteger pings = new AtomicInteger();
        AtomicInteger gets = new AtomicInteger();
        try (TinyServer server = new TinyServer(request -> {
            boolean ping = request.getFirst().equals("PING");
            (ping ? pings : gets).incrementAndGet();
            return ping ? "+PONG\r\n" : "$1\r\nx\r\n";
        })) {
            LoadPlan plan =
                    new LoadPlan("RESP", server.port(), "get", 0, 1, 0, 1000, "uniform", 1, 5, 4, 2000, 0.25, 400, 1);
            Map<String, Object> figures = run(plan);
            assertThat(count(figures, "operations")).isEqualTo(500);
            assertThat(gets.get()).isEqualTo(500);
            assertThat(count(figures, "pings")).isEqualTo(100);
            assertThat(pings.get()).isEqualTo(100);
            assertThat(List.of(count(figures, "longestPingNanos"), count(figures, "p50Nanos")))
                    .allMatch(nanos -> nanos > 0);
        }
    }
}
