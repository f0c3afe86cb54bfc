package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.differential.RespClient;
import io.loam.server.differential.Value;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Failure;
import io.loam.server.differential.Value.Many;
import io.loam.server.differential.Value.Number;
import io.loam.server.differential.Value.Status;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A server is killed under load and started again with its data. Each client has a model of its own keys: they must be as after the last command that was answered, or some steps of those on their way further; nothing else.
 *
 * <p>{@code -Dloam.restart.kills=N}: kills at random moments; {@code -Dloam.restart.seed=S}; {@code -Dloam.restart.points=all}: dies at each step of the store's protocols.
 */
@Timeout(3000)
final class KilledServerTest {

    private static final int KILLS = Integer.getInteger("loam.restart.kills", 4);
    private static final long SEED = Long.getLong("loam.restart.seed", 1);
    private static final int CLIENTS = 4;

    @RegisterExtension
    final DataDirectory directory = new DataDirectory();

    private final AtomicLong answered = new AtomicLong();

    // ---- the model

    /** What a client's keys hold: a string or a map of fields; and when they expire. */
    private record Model(Map<String, Object> values, Map<String, Long> expiries) {

        Model() {
            this(new TreeMap<>(), new TreeMap<>());
        }

        Model copy() {
            Model copy = new Model(new TreeMap<>(values), new TreeMap<>(expiries));
            copy.values.replaceAll((key, value) -> value instanceof Map<?, ?> fields ? new HashMap<>(fields) : value);
            return copy;
        }

        void remove(String key) {
            values.remove(key);
            expiries.remove(key);
        }

        String string(String key) {
            return (String) values.getOrDefault(key, "");
        }

        @SuppressWarnings("unchecked")
        Map<String, String> fields(String key) {
            return (Map<String, String>) values.computeIfAbsent(key, any -> new HashMap<String, String>());
        }

        boolean has(String key) {
            return values.containsKey(key);
        }
    }

    /** A command, and what it does step by step: after each the process may die. */
    private record Command(List<String> words, List<Consumer<Model>> steps) {
        static Command of(Consumer<Model> step, String... words) {
            return new Command(List.of(words), List.of(step));
        }

        @Override
        public String toString() {
            return words.stream().map(KilledServerTest::brief).toList().toString();
        }
    }

    private static String brief(Object value) {
        String text = String.valueOf(value);
        return text.length() < 60 ? text : text.substring(0, 40) + "… (" + text.length() + ")";
    }

    // ---- clients

    private class Client {
        final int number;
        final Random random;
        final Deque<Command> underWay = new ArrayDeque<>();
        Model model = new Model();

        Client(int number, long seed) {
            this.number = number;
            this.random = new Random(seed * 100 + number);
        }

        int database() {
            return number % 2;
        }

        /** Works until the server is gone. */
        void run(int port) {
            try (RespClient client = new RespClient(port)) {
                client.call("SELECT", Integer.toString(database()));
                while (true) {
                    underWay.clear();
                    Model next = model.copy();
                    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                    for (int i = random.nextInt(1, 5); i > 0; i--) {
                        Command command = choose(next);
                        command.steps.forEach(step -> step.accept(next));
                        underWay.add(command);
                        bytes.writeBytes(RespClient.encode(command.words.toArray(String[]::new)));
                    }
                    client.sendRaw(bytes.toByteArray());
                    while (!underWay.isEmpty()) {
                        Value reply = client.read();
                        if (reply instanceof Failure) {
                            throw new AssertionError(underWay.getFirst() + " was answered by " + reply);
                        }
                        underWay.removeFirst().steps.forEach(step -> step.accept(model));
                        answered.incrementAndGet();
                    }
                }
            } catch (IOException e) {
                // it is gone; what is under way stays there
            }
        }

        private String value() {
            int length = random.nextInt(40) == 0
                    ? random.nextInt(200_000)
                    : random.nextInt(random.nextInt(2) == 0 ? 40 : 3_000);
            return (number + ":" + random.nextInt(1 << 20) + ";").repeat(1 + length / 8);
        }

