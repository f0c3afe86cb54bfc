package io.loam.server.differential;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.LoamServer;
import io.loam.server.ServerOptions;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Failure;
import io.loam.server.differential.Value.Many;
import io.loam.server.differential.Value.Status;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Transactions and channels of users with rules, and rules that change under those who are connected: as with {@code redis-server}, in both versions of the protocol. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class AccessChangeDifferentialTest {

    private static final Status OK = new Status("OK");

    private RealRedis redis;
    private LoamServer server;
    private Pair admin;

    /** A client of each server; what one is asked the other is asked too. */
    private record Pair(RespClient expected, RespClient actual) implements AutoCloseable {

        Value same(String request) throws IOException {
            Value right = expected.call(words(request));
            assertThat(actual.call(words(request))).as(request).isEqualTo(right);
            return right;
        }

        void send(String request) throws IOException {
            expected.send(words(request));
            actual.send(words(request));
        }

        Value sameNext(String what) throws IOException {
            Value right = expected.read();
            assertThat(actual.read()).as(what).isEqualTo(right);
            return right;
        }

        void bothEnd() throws IOException {
            assertThat(expected.isEnded()).isTrue();
            assertThat(actual.isEnded()).isTrue();
        }

        private static String[] words(String request) {
            return request.split(" ", -1);
        }

        @Override
        public void close() throws IOException {
            expected.close();
            actual.close();
        }
    }

    private final List<Pair> opened = new ArrayList<>();

    @BeforeAll
    void start() throws IOException {
        redis = RealRedis.start();
        server = LoamServer.start(new ServerOptions().set("port", "0").set("maxmemory", "32mb"));
    }

    @AfterAll
    void stop() {
        if (server != null) {
            server.close();
            redis.close();
        }
    }

    @BeforeEach
    void connect() throws IOException {
        admin = pair();
        admin.same("ACL LOG RESET");
        admin.same("FLUSHALL");
        admin.same("ACL DELUSER u");
        awaitNoSubscribers(admin.expected);
        awaitNoSubscribers(admin.actual);
    }

    /** Until the ends of the last test's clients have been seen. */
    private static void awaitNoSubscribers(RespClient client) throws IOException {
        Value nobody = new Many('*', List.of());
        while (!client.call("PUBSUB", "CHANNELS").equals(nobody)
                || !client.call("PUBSUB", "SHARDCHANNELS").equals(nobody)
                || !client.call("PUBSUB", "NUMPAT").equals(new Value.Number(0))) {
            LockSupport.parkNanos(1_000_000);
        }
    }

    @AfterEach
    void disconnect() throws IOException {
        for (Pair pair : opened) {
            pair.close();
        }
        opened.clear();
    }

    private Pair pair() throws IOException {
        Pair pair = new Pair(new RespClient(redis.port()), new RespClient(server.port()));
        opened.add(pair);
        return pair;
    }

    /** A client of the user u, who has these rules. */
    private Pair user(String version, String rules) throws IOException {
        assertThat(admin.same("ACL SETUSER u reset on nopass " + rules)).isEqualTo(OK);
        Pair user = pair();
        user.expected.call("HELLO", version, "AUTH", "u", "");
        user.actual.call("HELLO", version, "AUTH", "u", "");
        assertThat(user.same("ACL WHOAMI")).isEqualTo(new Bulk("u"));
        return user;
    }

    /** Entries of both servers' logs are the same but for age and client. */
    private void sameLog(int entries) throws IOException {
        List<List<Value>> theirs = log(admin.expected);
        assertThat(log(admin.actual)).isEqualTo(theirs).hasSize(entries);
    }

    private static List<List<Value>> log(RespClient client) throws IOException {
        return ((Many) client.call("ACL", "LOG", "100"))
                .values().stream()
                        .map(entry -> ((Many) entry).values())
                        .map(words ->
                                IntStream.range(0, 10).mapToObj(words::get).toList())
                        .toList();
    }

    // ---- transactions

    @ParameterizedTest
    @ValueSource(strings = {"2", "3"})
    void whatIsNotAllowedIsNotQueued(String version) throws IOException {
        Pair user = user(version, "~a* +@all -get -@dangerous");
        user.same("MULTI");
        user.same("SET a1 1");
        assertThat(user.same("GET a1")).isInstanceOf(Failure.class);
        user.same("SET b 1");
        user.same("KEYS *");
        assertThat(user.same("EXEC")).isInstanceOf(Failure.class);
        user.same("STRLEN a1");
        sameLog(3);
    }

    /** The rules of the moment of EXEC count, for each command on its own. */
    @ParameterizedTest
    @ValueSource(strings = {"2", "3"})
    void whatWasQueuedIsCheckedAgain(String version) throws IOException {
        Pair user = user(version, "~* &* +@all");
        user.same("MULTI");
        for (String request : List.of(
                "SET a1 1", "GET b1", "STRLEN a1", "PUBLISH c1 x", "PUBLISH d1 x", "APPEND a1 2", "CONFIG GET port")) {
            assertThat(user.same(request)).isEqualTo(new Status("QUEUED"));
        }
        admin.same("ACL SETUSER u resetkeys ~a* resetchannels &c* -append -config|get");
        Many replies = (Many) user.same("EXEC");
        assertThat(replies.values().stream().filter(Failure.class::isInstance)).hasSize(4);
        user.same("GET a1");
        sameLog(4);
        admin.same("ACL SETUSER u -exec");
        user.same("MULTI");
        user.same("SET a1 2");
        user.same("EXEC");
        user.same("GET a1");
        user.same("DISCARD");
        sameLog(5);
    }

    @ParameterizedTest
    @ValueSource(strings = {"2", "3"})
    void watchIsOfKeys(String version) throws IOException {
        Pair user = user(version, "%R~r* %W~w* +@all");
        for (String request : List.of("WATCH r1", "WATCH w1", "WATCH r1 x", "UNWATCH", "MULTI", "DISCARD")) {
            user.same(request);
        }
        sameLog(1); // watching is not reading
    }

    @ParameterizedTest
    @ValueSource(strings = {"2", "3"})
    void aUserWhoIsRemovedRunsNothingMore(String version) throws IOException {
        Pair user = user(version, "~* &* +@all");
        user.same("MULTI");
        user.same("SET a 1");
        admin.same("ACL DELUSER u");
        user.bothEnd();
        admin.same("EXISTS a");
    }

    // ---- channels

    @ParameterizedTest
    @ValueSource(strings = {"2", "3"})
    void channelsArePermittedByPatterns(String version) throws IOException {
        Pair user = user(version, "&c* &p? &[a-b]x +@all");
        for (String request : List.of(
                "PUBLISH c1 m",
                "PUBLISH x m",
                "PUBLISH p m",
                "PUBLISH p1 m",
                "SPUBLISH ax m",
                "SPUBLISH cx m",
                "SPUBLISH dx m",
                "SUBSCRIBE x",
                "SUBSCRIBE c1 x",
                "PSUBSCRIBE c1",
                "PSUBSCRIBE c*x",
                "SSUBSCRIBE x",
                "PUBSUB CHANNELS",
                "PUBSUB NUMSUB x c1",
                "SUBSCRIBE c1",
                "SSUBSCRIBE c1",
                "PSUBSCRIBE p?",
                "PSUBSCRIBE p1",
                "UNSUBSCRIBE x",
                "PUNSUBSCRIBE x",
                "SUNSUBSCRIBE x")) {
            user.same(request);
        }
        user.send("SUBSCRIBE c2 c3");
        user.sameNext("c2");
        user.sameNext("c3");
        admin.same("PUBLISH c3 hello");
        user.sameNext("the message");
        sameLog(6);
    }

    /** Subscribers of what they may listen to no more are ended, others stay. */
    @ParameterizedTest
    @ValueSource(strings = {"2", "3"})
    void aSubscriberIsEndedWithItsPermission(String version) throws IOException {
        for (String listening : List.of("SUBSCRIBE c2", "PSUBSCRIBE p*", "SSUBSCRIBE c2")) {
            Pair user = user(version, "&c1 &c2 &p* +@all");
            Pair other = pair();
            Pair keeps = pair();
            Pair none = pair();
            for (Pair each : List.of(keeps, none)) {
                each.same("AUTH u x");
            }
            other.same("SUBSCRIBE c2");
            keeps.same("SUBSCRIBE c1");
            user.same(listening);
            admin.same("ACL SETUSER u &d"); // takes nothing away
            user.same("PING");
            admin.same("ACL SETUSER u resetchannels &c1 &p1*");
            user.bothEnd();
            keeps.same("PING");
            other.same("PING");
            none.same("SET a 1");
        }
    }

    /** Patterns that allow the same by other words: what counts is what is listened to. */
    @ParameterizedTest
    @ValueSource(strings = {"2", "3"})
    void aSubscriberStaysIfAnotherPatternAllowsIt(String version) throws IOException {
        Pair user = user(version, "&news:sport &* +@all");
        user.same("SUBSCRIBE news:sport");
        Pair patterns = pair();
        patterns.same("AUTH u x");
        patterns.same("PSUBSCRIBE n*");
        admin.same("ACL SETUSER u resetchannels &news:*");
        user.same("PING");
        patterns.bothEnd();
        admin.same("ACL SETUSER u resetchannels (&news:s* +@all)");
        user.same("PING");
        admin.same("ACL SETUSER u clearselectors");
        user.bothEnd();
    }

    @ParameterizedTest
    @ValueSource(strings = {"2", "3"})
    void monitorAndResetAreOfUsersToo(String version) throws IOException {
        Pair user = user(version, "~* +@all -monitor");
        Stream<String> requests = Stream.of("MONITOR", "RESET", "ACL WHOAMI", "MULTI", "ACL WHOAMI", "RESET", "EXEC");
        for (String request : requests.toList()) {
            user.same(request);
        }
    }
}
