package io.loam.server.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.LoamServer;
import io.loam.server.ServerOptions;
import io.loam.server.differential.RespClient;
import io.loam.server.differential.Value;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Failure;
import io.loam.server.differential.Value.Many;
import io.loam.server.differential.Value.Status;
import io.netty.util.ResourceLeakDetector;
import io.netty.util.ResourceLeakDetector.Level;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Hostile bytes and hostile commands to a running server, over sockets: what comes back is always of the protocol, the server logs no fault of its own, holds nothing for clients that have gone, leaks no buffer, and
 * serves others. Seeded as {@link ParserFuzzTest}.
 */
final class ServerFuzzTest {

    private static final int STREAMS = 400 * ParserFuzzTest.FACTOR;
    private static final int COMMANDS = 15_000 * ParserFuzzTest.FACTOR;

    /** They end the server or connections, hold them back, or change the form of replies. */
    private static final Set<String> LEFT_OUT = Set.of(
            "shutdown",
            "debug",
            "quit",
            "client|pause",
            "client|kill",
            "client|reply",
            "config|set",
            "monitor",
            "hello",
            "reset",
            "subscribe",
            "psubscribe",
            "ssubscribe",
            "unsubscribe",
            "punsubscribe",
            "sunsubscribe",
            "auth",
            "sync",
            "psync",
            "client|no-evict",
            "client|tracking",
            "acl|setuser",
            "acl|load",
            "wait",
            "blpop",
            "brpop");

    private final Queue<String> faults = new ConcurrentLinkedQueue<>();
    private final Logger root = Logger.getLogger("");
    private Level leakLevel;
    private LoamServer server;

