package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.differential.RealRedis;
import io.loam.server.differential.RespClient;
import io.loam.server.differential.Value;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Many;
import io.loam.server.differential.Value.Number;
import io.loam.server.differential.Value.Status;
import io.loam.server.differential.Value.Verbatim;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a server tells of itself: SLOWLOG, LATENCY, MEMORY, INFO, LOAM, JFR. */
final class WatchTest {

    private static final Status OK = new Status("OK");

    private final List<AutoCloseable> opened = new ArrayList<>();

    private RespClient start(String... settings) throws IOException {
        ServerOptions options = new ServerOptions().set("port", "0").set("maxmemory", "64mb");
        for (int i = 0; i < settings.length; i += 2) {
            options.set(settings[i], settings[i + 1]);
        }
        LoamServer server = LoamServer.start(options);
        opened.add(server);
        return connect(server.port());
    }

    private RespClient connect(int port) throws IOException {
        RespClient client = new RespClient(port);
        opened.add(client);
        return client;
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened.reversed()) {
            each.close();
        }
    }

    private static List<Value> many(Value value) {
        return ((Many) value).values();
    }

    private static long number(Value value) {
        return ((Number) value).value();
    }

    /** Section of INFO as a map. */
    private static Map<String, String> info(RespClient client, String section) throws IOException {
        Map<String, String> lines = new LinkedHashMap<>();
        for (String line : ((Bulk) client.call("INFO", section)).text().split("\r\n")) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                lines.put(line.substring(0, colon), line.substring(colon + 1));
            }
        }
        return lines;
    }

    private static Map<String, Value> stats(RespClient client) throws IOException {
        List<Value> pairs = many(client.call("LOAM", "STATS"));
        Map<String, Value> stats = new LinkedHashMap<>();
        for (int i = 0; i < pairs.size(); i += 2) {
            stats.put(((Bulk) pairs.get(i)).text(), pairs.get(i + 1));
        }
        return stats;
    }

    // ---- SLOWLOG

    /** The requests that are kept, cut short and redacted, are those that Redis keeps. */
    @Test
    void theSlowLogKeepsWhatRedisKeeps() throws IOException {
        RealRedis redis = RealRedis.start();
        opened.add(redis);
        RespClient expected = connect(redis.port());
        RespClient actual = start();
        List<String> manyKeys = new ArrayList<>(List.of("DEL"));
        for (int i = 0; i < 40; i++) {
            manyKeys.add("k" + i);
        }
        for (RespClient client : List.of(expected, actual)) {
            client.call("CONFIG", "SET", "slowlog-log-slower-than", "0");
            client.call("CLIENT", "SETNAME", "me");
            client.call("SET", "k", "v".repeat(200));
            client.call("SET", "k", "v".repeat(128));
            client.call(manyKeys.toArray(String[]::new));
            client.call("AUTH", "someone", "secret");
            client.call("HELLO", "2", "AUTH", "default", "secret", "SETNAME", "you");
            client.call("CONFIG", "SET", "timeout", "0", "requirepass", "");
            client.call("NOSUCH", "command");
            client.call("GET");
            client.call("INCR", "k");
        }
        List<Value> right = many(expected.call("SLOWLOG", "GET", "-1"));
        List<Value> ours = many(actual.call("SLOWLOG", "GET", "-1"));
        assertThat(ours).hasSameSizeAs(right).hasSizeGreaterThan(6);
        for (int i = 0; i < right.size(); i++) {
            List<Value> theirEntry = many(right.get(i));
            List<Value> ourEntry = many(ours.get(i));
            assertThat(ourEntry.get(0)).isEqualTo(theirEntry.get(0));
            assertThat(ourEntry.get(3)).isEqualTo(theirEntry.get(3));
            assertThat(ourEntry.get(5)).isEqualTo(theirEntry.get(5));
            assertThat(((Bulk) ourEntry.get(4)).text()).matches("127\\.0\\.0\\.1:\\d+");
        }
    }

    @Test
    void theSlowLogHasABoundAndIds() throws IOException {
        RespClient client = start("slowlog-log-slower-than", "0", "slowlog-max-len", "5");
        for (int i = 0; i < 20; i++) {
            client.call("SET", "k", Integer.toString(i));
        }
        assertThat(client.call("SLOWLOG", "LEN")).isEqualTo(new Number(5));
        List<Value> entries = many(client.call("SLOWLOG", "GET", "2"));
        assertThat(entries).hasSize(2);
        assertThat(number(many(entries.get(0)).get(0)))
                .isEqualTo(number(many(entries.get(1)).get(0)) + 1);
        assertThat(client.call("CONFIG", "SET", "slowlog-log-slower-than", "-1"))
                .isEqualTo(OK);
        assertThat(client.call("SLOWLOG", "RESET")).isEqualTo(OK);
        client.call("SET", "k", "x");
        assertThat(client.call("SLOWLOG", "LEN")).isEqualTo(new Number(0));
    }

    // ---- LATENCY

    @Test
    void longCommandsAreMonitoredWhenAskedFor() throws IOException {
        RespClient client = start("enable-debug-command", "yes", "slowlog-log-slower-than", "-1");
        client.call("DEBUG", "SLEEP", "0.02");
        assertThat(many(client.call("LATENCY", "LATEST"))).isEmpty();
        client.call("CONFIG", "SET", "latency-monitor-threshold", "10");
        client.call("DEBUG", "SLEEP", "0.02");
        List<Value> event = many(many(client.call("LATENCY", "LATEST")).getFirst());
        assertThat(event.get(0)).isEqualTo(new Bulk("command"));
        assertThat(number(event.get(3))).isGreaterThanOrEqualTo(20);
        List<Value> samples = many(client.call("LATENCY", "HISTORY", "command"));
        assertThat(number(many(samples.getFirst()).get(1))).isGreaterThanOrEqualTo(10);
        assertThat(((Bulk) client.call("LATENCY", "DOCTOR")).text()).contains("command: ", "SLOWLOG GET");
        assertThat(number(client.call("LATENCY", "RESET", "command", "nothing")))
                .isOne();
        assertThat(client.call("SLOWLOG", "LEN")).isEqualTo(new Number(0));
    }

    @Test
    void histogramsCountEachCall() throws IOException {
        RespClient client = start();
        client.call("HELLO", "3");
        for (int i = 0; i < 100; i++) {
            client.call("SET", "k", "v");
        }
        client.call("CONFIG", "GET", "port");
        Many all = (Many) client.call("LATENCY", "HISTOGRAM", "set", "config", "nosuch", "get");
        assertThat(all.values()).hasSize(4);
        assertThat(all.values().get(0)).isEqualTo(new Bulk("set"));
        assertThat(all.values().get(2)).isEqualTo(new Bulk("config|get"));
        List<Value> set = many(all.values().get(1));
        assertThat(set.subList(0, 3)).containsExactly(new Bulk("calls"), new Number(100), new Bulk("histogram_usec"));
        List<Value> buckets = many(set.get(3));
        assertThat(buckets.getLast()).isEqualTo(new Number(100));
        for (int i = 2; i < buckets.size(); i++) {
            assertThat(number(buckets.get(i))).isGreaterThan(number(buckets.get(i - 2)));
        }
        assertThat(client.call("CONFIG", "RESETSTAT")).isEqualTo(OK);
        assertThat(many(client.call("LATENCY", "HISTOGRAM", "set"))).isEmpty();
        client.call("CONFIG", "SET", "latency-tracking", "no");
        client.call("SET", "k", "v");
        assertThat(many(client.call("LATENCY", "HISTOGRAM", "set"))).isEmpty();
    }

    @Test
    void infoTellsPercentilesAndCountsOfCommands() throws IOException {
        RespClient client = start();
        client.call("CONFIG", "SET", "latency-tracking-info-percentiles", "50 99.9 100");
        for (int i = 0; i < 10; i++) {
            client.call("INCR", "n");
        }
        client.call("SET", "text", "x");
        client.call("INCR", "text");
        client.call("INCR");
        assertThat(info(client, "latencystats").get("latency_percentiles_usec_incr"))
                .matches("p50=\\d+\\.\\d{3},p99\\.9=\\d+\\.\\d{3},p100=\\d+\\.\\d{3}");
        assertThat(info(client, "commandstats").get("cmdstat_incr"))
                .matches("calls=11,usec=\\d+,usec_per_call=\\d+\\.\\d\\d,rejected_calls=1,failed_calls=1");
        assertThat(info(client, "errorstats")).containsEntry("errorstat_ERR", "count=2");
    }

    // ---- MEMORY

    /** What MEMORY USAGE says of all keys of a database, without their slots of the index. */
    private static long logBytesOfStrings(RespClient client) throws IOException {
        long sum = 0;
        for (Value key : many(client.call("KEYS", "*"))) {
            long bytes = number(client.call("MEMORY", "USAGE", ((Bulk) key).text()));
            assertThat(bytes).isGreaterThan(number(client.call("STRLEN", ((Bulk) key).text())));
            sum += bytes - 8;
        }
        return sum;
    }

    /** Not at once: for a moment an entry that the cleaner moves counts in both its places. */
    private static void awaitLiveBytes(RespClient client, long expected) throws IOException {
        long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        long live = number(stats(client).get("memory_live_bytes"));
        while (live != expected && System.nanoTime() < deadline) {
            Thread.onSpinWait();
            live = number(stats(client).get("memory_live_bytes"));
        }
        assertThat(live).isEqualTo(expected);
    }

    /** What MEMORY USAGE says of all keys adds up to what the store says of its log, to the byte. */
    @Test
    void memoryUsageAddsUpToTheLivePartOfTheLog() throws IOException {
        RespClient client = start();
        long before = number(stats(client).get("memory_live_bytes"));
        Random random = new Random(3);
        int keys = 2_000;
        for (int i = 0; i < keys; i++) {
            String value = "v".repeat(i % 50 == 0 ? random.nextInt(200_000) : random.nextInt(300));
            if (i % 3 == 0) {
                client.call("SELECT", Integer.toString(i % 2));
            }
            client.call("SET", "key" + i, value);
            if (i % 5 == 0) {
                client.call("SET", "key" + i, value + "x".repeat(random.nextInt(20)), "EX", "1000");
            }
        }
        long sum = 0;
        for (String database : List.of("0", "1")) {
            client.call("SELECT", database);
            sum += logBytesOfStrings(client);
        }
        awaitLiveBytes(client, before + sum);
        assertThat(client.call("MEMORY", "USAGE", "nosuch")).isEqualTo(new Value.Nothing(false));
    }

    @Test
    void memoryUsageCountsTheFieldsOfALargeHash() throws IOException {
        RespClient client = start();
        client.call("HSET", "first", "f", "v".repeat(100)); // takes the ids of the next ones too
        long before = number(stats(client).get("memory_live_bytes"));
        for (int i = 0; i < 500; i++) {
            client.call("HSET", "hash", "field" + i, "v".repeat(i % 200));
        }
        for (int i = 0; i < 500; i += 7) {
            client.call("HDEL", "hash", "field" + i);
        }
        long entries = 2 + 2 * number(client.call("HLEN", "hash"));
        assertThat(client.call("OBJECT", "ENCODING", "hash")).isEqualTo(new Bulk("hashtable"));
        awaitLiveBytes(client, before + number(client.call("MEMORY", "USAGE", "hash")) - 8 * entries);
    }

    @Test
    void infoSplitsTheMemoryHonestly() throws IOException {
        RespClient client = start("update-policy", "append");
        long before = number(stats(client).get("memory_live_bytes"));
        for (int i = 0; i < 3_000; i++) {
            client.call("SET", "key" + i % 1000, "v".repeat(1000));
        }
        Map<String, String> memory = info(client, "memory");
        long live = logBytesOfStrings(client);
        long dead = Long.parseLong(memory.get("dead_log_bytes"));
        assertThat(live).isBetween(1000 * 1000L, 1000 * 1100L);
        awaitLiveBytes(client, before + live);
        assertThat(dead).isPositive();
        assertThat(Long.parseLong(memory.get("used_memory")))
                .isGreaterThanOrEqualTo(live + dead + Long.parseLong(memory.get("index_bytes")));
        assertThat(Long.parseLong(memory.get("used_memory_rss"))).isGreaterThan(live);
        assertThat(memory)
                .containsKeys("mem_fragmentation_ratio", "allocator_frag_ratio", "mem_clients_normal", "free_bytes");
        assertThat(client.call("MEMORY", "PURGE")).isEqualTo(OK);
        Map<String, String> cleaned = info(client, "memory");
        assertThat(Long.parseLong(cleaned.get("dead_log_bytes"))).isLessThan(2_000 * 1_000L);
        awaitLiveBytes(client, before + live);
        assertThat(Double.parseDouble(info(client, "stats").get("write_cost"))).isGreaterThanOrEqualTo(1);
        assertThat(((Bulk) client.call("MEMORY", "DOCTOR")).text()).isNotBlank();
        assertThat(((Bulk) client.call("MEMORY", "MALLOC-STATS")).text()).contains("90 to 100 % live");
        assertThat(many(client.call("MEMORY", "STATS"))).contains(new Bulk("dead.bytes"), new Bulk("total.allocated"));
        client.call("HELLO", "3");
        assertThat(client.call("MEMORY", "DOCTOR")).isInstanceOf(Verbatim.class);
    }

    // ---- LOAM

    @Test
    void loamTellsFiguresTimesAndSegments() throws IOException {
        RespClient client = start();
        for (int i = 0; i < 200; i++) {
            client.call("SET", "key" + i, "v".repeat(5000));
        }
        Map<String, Value> stats = stats(client);
        assertThat(stats.get("clients")).isEqualTo(new Number(1));
        assertThat(number(stats.get("commands"))).isGreaterThanOrEqualTo(200);
        assertThat(number(stats.get("memory_used_bytes")))
                .isEqualTo(number(stats.get("memory_limit_bytes")) - number(stats.get("memory_free_bytes")));
        List<Value> latencies = many(client.call("LOAM", "LATENCIES"));
        long counted = 0;
        for (int i = 1; i < latencies.size(); i += 2) {
            counted += number(latencies.get(i));
        }
        assertThat(counted).isEqualTo(201);
        List<Value> segments = many(client.call("LOAM", "SEGMENTS"));
        assertThat(segments).hasSize((int) number(stats.get("segments")));
        assertThat(segments).allSatisfy(segment -> {
            List<Value> fields = many(segment);
            assertThat(fields.getFirst())
                    .isIn(new Bulk("HEAD"), new Bulk("SEALED"), new Bulk("CLEANING"), new Bulk("RETIRED"));
            assertThat(fields).hasSize(5);
        });
    }

    // ---- JFR

    @Test
    void slowCommandsRefusalsAndSlowReadersAreEvents(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("watch.jfr");
        try (Recording recording = new Recording()) {
            for (String name : List.of("SlowCommand", "ConnectionRefused", "OutputFull")) {
                recording.enable("io.loam." + name).withoutThreshold();
            }
            recording.start();
            RespClient client = start("slowlog-log-slower-than", "0", "maxclients", "1");
            client.call("SET", "large", "v".repeat(1 << 20));
            RespClient second = connect(client.socket().getPort());
            assertThat(second.read().toString()).contains("max number of clients");
            for (int i = 0; i < 100; i++) {
                client.send("GET", "large");
            }
            LockSupport.parkNanos(500_000_000); // until the sockets take no more
            for (int i = 0; i < 100; i++) {
                assertThat(client.read()).isInstanceOf(Bulk.class);
            }
            recording.stop();
            recording.dump(file);
        }
        List<RecordedEvent> events = RecordingFile.readAllEvents(file);
        assertThat(events).anySatisfy(event -> {
            assertThat(event.getEventType().getName()).isEqualTo("io.loam.SlowCommand");
            assertThat(event.getString("command")).isEqualTo("set");
            assertThat(event.getLong("argumentBytes")).isGreaterThan(1 << 20);
        });
        assertThat(events).anySatisfy(event -> {
            assertThat(event.getEventType().getName()).isEqualTo("io.loam.ConnectionRefused");
            assertThat(event.getString("remoteAddress")).startsWith("127.0.0.1:");
        });
        assertThat(events).anySatisfy(event -> {
            assertThat(event.getEventType().getName()).isEqualTo("io.loam.OutputFull");
            assertThat(event.getLong("waitingBytes")).isPositive();
        });
    }
}