        Command choose(Model now) {
            String key = "c" + number + ":s" + random.nextInt(30);
            String hash = "c" + number + ":h" + random.nextInt(4);
            String field = "f" + random.nextInt(60);
            String value = value();
            long later = 4_000_000_000_000L + random.nextInt(1 << 20);
            switch (random.nextInt(14)) {
                case 0, 1, 2 -> {
                    return Command.of(
                            model -> {
                                model.remove(key);
                                model.values.put(key, value);
                            },
                            "SET",
                            key,
                            value);
                }
                case 3 -> {
                    return Command.of(
                            model -> {
                                model.values.put(key, value);
                                model.expiries.put(key, later);
                            },
                            "SET",
                            key,
                            value,
                            "PXAT",
                            Long.toString(later));
                }
                case 4 -> {
                    return Command.of(model -> model.remove(key), "DEL", key);
                }
                case 5 -> {
                    return Command.of(model -> model.values.put(key, model.string(key) + "+"), "APPEND", key, "+");
                }
                case 6 -> {
                    String counter = "c" + number + ":n";
                    return Command.of(
                            model -> model.values.put(
                                    counter, Long.toString(1 + Long.parseLong("0" + model.string(counter)))),
                            "INCR",
                            counter);
                }
                case 7 -> {
                    return now.has(key)
                            ? Command.of(
                                    model -> model.expiries.put(key, later), "PEXPIREAT", key, Long.toString(later))
                            : Command.of(model -> model.expiries.remove(key), "PERSIST", key);
                }
                case 8 -> {
                    return rename(now, key);
                }
                case 9 -> {
                    return setMany();
                }
                case 10 -> {
                    return now.has(hash) && random.nextInt(4) > 0
                            ? Command.of(
                                    model -> {
                                        model.fields(hash).remove(field);
                                        if (model.fields(hash).isEmpty()) {
                                            model.remove(hash);
                                        }
                                    },
                                    "HDEL",
                                    hash,
                                    field)
                            : Command.of(model -> model.remove(hash), "DEL", hash);
                }
                case 11 -> {
                    return now.has(hash) ? setField(hash, field, value) : createHash(hash);
                }
                default -> {
                    return setField(hash, field, value);
                }
            }
        }

        private Command setField(String hash, String field, String value) {
            return Command.of(model -> model.fields(hash).put(field, value), "HSET", hash, field, value);
        }

        private Command createHash(String hash) {
            List<String> words = new ArrayList<>(List.of("HSET", hash));
            Map<String, String> fields = new HashMap<>();
            for (int i = random.nextInt(1, 50); i > 0; i--) {
                fields.put("f" + i, "created" + random.nextInt(1 << 20));
            }
            fields.forEach((name, content) -> words.addAll(List.of(name, content)));
            return new Command(words, List.of(model -> model.fields(hash).putAll(fields)));
        }

        private Command setMany() {
            List<String> words = new ArrayList<>(List.of("MSET"));
            List<Consumer<Model>> steps = new ArrayList<>();
            int first = random.nextInt(27);
            for (int i = 0; i < 3; i++) {
                String key = "c" + number + ":s" + (first + i);
                String content = "many" + random.nextInt(1 << 20);
                words.addAll(List.of(key, content));
                steps.add(model -> {
                    model.remove(key);
                    model.values.put(key, content);
                });
            }
            return new Command(words, steps);
        }

        private Command rename(Model now, String key) {
            String other = "c" + number + ":r";
            String from = now.has(key) ? key : other;
            String to = now.has(key) ? other : key;
            if (!now.has(from)) {
                return Command.of(model -> {}, "PING");
            }
            return new Command(
                    List.of("RENAME", from, to),
                    List.of(
                            model -> {
                                model.values.put(to, Objects.requireNonNull(model.values.get(from)));
                                Long expiry = model.expiries.get(from);
                                if (expiry == null) {
                                    model.expiries.remove(to);
                                } else {
                                    model.expiries.put(to, expiry);
                                }
                            },
                            model -> model.remove(from)));
        }

