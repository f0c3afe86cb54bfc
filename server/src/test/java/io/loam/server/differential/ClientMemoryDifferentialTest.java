package io.loam.server.differential;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.LoamServer;
import io.loam.server.ServerOptions;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Status;
import java.io.IOException;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Both servers bound what clients take in the same way: those that take most have to go, unless they asked to be spared. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ClientMemoryDifferentialTest {

    private final List<RespClient> opened = new ArrayList<>();
    private RealRedis redis;
    private LoamServer server;

    @BeforeAll
    void start() throws IOException {
        redis = RealRedis.start("--maxmemory", "100mb");
        server = LoamServer.start(new ServerOptions().set("port", "0").set("maxmemory", "100mb"));
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

    @AfterEach
    void close() throws IOException {
        for (RespClient each : opened) {
            each.close();
        }
        opened.clear();
    }

    private RespClient connect(int port) throws IOException {
        RespClient client = new RespClient(port);
        opened.add(client);
        return client;
    }

    private static void await(Predicate<RespClient> condition, RespClient client) {
        for (int tries = 0; tries < 3000 && !condition.test(client); tries++) {
            LockSupport.parkNanos(10_000_000);
        }
        assertThat(condition.test(client)).isTrue();
    }

    private static long info(RespClient client, String field) {
        try {
            String text = ((Bulk) client.call("INFO", "everything")).text();
            return Long.parseLong(text.replaceAll("(?s).*\r\n" + field + ":(\\d+)\r\n.*", "$1"));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** A client that sends the beginning of a request: so many bytes. */
    private RespClient hoarder(int port, int bytes, String... before) throws IOException {
        RespClient client = connect(port);
        if (before.length > 0) {
            assertThat(client.call(before)).isEqualTo(new Status("OK"));
        }
        byte[] part = new byte[bytes];
        client.sendRaw(("*2\r\n$4\r\nECHO\r\n$" + (bytes + 1) + "\r\n").getBytes(StandardCharsets.US_ASCII));
        try {
            client.sendRaw(part);
        } catch (SocketException e) {
            // it had to go in the midst of it
        }
        return client;
    }

    private static void finish(RespClient client) throws IOException {
        client.sendRaw(new byte[] {'x', '\r', '\n'});
        assertThat(client.read()).isInstanceOf(Bulk.class);
    }

    private static boolean isGone(RespClient client) {
        try {
            return client.isEnded();
        } catch (IOException e) {
            return true;
        }
    }

    @Test
    void whoTakesMostHasToGo() throws IOException {
        for (int port : List.of(redis.port(), server.port())) {
            RespClient admin = connect(port);
            for (String limit : List.of("40mb", "40%")) {
                admin.call("CONFIG", "RESETSTAT");
                assertThat(admin.call("CONFIG", "SET", "maxmemory-clients", limit))
                        .isEqualTo(new Status("OK"));
                RespClient small = hoarder(port, 10 << 20);
                await(client -> info(client, "mem_clients_normal") >= 10 << 20, admin);
                assertThat(info(admin, "evicted_clients")).isZero();
                RespClient large = hoarder(port, 33 << 20);
                await(client -> info(client, "evicted_clients") == 1, admin);
                assertThat(isGone(large)).isTrue();
                finish(small);
                await(client -> info(client, "mem_clients_normal") < 10 << 20, admin);
            }
            admin.call("CONFIG", "SET", "maxmemory-clients", "0");
        }
    }

    @Test
    void whoAskedToBeSparedStays() throws IOException {
        for (int port : List.of(redis.port(), server.port())) {
            RespClient admin = connect(port);
            admin.call("CONFIG", "RESETSTAT");
            assertThat(admin.call("CLIENT", "NO-EVICT", "ON")).isEqualTo(new Status("OK"));
            assertThat(admin.call("CONFIG", "SET", "maxmemory-clients", "60mb")).isEqualTo(new Status("OK"));
            RespClient large = hoarder(port, 33 << 20, "CLIENT", "NO-EVICT", "ON");
            await(client -> info(client, "mem_clients_normal") >= 33 << 20, admin);
            assertThat(((Bulk) admin.call("CLIENT", "LIST")).text()).contains(" flags=e ");
            RespClient small = hoarder(port, 32 << 20);
            await(client -> info(client, "evicted_clients") == 1, admin);
            assertThat(isGone(small)).isTrue();
            finish(large);
            admin.call("CONFIG", "SET", "maxmemory-clients", "0");
        }
    }

    @Test
    void theQueueOfATransactionCounts() throws IOException {
        for (int port : List.of(redis.port(), server.port())) {
            RespClient admin = connect(port);
            admin.call("CONFIG", "RESETSTAT");
            RespClient client = connect(port);
            client.call("MULTI");
            String value = "x".repeat(1 << 20);
            for (int i = 0; i < 8; i++) {
                assertThat(client.call("SET", "k" + i, value)).isEqualTo(new Status("QUEUED"));
            }
            await(each -> info(each, "mem_clients_normal") > 8 << 20, admin);
            assertThat(admin.call("CONFIG", "SET", "maxmemory-clients", "4mb")).isEqualTo(new Status("OK"));
            await(each -> info(each, "evicted_clients") == 1, admin);
            assertThat(isGone(client)).isTrue();
            admin.call("CONFIG", "SET", "maxmemory-clients", "0");
        }
    }

    @Test
    void theSettingIsTakenAndToldAlike() throws IOException {
        RespClient right = connect(redis.port());
        RespClient ours = connect(server.port());
        for (String value :
                List.of("0", "5%", "100%", "101%", "-1", "-5%", "%", "x%", "1gb", "2g", "1.5%", "lots", "0%", "0")) {
            assertThat(ours.call("CONFIG", "SET", "maxmemory-clients", value))
                    .as(value)
                    .isEqualTo(right.call("CONFIG", "SET", "maxmemory-clients", value));
            assertThat(ours.call("CONFIG", "GET", "maxmemory-clients"))
                    .as(value)
                    .isEqualTo(right.call("CONFIG", "GET", "maxmemory-clients"));
        }
        for (String words : List.of("ON", "off", "maybe", "", "on off", "OFF")) {
            String[] request = ("CLIENT NO-EVICT " + words).split(" ");
            assertThat(ours.call(request)).as(words).isEqualTo(right.call(request));
        }
    }
}
