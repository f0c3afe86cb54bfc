package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.differential.RespClient;
import io.loam.server.differential.Value;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Many;
import io.loam.server.differential.Value.Nothing;
import io.loam.server.differential.Value.Number;
import io.loam.server.differential.Value.Status;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Clients against a server for a long time, each with a model of its own keys: mixed commands in pipelines on strings, on hashes small and large, in transactions, on keys that expire, and messages to a subscriber;
 * connections that are killed in the midst of them, by themselves and by others, connections that are left half open, memory that is well filled. Every reply must be the model's; after a kill the keys hold what they held
 * after some of the requests that were on their way, the first ones, and none of the others; every message that was acknowledged arrives, in order. At the end every value is compared, everything is deleted, and
 * nothing may be left. Run by
 * {@code mvn -Psoak test -pl server -am -Dtest=ServerSoakTest -Dsurefire.failIfNoSpecifiedTests=false -Dloam.soak.seconds=N}.
 */
@Tag("soak")
final class ServerSoakTest {

    private static final long SECONDS = Long.getLong("loam.soak.seconds", 60);
    private static final int CLIENTS = 6;
    private static final int STRINGS = 1_500;
    private static final int SMALL_HASHES = 100;
    private static final int SMALL_FIELDS = 12;
    private static final int LARGE_HASHES = 2;
    private static final int LARGE_FIELDS = 4_000;
    private static final int MORTALS = 50;
    /** What Netty may keep of direct memory for buffers to come. */
    private static final long MOST_DIRECT_BYTES = 64 << 20;
    /** What an empty server has in its log. */
    private static final long MOST_LEFT_BYTES = 64 << 10;

    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong kills = new AtomicLong();
    private final AtomicLong transactions = new AtomicLong();
    private final AtomicLong expiries = new AtomicLong();
    private final AtomicLong increments = new AtomicLong();
    private final AtomicLong doubtful = new AtomicLong();
    private LoamServer server;

    @Test
    void everyReplyIsTheModelsWhateverHappensToConnections() throws Exception {
        LoamServer started = LoamServer.start(new ServerOptions()
                .set("port", "0")
                .set("maxmemory", "32mb")
                .set("maxclients", "200")
                .set("timeout", "10"));
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
        System.out.printf(
                "soak: %d s, %,d requests, %,d transactions, %,d keys seen expired, %,d connections killed%n",
                SECONDS, requests.get(), transactions.get(), expiries.get(), kills.get());
    }

    private void check(List<Client> clients) throws IOException {
        try (RespClient client = new RespClient(server.port())) {
            long keys = 1;
            for (Client each : clients) {
                each.compareAll(client);
                keys += each.known.size();
            }
            assertThat(client.call("DBSIZE")).isEqualTo(new Number(keys));
            long sum = ((Number) client.call("INCRBY", "sum", "0")).value();
            assertThat(sum).isBetween(increments.get(), increments.get() + doubtful.get());
            // half-open ones are ended for their idleness
            await(() -> info(client, "clients").contains("connected_clients:1\r\n"));
            for (Client each : clients) {
                each.deleteAll(client);
            }
            assertThat(client.call("DEL", "sum")).isEqualTo(new Number(1));
            assertThat(client.call("DBSIZE")).isEqualTo(new Number(0));
            // what a large hash leaves is removed by and by
            await(() -> server.service().store().stats().liveLogBytes() < MOST_LEFT_BYTES);
            assertThat(server.service().heldInputBytes()).isZero();
            assertThat(((ByteBufAllocatorMetricProvider) ByteBufAllocator.DEFAULT)
                            .metric()
                            .usedDirectMemory())
                    .isLessThan(MOST_DIRECT_BYTES);
        }
    }

    private static String info(RespClient client, String section) throws IOException {
        return ((Bulk) client.call("INFO", section)).text();
    }

    @FunctionalInterface
    private interface Condition {
        boolean holds() throws IOException;
    }

