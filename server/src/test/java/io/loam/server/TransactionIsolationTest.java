package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.differential.RespClient;
import io.loam.server.differential.Value;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Many;
import io.loam.server.differential.Value.Number;
import io.loam.server.differential.Value.Status;
import io.loam.server.keyspace.KeyLocks;
import io.loam.server.protocol.Arguments;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A transaction is held in its midst; what others do then waits for its end, or is as if it came before. */
final class TransactionIsolationTest {

    private static final Status PONG = new Status("PONG");

    @RegisterExtension
    final Servers servers = new Servers();

    private static byte[] pipeline(String... lines) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (String line : lines) {
            bytes.writeBytes(RespClient.encode(line.split(" ")));
        }
        return bytes.toByteArray();
    }

    /** Queues a transaction, with so much to read at its end that it does not run on the event loop, which has to serve others. */
    private static void queue(RespClient client, String... lines) throws IOException {
        List<String> all = new ArrayList<>(List.of("MULTI"));
        all.addAll(List.of(lines));
        all.add("EXISTS" + " none".repeat(999));
        all.add("EXISTS none");
        client.sendRaw(pipeline(all.toArray(String[]::new)));
        assertThat(client.read()).isEqualTo(new Status("OK"));
        for (int i = 1; i < all.size(); i++) {
            assertThat(client.read()).isEqualTo(new Status("QUEUED"));
        }
    }

    /** Sends a request that the event loop has begun with when this returns: the bytes of both came together. */
    private static void begin(RespClient client, String line) throws IOException {
        client.sendRaw(pipeline("PING", line));
        assertThat(client.read()).isEqualTo(PONG);
    }

    /** Forbidden: GET, which locks nothing, tells of a value between two commands of a transaction. Without the mark MANY, this fails. */
    @Test
    void nobodySeesAKeyBetweenTwoCommands() throws Exception {
        LoamServer server = servers.start("io-threads", "1");
        RespClient client = servers.connect(server);
        RespClient other = servers.connect(server);
        client.call("SET", "n", "0");
        queue(client, "INCR n", "DECR n");
        try (Hold hold = new Hold(server)) {
            client.send("EXEC");
            hold.await();
            begin(other, "GET n");
        }
        assertThat(other.read()).isEqualTo(new Bulk("0"));
        assertThat(client.read()).isInstanceOf(Many.class);
    }

    /** Forbidden: the same for a key that is not the first of those that are locked. Without the locks of all keys, this fails. */
    @Test
    void everyKeyOfATransactionIsLocked() throws Exception {
        LoamServer server = servers.start("io-threads", "1");
        KeyLocks locks = server.service().keyspace().locks();
        assertThat(stripe(locks, "a")).isNotEqualTo(stripe(locks, "b"));
        for (String first : List.of("a", "b")) {
            String second = first.equals("a") ? "b" : "a";
            RespClient client = servers.connect(server);
            RespClient other = servers.connect(server);
            client.call("MSET", "a", "0", "b", "0");
            queue(client, "INCR " + first, "INCR " + second, "DECR " + first);
            try (Hold hold = new Hold(server)) {
                client.send("EXEC");
                hold.await();
                begin(other, "GET " + first);
            }
            assertThat(other.read()).as(first).isEqualTo(new Bulk("0"));
            assertThat(client.read()).isInstanceOf(Many.class);
            assertThat(other.call("GET", second)).isEqualTo(new Bulk("1"));
        }
    }

    private static int stripe(KeyLocks locks, String key) {
        byte[] bytes = key.getBytes(StandardCharsets.US_ASCII);
        return locks.stripe(Arguments.hash(bytes, 0, bytes.length));
    }

    /** Forbidden: two clients, each of which watches what the other writes, both succeed. Without the locks of watched keys, this fails. */
    @Test
    void whatATransactionWatchesStaysUntilItsEnd() throws Exception {
        LoamServer server = servers.start("io-threads", "1");
        RespClient client = servers.connect(server);
        RespClient other = servers.connect(server);
        client.call("WATCH", "b");
        queue(client, "SET c 1", "SET a 1");
        other.call("WATCH", "a");
        other.call("MULTI");
        other.call("SET", "b", "1");
        try (Hold hold = new Hold(server)) {
            client.send("EXEC");
            hold.await(); // b has not changed, a is not written
            other.sendRaw(pipeline("SET b 2", "EXEC"));
            assertThat(other.read()).isEqualTo(new Status("QUEUED")); // so EXEC has begun
        }
        assertThat(client.read()).isInstanceOf(Many.class);
        assertThat(other.read()).isNotInstanceOf(Many.class);
        assertThat(other.call("MGET", "a", "b").toString()).contains("1").doesNotContain("2");
    }

    /** Forbidden: a key that comes during a transaction of all keys is seen by it. If that does not lock all keys, this fails. */
    @Test
    void aTransactionOfAllKeysHasThemForItself() throws Exception {
        LoamServer server = servers.start("io-threads", "1");
        RespClient client = servers.connect(server);
        RespClient other = servers.connect(server);
        queue(client, "DBSIZE", "SET here 1", "KEYS *", "DBSIZE");
        try (Hold hold = new Hold(server)) {
            client.send("EXEC");
            hold.await();
            begin(other, "SET new 1");
        }
        List<Value> replies = ((Many) client.read()).values();
        assertThat(replies.get(0)).isEqualTo(new Number(0));
        assertThat(((Many) replies.get(2)).values()).containsExactly(new Bulk("here"));
        assertThat(replies.get(3)).isEqualTo(new Number(1));
        assertThat(other.read()).isEqualTo(new Status("OK"));
        assertThat(other.call("DBSIZE")).isEqualTo(new Number(2));
    }
}