    /** Errors are faults of the server: hostile input is no reason for one. */
    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord record) {
            if (record.getLevel().intValue() >= java.util.logging.Level.SEVERE.intValue()) {
                faults.add(record.getLoggerName() + ": " + record.getMessage() + " " + record.getThrown());
            }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    @BeforeEach
    void start() throws IOException {
        leakLevel = ResourceLeakDetector.getLevel();
        ResourceLeakDetector.setLevel(Level.PARANOID);
        root.addHandler(handler);
        server = LoamServer.start(new ServerOptions()
                .set("port", "0")
                .set("maxmemory", "64mb")
                .set("maxmemory-policy", "allkeys-random")
                .set("client-query-buffer-limit", "1mb")
                .set("proto-max-bulk-len", "4mb"));
    }

    @AfterEach
    void stop() {
        server.close();
        System.gc(); // shows the leak detector what was dropped
        ResourceLeakDetector.setLevel(leakLevel);
        root.removeHandler(handler);
        assertThat(faults).as("what the server logged as errors").isEmpty();
    }

    private void assertServes() throws IOException {
        try (RespClient client = new RespClient(server.port())) {
            assertThat(client.call("PING")).isEqualTo(new Status("PONG"));
        }
    }

    @Test
    void hostileBytesGetRepliesOfTheProtocolOrAnEnd() throws Exception {
        try (ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < STREAMS; i++) {
                long seed = ParserFuzzTest.FIRST_SEED + i;
                HostileInput input = new HostileInput(seed);
                byte[] stream = input.stream();
                try (RespClient client = new RespClient(server.port())) {
                    Future<String> replies = readers.submit(() -> readAll(client));
                    send(client.socket(), stream, input.cuts(stream.length));
                    if (input.below(5) > 0) {
                        try {
                            client.socket().shutdownOutput();
                        } catch (SocketException ignored) {
                            // the server has ended the connection already
                        }
                        assertThat(replies.get())
                                .as("seed %d, of %s", seed, HostileInput.shown(stream))
                                .isEmpty();
                    }
                }
            }
        }
        assertServes();
        assertNothingIsHeld();
    }

    /** Half of the streams go in one piece, so that the run is short. */
    private static void send(Socket socket, byte[] stream, int[] cuts) {
        try {
            OutputStream out = socket.getOutputStream();
            int at = 0;
            for (int cut : cuts.length > 200 ? new int[] {stream.length} : cuts) {
                out.write(stream, at, cut);
                at += cut;
            }
        } catch (IOException ignored) {
            // the server has ended the connection: its right
        }
    }

    /** Reads replies to the end; what was wrong, or nothing. */
    private static String readAll(RespClient client) {
        try {
            while (true) {
                Value reply = client.read();
                if (reply instanceof Failure failure && failure.text().contains("internal error")) {
                    return failure.text();
                }
            }
        } catch (EOFException e) {
            return String.valueOf(e.getMessage()).startsWith("the server has ended") ? "" : String.valueOf(e);
        } catch (SocketException e) {
            return ""; // ended with bytes on their way
        } catch (IOException | RuntimeException e) {
            return e.toString();
        }
    }

    private void assertNothingIsHeld() throws IOException {
        try (RespClient client = new RespClient(server.port())) {
            for (int tries = 0; ; tries++) {
                String info = ((Bulk) client.call("INFO", "clients")).text();
                if (info.contains("connected_clients:1\r\n")) {
                    long held = Long.parseLong(info.replaceAll("(?s).*client_input_bytes:(\\d+).*", "$1"));
                    assertThat(held).isLessThan(1 << 20);
                    return;
                }
                assertThat(tries)
                        .as(() -> "the ends of connections are seen over " + server.transport() + ": " + info
                                + clients(client))
                        .isLessThan(60_000);
                LockSupport.parkNanos(1_000_000);
            }
        }
    }

    private static String clients(RespClient client) {
        try {
            return client.call("CLIENT", "LIST").toString();
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Test
    void noCommandFailsInsideWhateverItsArgumentsAre() throws IOException {
        try (RespClient client = new RespClient(server.port())) {
            List<String> names = commandNames(client);
            assertThat(names).hasSizeGreaterThan(80);
            for (int i = 0; i < COMMANDS; i++) {
                long seed = ParserFuzzTest.FIRST_SEED + i;
                List<byte[]> request = command(new HostileInput(seed), names);
                Value reply = client.call(request);
                assertThat(reply.toString())
                        .as(() -> "seed " + seed + ", of " + HostileInput.shown(HostileInput.encode(request)))
                        .doesNotContain("internal error");
                if (i % 500 == 499) {
                    client.call("HELLO", Integer.toString(2 + i / 500 % 2));
                    client.call("FLUSHALL");
                }
            }
        }
        assertServes();
    }

    private static List<String> commandNames(RespClient client) throws IOException {
        List<String> names = new ArrayList<>();
        for (Value command : ((Many) client.call("COMMAND")).values()) {
            List<Value> fields = ((Many) command).values();
            String name = ((Bulk) fields.get(0)).text();
            List<Value> subcommands = ((Many) fields.get(9)).values();
            for (Value subcommand : subcommands) {
                names.add(((Bulk) ((Many) subcommand).values().getFirst()).text());
            }
            if (subcommands.isEmpty()) {
                names.add(name);
            }
        }
        names.removeAll(LEFT_OUT);
        return names;
    }

    private static List<byte[]> command(HostileInput input, List<String> names) {
        List<byte[]> words = new ArrayList<>();
        for (String word : names.get(input.below(names.size())).split("\\|")) {
            words.add(HostileInput.bytes(word));
        }
        int count = input.below(7);
        for (int i = 0; i < count; i++) {
            words.add(argument(input));
        }
        return words;
    }

    private static final String[] NUMBERS = {
        "0",
        "1",
        "-1",
        "2",
        "7",
        "8",
        "63",
        "64",
        "100",
        "-100",
        "4294967295",
        "4294967296",
        "2147483647",
        "-2147483648",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "1.5",
        "-0.0",
        "1e308",
        "1e309",
        "inf",
        "nan",
        "5e-324",
        "0x1",
        ""
    };
    private static final String[] OPTIONS = {
        "EX",
        "PX",
        "EXAT",
        "PXAT",
        "KEEPTTL",
        "NX",
        "XX",
        "GT",
        "LT",
        "GET",
        "PERSIST",
        "MATCH",
        "COUNT",
        "TYPE",
        "string",
        "AND",
        "OR",
        "XOR",
        "NOT",
        "BIT",
        "BYTE",
        "INCRBY",
        "SET",
        "OVERFLOW",
        "WRAP",
        "SAT",
        "FAIL",
        "u8",
        "i64",
        "u63",
        "u64",
        "i0",
        "#1",
        "#9223372036854775807",
        "LEN",
        "IDX",
        "MINMATCHLEN",
        "WITHMATCHLEN",
        "REPLACE",
        "DB",
        "ABSTTL",
        "IDLETIME",
        "FREQ",
        "SAMPLES",
        "ASYNC",
        "SYNC",
        "ID",
        "ON",
        "OFF",
        "all",
        "memory",
        "*",
        "[a-",
        "[^",
        "\\",
        "?*?*?*?*?*?*?*?*?*b",
        "allkeys",
        "FIELDS",
        "LIMIT"
    };

    private static byte[] argument(HostileInput input) {
        return switch (input.below(10)) {
            case 0, 1, 2 -> HostileInput.bytes("k" + input.below(6));
            case 3, 4 -> HostileInput.bytes(input.of(NUMBERS));
            case 5, 6 -> HostileInput.bytes(input.of(OPTIONS));
            case 7 -> HostileInput.bytes(Integer.toString(input.below(300) - 50));
            case 8 -> input.noise(input.below(20));
            default ->
                input.below(20) == 0
                        ? filled(input.of(255, 256, 2000, 40_000, 65_536, 70_000, 300_000))
                        : input.noise(input.below(3));
        };
    }

    private static byte[] filled(int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) 'x');
        return bytes;
    }
}
