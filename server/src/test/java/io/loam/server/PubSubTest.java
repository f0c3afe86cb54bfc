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
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Delivery of messages between connections. */
final class PubSubTest {

    @RegisterExtension
    final Servers servers = new Servers();

    private static Value message(String channel, String text) {
        return new Many('*', List.of(new Bulk("message"), new Bulk(channel), new Bulk(text)));
    }

    /** Several publishers, several subscribers, on two event loops: everybody gets all messages, each publisher's in its order. */
    @Test
    void eachPublishersMessagesComeInOrderAndAllOfThem() throws Exception {
        LoamServer server = servers.start("io-threads", "2");
        int publishers = 3;
        int subscribers = 4;
        int each = 5_000;
        List<RespClient> listening = new ArrayList<>();
        for (int i = 0; i < subscribers; i++) {
            RespClient client = servers.connect(server);
            client.call("SUBSCRIBE", "c");
            listening.add(client);
        }
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            List<Future<?>> tasks = new ArrayList<>();
            for (RespClient client : listening) {
                tasks.add(threads.submit(() -> {
                    int[] next = new int[publishers];
                    for (int i = 0; i < publishers * each; i++) {
                        String[] text = ((Bulk) ((Many) client.read()).values().get(2))
                                .text()
                                .split(" ");
                        int publisher = Integer.parseInt(text[0]);
                        assertThat(Integer.parseInt(text[1])).isEqualTo(next[publisher]++);
                    }
                    return null;
                }));
            }
            for (int p = 0; p < publishers; p++) {
                RespClient client = servers.connect(server);
                int number = p;
                tasks.add(threads.submit(() -> {
                    for (int i = 0; i < each; i += 50) {
                        ByteArrayOutputStream pipeline = new ByteArrayOutputStream();
                        for (int j = i; j < i + 50; j++) {
                            pipeline.writeBytes(RespClient.encode("PUBLISH", "c", number + " " + j));
                        }
                        client.sendRaw(pipeline.toByteArray());
                        for (int j = 0; j < 50; j++) {
                            assertThat(client.read()).isEqualTo(new Number(subscribers));
                        }
                    }
                    return null;
                }));
            }
            for (Future<?> task : tasks) {
                task.get();
            }
        }
    }

    /** I1: the confirmation comes before the first message, however many are being published. */
    @Test
    void noMessageComesBeforeTheConfirmation() throws Exception {
        LoamServer server = servers.start("io-threads", "2");
        AtomicBoolean stop = new AtomicBoolean();
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            RespClient publisher = servers.connect(server);
            Future<?> task = threads.submit(() -> {
                while (!stop.get()) {
                    publisher.call("PUBLISH", "c", "x");
                }
                return null;
            });
            try {
                for (int i = 0; i < 300; i++) {
                    try (RespClient client = new RespClient(server.port())) {
                        client.send("SUBSCRIBE", "c");
                        assertThat(client.read())
                                .isEqualTo(new Many('*', List.of(new Bulk("subscribe"), new Bulk("c"), new Number(1))));
                        assertThat(client.read()).isEqualTo(message("c", "x"));
                    }
                }
            } finally {
                stop.set(true);
                task.get();
            }
        }
        RespClient asking = servers.connect(server);
        while (!asking.call("PUBSUB", "NUMSUB", "c").equals(new Many('*', List.of(new Bulk("c"), new Number(0))))) {
            LockSupport.parkNanos(1_000_000); // the last one's end has not been noticed yet
        }
        assertThat(asking.call("PUBSUB", "CHANNELS")).isEqualTo(new Many('*', List.of()));
    }

    @Test
    void aSubscriberThatDoesNotReadIsDisconnectedAndCostsNoMoreThanItsLimit() throws IOException {
        LoamServer server = servers.start("client-output-buffer-limit", "pubsub 8mb 2mb 60");
        RespClient slow = servers.connect(server);
        slow.call("SUBSCRIBE", "c");
        RespClient quick = servers.connect(server);
        quick.call("SUBSCRIBE", "c");
        RespClient publisher = servers.connect(server);
        byte[] message = new byte[200_000];
        long most = 0;
        int sent = 0;
        while (publisher.call(List.of(bytes("PUBLISH"), bytes("c"), message)).equals(new Number(2))) {
            assertThat(quick.read()).isInstanceOf(Many.class);
            String info = ((Bulk) publisher.call("INFO", "clients")).text();
            most = Math.max(most, Long.parseLong(info.replaceAll("(?s).*client_output_bytes:(\\d+).*", "$1")));
            sent++;
            assertThat(sent).isLessThan(1000);
        }
        assertThat(most).isBetween(1_000_000L, 9_000_000L);
        assertThat(quick.read()).as("who reads goes on to get messages").isInstanceOf(Many.class);
        assertThat(endsWithin(slow, sent)).isTrue();
    }

    /** Whether the connection ends after at most so many messages. */
    private static boolean endsWithin(RespClient client, int messages) throws IOException {
        try {
            for (int i = 0; i < messages; i++) {
                client.read();
            }
            return false;
        } catch (IOException e) {
            return true; // the end, within a message or between two
        }
    }

    @Test
    void aSlowSubscriberWithinItsLimitGetsAll() throws IOException {
        LoamServer server = servers.start("client-output-buffer-limit", "pubsub 64mb 0 0");
        RespClient slow = servers.connect(server);
        slow.call("SUBSCRIBE", "c");
        RespClient publisher = servers.connect(server);
        String message = "x".repeat(100_000);
        for (int i = 0; i < 200; i++) {
            assertThat(publisher.call("PUBLISH", "c", i + message)).isEqualTo(new Number(1));
        }
        for (int i = 0; i < 200; i++) {
            assertThat(slow.read()).isEqualTo(message("c", i + message));
        }
        assertThat(slow.call("PING", "still")).isEqualTo(new Many('*', List.of(new Bulk("pong"), new Bulk("still"))));
    }

    /** I2: after the last confirmation nothing comes but replies, however many messages are being published. */
    @Test
    void noMessageComesAfterTheEndOfTheSubscription() throws Exception {
        LoamServer server = servers.start("io-threads", "2");
        AtomicBoolean stop = new AtomicBoolean();
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            RespClient publisher = servers.connect(server);
            Future<?> task = threads.submit(() -> {
                while (!stop.get()) {
                    publisher.call("PUBLISH", "c", "x");
                }
                return null;
            });
            try {
                RespClient client = servers.connect(server);
                for (int i = 0; i < 2_000; i++) {
                    client.send("SUBSCRIBE", "c");
                    client.send("UNSUBSCRIBE", "c");
                    client.send(i % 2 == 0 ? "RESET" : "PING");
                    Value value = client.read();
                    while (!value.equals(
                            new Many('*', List.of(new Bulk("unsubscribe"), new Bulk("c"), new Number(0))))) {
                        value = client.read();
                    }
                    assertThat(client.read()).isEqualTo(new Status(i % 2 == 0 ? "RESET" : "PONG"));
                    assertThat(client.call("PING")).isEqualTo(new Status("PONG"));
                }
            } finally {
                stop.set(true);
                task.get();
            }
        }
    }

    @Test
    void confirmationsAndMessagesComeWithoutReplies() throws IOException {
        LoamServer server = servers.start();
        RespClient client = servers.connect(server);
        client.send("CLIENT", "REPLY", "OFF");
        client.send("SET", "a", "b");
        client.send("SUBSCRIBE", "c");
        assertThat(client.read())
                .isEqualTo(new Many('*', List.of(new Bulk("subscribe"), new Bulk("c"), new Number(1))));
        assertThat(servers.connect(server).call("PUBLISH", "c", "x")).isEqualTo(new Number(1));
        assertThat(client.read()).isEqualTo(message("c", "x"));
    }

    @Test
    void aSubscriberOfVersionThreeRunsAnyCommand() throws IOException {
        LoamServer server = servers.start();
        RespClient client = servers.connect(server);
        client.call("HELLO", "3");
        assertThat(client.call("SUBSCRIBE", "c"))
                .isEqualTo(new Many('>', List.of(new Bulk("subscribe"), new Bulk("c"), new Number(1))));
        assertThat(client.call("SET", "a", "1")).isEqualTo(new Status("OK"));
        servers.connect(server).call("PUBLISH", "c", "x");
        assertThat(client.read()).isEqualTo(new Many('>', List.of(new Bulk("message"), new Bulk("c"), new Bulk("x"))));
        assertThat(client.call("HELLO", "2")).isInstanceOf(Many.class);
        assertThat(client.call("GET", "a")).isInstanceOf(Failure.class);
    }

    @Test
    void evictionIsTold() throws IOException {
        LoamServer server =
                servers.start("maxmemory", "16mb", "maxmemory-policy", "allkeys-lru", "notify-keyspace-events", "Ee");
        RespClient listener = servers.connect(server);
        listener.call("SUBSCRIBE", "__keyevent@0__:evicted");
        RespClient client = servers.connect(server);
        byte[] value = new byte[10_000];
        for (int i = 0; i < 3_000; i++) {
            assertThat(client.call(List.of(bytes("SET"), bytes("k" + i), value)))
                    .isEqualTo(new Status("OK"));
        }
        Many told = (Many) listener.read();
        assertThat(told.values().get(1)).isEqualTo(new Bulk("__keyevent@0__:evicted"));
        String key = ((Bulk) told.values().get(2)).text();
        assertThat(key).matches("k\\d+");
        assertThat(client.call("EXISTS", key)).isEqualTo(new Number(0));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
