package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.command.Session;
import io.loam.server.differential.RespClient;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Many;
import io.loam.server.differential.Value.Status;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Whose connection {@code timeout} ends: who neither sends nor takes anything, and waits for nothing. */
final class IdleTest {

    private static final Status PONG = new Status("PONG");
    private static final Status OK = new Status("OK");

    @RegisterExtension
    final Servers servers = new Servers();

    private final AtomicLong clockMillis = new AtomicLong(System.currentTimeMillis());
    private final Semaphore seconds = new Semaphore(0);

    private LoamServer start() throws IOException {
        InstantSource clock = () -> Instant.ofEpochMilli(clockMillis.get());
        LoamServer server = servers.start(clock, "timeout", "60", "io-threads", "1", "enable-debug-command", "yes");
        server.service().everySecond(seconds::release);
        return server;
    }

    private static void await(BooleanSupplier condition) {
        for (int tries = 0; tries < 6000 && !condition.getAsBoolean(); tries++) {
            LockSupport.parkNanos(10_000_000);
        }
        assertThat(condition.getAsBoolean()).isTrue();
    }

    /** Lets time pass, and the server look for idle clients. */
    private void pass(int millis) throws InterruptedException {
        clockMillis.addAndGet(millis);
        seconds.drainPermits();
        seconds.acquire(2); // it looks before each, on the one event loop
    }

    private static Session only(LoamServer server) {
        return server.service().sessions().iterator().next();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    @Test
    void idleClientsAreDisconnected() throws Exception {
        LoamServer server = start();
        RespClient idle = servers.connect(server);
        RespClient busy = servers.connect(server);
        idle.call("PING");
        pass(50_000);
        assertThat(busy.call("PING")).isEqualTo(PONG);
        pass(20_000);
        assertThat(idle.isEnded()).isTrue();
        assertThat(busy.call("PING")).isEqualTo(PONG);
    }

    /** A client that was cut off in the midst of a request holds no more than it sent, and not for ever. */
    @Test
    void aHalfOpenConnectionCostsWhatItSentUntilTheTimeout() throws Exception {
        LoamServer server = start();
        RespClient client = servers.connect(server);
        assertThat(client.call("PING")).isEqualTo(PONG);
        client.sendRaw(bytes("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$500000000\r\nonly a little of it"));
        Session session = only(server);
        await(() -> session.link().inputBytes() > 0);
        assertThat(session.link().inputBytes()).isLessThan(256 << 10);
        pass(61_000);
        assertThat(client.isEnded()).isTrue();
        await(() -> server.service().sessionCount() == 0);
    }

    @Test
    void whoSendsARequestSlowlyIsNotIdle() throws Exception {
        LoamServer server = start();
        RespClient client = servers.connect(server);
        client.call("PING");
        client.sendRaw(bytes("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$300000\r\n"));
        byte[] part = bytes("x".repeat(100_000));
        for (int i = 0; i < 3; i++) {
            long before = server.service().inputBytes().sum();
            client.sendRaw(part);
            await(() -> server.service().inputBytes().sum() >= before + part.length);
            pass(40_000);
        }
        client.sendRaw(bytes("\r\n"));
        assertThat(client.read()).isEqualTo(OK);
    }

    @Test
    void whoTakesAReplySlowlyIsNotIdle() throws Exception {
        LoamServer server = start();
        RespClient client = servers.connect(server);
        int length = 30 << 20;
        String value = "y".repeat(length);
        assertThat(client.call("SET", "a", value)).isEqualTo(OK);
        client.send("GET", "a");
        Session session = only(server);
        await(() -> session.link().outputBytes() > 0);
        int taken = 0;
        while (taken < 20 << 20) {
            assertThat(client.socket().getInputStream().readNBytes(5 << 20)).hasSize(5 << 20);
            taken += 5 << 20;
            pass(40_000);
        }
        int rest = ("$" + length + "\r\n").length() + length + 2 - taken;
        assertThat(client.socket().getInputStream().readNBytes(rest)).hasSize(rest);
        assertThat(client.call("PING")).isEqualTo(PONG);
    }

    @Test
    void whoTakesNothingIsIdle() throws Exception {
        LoamServer server = start();
        RespClient client = servers.connect(server);
        assertThat(client.call("SET", "a", "y".repeat(30 << 20))).isEqualTo(OK);
        client.send("GET", "a");
        Session session = only(server);
        await(() -> session.link().outputBytes() > 0);
        AtomicLong last = new AtomicLong();
        AtomicLong same = new AtomicLong();
        await(
                () -> { // until the sockets take no more
                    long now = session.link().outputBytes();
                    same.set(now >= 256 << 10 && last.getAndSet(now) == now ? same.get() + 1 : 0);
                    return same.get() >= 50;
                });
        pass(1); // what was taken until now is seen
        pass(61_000);
        await(() -> server.service().sessionCount() == 0);
    }

    @Test
    void whoWaitsForTheServerIsNotIdle() throws Exception {
        LoamServer server = start();
        RespClient subscriber = servers.connect(server);
        RespClient monitor = servers.connect(server);
        RespClient paused = servers.connect(server);
        RespClient admin = servers.connect(server);
        assertThat(subscriber.call("SUBSCRIBE", "c")).isInstanceOf(Many.class);
        assertThat(monitor.call("MONITOR")).isEqualTo(OK);
        assertThat(admin.call("CLIENT", "PAUSE", "1000000")).isEqualTo(OK);
        paused.send("SET", "a", "1");
        await(() -> server.service().sessions().stream()
                .anyMatch(session -> session.link().isAway()));
        for (int i = 0; i < 3; i++) {
            pass(50_000);
            assertThat(admin.call("CLIENT", "GETNAME")).isNotNull();
        }
        assertThat(server.service().sessionCount()).isEqualTo(4);
        assertThat(admin.call("CLIENT", "UNPAUSE")).isEqualTo(OK);
        assertThat(paused.read()).isEqualTo(OK);
        pass(50_000); // the time counts from the reply on
        assertThat(paused.call("GET", "a")).isEqualTo(new Bulk("1"));
    }
}
