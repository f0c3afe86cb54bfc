package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.differential.RespClient;
import io.loam.server.differential.Value;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Many;
import io.loam.server.differential.Value.Nothing;
import io.loam.server.differential.Value.Number;
import io.loam.server.differential.Value.Status;
import io.loam.server.hash.CommandRunner;
import io.loam.server.keyspace.KeyLocks;
import io.loam.server.protocol.Arguments;
import io.loam.server.pubsub.Channels;
import io.loam.store.Store;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A command that takes long does not hold up the other connections of its event loop. */
final class SlowCommandTest {

    private static final int KEYS = 2_000;
    private static final String LARGE = "x".repeat(600 << 10);
    private static final Status PONG = new Status("PONG");

    @RegisterExtension
    final Servers servers = new Servers();

    private record Slow(String name, List<String[]> before, List<String> request, Value reply) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static List<String> words(String first, int count) {
        List<String> words = new ArrayList<>(List.of(first));
        for (int i = 0; i < count; i++) {
            words.add("key" + i);
        }
        return words;
    }

    private static Slow slow(String name, List<String[]> before, List<String> request, Value reply) {
        return new Slow(name, before, request, reply);
    }

    static Stream<Slow> slowOnes() {
        List<String[]> pair = List.<String[]>of(new String[] {"MSET", "key1", "a", "key2", "b"});
        List<String[]> one = List.<String[]>of(new String[] {"SET", "key1", "a"});
        List<Value> values = new ArrayList<>(Collections.nCopies(KEYS, new Nothing(false)));
        values.set(1, new Bulk("a"));
        values.set(2, new Bulk("b"));
        List<Value> sums =
                IntStream.rangeClosed(1, KEYS).<Value>mapToObj(Number::new).toList();
        List<String[]> queued = new ArrayList<>(List.<String[]>of(new String[] {"MULTI"}));
        for (int i = 0; i < KEYS; i++) {
            queued.add(new String[] {"INCR", "key1"});
        }
        return Stream.of(
                slow("DEL", pair, words("DEL", KEYS), new Number(2)),
                slow("UNLINK", pair, words("UNLINK", KEYS), new Number(2)),
                slow("EXISTS", pair, words("EXISTS", KEYS), new Number(2)),
                slow("TOUCH", pair, words("TOUCH", KEYS), new Number(2)),
                slow("MGET", pair, words("MGET", KEYS), new Many('*', values)),
                slow("MSET", List.of(), words("MSET", KEYS), new Status("OK")),
                slow("MSETNX", List.of(), words("MSETNX", KEYS), new Number(1)),
                slow("SET", List.of(), List.of("SET", "key1", LARGE), new Status("OK")),
                slow("APPEND", List.of(), List.of("APPEND", "key1", LARGE), new Number(LARGE.length())),
                slow("GETSET", one, List.of("GETSET", "key1", LARGE), new Bulk("a")),
                slow("EXEC", queued, List.of("EXEC"), new Many('*', sums)));
    }

    /**
     * The slow command is held in its midst; then another client of the same event loop is answered. It would not be if the command ran there, and so were held with it; or if the loop waited
     * for one of the locks that it holds.
     */
    @ParameterizedTest
    @MethodSource("slowOnes")
    void othersAreAnsweredMeanwhile(Slow slow) throws Exception {
        LoamServer server = servers.start("io-threads", "1");
        RespClient client = servers.connect(server);
        RespClient other = servers.connect(server);
        ByteArrayOutputStream before = new ByteArrayOutputStream();
        slow.before.forEach(request -> before.writeBytes(RespClient.encode(request)));
        client.sendRaw(before.toByteArray());
        for (int i = 0; i < slow.before.size(); i++) {
            client.read();
        }
        try (Hold hold = new Hold(server)) {
            client.send(slow.request.toArray(String[]::new));
            client.send("PING");
            hold.await();
            for (int i = 0; i < 10; i++) {
                assertThat(other.call("PING")).isEqualTo(PONG);
            }
            String free = freeKey(server.service().keyspace().locks());
            assertThat(other.call("SET", free, "1")).isEqualTo(new Status("OK"));
            assertThat(other.call("GET", free)).isEqualTo(new Bulk("1"));
            RespClient waiting = servers.connect(server);
            waiting.send("GET", "key1"); // which the slow one may have for itself
            assertThat(other.call("PING")).isEqualTo(PONG);
        }
        assertThat(client.read()).isEqualTo(slow.reply);
        assertThat(client.read()).isEqualTo(PONG);
    }

