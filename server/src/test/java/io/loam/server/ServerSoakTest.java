package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.differential.RespClient;
import io.loam.server.differential.Value;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Many;
import io.loam.server.differential.Value.Nothing;
import io.loam.server.differential.Value.Number;
import io.loam.server.differential.Value.Status;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Clients against a server for a long time, each with a model of its own keys: mixed commands in pipelines, connections that are killed in the midst of them, by themselves and by others, connections that are left half
 * open, memory that is nearly full. Every reply must be the model's; after a kill a key holds what it held before one of the requests that were on their way, or after it. Run by
 * {@code mvn -Psoak test -pl server -am -Dtest=ServerSoakTest -Dsurefire.failIfNoSpecifiedTests=false -Dloam.soak.seconds=N}.
 */
@Tag("soak")
final class ServerSoakTest {

    private static final long SECONDS = Long.getLong("loam.soak.seconds", 60);
    private static final int CLIENTS = 6;
    private static final int KEYS = 1_500;

    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong kills = new AtomicLong();
    private final AtomicLong increments = new AtomicLong();
    private final AtomicLong doubtful = new AtomicLong();
    private LoamServer server;

    @Test
    void everyReplyIsTheModelsWhateverHappensToConnections() throws Exception {
        LoamServer started = LoamServer.start(new ServerOptions()
                .set("port", "0")
                .set("maxmemory", "24mb")
                .set("maxclients", "200")
                .set("timeout", "2"));
        server = started;
        long end = System.nanoTime() + SECONDS * 1_000_000_000L;
        try (started;
                ExecutorService threads = Executors.newCachedThreadPool()) {
            List<Client> clients = new ArrayList<>();
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                Client client = new Client(i);
                clients.add(client);
                running.add(threads.submit(() -> {
                    client.run(end);
                    return null;
                }));
            }
            running.add(threads.submit(() -> {
                disturb(end);
                return null;
            }));
            for (Future<?> each : running) {
                each.get();
            }
            check(clients);
        }
        System.out.printf("soak: %d s, %,d requests, %,d connections killed%n", SECONDS, requests.get(), kills.get());
    }

    private void check(List<Client> clients) throws IOException {
        try (RespClient client = new RespClient(server.port())) {
            long keys = 1;
            for (Client each : clients) {
                each.compareAll(client);
                keys += each.model.size();
            }
            assertThat(client.call("DBSIZE")).isEqualTo(new Number(keys));
            long sum = ((Number) client.call("INCRBY", "sum", "0")).value();
            assertThat(sum).isBetween(increments.get(), increments.get() + doubtful.get());
            for (int tries = 0; ; tries++) {
                String info = ((Bulk) client.call("INFO", "clients")).text();
                if (info.contains("connected_clients:1\r\n")) {
                    break; // half-open ones have been ended for their idleness
                }
                assertThat(tries).as(info).isLessThan(30_000);
                LockSupport.parkNanos(1_000_000);
            }
        }
    }

    /** Kills connections, and opens some that go silent in the midst of a request. */
    private void disturb(long end) throws IOException, InterruptedException {
        Random random = new Random(99);
        List<RespClient> halfOpen = new ArrayList<>();
        try {
            while (System.nanoTime() < end) {
                try (RespClient admin = new RespClient(server.port())) {
                    for (int i = 0; i < 20; i++) {
                        Thread.sleep(random.nextInt(30));
                        Matcher victim = Pattern.compile("id=(\\d+) [^\n]*name=c" + random.nextInt(CLIENTS) + ":")
                                .matcher(((Bulk) admin.call("CLIENT", "LIST")).text());
                        if (random.nextInt(3) == 0 && victim.find()) {
                            admin.call("CLIENT", "KILL", "ID", victim.group(1));
                        }
                        admin.call("INFO", "all");
                    }
                    if (halfOpen.size() < 100) {
                        RespClient silent = new RespClient(server.port());
                        silent.sendRaw(
                                "*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$100000\r\nabc".getBytes(StandardCharsets.US_ASCII));
                        halfOpen.add(silent);
                    }
                }
            }
        } finally {
            for (RespClient each : halfOpen) {
                each.close();
            }
        }
    }

    /** One request and what the model says of it; no expected reply: a number that grows. */
    private record Step(
            List<String> words,
            @Nullable Value expected,
            @Nullable String key,
            @Nullable String before,
            @Nullable String after) {}

    private final class Client {
        private final String prefix;
        private final Random random;
        private final Map<String, String> model = new HashMap<>();
        private RespClient connection;
        private long lastSum;

        private Client(int number) {
            prefix = "c" + number + ":";
            random = new Random(number);
        }

        private void run(long end) throws IOException {
            connect();
            try {
                while (System.nanoTime() < end) {
                    pipeline();
                }
            } finally {
                connection.close();
            }
        }

        /** Some requests at once; perhaps the connection ends before their replies have come. */
        private void pipeline() throws IOException {
            List<Step> steps = new ArrayList<>();
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            int count = 1 + random.nextInt(20);
            for (int i = 0; i < count; i++) {
                Step step = step();
                steps.add(step);
                bytes.writeBytes(RespClient.encode(step.words.toArray(String[]::new)));
            }
            boolean leaves = random.nextInt(400) == 0;
            int done = 0;
            try {
                connection.sendRaw(leaves ? cut(bytes.toByteArray()) : bytes.toByteArray());
                int read = leaves ? random.nextInt(count) : count;
                for (; done < read; done++) {
                    Step step = steps.get(done);
                    Value reply = connection.read();
                    requests.incrementAndGet();
                    if (step.expected == null) {
                        long sum = ((Number) reply).value();
                        assertThat(sum).isGreaterThan(lastSum);
                        lastSum = sum;
                        increments.incrementAndGet();
                    } else {
                        assertThat(reply)
                                .as("%s of client %s", step.words, prefix)
                                .isEqualTo(step.expected);
                    }
                }
            } catch (IOException e) {
                leaves = true; // killed by another
            }
            if (leaves) {
                connection.close();
                kills.incrementAndGet();
                settle(steps.subList(done, steps.size()));
                connect();
            }
        }

        private void connect() throws IOException {
            while (true) {
                connection = new RespClient(server.port());
                try {
                    connection.call("CLIENT", "SETNAME", prefix + "x");
                    return;
                } catch (IOException e) {
                    connection.close(); // killed already
                }
            }
        }

        private byte[] cut(byte[] bytes) {
            return Arrays.copyOf(bytes, 1 + random.nextInt(bytes.length));
        }

        /** Finds out which of the requests on their way were done: some of the first. The keys say so. */
        private void settle(List<Step> onTheirWay) throws IOException {
            Map<String, List<String>> possible = new HashMap<>();
            for (Step step : onTheirWay) {
                if (step.expected == null) {
                    doubtful.incrementAndGet();
                }
                if (step.key != null) {
                    possible.computeIfAbsent(step.key, ignored -> new ArrayList<>(List.of(text(step.before))))
                            .add(text(step.after));
                }
            }
            try (RespClient client = new RespClient(server.port())) {
                awaitEndOfKilled(client);
                for (Map.Entry<String, List<String>> each : possible.entrySet()) {
                    client.call("PERSIST", each.getKey()); // has the key for itself: what was at work on it is over
                    Value held = client.call("GET", each.getKey());
                    assertThat(each.getValue())
                            .as("%s after a kill", each.getKey())
                            .contains(held.toString());
                    if (held instanceof Bulk bulk) {
                        model.put(each.getKey(), bulk.text());
                    } else {
                        model.remove(each.getKey());
                    }
                }
            }
        }

        /** The server may still be at work on what it has read of the connection that was closed: until it has seen the end of it. */
        private void awaitEndOfKilled(RespClient client) throws IOException {
            String name = "name=" + prefix + "x ";
            for (int tries = 0; ((Bulk) client.call("CLIENT", "LIST")).text().contains(name); tries++) {
                assertThat(tries).as("the end of %s is seen", prefix).isLessThan(30_000);
                LockSupport.parkNanos(1_000_000);
            }
        }

        private String text(@Nullable String value) {
            return (value == null ? new Nothing(false) : new Bulk(value)).toString();
        }

        private Step step() {
            String key = prefix + random.nextInt(KEYS);
            String old = model.get(key);
            return switch (random.nextInt(12)) {
                case 0, 1, 2 -> {
                    String value = value();
                    model.put(key, value);
                    yield new Step(List.of("SET", key, value), new Status("OK"), key, old, value);
                }
                case 3 -> {
                    model.remove(key);
                    yield new Step(List.of("DEL", key), new Number(old == null ? 0 : 1), key, old, null);
                }
                case 4 -> {
                    String value = (old == null ? "" : old) + "+";
                    model.put(key, value);
                    yield new Step(List.of("APPEND", key, "+"), new Number(value.length()), key, old, value);
                }
                case 5 -> {
                    model.remove(key);
                    yield new Step(
                            List.of("GETDEL", key), old == null ? new Nothing(false) : new Bulk(old), key, old, null);
                }
                case 6 -> {
                    String value = value();
                    model.putIfAbsent(key, value);
                    yield new Step(
                            List.of("SETNX", key, value), new Number(old == null ? 1 : 0), key, old, model.get(key));
                }
                case 7 ->
                    new Step(List.of("STRLEN", key), new Number(old == null ? 0 : old.length()), null, null, null);
                case 8 -> new Step(List.of("EXPIRE", key, "1000"), new Number(old == null ? 0 : 1), null, null, null);
                case 9 -> new Step(List.of("INCR", "sum"), null, null, null, null);
                default ->
                    new Step(
                            List.of("MGET", key, key),
                            new Many('*', List.of(value(old), value(old))),
                            null,
                            null,
                            null);
            };
        }

        private Value value(@Nullable String text) {
            return text == null ? new Nothing(false) : new Bulk(text);
        }

        private String value() {
            return "v".repeat(random.nextInt(random.nextInt(20) == 0 ? 8_000 : 300)) + random.nextInt();
        }

        private void compareAll(RespClient client) throws IOException {
            for (int i = 0; i < KEYS; i++) {
                String key = prefix + i;
                assertThat(client.call("GET", key)).isEqualTo(value(model.get(key)));
            }
        }
    }
}