        /** What the server has of this client's keys. */
        Model read(RespClient client) throws IOException {
            client.call("SELECT", Integer.toString(database()));
            Model found = new Model();
            for (int i = 0; i < 30; i++) {
                read(client, "c" + number + ":s" + i, found);
            }
            for (int i = 0; i < 4; i++) {
                read(client, "c" + number + ":h" + i, found);
            }
            read(client, "c" + number + ":n", found);
            read(client, "c" + number + ":r", found);
            return found;
        }

        void read(RespClient client, String key, Model found) throws IOException {
            switch (((Status) client.call("TYPE", key)).text()) {
                case "string" -> found.values.put(key, ((Bulk) client.call("GET", key)).text());
                case "hash" -> {
                    List<Value> words = ((Many) client.call("HGETALL", key)).values();
                    assertThat(client.call("HLEN", key)).isEqualTo(new Number(words.size() / 2));
                    for (int i = 0; i < words.size(); i += 2) {
                        found.fields(key).put(((Bulk) words.get(i)).text(), ((Bulk) words.get(i + 1)).text());
                    }
                    assertThat(found.fields(key)).as("no field twice").hasSize(words.size() / 2);
                }
                default -> assertThat(client.call("EXISTS", key)).isEqualTo(new Number(0));
            }
            long expiry = ((Number) client.call("PEXPIRETIME", key)).value();
            if (expiry >= 0) {
                found.expiries.put(key, expiry);
            }
        }

        /** Compares, and goes on with what is there. */
        void check(RespClient client) throws IOException {
            Model found = read(client);
            Model allowed = model.copy();
            boolean right = found.equals(allowed);
            for (Command command : underWay) {
                for (Consumer<Model> step : command.steps) {
                    if (!right) {
                        step.accept(allowed);
                        right = found.equals(allowed);
                    }
                }
            }
            assertThat(right).as(() -> difference(found)).isTrue();
            model = found;
            underWay.clear();
        }

        private String difference(Model found) {
            StringBuilder text = new StringBuilder("client " + number + ", under way: " + underWay);
            Stream.concat(found.values.keySet().stream(), model.values.keySet().stream())
                    .distinct()
                    .filter(key -> !Objects.equals(found.values.get(key), model.values.get(key))
                            || !Objects.equals(found.expiries.get(key), model.expiries.get(key)))
                    .forEach(key -> text.append("\n")
                            .append(key)
                            .append(" is ")
                            .append(brief(found.values.get(key)))
                            .append(" until ")
                            .append(found.expiries.get(key))
                            .append(", was ")
                            .append(brief(model.values.get(key)))
                            .append(" until ")
                            .append(model.expiries.get(key)));
            return text.toString();
        }
    }

    /** Exchanges two databases that no other client uses. */
    private final class Swapper extends Client {

        Swapper(long seed) {
            super(99, seed);
        }

        @Override
        int database() {
            return 8;
        }

        @Override
        Command choose(Model now) {
            String value = Integer.toString(random.nextInt());
            return random.nextInt(3) > 0
                    ? Command.of(model -> model.values.put("8", value), "SET", "mark", value)
                    : Command.of(
                            model -> {
                                Object eight = model.values.remove("8");
                                Object nine = model.values.remove("9");
                                if (nine != null) {
                                    model.values.put("8", nine);
                                }
                                if (eight != null) {
                                    model.values.put("9", eight);
                                }
                            },
                            "SWAPDB",
                            "8",
                            "9");
        }

        @Override
        Model read(RespClient client) throws IOException {
            Model found = new Model();
            for (String database : List.of("8", "9")) {
                client.call("SELECT", database);
                if (client.call("GET", "mark") instanceof Bulk mark) {
                    found.values.put(database, mark.text());
                }
            }
            return found;
        }
    }

    // ---- the tests

