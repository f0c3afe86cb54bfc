package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.server.command.Session;
import io.loam.server.differential.RespClient;
import io.loam.server.differential.Value;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Failure;
import io.loam.server.differential.Value.Many;
import io.loam.server.differential.Value.Status;
import io.loam.server.differential.Value.Verbatim;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a client can't have: too many connections, too much memory, a server that is not meant for it. */
final class LimitsTest {

    private static final Status PONG = new Status("PONG");
    /** What a client who does not read may cost: the socket's buffers, Netty's high-water mark, the reply under way. */
    private static final long BYTES_OF_A_SLOW_READER = 4 << 20;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private final AtomicLong clockMillis = new AtomicLong(System.currentTimeMillis());

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened.reversed()) {
            each.close();
        }
    }

    private LoamServer start(String... settings) throws IOException {
        ServerOptions options = new ServerOptions().set("port", "0").set("maxmemory", "64mb");
        for (int i = 0; i < settings.length; i += 2) {
            options.set(settings[i], settings[i + 1]);
        }
        InstantSource clock = () -> Instant.ofEpochMilli(clockMillis.get());
        LoamServer server = LoamServer.start(options, clock);
        opened.add(server);
        return server;
    }

    private RespClient connect(LoamServer server) throws IOException {
        RespClient client = new RespClient(server.port());
        opened.add(client);
        return client;
    }

    /** Waits for what must come; if it does not, the test's own time limit says so. */
    private static void await(BooleanSupplier condition) {
        for (int tries = 0; tries < 6000 && !condition.getAsBoolean(); tries++) {
            LockSupport.parkNanos(10_000_000);
        }
        assertThat(condition.getAsBoolean()).isTrue();
    }

    /** Waits until the sockets take no more of what is sent to a client that does not read: with less than 256 KiB it would go on. */
    private static void awaitStandstill(Session session) {
        AtomicLong last = new AtomicLong();
        AtomicLong same = new AtomicLong();
        await(() -> {
            long now = session.link().outputBytes();
            same.set(now >= 256 << 10 && last.getAndSet(now) == now ? same.get() + 1 : 0);
            return same.get() >= 50;
        });
    }

    private static Session only(LoamServer server) {
        return server.service().sessions().iterator().next();
    }

    // ---- connections

    @Test
    void noMoreClientsThanAllowed() throws IOException {
        LoamServer server = start("maxclients", "3");
        RespClient first = connect(server);
        RespClient second = connect(server);
        RespClient third = connect(server);
        for (RespClient client : List.of(first, second, third)) {
            assertThat(client.call("PING")).isEqualTo(PONG);
        }
        RespClient fourth = connect(server);
        assertThat(fourth.read()).isEqualTo(new Failure("ERR max number of clients reached"));
        assertThat(fourth.isEnded()).isTrue();
        first.call("HELLO", "3");
        assertThat(((Verbatim) first.call("INFO", "stats")).text()).contains("rejected_connections:1\r\n");
        third.close();
        await(() -> server.service().sessionCount() == 2);
        assertThat(connect(server).call("PING")).isEqualTo(PONG);
    }

    @Test
    void noMoreClientsThanFiles() throws IOException {
        long limit = OpenFiles.limit();
        Assumptions.assumeTrue(limit < 1_000_000, "this process may open " + limit + " files");
        LoamServer server = start("maxclients", Long.toString(limit));
        long most = server.options().maxClients();
        assertThat(most).isLessThan(limit);
        assertThat(connect(server).call("CONFIG", "SET", "maxclients", Long.toString(limit)))
                .isEqualTo(new Failure(
                        "ERR CONFIG SET failed (possibly related to argument 'maxclients') - The operating system is not able to handle the specified number of clients, try with "
                                + most));
        assertThat(server.options().maxClients()).isEqualTo((int) most);
    }

    /** A client that shuts its sending side down gets the replies to what it has sent. */
    @ParameterizedTest
    @ValueSource(strings = {"auto", "nio"})
    void aClientThatOnlyListensAnyMoreGetsItsReplies(String transport) throws IOException {
        LoamServer server = start("transport", transport);
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        opened.add(socket);
        socket.getOutputStream().write(RespClient.encode("PING"));
        socket.shutdownOutput();
        assertThat(socket.getInputStream().readAllBytes()).isEqualTo(bytes("+PONG\r\n"));
        await(() -> server.service().sessionCount() == 0);
    }

    // ---- memory

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static long directBytes() {
        return ((ByteBufAllocatorMetricProvider) ByteBufAllocator.DEFAULT)
                .metric()
                .usedDirectMemory();
    }

    /** Sends requests until the server, full of replies, takes no more; how many bytes it took. */
    private static long sendUntilFull(SocketChannel channel, Session session, byte[] request, long most)
            throws IOException {
        channel.configureBlocking(false);
        long sent = 0;
        ByteBuffer buffer = ByteBuffer.wrap(request);
        int refusals = 0;
        while (sent < most && (refusals < 100 || session.link().outputBytes() == 0)) {
            int written = channel.write(buffer);
            if (written == 0) {
                refusals++;
                LockSupport.parkNanos(5_000_000);
            } else {
                refusals = 0;
                sent += written;
            }
            if (!buffer.hasRemaining()) {
                buffer.rewind();
            }
        }
        return sent;
    }

    /** Replies are asked for and not read: the server stops to read requests, and holds a small part of the replies. */
    @ParameterizedTest
    @ValueSource(strings = {"auto", "nio"})
    void aSlowReaderDoesNotGrowMemory(String transport) throws IOException {
        LoamServer server = start("transport", transport);
        SocketChannel channel =
                SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()));
        opened.add(channel);
        await(() -> server.service().sessionCount() == 1);
        Session session = only(server);
        long before = directBytes();
        byte[] request = RespClient.encode("ECHO", "x".repeat(10_000));
        byte[] reply = bytes("$10000\r\n" + "x".repeat(10_000) + "\r\n");
        long most = 300L << 20;
        long sent = sendUntilFull(channel, session, request, most);
        assertThat(sent).as("the server stops reading").isLessThan(most);
        assertThat(session.link().outputBytes()).isPositive().isLessThan(BYTES_OF_A_SLOW_READER);
        assertThat(session.link().inputBytes()).isLessThan(1 << 20);
        assertThat(directBytes() - before).isLessThan(16 << 20);
        // others are served meanwhile, and it goes on as soon as it reads
        assertThat(connect(server).call("PING")).isEqualTo(PONG);
        channel.configureBlocking(true);
        InputStream input = channel.socket().getInputStream();
        for (long i = 0; i < sent / request.length; i++) {
            assertThat(input.readNBytes(reply.length)).isEqualTo(reply);
        }
    }

    /** A client that asks for more than {@code client-output-buffer-limit} at once, and takes none of it. */
    @Test
    void aReplyIsNoLongerThanTheHardLimit() throws IOException {
        LoamServer server = start("maxmemory", "256mb", "client-output-buffer-limit", "normal 4mb 0 0");
        RespClient client = connect(server);
        assertThat(client.call("SET", "large", "x".repeat(32 << 20))).isEqualTo(new Status("OK"));
        assertThat(client.call("SET", "small", "x".repeat(2 << 20))).isEqualTo(new Status("OK"));
        assertThat(client.call("GET", "small")).isEqualTo(new Bulk("x".repeat(2 << 20)));
        client.send("GET", "large");
        await(() -> server.service().sessionCount() == 0);
        RespClient other = connect(server);
        assertThat(other.call("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0"))
                .isEqualTo(new Status("OK"));
        assertThat(other.call("GET", "large")).isEqualTo(new Bulk("x".repeat(32 << 20)));
    }

    @Test
    void aSlowReaderIsEndedAfterTheTimeOfTheSoftLimit() throws IOException {
        LoamServer server = start("client-output-buffer-limit", "normal 0 128kb 60");
        RespClient client = connect(server);
        assertThat(client.call("SET", "a", "x".repeat(1 << 20))).isEqualTo(new Status("OK"));
        for (int i = 0; i < 40; i++) {
            client.send("GET", "a");
        }
        Session slow = only(server);
        awaitStandstill(slow);
        slow.link().checkOutput(); // as the server does each second
        clockMillis.addAndGet(59_000);
        slow.link().checkOutput();
        assertThat(connect(server).call("PING")).isEqualTo(PONG);
        assertThat(server.service().sessionCount()).isEqualTo(2);
        clockMillis.addAndGet(2_000);
        await(() -> server.service().sessionCount() == 1);
    }

    @Test
    void aSlowSubscriberIsEndedAfterTheTimeOfTheSoftLimit() throws IOException {
        LoamServer server = start("client-output-buffer-limit", "pubsub 0 512kb 60");
        RespClient client = connect(server);
        assertThat(client.call("SUBSCRIBE", "c")).isInstanceOf(Many.class);
        Session slow = only(server);
        RespClient publisher = connect(server);
        String message = "x".repeat(100_000);
        for (int i = 0; i < 300; i++) { // 30 MB: much more than the sockets take
            publisher.call("PUBLISH", "c", message);
        }
        awaitStandstill(slow);
        assertThat(slow.link().outputBytes()).isGreaterThan(2 << 20);
        clockMillis.addAndGet(59_000);
        assertThat(publisher.call("PUBLISH", "c", message)).isEqualTo(new Value.Number(1));
        assertThat(server.service().sessionCount()).isEqualTo(2);
        clockMillis.addAndGet(2_000);
        await(() -> server.service().sessionCount() == 1);
        while (publisher.call("PUBLISH", "c", message).equals(new Value.Number(1))) {
            LockSupport.parkNanos(1_000_000); // its subscription ends after the session
        }
        assertThat(publisher.call("PUBLISH", "c", message)).isEqualTo(new Value.Number(0));
    }

    @Test
    void aRequestIsNoLongerThanTheQueryBuffer() throws IOException {
        LoamServer server = start("client-query-buffer-limit", "1mb");
        RespClient client = connect(server);
        assertThat(client.call("PING")).isEqualTo(PONG);
        StringBuilder request = new StringBuilder("*100000\r\n");
        for (int i = 0; i < 99_999; i++) {
            request.append("$100\r\n").append("x".repeat(100)).append("\r\n");
        }
        byte[] all = bytes(request.toString());
        Session session = only(server);
        AtomicLong held = new AtomicLong();
        int at = 0;
        try {
            for (; at < all.length; at += 10_000) {
                client.socket().getOutputStream().write(all, at, Math.min(10_000, all.length - at));
                held.accumulateAndGet(session.link().inputBytes(), Math::max);
            }
        } catch (IOException e) {
            // the server has ended the connection, as it should
        }
        assertThat(held.get()).isLessThan(4 << 20);
        await(() -> server.service().sessionCount() == 0);
        assertThat(connect(server).call("PING")).isEqualTo(PONG);
    }

    @Test
    void anArgumentIsNoLongerThanAllowed() throws IOException {
        RespClient client = connect(start("proto-max-bulk-len", "1mb"));
        assertThat(client.call("SET", "a", "x".repeat(1 << 20))).isEqualTo(new Status("OK"));
        client.sendRaw(bytes("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1048577\r\n"));
        assertThat(client.read()).isEqualTo(new Failure("ERR Protocol error: invalid bulk length"));
        assertThat(client.isEnded()).isTrue();
    }

    @Test
    void whoIsNotAuthenticatedMaySendLittle() throws IOException {
        LoamServer server = start("requirepass", "secret");
        RespClient client = connect(server);
        client.sendRaw(bytes("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1000000\r\n"));
        assertThat(client.read()).isEqualTo(new Failure("ERR Protocol error: unauthenticated bulk length"));
        assertThat(client.isEnded()).isTrue();
        RespClient other = connect(server);
        other.sendRaw(bytes("*11\r\n"));
        assertThat(other.read()).isEqualTo(new Failure("ERR Protocol error: unauthenticated multibulk length"));
        RespClient friend = connect(server);
        assertThat(friend.call("AUTH", "secret")).isEqualTo(new Status("OK"));
        assertThat(friend.call("SET", "a", "x".repeat(1_000_000))).isEqualTo(new Status("OK"));
    }

    // ---- who may come

    private static InetAddress addressOfThisMachine() throws IOException {
        return NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .filter(address -> address instanceof Inet4Address && !address.isLoopbackAddress())
                .findFirst()
                .orElse(null);
    }

    private static String firstLine(InetAddress address, int port) throws IOException {
        try (Socket socket = new Socket(address, port)) {
            socket.getOutputStream().write(RespClient.encode("PING"));
            return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))
                    .readLine();
        }
    }

    @Test
    void protectedModeKeepsOthersOut() throws IOException {
        InetAddress address = addressOfThisMachine();
        Assumptions.assumeTrue(address != null, "this machine has no address but the loopback one");
        LoamServer server = start("bind", "*");
        RespClient local = connect(server);
        assertThat(firstLine(address, server.port())).startsWith("-DENIED ");
        local.call("CONFIG", "SET", "requirepass", "secret");
        assertThat(firstLine(address, server.port())).isEqualTo("-NOAUTH Authentication required.");
        local.call("CONFIG", "SET", "requirepass", "");
        assertThat(firstLine(address, server.port())).startsWith("-DENIED ");
        local.call("CONFIG", "SET", "protected-mode", "no");
        assertThat(firstLine(address, server.port())).isEqualTo("+PONG");
    }

    @Test
    void onlyTheAddressesThatAreBoundAreServed() throws IOException {
        InetAddress address = addressOfThisMachine();
        Assumptions.assumeTrue(address != null, "this machine has no address but the loopback one");
        LoamServer server = start();
        assertThatThrownBy(() -> firstLine(address, server.port())).isInstanceOf(IOException.class);
        assertThat(connect(server).call("CONFIG", "GET", "bind"))
                .isEqualTo(new Many('*', List.of(new Bulk("bind"), new Bulk("127.0.0.1"))));
    }
}
