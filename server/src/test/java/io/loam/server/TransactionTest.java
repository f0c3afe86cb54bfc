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
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Transactions as other clients see them. */
final class TransactionTest {

    private static final int ACCOUNTS = 6;
    private static final int EACH = 1_000;

    @RegisterExtension
    final Servers servers = new Servers();

    private static String account(int number) {
        return "account" + number;
    }

    /**
     * Forbidden: a sum over all accounts shows one side of a transfer and not the other; whether it is read by MGET without locks or by GETs in a transaction. Without the locks of all keys of a transaction, or
     * without their mark MANY, this fails.
     */
    @Test
    void nobodySeesAPartOfATransaction() throws Exception {
        LoamServer server = servers.start("io-threads", "2");
        RespClient first = servers.connect(server);
        for (int i = 0; i < ACCOUNTS; i++) {
            first.call("SET", account(i), Integer.toString(EACH));
        }
        AtomicBoolean stop = new AtomicBoolean();
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            List<Future<?>> writers = new ArrayList<>();
            for (int w = 0; w < 3; w++) {
                RespClient client = servers.connect(server);
                Random random = new Random(w);
                writers.add(threads.submit(() -> {
                    while (!stop.get()) {
                        transfer(client, random);
                    }
                    return null;
                }));
            }
            try {
                RespClient reader = servers.connect(server);
                for (int i = 0; i < 5_000; i++) {
                    assertThat(sum(readAll(reader))).as("MGET, round %d", i).isEqualTo(ACCOUNTS * EACH);
                    assertThat(sum(readInTransaction(reader)))
                            .as("MULTI, round %d", i)
                            .isEqualTo(ACCOUNTS * EACH);
                }
            } finally {
                stop.set(true);
                for (Future<?> writer : writers) {
                    writer.get();
                }
            }
        }
    }

    /** Forbidden: GET, which locks nothing, sees the key between two commands of a transaction. Without the mark MANY on the one stripe, this fails. */
    @Test
    void nobodySeesAKeyBetweenTwoCommandsOfATransaction() throws Exception {
        LoamServer server = servers.start("io-threads", "2");
        servers.connect(server).call("SET", "n", "0");
        AtomicBoolean stop = new AtomicBoolean();
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            RespClient writing = servers.connect(server);
            ByteArrayOutputStream pipeline = new ByteArrayOutputStream();
            for (String line : List.of("MULTI", "INCR n", "DECR n", "EXEC")) {
                pipeline.writeBytes(RespClient.encode(line.split(" ")));
            }
            Future<?> writer = threads.submit(() -> {
                while (!stop.get()) {
                    writing.sendRaw(pipeline.toByteArray());
                    for (int i = 0; i < 4; i++) {
                        writing.read();
                    }
                }
                return null;
            });
            try {
                RespClient reader = servers.connect(server);
                ByteArrayOutputStream reads = new ByteArrayOutputStream();
                for (int i = 0; i < 50; i++) {
                    reads.writeBytes(RespClient.encode("GET", "n"));
                }
                for (int i = 0; i < 1_000; i++) {
                    reader.sendRaw(reads.toByteArray());
                    for (int j = 0; j < 50; j++) {
                        assertThat(reader.read()).isEqualTo(new Bulk("0"));
                    }
                }
            } finally {
                stop.set(true);
                writer.get();
            }
        }
    }

    /** Forbidden: two clients, each of which watches what the other writes, both succeed. Without the locks of watched keys, this fails. */
    @Test
    void ofTwoThatWatchWhatTheOtherWritesOneSucceeds() throws IOException {
        LoamServer server = servers.start("io-threads", "2");
        RespClient first = servers.connect(server);
        RespClient second = servers.connect(server);
        for (int i = 0; i < 3_000; i++) {
            first.call("WATCH", "b");
            second.call("WATCH", "a");
            first.call("MULTI");
            second.call("MULTI");
            first.call("SET", "a", "1");
            second.call("SET", "b", "1");
            first.send("EXEC");
            second.send("EXEC");
            boolean one = first.read() instanceof Many;
            boolean other = second.read() instanceof Many;
            assertThat(one).as("round %d: exactly one", i).isNotEqualTo(other);
        }
    }

    /** In a transaction of all keys, KEYS and DBSIZE too are of one instant: a key that is renamed is there once. */
    @Test
    void commandsOfAllKeysAreOfOneInstantInATransaction() throws Exception {
        LoamServer server = servers.start("io-threads", "2");
        servers.connect(server).call("SET", "here", "1");
        AtomicBoolean stop = new AtomicBoolean();
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            RespClient mover = servers.connect(server);
            Future<?> writer = threads.submit(() -> {
                while (!stop.get()) {
                    mover.call("RENAME", "here", "there");
                    mover.call("RENAME", "there", "here");
                }
                return null;
            });
            try {
                RespClient reader = servers.connect(server);
                for (int i = 0; i < 300; i++) {
                    reader.call("MULTI");
                    reader.call("DBSIZE");
                    reader.call("EXISTS", "here", "there");
                    reader.call("KEYS", "*");
                    Many reply = (Many) reader.call("EXEC");
                    assertThat(reply.values().subList(0, 2)).containsExactly(new Number(1), new Number(1));
                    assertThat(((Many) reply.values().get(2)).values()).hasSize(1);
                }
            } finally {
                stop.set(true);
                writer.get();
            }
        }
    }

    private static void transfer(RespClient client, Random random) throws IOException {
        int from = random.nextInt(ACCOUNTS);
        int to = random.nextInt(ACCOUNTS);
        int amount = random.nextInt(10);
        ByteArrayOutputStream pipeline = new ByteArrayOutputStream();
        pipeline.writeBytes(RespClient.encode("MULTI"));
        pipeline.writeBytes(RespClient.encode("DECRBY", account(from), Integer.toString(amount)));
        pipeline.writeBytes(RespClient.encode("INCRBY", account(to), Integer.toString(amount)));
        pipeline.writeBytes(RespClient.encode("EXEC"));
        client.sendRaw(pipeline.toByteArray());
        for (int i = 0; i < 3; i++) {
            client.read();
        }
        assertThat(((Many) client.read()).values()).hasSize(2).hasOnlyElementsOfType(Number.class);
    }

    private static List<Value> readAll(RespClient client) throws IOException {
        String[] words = new String[ACCOUNTS + 1];
        words[0] = "MGET";
        for (int i = 0; i < ACCOUNTS; i++) {
            words[i + 1] = account(i);
        }
        return ((Many) client.call(words)).values();
    }

    private static List<Value> readInTransaction(RespClient client) throws IOException {
        client.call("MULTI");
        for (int i = 0; i < ACCOUNTS; i++) {
            client.call("GET", account(i));
        }
        return ((Many) client.call("EXEC")).values();
    }

    private static int sum(List<Value> values) {
        return values.stream()
                .mapToInt(value -> Integer.parseInt(((Bulk) value).text()))
                .sum();
    }

    /** A counter by WATCH, GET, MULTI, SET, EXEC: no increment is lost, whoever gets in between. */
    @Test
    void watchedIncrementsAreNotLost() throws Exception {
        LoamServer server = servers.start("io-threads", "2");
        servers.connect(server).call("SET", "n", "0");
        int clients = 3;
        int increments = 400;
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            List<Future<?>> tasks = new ArrayList<>();
            for (int t = 0; t < clients; t++) {
                RespClient client = servers.connect(server);
                tasks.add(threads.submit(() -> {
                    for (int done = 0; done < increments; ) {
                        client.call("WATCH", "n");
                        int n = Integer.parseInt(((Bulk) client.call("GET", "n")).text());
                        client.call("MULTI");
                        client.call("SET", "n", Integer.toString(n + 1));
                        done += client.call("EXEC") instanceof Many ? 1 : 0;
                    }
                    return null;
                }));
            }
            for (Future<?> task : tasks) {
                task.get();
            }
        }
        assertThat(servers.connect(server).call("GET", "n"))
                .isEqualTo(new Bulk(Integer.toString(clients * increments)));
    }

    /** A command that finds only when it runs that it must wait is gone on with elsewhere; those before it are not run twice. */
    @Test
    void aTransactionGoesOnWhereItHadToWait() throws IOException {
        RespClient client = servers.connect(servers.start("enable-debug-command", "yes"));
        byte[] large = new byte[2 << 20];
        client.call(List.of(bytes("SET"), bytes("large"), large));
        for (String waiting : List.of(
                "EXPIRE large 1000", "RENAME large large2", "RENAME large2 large", "DEBUG SLEEP 0", "KEYS large")) {
            client.call("SET", "n", "0");
            client.call("MULTI");
            client.call("INCR", "n");
            client.call("ECHO", "before");
            client.call(waiting.split(" "));
            client.call("INCR", "n");
            client.call("STRLEN", "large");
            List<Value> replies = ((Many) client.call("EXEC")).values();
            assertThat(replies).as(waiting).hasSize(5);
            assertThat(replies.get(0)).as(waiting).isEqualTo(new Number(1));
            assertThat(replies.get(1)).isEqualTo(new Bulk("before"));
            assertThat(replies.get(2)).isNotInstanceOf(Failure.class);
            assertThat(replies.get(3)).as(waiting).isEqualTo(new Number(2));
            assertThat(client.call("GET", "n")).isEqualTo(new Bulk("2"));
        }
    }

    @Test
    void largeArgumentsAndRepliesPassThroughTransactions() throws IOException {
        RespClient client = servers.connect(servers.start());
        byte[] large = new byte[300_000];
        Arrays.fill(large, (byte) 'x');
        Bulk whole = new Bulk(new String(large, StandardCharsets.ISO_8859_1));
        client.call("MULTI");
        client.call(List.of(bytes("SET"), bytes("a"), large));
        client.call("GET", "a");
        client.call("EXPIRE", "a", "100");
        client.call("GET", "a");
        assertThat(client.call("EXEC"))
                .isEqualTo(new Many('*', List.of(new Status("OK"), whole, new Number(1), whole)));
    }

    @Test
    void aQueueIsBoundedAndCounted() throws IOException {
        LoamServer server = servers.start("client-query-buffer-limit", "1mb", "proto-max-bulk-len", "1mb");
        RespClient client = servers.connect(server);
        byte[] value = new byte[100_000];
        client.call("MULTI");
        Value reply = new Status("QUEUED");
        int queued = 0;
        while (reply.equals(new Status("QUEUED"))) {
            reply = client.call(List.of(bytes("SET"), bytes("k" + queued), value));
            queued++;
            assertThat(queued).isLessThan(100);
        }
        assertThat(((Failure) reply).text()).contains("client-query-buffer-limit");
        String list = ((Bulk) servers.connect(server).call("CLIENT", "LIST")).text();
        assertThat(list).containsPattern("multi=" + (queued - 1) + " .*multi-mem=\\d{6,} .*cmd=set");
        assertThat(client.call("EXEC")).isInstanceOf(Failure.class);
        assertThat(client.call("EXISTS", "k0")).isEqualTo(new Number(0));
        assertThat(((Bulk) client.call("INFO", "clients")).text()).contains("client_transaction_bytes:0\r\n");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