    private static void await(Condition condition) throws IOException {
        for (int tries = 0; !condition.holds(); tries++) {
            assertThat(tries).isLessThan(30_000);
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** Kills connections, opens some that go silent in the midst of a request, and looks whether memory stays within its bounds. */
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
                        Matcher used = Pattern.compile("maxmemory:(\\d+)\r\n").matcher(info(admin, "all"));
                        assertThat(used.find()).isTrue();
                        var stats = server.service().store().stats();
                        assertThat(stats.capacityBytes() - stats.freeBytes())
                                .isLessThanOrEqualTo(Long.parseLong(used.group(1)));
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

    /** What a client's keys hold: text, or a map of fields. */
    private static final class Model extends HashMap<String, Object> {
        private static final long serialVersionUID = 1;

        @Nullable
        String text(String key) {
            return (String) get(key);
        }

        @SuppressWarnings("unchecked")
        Map<String, String> hash(String key) {
            return (Map<String, String>) getOrDefault(key, Map.of());
        }

        @SuppressWarnings("unchecked")
        Map<String, String> hashToChange(String key) {
            return (Map<String, String>) computeIfAbsent(key, ignored -> new HashMap<String, String>());
        }

        Value replace(String key, @Nullable Object value, Value reply) {
            if (value == null) {
                remove(key);
            } else {
                put(key, value);
            }
            return reply;
        }

        /** A copy that the original's changes don't reach. */
        void take(String key, Model from) {
            Object value = from.get(key);
            replace(key, value instanceof Map<?, ?> map ? new HashMap<>(map) : value, new Nothing(false));
        }
    }

    /**
     * A request, or a transaction of several.
     *
     * @param keys that it changes
     * @param effect does to a model what the request does, and returns the replies
     * @param message the number of the message that it publishes; -1: none
     */
    private record Step(
            List<List<String>> requests, Set<String> keys, Function<Model, List<Value>> effect, int message) {

        private static Step of(Set<String> keys, Function<Model, Value> effect, String... words) {
            return new Step(List.of(List.of(words)), keys, model -> List.of(effect.apply(model)), -1);
        }

        private boolean isIncrement() {
            return requests.getFirst().equals(INCREMENT);
        }
    }

    private static final List<String> INCREMENT = List.of("INCR", "sum");

    /** When a key that expires does so at the earliest and at the latest, by the clock. */
    private record Mortal(List<String> read, Value value, long earliest, long latest) {}

    private final class Client {
        private final String prefix;
        private final Random random;
        /** After all requests that were answered. */
        private final Model known = new Model();
        /** After all that were sent. */
        private final Model ahead = new Model();

        private final Map<String, Mortal> mortals = new HashMap<>();
        private final BitSet acknowledged = new BitSet();
        private final List<Integer> received = new ArrayList<>();
        private RespClient connection;
        private int messages;
        private long lastSum;

        private Client(int number) {
            prefix = "c" + number + ":";
            random = new Random(number);
        }

        private void run(long end) throws IOException {
            connect();
            try (RespClient subscriber = new RespClient(server.port())) {
                subscriber.call("SUBSCRIBE", prefix + "news");
                Thread reader = Thread.ofVirtual().start(() -> receive(subscriber));
                while (System.nanoTime() < end) {
                    pipeline();
                    mortal();
                }
                settleMessages(reader);
            } finally {
                connection.close();
            }
        }

        // ---- messages

        /** Reads messages until the last. */
        private void receive(RespClient subscriber) {
            try {
                while (true) {
                    Value message = subscriber.read();
                    int number =
                            Integer.parseInt(((Bulk) ((Many) message).values().get(2)).text());
                    if (number < 0) {
                        return;
                    }
                    received.add(number);
                }
            } catch (IOException e) {
                received.add(-1); // is noticed at the end
            }
        }

        /** Waits for the subscriber, and compares what it got with what was said to have been sent. What was on its way when a connection was killed may have come, and late. */
        private void settleMessages(Thread reader) throws IOException {
            try (RespClient last = new RespClient(server.port())) {
                assertThat(last.call("PUBLISH", prefix + "news", "-1")).isEqualTo(new Number(1));
            }
            try {
                reader.join();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            assertThat(received)
                    .as("the subscriber of %s was read to the end", prefix)
                    .doesNotContain(-1);
            int[] arrived = received.stream()
                    .mapToInt(each -> each)
                    .filter(acknowledged::get)
                    .toArray();
            int[] sent = acknowledged.stream().toArray();
            assertThat(Arrays.mismatch(arrived, sent))
                    .as("%d of %d messages arrived, once and in order", arrived.length, sent.length)
                    .isEqualTo(-1);
        }

        // ---- keys that expire

        /** Makes a key that expires soon, or looks at one. */
        private void mortal() throws IOException {
            String key = prefix + "mortal:" + random.nextInt(MORTALS);
            Mortal mortal = mortals.get(key);
            try {
                if (mortal == null) {
                    makeMortal(key, 20 + random.nextInt(2000));
                    return;
                }
                long sentAt = System.currentTimeMillis();
                Value reply = connection.call(mortal.read.toArray(String[]::new));
                long answeredAt = System.currentTimeMillis();
                if (reply.equals(mortal.value)) {
                    assertThat(sentAt).as("%s lives too long", key).isLessThan(mortal.latest);
                } else {
                    assertThat(reply).isEqualTo(new Nothing(false));
                    assertThat(answeredAt).as("%s is gone too early", key).isGreaterThanOrEqualTo(mortal.earliest);
                    mortals.remove(key);
                    expiries.incrementAndGet();
                }
            } catch (IOException e) {
                assertKilled(e);
                kills.incrementAndGet();
                connection.close();
                try (RespClient client = new RespClient(server.port())) {
                    awaitEndOfKilled(client);
                    client.call("DEL", key);
                }
                mortals.remove(key);
                connect();
            }
        }

        private void makeMortal(String key, int millis) throws IOException {
            connection.call("DEL", key);
            long sentAt;
            List<String> read;
            Value value;
            if (random.nextBoolean()) {
                String text = value();
                sentAt = System.currentTimeMillis();
                assertThat(connection.call("SET", key, text, "PX", Integer.toString(millis)))
                        .isEqualTo(new Status("OK"));
                read = List.of("GET", key);
                value = new Bulk(text);
            } else {
                List<String> words = new ArrayList<>(List.of("HSET", key));
                for (int i = random.nextInt(2) * 300; i >= 0; i--) {
                    words.addAll(List.of("f" + i, "v" + i));
                }
                connection.call(words.toArray(String[]::new));
                sentAt = System.currentTimeMillis();
                assertThat(connection.call("PEXPIRE", key, Integer.toString(millis)))
                        .isEqualTo(new Number(1));
                read = List.of("HGET", key, "f0");
                value = new Bulk("v0");
            }
            mortals.put(key, new Mortal(read, value, sentAt + millis, System.currentTimeMillis() + millis));
        }

        // ---- pipelines

        /** Some requests at once; perhaps the connection ends before their replies have come. */
        private void pipeline() throws IOException {
            List<Step> steps = new ArrayList<>();
            List<List<Value>> expected = new ArrayList<>();
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            int count = 1 + random.nextInt(20);
            for (int i = 0; i < count; i++) {
                Step step = step();
                steps.add(step);
                expected.add(step.effect.apply(ahead));
                step.requests.forEach(words -> bytes.writeBytes(RespClient.encode(words.toArray(String[]::new))));
            }
            boolean leaves = random.nextInt(400) == 0;
            int done = 0;
            try {
                connection.sendRaw(leaves ? cut(bytes.toByteArray()) : bytes.toByteArray());
                int read = leaves ? random.nextInt(count) : count;
                for (; done < read; done++) {
                    readReplies(steps.get(done), expected.get(done));
                }
            } catch (IOException e) {
                assertKilled(e);
                leaves = true;
            }
            if (leaves) {
                connection.close();
                kills.incrementAndGet();
                settle(steps.subList(done, steps.size()));
                connect();
            }
        }

        private void readReplies(Step step, List<Value> expected) throws IOException {
            for (Value each : expected) {
                Value reply = connection.read();
                requests.incrementAndGet();
                if (step.isIncrement()) {
                    long sum = ((Number) reply).value();
                    assertThat(sum).isGreaterThan(lastSum);
                    lastSum = sum;
                    increments.incrementAndGet();
                } else if (step.requests.getFirst().getFirst().equals("HGETALL")) {
                    assertThat(pairs(reply))
                            .as("%s of client %s", step.requests, prefix)
                            .isEqualTo(pairs(each));
                } else {
                    assertThat(reply)
                            .as("%s of client %s", step.requests, prefix)
                            .isEqualTo(each);
                }
            }
            step.effect.apply(known);
            if (step.message >= 0) {
                acknowledged.set(step.message);
            }
        }

        private void connect() throws IOException {
            while (true) {
                connection = new RespClient(server.port());
                try {
                    connection.call("CLIENT", "SETNAME", prefix + "x");
                    return;
                } catch (IOException e) {
                    assertKilled(e);
                    connection.close();
                }
            }
        }

        /** Not if the server neither answered nor ended the connection. */
        private void assertKilled(IOException e) {
            assertThat(e)
                    .as("client %s waits for a reply, and its connection is not ended", prefix)
                    .isNotInstanceOf(SocketTimeoutException.class);
        }

        private byte[] cut(byte[] bytes) {
            return Arrays.copyOf(bytes, 1 + random.nextInt(bytes.length));
        }

        /** Finds out how many of the requests on their way were done: the keys say so, all together. */
        private void settle(List<Step> onTheirWay) throws IOException {
            Set<String> keys = new HashSet<>();
            for (Step step : onTheirWay) {
                keys.addAll(step.keys);
                if (step.isIncrement()) {
                    doubtful.incrementAndGet();
                }
            }
            try (RespClient client = new RespClient(server.port())) {
                awaitEndOfKilled(client);
                Map<String, @Nullable Object> held = new HashMap<>();
                for (String key : keys) {
                    client.call("PERSIST", key); // has the key for itself: what was at work on it is over
                    held.put(key, read(client, key));
                }
                int done = 0;
                while (!keys.stream().allMatch(key -> equals(known.get(key), held.get(key)))) {
                    if (done == onTheirWay.size()) {
                        throw new AssertionError("after a kill " + held + " is no state of "
                                + onTheirWay.stream().map(Step::requests).toList());
                    }
                    onTheirWay.get(done++).effect.apply(known);
                }
            }
            keys.forEach(key -> ahead.take(key, known));
        }

        private boolean equals(@Nullable Object one, @Nullable Object other) {
            return one == null ? other == null : one.equals(other);
        }

        private @Nullable Object read(RespClient client, String key) throws IOException {
            if (key.contains("hash:")) {
                Map<String, String> fields = pairs(client.call("HGETALL", key));
                return fields.isEmpty() ? null : fields;
            }
            return client.call("GET", key) instanceof Bulk bulk ? bulk.text() : null;
        }

        /** The server may still be at work on what it has read of the connection that was closed: until it has seen the end of it. */
        private void awaitEndOfKilled(RespClient client) throws IOException {
            String name = "name=" + prefix + "x ";
            await(() -> !((Bulk) client.call("CLIENT", "LIST")).text().contains(name));
        }

        // ---- requests

        private Step step() {
            return switch (random.nextInt(24)) {
                case 0 -> new Step(List.of(INCREMENT), Set.of(), model -> List.of(new Number(0)), -1);
                case 1, 2 -> publish();
                case 3, 4 -> transaction();
                case 5 -> {
                    String key = smallHash();
                    yield Step.of(Set.of(), model -> flat(model.hash(key)), "HGETALL", key);
                }
                case 6, 7, 8, 9, 10 -> onHash(smallHash(), SMALL_FIELDS, 3);
                case 11, 12, 13 -> onHash(largeHash(), LARGE_FIELDS, 60);
                default -> onString();
            };
        }

        private String smallHash() {
            return prefix + "hash:" + random.nextInt(SMALL_HASHES);
        }

        private String largeHash() {
            return prefix + "largehash:" + random.nextInt(LARGE_HASHES);
        }

        private Step publish() {
            int number = messages++;
            return new Step(
                    List.of(List.of("PUBLISH", prefix + "news", Integer.toString(number))),
                    Set.of(),
                    model -> List.of(new Number(1)),
                    number);
        }

        private Step transaction() {
            List<Step> parts = new ArrayList<>();
            for (int i = random.nextInt(5); i >= 0; i--) {
                parts.add(
                        switch (random.nextInt(3)) {
                            case 0 -> onString();
                            case 1 -> onHash(smallHash(), SMALL_FIELDS, 3);
                            default -> onHash(largeHash(), LARGE_FIELDS, 10);
                        });
            }
            boolean discarded = random.nextInt(8) == 0;
            List<List<String>> requests = new ArrayList<>();
            Set<String> keys = new HashSet<>();
            requests.add(List.of("MULTI"));
            for (Step part : parts) {
                requests.addAll(part.requests);
                keys.addAll(part.keys);
            }
            requests.add(List.of(discarded ? "DISCARD" : "EXEC"));
            transactions.incrementAndGet();
            return new Step(
                    requests,
                    keys,
                    model -> {
                        List<Value> replies = new ArrayList<>(List.of(new Status("OK")));
                        parts.forEach(part -> replies.add(new Status("QUEUED")));
                        if (discarded) {
                            replies.add(new Status("OK"));
                        } else {
                            List<Value> values = new ArrayList<>();
                            parts.forEach(part -> values.addAll(part.effect.apply(model)));
                            replies.add(new Many('*', values));
                        }
                        return replies;
                    },
                    -1);
        }

        private Step onString() {
            String key = prefix + random.nextInt(STRINGS);
            String value = value();
            Set<String> changed = Set.of(key);
            return switch (random.nextInt(10)) {
                case 0, 1, 2 ->
                    Step.of(changed, model -> model.replace(key, value, new Status("OK")), "SET", key, value);
                case 3 ->
                    Step.of(changed, model -> model.replace(key, null, number(model.containsKey(key))), "DEL", key);
                case 4 ->
                    Step.of(
                            changed,
                            model -> {
                                String appended = (model.containsKey(key) ? model.text(key) : "") + "+";
                                return model.replace(key, appended, new Number(appended.length()));
                            },
                            "APPEND",
                            key,
                            "+");
                case 5 -> Step.of(changed, model -> model.replace(key, null, bulk(model.text(key))), "GETDEL", key);
                case 6 ->
                    Step.of(
                            changed,
                            model -> model.containsKey(key) ? new Number(0) : model.replace(key, value, new Number(1)),
                            "SETNX",
                            key,
                            value);
                case 7 ->
                    Step.of(
                            Set.of(),
                            model -> new Number(model.containsKey(key) ? ((String) model.get(key)).length() : 0),
                            "STRLEN",
                            key);
                case 8 -> Step.of(Set.of(), model -> number(model.containsKey(key)), "EXPIRE", key, "100000");
                default -> {
                    String other = prefix + random.nextInt(STRINGS);
                    yield Step.of(
                            Set.of(),
                            model -> new Many('*', List.of(bulk(model.text(key)), bulk(model.text(other)))),
                            "MGET",
                            key,
                            other);
                }
            };
        }

        /** @param fields that the hash may have @param most that one request may set or delete */
        private Step onHash(String key, int fields, int most) {
            Set<String> changed = Set.of(key);
            String field = "f" + random.nextInt(fields);
            return switch (random.nextInt(12)) {
                case 0, 1, 2, 3 -> {
                    Map<String, String> set = new LinkedHashMap<>();
                    List<String> words = new ArrayList<>(List.of("HSET", key));
                    for (int i = random.nextInt(most); i >= 0; i--) {
                        set.putIfAbsent("f" + random.nextInt(fields), "v".repeat(random.nextInt(80)) + i);
                    }
                    set.forEach((name, value) -> words.addAll(List.of(name, value)));
                    yield Step.of(
                            changed,
                            model -> {
                                Map<String, String> hash = model.hashToChange(key);
                                int before = hash.size();
                                hash.putAll(set);
                                return new Number(hash.size() - before);
                            },
                            words.toArray(String[]::new));
                }
                case 4, 5 -> {
                    Set<String> deleted = new HashSet<>();
                    for (int i = random.nextInt(most); i >= 0; i--) {
                        deleted.add("f" + random.nextInt(fields));
                    }
                    List<String> words = new ArrayList<>(List.of("HDEL", key));
                    words.addAll(deleted);
                    yield Step.of(
                            changed,
                            model -> {
                                Map<String, String> hash = model.hashToChange(key);
                                int before = hash.size();
                                hash.keySet().removeAll(deleted);
                                return model.replace(
                                        key, hash.isEmpty() ? null : hash, new Number(before - hash.size()));
                            },
                            words.toArray(String[]::new));
                }
                case 6 ->
                    // a large one is to become large first
                    random.nextInt(fields) > 20 && fields == LARGE_FIELDS
                            ? Step.of(
                                    Set.of(),
                                    model -> new Number(model.hash(key).size()),
                                    "HLEN",
                                    key)
                            : Step.of(
                                    changed,
                                    model -> model.replace(key, null, number(model.containsKey(key))),
                                    random.nextBoolean() ? "DEL" : "UNLINK",
                                    key);
                case 7 -> Step.of(Set.of(), model -> new Number(model.hash(key).size()), "HLEN", key);
                case 8 -> Step.of(Set.of(), model -> number(model.hash(key).containsKey(field)), "HEXISTS", key, field);
                case 9 ->
                    Step.of(
                            Set.of(),
                            model -> new Many(
                                    '*',
                                    List.of(
                                            bulk(model.hash(key).get(field)),
                                            bulk(model.hash(key).get("f0")))),
                            "HMGET",
                            key,
                            field,
                            "f0");
                case 10 ->
                    Step.of(
                            changed,
                            model -> {
                                Map<String, String> hash = model.hashToChange(key);
                                long next = Long.parseLong(hash.getOrDefault("number", "0")) + 7;
                                hash.put("number", Long.toString(next));
                                return new Number(next);
                            },
                            "HINCRBY",
                            key,
                            "number",
                            "7");
                default -> Step.of(Set.of(), model -> bulk(model.hash(key).get(field)), "HGET", key, field);
            };
        }

        private Value number(boolean yes) {
            return new Number(yes ? 1 : 0);
        }

        private Value bulk(@Nullable String text) {
            return text == null ? new Nothing(false) : new Bulk(text);
        }

        private Value flat(Map<String, String> hash) {
            List<Value> values = new ArrayList<>();
            hash.forEach((field, value) -> values.addAll(List.of(new Bulk(field), new Bulk(value))));
            return new Many('*', values);
        }

        private Map<String, String> pairs(Value reply) {
            List<Value> values = ((Many) reply).values();
            Map<String, String> pairs = new HashMap<>();
            for (int i = 0; i < values.size(); i += 2) {
                String old = pairs.put(((Bulk) values.get(i)).text(), ((Bulk) values.get(i + 1)).text());
                assertThat(old).as("a field that comes twice").isNull();
            }
            return pairs;
        }

        private String value() {
            return "v".repeat(random.nextInt(random.nextInt(20) == 0 ? 8_000 : 300)) + random.nextInt();
        }

        // ---- the end

        private void compareAll(RespClient client) throws IOException {
            for (int i = 0; i < STRINGS; i++) {
                compare(client, prefix + i);
            }
            for (int i = 0; i < SMALL_HASHES; i++) {
                compare(client, prefix + "hash:" + i);
            }
            for (int i = 0; i < LARGE_HASHES; i++) {
                compare(client, prefix + "largehash:" + i);
            }
            for (int i = 0; i < MORTALS; i++) {
                client.call("DEL", prefix + "mortal:" + i);
            }
        }

        private void compare(RespClient client, String key) throws IOException {
            assertThat(read(client, key)).as(key).isEqualTo(known.get(key));
        }

        /** Deletes field by field what is large and even, the others at once. */
        private void deleteAll(RespClient client) throws IOException {
            for (Map.Entry<String, Object> each : known.entrySet()) {
                if (each.getKey().endsWith("largehash:0")) {
                    List<String> words = new ArrayList<>(List.of("HDEL", each.getKey()));
                    words.addAll(known.hash(each.getKey()).keySet());
                    assertThat(client.call(words.toArray(String[]::new))).isEqualTo(new Number(words.size() - 2));
                } else {
                    assertThat(client.call("DEL", each.getKey())).isEqualTo(new Number(1));
                }
            }
        }
    }
}