    private ServerProcess start(List<String> jvm, String... more) throws IOException {
        List<String> settings = new ArrayList<>(
                List.of("data", directory.toString(), "maxmemory", "48mb", "hash-max-listpack-entries", "20"));
        settings.addAll(List.of(more));
        return ServerProcess.start(List.of(), jvm, settings.toArray(String[]::new));
    }

    private List<Client> clients(long seed) {
        List<Client> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            clients.add(new Client(i, seed));
        }
        clients.add(new Swapper(seed));
        return clients;
    }

    /** Has the clients work until so many commands are answered and the server is killed, or until it dies by itself. */
    private void load(ServerProcess server, List<Client> clients, long commands) throws Exception {
        long until = answered.get() + commands;
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            List<Future<?>> running = new ArrayList<>();
            for (Client client : clients) {
                running.add(threads.submit(() -> client.run(server.port())));
            }
            while (answered.get() < until
                    && server.isAlive()
                    && running.stream().noneMatch(Future::isDone)) {
                LockSupport.parkNanos(200_000);
            }
            // a client sees the end before the process is gone; but one that has failed must not wait for it
            for (int i = 0; i < 3_000 && answered.get() < until && server.isAlive(); i++) {
                LockSupport.parkNanos(1_000_000);
            }
            server.kill();
            for (Future<?> each : running) {
                each.get();
            }
        }
    }

    private void check(int port, List<Client> clients) throws IOException {
        try (RespClient client = new RespClient(port)) {
            for (Client each : clients) {
                each.check(client);
            }
            for (int database = 0; database < 2; database++) {
                client.call("SELECT", Integer.toString(database));
                long keys = 0;
                for (Client each : clients) {
                    keys += each.database() == database ? each.model.values.size() : 0;
                }
                assertThat(client.call("DBSIZE")).isEqualTo(new Number(keys));
            }
        }
    }

    @Test
    void nothingThatWasAnsweredIsLost() throws Exception {
        Random random = new Random(SEED);
        List<Client> clients = clients(SEED);
        ServerProcess server = start(List.of());
        try {
            for (int kill = 0; kill < KILLS; kill++) {
                load(server, clients, 200 + random.nextInt(4_000));
                server.close();
                String policy = random.nextBoolean() ? "in-place" : "append";
                server = start(List.of(), "update-policy", policy);
                assertThat(server.first()).contains("repaired");
                assertThat(server.log()).contains("repaired");
                check(server.port(), clients);
            }
            assertThat(server.terminate()).isEqualTo(143);
            server.close();
            server = start(List.of());
            assertThat(server.first()).contains("left in order");
            check(server.port(), clients);
        } finally {
            server.close();
        }
        System.out.printf("%d kills, %,d commands answered%n", KILLS, answered.get());
    }

    static Stream<String> points() {
        Stream<String> few = Stream.of("overwriting:700", "entry-published:2000", "counting-dead:1500");
        return System.getProperty("loam.restart.points", "").equals("all")
                ? Stream.of(
                        "home-locked:3000",
                        "word-without-tag:40",
                        "tag-removed:40",
                        "removed:100",
                        "key-moved:20",
                        "block-taken:30",
                        "block-linked:30",
                        "head-moved:700",
                        "filler-laid:900",
                        "large-linked:3",
                        "counted-dead:900",
                        "block-chosen:60",
                        "reserved:1800",
                        "entry-written:1700",
                        "publishing-entry:1200",
                        "overwritten:400",
                        "overwriting:700",
                        "entry-published:2000",
                        "counting-dead:1500")
                : few;
    }

    @ParameterizedTest
    @MethodSource("points")
    void nothingIsLostWhereverTheStoreIs(String point) throws Exception {
        List<Client> clients = clients(SEED + point.hashCode());
        try (ServerProcess server = start(List.of("-Dloam.crash=" + point))) {
            load(server, clients, Long.MAX_VALUE / 2);
            assertThat(server.await()).as("the point was reached").isEqualTo(137);
        }
        try (ServerProcess server = start(List.of())) {
            assertThat(server.first()).contains("repaired");
            check(server.port(), clients);
        }
    }
}
