package io.loam.server.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.server.LoamServer;
import io.loam.server.ServerOptions;
import io.loam.server.differential.RespClient;
import io.loam.server.differential.Value;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Failure;
import io.loam.server.differential.Value.Many;
import io.loam.server.differential.Value.Status;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Users beyond the replies: files, secrets, and connections that are there when rules change. */
final class UsersTest {

    private static final Status OK = new Status("OK");

    @TempDir
    Path directory;

    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened.reversed()) {
            each.close();
        }
    }

    private static ServerOptions options() {
        return new ServerOptions().set("port", "0").set("maxmemory", "16mb");
    }

    private LoamServer start(ServerOptions options) throws IOException {
        LoamServer server = LoamServer.start(options);
        opened.add(server);
        return server;
    }

    private RespClient connect(LoamServer server) throws IOException {
        RespClient client = new RespClient(server.port());
        opened.add(client);
        return client;
    }

    @Test
    void usersAreSavedAndLoaded() throws IOException {
        Path file = Files.createFile(directory.resolve("users.acl"));
        LoamServer server = start(options().set("aclfile", file.toString()));
        RespClient admin = connect(server);
        admin.call("ACL", "SETUSER", "alice", "on", ">secret", "~a*", "%R~b*", "&c", "+@read", "(+set", "~d)");
        admin.call("ACL", "SETUSER", "bob", "on", "nopass", "+ping");
        List<Value> before = ((Many) admin.call("ACL", "LIST")).values();
        assertThat(admin.call("ACL", "SAVE")).isEqualTo(OK);
        assertThat(Files.readAllLines(file).stream().<Value>map(Bulk::new).toList())
                .isEqualTo(before);
        assertThat(Files.readString(file)).doesNotContain("secret");
        assertThat(Files.getPosixFilePermissions(file)).isEqualTo(PosixFilePermissions.fromString("rw-------"));

        RespClient alice = connect(server);
        RespClient bob = connect(server);
        assertThat(alice.call("AUTH", "alice", "secret")).isEqualTo(OK);
        assertThat(bob.call("AUTH", "bob", "")).isEqualTo(OK);
        Files.writeString(file, "user alice on nopass ~* +@all -get\n\nuser carol on nopass +@all\n");
        assertThat(admin.call("ACL", "LOAD")).isEqualTo(OK);
        assertThat(alice.call("GET", "a")).as("new rules").isInstanceOf(Failure.class);
        assertThat(alice.call("SET", "z", "1")).isEqualTo(OK);
        assertThat(bob.isEnded()).as("a user who is gone").isTrue();
        assertThat(admin.call("ACL", "USERS"))
                .isEqualTo(new Many('*', List.of(new Bulk("alice"), new Bulk("carol"), new Bulk("default"))));
    }

    @Test
    void aFileWithAnErrorChangesNothing() throws IOException {
        Path file = Files.writeString(directory.resolve("users.acl"), "user alice on nopass +@all ~*\n");
        RespClient admin = connect(start(options().set("aclfile", file.toString())));
        Value before = admin.call("ACL", "LIST");
        Files.writeString(file, "user bob on\nalice on\nuser bob off\nuser carol +nosuch\nuser dave (+get\n");
        assertThat(((Failure) admin.call("ACL", "LOAD")).text())
                .contains(
                        file + ":2 should start with user keyword followed by the username.",
                        "WARNING: Duplicate user 'bob' found on line 3.",
                        file + ":4: Error in applying operation '+nosuch': Unknown command or category name in ACL.",
                        file + ":5: Unmatched parenthesis in selector definition.",
                        "no change to the previously active ACL rules was performed");
        assertThat(admin.call("ACL", "LIST")).isEqualTo(before);
        Files.delete(file);
        assertThat(admin.call("ACL", "LOAD")).isInstanceOf(Failure.class);
        assertThat(admin.call("ACL", "LIST")).isEqualTo(before);
        assertThatThrownBy(() -> start(options().set("aclfile", file.toString())))
                .hasMessageContaining(file.toString());
    }

    @Test
    void usersComeFromTheConfiguration() throws IOException {
        ServerOptions options = options();
        options.directive("user", List.of("default", "off"));
        options.directive("user", List.of("worker", "on", ">secret", "~job:*", "+@all", "-@dangerous", "(+get", "~x)"));
        RespClient client = connect(start(options));
        assertThat(client.call("PING")).isEqualTo(new Failure("NOAUTH Authentication required."));
        assertThat(client.call("AUTH", "default", "")).isInstanceOf(Failure.class);
        assertThat(client.call("AUTH", "worker", "secret")).isEqualTo(OK);
        assertThat(client.call("SET", "job:1", "a")).isEqualTo(OK);
        assertThat(client.call("GET", "x")).isInstanceOf(Value.Nothing.class);
        assertThat(client.call("GET", "y")).isInstanceOf(Failure.class);
        assertThat(client.call("FLUSHALL")).isInstanceOf(Failure.class);

        ServerOptions wrong = options();
        wrong.directive("user", List.of("worker", "on", "+nosuch"));
        assertThatThrownBy(() -> start(wrong))
                .hasMessage(
                        "user worker: Error in applying operation '+nosuch': Unknown command or category name in ACL.");
        ServerOptions secret = options();
        secret.directive("user", List.of("worker", "on", "password"));
        assertThatThrownBy(() -> start(secret))
                .as("what may be a password is not shown")
                .hasMessage("user worker: Syntax error.");
        ServerOptions twice = options();
        twice.directive("user", List.of("worker", "on"));
        twice.directive("user", List.of("worker", "off"));
        assertThatThrownBy(() -> start(twice)).hasMessage("WARNING: Duplicate user 'worker' found.");
        ServerOptions both = options().set("aclfile", directory.resolve("a").toString());
        both.directive("user", List.of("worker", "on"));
        assertThatThrownBy(() -> start(both)).hasMessageContaining("name them in one of the two");
    }

    @Test
    void aFailedChangeOfRulesChangesNothing() throws IOException {
        RespClient client = connect(start(options()));
        client.call("ACL", "SETUSER", "u", "on", ">old", "~a", "+get");
        Value before = client.call("ACL", "GETUSER", "u");
        assertThat(client.call("ACL", "SETUSER", "u", "reset", ">new", "+@all", "+nosuch"))
                .isInstanceOf(Failure.class);
        assertThat(client.call("ACL", "GETUSER", "u")).isEqualTo(before);
        assertThat(client.call("ACL", "SETUSER", "v", "on", "+nosuch")).isInstanceOf(Failure.class);
        assertThat(client.call("ACL", "GETUSER", "v")).isInstanceOf(Value.Nothing.class);
    }

    @Test
    void theLogIsBounded() throws IOException {
        RespClient client = connect(start(options().set("acllog-max-len", "5")));
        for (int i = 0; i < 20; i++) {
            client.call("AUTH", "user" + i, "x");
        }
        assertThat(((Many) client.call("ACL", "LOG", "100")).values()).hasSize(5);
        client.call("CONFIG", "SET", "acllog-max-len", "0");
        client.call("AUTH", "another", "x");
        assertThat(((Many) client.call("ACL", "LOG", "100")).values()).isEmpty();
    }

    /** All of a user's passwords are good, and no other; their order and number don't matter. */
    @Test
    void everyPasswordOfAUserIsGood() throws IOException {
        RespClient client = connect(start(options()));
        client.call("ACL", "SETUSER", "u", "on", ">one", ">two", ">three");
        for (String good : List.of("one", "two", "three")) {
            assertThat(client.call("AUTH", "u", good)).isEqualTo(OK);
        }
        for (String wrong : List.of("", "on", "ONE", "one ", "four", "\0".repeat(32))) {
            assertThat(client.call("AUTH", "u", wrong)).isInstanceOf(Failure.class);
            assertThat(client.call("AUTH", "nobody", wrong)).isInstanceOf(Failure.class);
        }
        client.call("RESET");
        client.call("ACL", "SETUSER", "u", "<two");
        assertThat(client.call("AUTH", "u", "two")).isInstanceOf(Failure.class);
        client.call("ACL", "SETUSER", "u", "resetpass");
        assertThat(client.call("AUTH", "u", "one")).isInstanceOf(Failure.class);
    }

    /**
     * Forbidden: a request whose sending began after the reply to a change is checked by the rules before it. One client takes the permission and gives it back; another, on any event loop,
     * never succeeds in between.
     */
    @Test
    void aChangeHoldsOnEveryEventLoopOnceItIsReplied() throws Exception {
        LoamServer server = start(options().set("io-threads", "4"));
        RespClient admin = connect(server);
        admin.call("ACL", "SETUSER", "u", "on", "nopass", "~*", "&*", "+@all");
        List<RespClient> clients = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            RespClient client = connect(server);
            assertThat(client.call("AUTH", "u", "")).isEqualTo(OK);
            clients.add(client);
        }
        AtomicBoolean done = new AtomicBoolean();
        Thread noise = Thread.startVirtualThread(() -> {
            try (RespClient other = new RespClient(server.port())) {
                while (!done.get()) {
                    other.call("ACL", "SETUSER", "other", "+get", "~a", "-get");
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        try {
            for (int i = 0; i < 300; i++) {
                RespClient client = clients.get(i % clients.size());
                assertThat(admin.call("ACL", "SETUSER", "u", "-set")).isEqualTo(OK);
                assertThat(client.call("SET", "a", "1")).isInstanceOf(Failure.class);
                assertThat(admin.call("ACL", "SETUSER", "u", "+@all")).isEqualTo(OK);
                assertThat(client.call("SET", "a", "1")).isEqualTo(OK);
            }
        } finally {
            done.set(true);
            noise.join();
        }
    }

    /**
     * Forbidden: a client begins to listen while the permission is taken away, and neither that one's check nor the change's look at who listens sees the other. Whoever is told that he
     * listens, and may not, is ended.
     */
    @Test
    void nobodyListensToWhatHeMayNot() throws Exception {
        LoamServer server = start(options().set("io-threads", "2"));
        RespClient admin = connect(server);
        AtomicReference<RespClient> listener = new AtomicReference<>();
        ExecutorService other = Executors.newSingleThreadExecutor();
        opened.add(other::shutdownNow);
        int told = 0;
        for (int i = 0; i < 3000; i++) {
            admin.call("ACL", "SETUSER", "u", "on", "nopass", "+@all", "&c");
            if (listener.get() == null) {
                listener.set(new RespClient(server.port()));
                assertThat(listener.get().call("AUTH", "u", "")).isEqualTo(OK);
            }
            Future<Value> subscribed = other.submit(() -> {
                try {
                    return listener.get().call("SUBSCRIBE", "c");
                } catch (IOException e) {
                    return new Value.Nothing(false); // ended before the confirmation
                }
            });
            assertThat(admin.call("ACL", "SETUSER", "u", "resetchannels")).isEqualTo(OK);
            if (!(subscribed.get() instanceof Failure)) {
                told++;
                assertThat(isEnded(listener.get())).isTrue();
                listener.get().close();
                listener.set(null);
            }
        }
        assertThat(told).as("both orders have been seen").isBetween(1, 2999);
    }

    private static boolean isEnded(RespClient client) {
        try {
            return client.isEnded();
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true; // reset
        }
    }
}