    /** A key whose stripe nobody has locked. */
    private static String freeKey(KeyLocks locks) {
        for (int i = 0; ; i++) {
            byte[] key = ("free" + i).getBytes(StandardCharsets.US_ASCII);
            int stripe = locks.stripe(Arguments.hash(key, 0, key.length));
            if (KeyLocks.isFree(locks.word(stripe))) {
                return "free" + i;
            }
        }
    }

    // ---- what is moved to another thread

    private static String bulk(String value) {
        return "$" + value.length() + "\r\n" + value + "\r\n";
    }

    private static void check(CommandRunner runner, boolean moved, String reply, String... words) {
        assertThat(runner.run((Object[]) words)).isEqualTo(reply);
        assertThat(runner.hasMoved()).as(words[0]).isEqualTo(moved);
    }

    @Test
    void whatTakesLongIsNotRunOnAnEventLoop() {
        try (Store store = Store.builder().capacityBytes(128 << 20).open();
                CommandRunner runner = new CommandRunner(store, InstantSource.system())) {
            String huge = "y".repeat(2 << 20);
            String middle = "z".repeat(30 << 10);
            check(runner, true, "+OK\r\n", "SET", "huge", huge);
            check(runner, false, "+OK\r\n", "SET", "middle", middle);
            check(runner, false, bulk(middle), "GET", "middle");
            check(runner, true, bulk(huge), "GET", "huge");
            check(runner, true, bulk(huge), "GETRANGE", "huge", "0", "-1");
            check(runner, false, bulk("yyy"), "GETRANGE", "huge", "-3", "-1");
            check(runner, true, bulk(huge), "GETEX", "huge");
            check(runner, true, bulk(LARGE), "ECHO", LARGE);
            check(runner, true, bulk(LARGE), "PING", LARGE);
            check(runner, true, bulk(huge), "SET", "huge", "1", "GET");
            check(runner, false, bulk("1"), "GET", "huge");
            List<String> gets = new ArrayList<>(List.of("MGET"));
            gets.addAll(Collections.nCopies(10, "middle"));
            check(runner, false, "*10\r\n" + bulk(middle).repeat(10), gets.toArray(String[]::new));
            gets.addAll(Collections.nCopies(90, "middle"));
            check(runner, true, "*100\r\n" + bulk(middle).repeat(100), gets.toArray(String[]::new));
            assertThat(runner.run("INFO")).startsWith("$");
            assertThat(runner.hasMoved()).isTrue();
        }
    }

    @Test
    void aTransactionThatTurnsOutToBeLongGoesOnElsewhere() {
        try (Store store = Store.builder().capacityBytes(128 << 20).open();
                CommandRunner runner = new CommandRunner(store, InstantSource.system())) {
            String middle = "z".repeat(30 << 10);
            runner.run("SET", "middle", middle);
            for (int gets : List.of(5, 100)) {
                runner.run("SET", "n", "0");
                runner.run("MULTI");
                for (int i = 0; i < gets; i++) {
                    runner.run("INCR", "n");
                    runner.run("GET", "middle");
                }
                runner.run("SUBSCRIBE", "channel");
                StringBuilder expected = new StringBuilder("*" + (2 * gets + 1) + "\r\n");
                for (int i = 1; i <= gets; i++) {
                    expected.append(":" + i + "\r\n" + bulk(middle));
                }
                expected.append("*3\r\n" + bulk("subscribe") + bulk("channel") + ":1\r\n");
                check(runner, gets == 100, expected.toString(), "EXEC");
                runner.run("RESET");
            }
        }
    }

    @Test
    void whatIsLeftAtOnceIsLeftElsewhereIfItIsMuch() {
        try (Store store = Store.builder().capacityBytes(64 << 20).open();
                CommandRunner runner = new CommandRunner(store, InstantSource.system())) {
            for (int count : List.of(10, 4_000)) {
                String[] names = words("SUBSCRIBE", count).toArray(String[]::new);
                runner.run((Object[]) names);
                StringBuilder expected = new StringBuilder();
                for (int i = 0; i < count; i++) {
                    expected.append("*3\r\n" + bulk("unsubscribe") + bulk("key" + i) + ":" + (count - 1 - i) + "\r\n");
                }
                check(runner, count > 10, expected.toString(), "UNSUBSCRIBE");
                runner.run((Object[]) words("WATCH", count).toArray(String[]::new));
                check(runner, count > 10, "+OK\r\n", "UNWATCH");
                runner.run((Object[]) names);
                check(runner, count > 10, "+RESET\r\n", "RESET");
                assertThat(runner.service().channels().count(Channels.Kind.CHANNEL))
                        .isZero();
            }
        }
    }
}
