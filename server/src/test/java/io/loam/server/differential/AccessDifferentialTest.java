package io.loam.server.differential;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.LoamServer;
import io.loam.server.ServerOptions;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Failure;
import io.loam.server.differential.Value.Many;
import io.loam.server.differential.Value.Number;
import io.loam.server.differential.Value.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Users and their rules are those of {@code redis-server}: what is allowed, what is said, what is logged. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class AccessDifferentialTest {

    private static final Status OK = new Status("OK");
    private static final List<String> KEYS = List.of("a1", "r1", "w1", "rw1", "x");

    @TempDir
    Path directory;

    private RealRedis redis;
    private LoamServer server;
    private RespClient expected;
    private RespClient actual;

    /** A command of both servers, and how many arguments it takes. */
    private record Known(String name, int arity) {}

    private List<Known> commands = List.of();

    @BeforeAll
    void start() throws IOException {
        redis = RealRedis.start();
        server = LoamServer.start(new ServerOptions().set("port", "0").set("maxmemory", "32mb"));
        try (RespClient theirs = new RespClient(redis.port());
                RespClient ours = new RespClient(server.port())) {
            commands = known(theirs, (Many) ours.call("COMMAND"));
        }
        assertThat(commands).hasSizeGreaterThan(100);
    }

    private static List<Known> known(RespClient redis, Many descriptions) throws IOException {
        List<Known> known = new ArrayList<>();
        for (Value description : descriptions.values()) {
            List<Value> words = ((Many) description).values();
            String name = ((Bulk) words.get(0)).text();
            if (((Many) redis.call("COMMAND", "INFO", name)).values().getFirst() instanceof Many) {
                known.add(new Known(name, (int) ((Number) words.get(1)).value()));
                known.addAll(known(redis, (Many) words.get(9)));
            }
        }
        return known;
    }

    @AfterAll
    void stop() {
        if (server != null) {
            server.close();
            redis.close();
        }
    }

    private void connectAnew() throws IOException {
        disconnect();
        connect();
    }

    @BeforeEach
    void connect() throws IOException {
        expected = new RespClient(redis.port());
        actual = new RespClient(server.port());
        for (RespClient client : List.of(expected, actual)) {
            client.call("ACL", "LOG", "RESET");
            Many names = (Many) client.call("ACL", "USERS");
            for (Value name : names.values()) {
                client.call("ACL", "DELUSER", ((Bulk) name).text());
            }
        }
    }

    @AfterEach
    void disconnect() throws IOException {
        expected.close();
        actual.close();
    }

    private Value same(String... words) throws IOException {
        Value theirs = expected.call(words);
        assertThat(actual.call(words)).as(String.join(" ", words)).isEqualTo(theirs);
        return theirs;
    }

    static Stream<String> requests() {
        String digest = "148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940";
        return Stream.of(
                "ACL",
                "ACL NOSUCH",
                "ACL WHOAMI",
                "ACL WHOAMI x",
                "ACL USERS",
                "ACL LIST",
                "ACL CAT",
                "ACL CAT nosuch",
                "ACL CAT read write",
                "ACL GETUSER default",
                "ACL GETUSER nobody",
                "ACL LOG",
                "ACL LOG x",
                "ACL LOG -1",
                "ACL LOG 1 2",
                "ACL LOG reset",
                "ACL GENPASS 0",
                "ACL GENPASS 4097",
                "ACL GENPASS x",
                "ACL GENPASS 1 2",
                "ACL LOAD",
                "ACL SAVE",
                "ACL DELUSER default",
                "ACL DELUSER a b",
                "ACL DRYRUN nobody get a",
                "ACL DRYRUN default nosuch",
                "ACL DRYRUN default get",
                "ACL DRYRUN default acl",
                "ACL DRYRUN default acl nosuch",
                "ACL DRYRUN default acl whoami",
                "ACL SETUSER",
                "ACL SETUSER a",
                "ACL SETUSER a foo",
                "ACL SETUSER a +nosuch",
                "ACL SETUSER a -nosuch",
                "ACL SETUSER a +@nosuch",
                "ACL SETUSER a +",
                "ACL SETUSER a -",
                "ACL SETUSER a +@",
                "ACL SETUSER a +get|",
                "ACL SETUSER a -get|x",
                "ACL SETUSER a +config|get|x",
                "ACL SETUSER a +config|nosuch",
                "ACL SETUSER a #zz",
                "ACL SETUSER a #" + digest.toUpperCase(Locale.ROOT),
                "ACL SETUSER a <zz",
                "ACL SETUSER a !zz",
                "ACL SETUSER a !" + digest,
                "ACL SETUSER a #" + digest + " !" + digest,
                "ACL SETUSER a ~* ~b",
                "ACL SETUSER a ~* %R~b",
                "ACL SETUSER a allchannels &x",
                "ACL SETUSER a %X~a",
                "ACL SETUSER a %RR~a",
                "ACL SETUSER a (+get",
                "ACL SETUSER a (+get) )",
                "ACL SETUSER a (+nosuch ~x)",
                "ACL SETUSER a (on)",
                "ACL SETUSER a () clearselectors",
                "AUTH",
                "AUTH a",
                "AUTH a b c",
                "AUTH nobody b",
                "AUTH default anything",
                "HELLO 3 AUTH nobody x",
                "HELLO 2 AUTH default");
    }

    @ParameterizedTest
    @MethodSource("requests")
    void repliesAreTheSame(String request) throws IOException {
        for (String version : List.of("2", "3")) {
            connectAnew();
            for (RespClient client : List.of(expected, actual)) {
                client.call("HELLO", version);
            }
            same(request.split(" "));
            same("ACL", "USERS");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "on >secret ~a* &c1 +get",
                "on >secret >secret nopass",
                "off nopass >x <x resetpass",
                "reset",
                "reset skip-sanitize-payload",
                "%R~r* %W~w* %RW~rw* %r~w* ~a*",
                "~* resetkeys ~b",
                "&* resetchannels &b &b",
                "+get +mget +acl|whoami",
                "+config -config|get",
                "+config|get +config|set +config",
                "+@all -get -config",
                "+select|0 +select|1 +get|x",
                "+select|0 +select",
                "allcommands nocommands +get",
                "ALLKEYS AllChannels +GET",
                "(+get ~x) (%R~y allcommands) +set",
                "(+get ~x) ( +set   ~y ) on"
            })
    void usersAreDescribedTheSame(String rules) throws IOException {
        String[] words = Stream.concat(Stream.of("ACL", "SETUSER", "u"), Stream.of(rules.split(" ")))
                .toArray(String[]::new);
        assertThat(same(words)).isEqualTo(OK);
        assertThat(sorted(actual.call("ACL", "LIST"))).isEqualTo(sorted(expected.call("ACL", "LIST")));
        assertThat(sorted(actual.call("ACL", "GETUSER", "u"))).isEqualTo(sorted(expected.call("ACL", "GETUSER", "u")));
        for (RespClient client : List.of(expected, actual)) {
            client.call("HELLO", "3");
        }
        assertThat(sorted(actual.call("ACL", "GETUSER", "u"))).isEqualTo(sorted(expected.call("ACL", "GETUSER", "u")));
    }

    /** Redis lists commands in an order that changes from start to start: words are compared sorted. */
    private static List<Object> sorted(Value value) {
        return value instanceof Many many
                ? many.values().stream()
                        .<Object>map(AccessDifferentialTest::sorted)
                        .toList()
                : Arrays.stream(((Object) value).toString().split("[ \\[\\]\"]"))
                        .sorted()
                        .<Object>map(word -> word)
                        .toList();
    }

    /** Of the commands that both have, the same are in each category; commands of our own are in some, but Redis does not know them. */
    @Test
    void categoriesHoldTheSameCommands() throws IOException {
        Set<Value> known =
                commands.stream().<Value>map(each -> new Bulk(each.name())).collect(Collectors.toSet());
        Many categories = (Many) same("ACL", "CAT");
        for (Value category : categories.values()) {
            String name = ((Bulk) category).text();
            Set<Value> theirs = new HashSet<>(((Many) expected.call("ACL", "CAT", name)).values());
            Set<Value> ours = new HashSet<>(((Many) actual.call("ACL", "CAT", name)).values());
            theirs.retainAll(known);
            ours.retainAll(known);
            assertThat(ours).as("@%s", name).isEqualTo(theirs);
        }
    }

    /** Every command of the table, for users of random rules. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void theSameIsAllowed(long seed) throws IOException {
        Choice choice = new Choice(seed);
        for (int user = 0; user < 8; user++) {
            expected.call("ACL", "DELUSER", "u");
            actual.call("ACL", "DELUSER", "u");
            List<String> rules = new ArrayList<>();
            int count = 1 + choice.below(8);
            for (int i = 0; i < count; i++) {
                String rule = rule(choice);
                Value theirs = expected.call("ACL", "SETUSER", "u", rule);
                assertThat(actual.call("ACL", "SETUSER", "u", rule))
                        .as("%s after %s", rule, rules)
                        .isEqualTo(theirs);
                rules.add(rule);
            }
            for (Known command : commands) {
                String[] request = request(command, choice);
                Value theirs = expected.call(request);
                assertThat(actual.call(request))
                        .as("seed %d, rules %s: %s", seed, rules, String.join(" ", request))
                        .isEqualTo(theirs);
            }
        }
    }

    private String rule(Choice c) {
        String sign = c.of("+", "+", "-");
        return switch (c.below(12)) {
            case 0 -> c.of("+@all", "-@all", "allkeys", "resetkeys", "allchannels", "resetchannels");
            case 1 -> c.of("~a*", "~[a-r]1", "~x", "~\\x");
            case 2 -> c.of("%R~r*", "%W~w*", "%RW~rw*", "%R~*", "%W~*");
            case 3 -> c.of("&c*", "&x", "&c1");
            case 4, 5, 6 ->
                sign + "@"
                        + c.of(
                                "keyspace",
                                "read",
                                "write",
                                "string",
                                "bitmap",
                                "admin",
                                "fast",
                                "slow",
                                "dangerous",
                                "connection",
                                "pubsub",
                                "transaction",
                                "hash");
            case 7 -> c.of("+select|0", "+ping|x", "+echo|a1");
            case 8 -> "(" + c.of("+@read", "+@all", "+get") + " " + c.of("~r*", "~*", "%W~*", "") + ")";
            default -> sign + commands.get(c.below(commands.size())).name();
        };
    }

    private static String[] request(Known command, Choice c) {
        List<String> words = new ArrayList<>(List.of("ACL", "DRYRUN", "u"));
        words.addAll(List.of(command.name().split("\\|")));
        int count = Math.abs(command.arity()) + (command.arity() < 0 ? c.below(4) : 0);
        while (words.size() < 3 + count) {
            words.add(c.oneIn(6) ? c.of("get", "GET", "c1", "0", "set") : KEYS.get(c.below(KEYS.size())));
        }
        return words.toArray(String[]::new);
    }

    @ParameterizedTest
    @ValueSource(strings = {"2", "3"})
    void refusalsAreToldAndLogged(String version) throws IOException {
        same(
                "ACL",
                "SETUSER",
                "u",
                "on",
                ">secret",
                "~a*",
                "%R~r*",
                "%W~w*",
                "&c*",
                "+@all",
                "-@dangerous",
                "-select",
                "+select|0");
        same("ACL", "SETUSER", "off", "off", ">secret");
        List<RespClient> both = List.of(new RespClient(redis.port()), new RespClient(server.port()));
        for (RespClient client : both) {
            client.call("HELLO", version);
        }
        String[][] requests = {
            {"AUTH", "u", "wrong"},
            {"auth", "u", "wrong"},
            {"AUTH", "off", "secret"},
            {"AUTH", "nobody", "secret"},
            {"HELLO", "2", "AUTH", "u", "no"},
            {"AUTH", "u", "secret"},
            {"ACL", "WHOAMI"},
            {"SET", "b", "1"},
            {"SET", "a1", "1"},
            {"GET", "w1"},
            {"SET", "w1", "1", "GET"},
            {"SET", "w1", "1"},
            {"MGET", "a1", "b"},
            {"DEL", "r1"},
            {"EXISTS", "r1", "w1"},
            {"COPY", "w1", "a1"},
            {"BITFIELD", "r1", "get", "u8", "0"},
            {"BITFIELD", "r1", "set", "u8", "0", "1"},
            {"CONFIG", "GET", "port"},
            {"CONFIG", "GET", "port"},
            {"KEYS", "*"},
            {"SELECT", "1"},
            {"SELECT", "0"},
            {"ACL", "LIST"},
            {"ACL", "NOSUCH"},
            {"NOSUCH"},
            {"RESET"},
            {"ACL", "WHOAMI"},
        };
        for (String[] request : requests) {
            Value theirs = both.get(0).call(request);
            assertThat(both.get(1).call(request)).as(String.join(" ", request)).isEqualTo(theirs);
        }
        for (RespClient client : both) {
            client.close();
        }
        for (RespClient client : List.of(expected, actual)) {
            client.call("HELLO", version);
        }
        List<List<Value>> ours = log(actual);
        assertThat(ours).isEqualTo(log(expected)).hasSizeGreaterThan(10);
    }

    /** Entries without age and client. */
    private static List<List<Value>> log(RespClient client) throws IOException {
        Many entries = (Many) client.call("ACL", "LOG", "100");
        return entries.values().stream()
                .map(entry -> ((Many) entry).values())
                .map(words -> IntStream.range(0, 10).mapToObj(words::get).toList())
                .toList();
    }

    @Test
    void theDefaultUsersPasswordIsTheOptions() throws IOException {
        for (RespClient client : List.of(expected, actual)) {
            client.call("CONFIG", "SET", "requirepass", "top");
        }
        try (RespClient theirs = new RespClient(redis.port());
                RespClient ours = new RespClient(server.port())) {
            String[][] requests = {
                {"PING"},
                {"HELLO", "3"},
                {"NOSUCH"},
                {"AUTH", "wrong"},
                {"AUTH", "top"},
                {"PING"},
                {"RESET"},
                {"PING"},
                {"HELLO", "2", "AUTH", "default", "wrong"},
                {"AUTH", "default", "top"},
                {"ACL", "LIST"},
                {"CONFIG", "SET", "requirepass", ""},
                {"RESET"},
                {"PING"},
                {"AUTH", "x"},
                {"CONFIG", "GET", "requirepass"},
            };
            for (String[] request : requests) {
                Value right = theirs.call(request);
                assertThat(ours.call(request)).as(String.join(" ", request)).isEqualTo(right);
            }
        } finally {
            for (RespClient client : List.of(expected, actual)) {
                client.call("CONFIG", "SET", "requirepass", "");
            }
        }
    }

    /** Both servers keep users in a file: what is written, what is read, what is said of a wrong line. */
    @Test
    void filesAreWrittenAndReadTheSame() throws IOException {
        Path file = Files.createFile(directory.resolve("users.acl"));
        String admin = "user default on nopass ~* &* +@all\n";
        List<String> contents = List.of(
                "user\n",
                "user a b\n",
                "bob on\n",
                "# a remark\n",
                "user bob on\n  user carol  on   (+get ~a) \n\n",
                "user bob on\nuser carol on\nuser bob off\n",
                "user bob on +nosuch\nuser carol -@nosuch\n",
                "user bob on #zz\n",
                "user bob on ~* ~a\n",
                "USER bob on +get\n");
        try (RealRedis withFile = RealRedis.start("--aclfile", file.toString());
                LoamServer ours = LoamServer.start(new ServerOptions()
                        .set("port", "0")
                        .set("maxmemory", "32mb")
                        .set("aclfile", file.toString()));
                RespClient right = new RespClient(withFile.port());
                RespClient client = new RespClient(ours.port())) {
            for (String content : contents) {
                Files.writeString(file, admin + content);
                Value theirs = right.call("ACL", "LOAD");
                assertThat(client.call("ACL", "LOAD")).as(content).isEqualTo(theirs);
                assertThat(client.call("ACL", "LIST")).as(content).isEqualTo(right.call("ACL", "LIST"));
            }
            for (String[] rules : List.of(
                    new String[] {"ACL", "SETUSER", "dave", "on", ">a", ">b", "%R~x", "%W~x", "~y", "(~z", "+set)"},
                    new String[] {"ACL", "SETUSER", "erin", "off", "nopass", "allkeys", "+@all", "-get"})) {
                assertThat(client.call(rules)).isEqualTo(right.call(rules)).isEqualTo(OK);
            }
            assertThat(right.call("ACL", "SAVE")).isEqualTo(OK);
            String theirFile = Files.readString(file);
            Files.writeString(file, "");
            assertThat(client.call("ACL", "SAVE")).isEqualTo(OK);
            assertThat(Files.readString(file)).isEqualTo(theirFile);
            Files.delete(file);
            assertThat(client.call("ACL", "LOAD")).isEqualTo(right.call("ACL", "LOAD"));
        }
    }

    @Test
    void aRemovedUsersConnectionsEnd() throws IOException {
        same("ACL", "SETUSER", "u", "on", "nopass", "+@all", "~*");
        for (int port : new int[] {redis.port(), server.port()}) {
            try (RespClient client = new RespClient(port);
                    RespClient other = new RespClient(port)) {
                assertThat(client.call("AUTH", "u", "")).isEqualTo(OK);
                assertThat(other.call("ACL", "DELUSER", "u", "nobody")).isEqualTo(new Number(1));
                assertThat(client.isEnded()).isTrue();
            }
        }
    }

    @Test
    void rulesHoldForThoseWhoAreConnected() throws IOException {
        same("ACL", "SETUSER", "u", "on", "nopass", "+@all", "~*");
        for (int port : new int[] {redis.port(), server.port()}) {
            try (RespClient client = new RespClient(port);
                    RespClient other = new RespClient(port)) {
                client.call("AUTH", "u", "");
                assertThat(client.call("SET", "a", "1")).isEqualTo(OK);
                other.call("ACL", "SETUSER", "u", "-set");
                assertThat(client.call("SET", "a", "1"))
                        .isEqualTo(new Failure("NOPERM this user has no permissions to run the 'set' command"));
                other.call("ACL", "SETUSER", "u", "+set", "off");
                assertThat(client.call("SET", "a", "1")).isEqualTo(OK);
            }
        }
    }

    @Test
    void configRequestsAreAnsweredTheSame() throws IOException {
        for (String request : List.of(
                "CONFIG",
                "CONFIG NOSUCH",
                "CONFIG GET",
                "CONFIG GET nosuch",
                "CONFIG GET TIMEOUT",
                "CONFIG GET time?ut",
                "CONFIG GET acl*",
                "CONFIG GET tls-auth-clients tls-port",
                "CONFIG GET tcp-keepalive tcp-backlog protected-mode",
                "CONFIG GET loglevel",
                "CONFIG SET maxmemory x",
                "CONFIG SET nosuch 1",
                "CONFIG SET port",
                "CONFIG SET databases 5",
                "CONFIG SET aclfile x",
                "CONFIG SET timeout -1",
                "CONFIG SET timeout 1 timeout 2",
                "CONFIG SET timeout 1000 maxmemory x",
                "CONFIG GET timeout",
                "CONFIG SET timeout 1000 tcp-keepalive 20",
                "CONFIG GET timeout tcp-keepalive",
                "CONFIG SET timeout 0 tcp-keepalive 300",
                "CONFIG SET tcp-keepalive x",
                "CONFIG SET protected-mode maybe",
                "CONFIG SET loglevel foo",
                "CONFIG SET acllog-max-len -1",
                "CONFIG SET acl-pubsub-default foo",
                "CONFIG RESETSTAT x",
                "CONFIG RESETSTAT",
                "CONFIG REWRITE")) {
            Value theirs = expected.call(request.split(" "));
            Value ours = actual.call(request.split(" "));
            assertThat(ours.canonical()).as(request).isEqualTo(theirs.canonical());
        }
    }
}
