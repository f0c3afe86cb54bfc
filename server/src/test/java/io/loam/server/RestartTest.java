package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loam.memory.region.RegionException;
import io.loam.server.differential.RespClient;
import io.loam.server.differential.Value;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Failure;
import io.loam.server.differential.Value.Many;
import io.loam.server.differential.Value.Nothing;
import io.loam.server.differential.Value.Number;
import io.loam.server.differential.Value.Status;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.BindException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Servers that keep their data in a directory, one after the other. */
@Timeout(240)
final class RestartTest {

    private static final Status OK = new Status("OK");

    @RegisterExtension
    final DataDirectory directory = new DataDirectory();

    private ServerOptions options(String... settings) {
        ServerOptions options =
                new ServerOptions().set("port", "0").set("maxmemory", "32mb").set("data", directory.toString());
        for (int i = 0; i < settings.length; i += 2) {
            options.set(settings[i], settings[i + 1]);
        }
        return options;
    }

    private LoamServer start(String... settings) throws BindException {
        return LoamServer.start(options(settings));
    }

    private static RespClient connect(LoamServer server) throws IOException {
        return new RespClient(server.port());
    }

    private static void fillHash(RespClient client, String key, int fields) throws IOException {
        for (int from = 0; from < fields; from += 100) {
            List<String> words = new ArrayList<>(List.of("HSET", key));
            for (int i = from; i < Math.min(fields, from + 100); i++) {
                words.addAll(List.of("field" + i, "value" + i));
            }
            assertThat(client.call(words.toArray(String[]::new))).isInstanceOf(Number.class);
        }
    }

    private static long elements(LoamServer server) {
        return server.service().store().namespace("server.elements").size();
    }

    private static void awaitElements(LoamServer server, long count) {
        for (int tries = 0; elements(server) != count; tries++) {
            assertThat(tries).as("elements: %d", elements(server)).isLessThan(60_000);
            LockSupport.parkNanos(1_000_000);
        }
    }

    // ---- what stays

    @Test
    void whatIsThereStays() throws IOException {
        try (LoamServer server = start();
                RespClient client = connect(server)) {
            assertThat(server.data()).contains("new").contains(directory.toString());
            assertThat(client.call("CONFIG", "GET", "data"))
                    .isEqualTo(new Many('*', List.of(new Bulk("data"), new Bulk(directory.toString()))));
            assertThat(client.call("CONFIG", "SET", "data", "/tmp/other")).isInstanceOf(Failure.class);
            client.call("SET", "a", "1");
            client.call("SET", "b", "2", "PXAT", "4000000000000");
            client.call("HSET", "small", "f", "v");
            fillHash(client, "large", 1_000);
            client.call("SELECT", "5");
            client.call("SET", "five", "5");
        }
        for (int round = 0; round < 2; round++) {
            try (LoamServer server = start();
                    RespClient client = connect(server)) {
                assertThat(server.data()).contains("5 keys, left in order");
                assertThat(client.call("GET", "a")).isEqualTo(new Bulk("1"));
                assertThat(client.call("PEXPIRETIME", "b")).isEqualTo(new Number(4_000_000_000_000L));
                assertThat(client.call("HGET", "small", "f")).isEqualTo(new Bulk("v"));
                assertThat(client.call("HLEN", "large")).isEqualTo(new Number(1_000));
                assertThat(client.call("HGET", "large", "field777")).isEqualTo(new Bulk("value777"));
                client.call("SELECT", "5");
                assertThat(client.call("GET", "five")).isEqualTo(new Bulk("5"));
                long capacity = server.service().store().capacityBytes();
                assertThat(capacity).isEqualTo(32 << 20);
                assertThat(Files.size(directory.file())).as("once the budget").isLessThan(capacity + (6 << 20));
            }
        }
    }

    @Test
    void whatExpiresWhileNoServerIsThereIsGone() throws IOException {
        long begin = System.currentTimeMillis();
        try (LoamServer server = LoamServer.start(options(), () -> Instant.ofEpochMilli(begin));
                RespClient client = connect(server)) {
            client.call("SET", "short", "1", "PX", "5000");
            client.call("SET", "long", "1", "PX", "9000");
            client.call("HSET", "hash", "f", "v");
            client.call("PEXPIRE", "hash", "5000");
        }
        try (LoamServer server = LoamServer.start(options(), () -> Instant.ofEpochMilli(begin + 5_001));
                RespClient client = connect(server)) {
            assertThat(client.call("GET", "short")).isEqualTo(new Nothing(false));
            assertThat(client.call("EXISTS", "hash")).isEqualTo(new Number(0));
            assertThat(client.call("PTTL", "long")).isEqualTo(new Number(3_999));
        }
    }

    @Test
    void settingsMayChange() throws IOException {
        try (LoamServer server = start("update-policy", "in-place");
                RespClient client = connect(server)) {
            for (int i = 0; i < 2_000; i++) {
                client.call("SET", "k" + i, "value" + i);
                client.call("SET", "k" + i, "other" + i);
            }
        }
        try (LoamServer server =
                        start("update-policy", "append", "maxmemory-policy", "allkeys-lru", "maxmemory", "24mb");
                RespClient client = connect(server)) {
            assertThat(server.service().store().capacityBytes()).isEqualTo(24 << 20);
            assertThat(client.call("GET", "k1999")).isEqualTo(new Bulk("other1999"));
            for (int i = 0; i < 40_000; i++) {
                assertThat(client.call("SET", "more" + i, "x".repeat(1000))).isEqualTo(OK);
            }
            assertThat(server.service().store().stats().evictedEntries()).isPositive();
        }
        try (LoamServer server = start("update-policy", "in-place", "maxmemory-policy", "noeviction");
                RespClient client = connect(server)) {
            Value reply = OK;
            for (int i = 0; i < 40_000 && reply.equals(OK); i++) {
                reply = client.call("SET", "again" + i, "y".repeat(1000));
            }
            assertThat(reply).isInstanceOf(Failure.class);
            assertThat(server.service().store().stats().evictedEntries()).isZero();
            assertThat(client.call("CONFIG", "SET", "maxmemory", "64mb")).isInstanceOf(Failure.class);
        }
        assertThatThrownBy(() -> start("maxmemory", "64mb"))
                .hasMessageContaining("maxmemory 67108864")
                .hasMessageContaining("to 33554432")
                .hasMessageContaining(directory.toString());
        assertThatThrownBy(() -> start("maxmemory", "8mb"))
                .hasMessageContaining("maxmemory 8388608 is too little")
                .hasMessageContaining("Start with 33554432");
        ServerOptions silent = new ServerOptions().set("port", "0").set("data", directory.toString());
        try (LoamServer server = LoamServer.start(silent)) {
            assertThat(server.service().store().capacityBytes()).isEqualTo(32 << 20);
            assertThat(server.options().maxMemory()).isEqualTo(32 << 20);
        }
    }

    @Test
    void aFullStoreStartsAndIsFlushed() throws IOException {
        try (LoamServer server = start();
                RespClient client = connect(server)) {
            Value reply = OK;
            for (int i = 0; reply.equals(OK); i++) {
                reply = client.call("SET", "k" + i, "y".repeat(500));
            }
        }
        try (LoamServer server = start();
                RespClient client = connect(server)) {
            assertThat(client.call("FLUSHALL")).isEqualTo(OK);
            assertThat(client.call("SET", "k", "v")).isEqualTo(OK);
        }
    }

    // ---- databases

    @Test
    void databasesKeepTheirOrderWhateverTheirNumber() throws IOException {
        try (LoamServer server = start("databases", "16");
                RespClient client = connect(server)) {
            client.call("SET", "k", "zero");
            fillHash(client, "large", 500);
            client.call("SELECT", "1");
            client.call("SET", "k", "one");
            client.call("SWAPDB", "0", "9");
            client.call("SWAPDB", "9", "2");
        }
        // what was database 0 is 2 now, and 9 and 0 are exchanged places of empty ones
        try (LoamServer server = start("databases", "4");
                RespClient client = connect(server)) {
            client.call("SELECT", "2");
            assertThat(client.call("GET", "k")).isEqualTo(new Bulk("zero"));
            client.call("SWAPDB", "1", "2");
        }
        try (LoamServer server = start("databases", "20");
                RespClient client = connect(server)) {
            client.call("SELECT", "1");
            assertThat(client.call("GET", "k")).isEqualTo(new Bulk("zero"));
            assertThat(client.call("HLEN", "large")).isEqualTo(new Number(500));
            client.call("SELECT", "2");
            assertThat(client.call("GET", "k")).isEqualTo(new Bulk("one"));
            for (int i = 0; i < 20; i++) {
                client.call("SELECT", Integer.toString(i));
                client.call("SET", "number", Integer.toString(i));
            }
            for (int i = 0; i < 20; i++) {
                client.call("SELECT", Integer.toString(i));
                assertThat(client.call("GET", "number"))
                        .as("no two are the same")
                        .isEqualTo(new Bulk(Integer.toString(i)));
            }
        }
        assertThatThrownBy(() -> start("databases", "4"))
                .hasMessageContaining("databases is 4, but database 19 holds 1 keys")
                .hasMessageContaining("databases 20 or more");
    }

    // ---- what was not finished

    @Test
    void fieldsOfDeletedHashesAreReclaimedAfterTheServerWasKilled() throws Exception {
        try (ServerProcess process = ServerProcess.start("data", directory.toString(), "maxmemory", "32mb")) {
            try (RespClient client = new RespClient(process.port())) {
                fillHash(client, "kept", 300);
                for (int i = 0; i < 4; i++) {
                    fillHash(client, "gone" + i, 20_000);
                }
                client.call("UNLINK", "gone0", "gone1");
                client.call("SET", "gone2", "now a string");
                client.call("SELECT", "3");
                fillHash(client, "gone", 300);
                client.call("FLUSHDB");
                client.call("SELECT", "0");
                client.call("DEL", "gone3");
            }
            process.kill();
        }
        try (LoamServer server = start();
                RespClient client = connect(server)) {
            assertThat(server.data()).contains("2 keys, repaired");
            awaitElements(server, 601);
            assertThat(client.call("HLEN", "kept")).isEqualTo(new Number(300));
            assertThat(client.call("HGET", "kept", "field299")).isEqualTo(new Bulk("value299"));
        }
    }

    @Test
    void aFlushThatWasCutOffIsFinished() throws IOException {
        try (LoamServer server = start();
                RespClient client = connect(server)) {
            client.call("SET", "k", "v");
            client.call("SELECT", "1");
            client.call("SET", "k", "v");
            fillHash(client, "large", 500);
            server.service()
                    .store()
                    .namespace("server")
                    .put("flushing".getBytes(StandardCharsets.US_ASCII), new byte[] {1});
        }
        for (int round = 0; round < 2; round++) {
            try (LoamServer server = start();
                    RespClient client = connect(server)) {
                assertThat(client.call("DBSIZE")).isEqualTo(new Number(round));
                awaitElements(server, 0);
                client.call("SET", "k", "v");
            }
        }
    }

    @Test
    void commandsUnderWayEndBeforeTheStoreIsClosed() throws IOException {
        try (LoamServer server = start("maxmemory", "64mb")) {
            try (RespClient client = connect(server)) {
                fillHash(client, "large", 60_000);
                long before = elements(server);
                client.send("COPY", "large", "copy");
                while (elements(server) < before + 100) {
                    LockSupport.parkNanos(100_000);
                }
                server.close();
            }
        }
        try (LoamServer server = start("maxmemory", "64mb");
                RespClient client = connect(server)) {
            assertThat(server.data()).contains("2 keys, left in order");
            assertThat(client.call("HLEN", "copy")).isEqualTo(new Number(60_000));
        }
    }

    // ---- many keys in one command

    @Test
    void manyKeysAreSetTogetherOrNotAtAllWhenMemoryIsShort() throws IOException {
        try (LoamServer server = start();
                RespClient client = connect(server)) {
            fillHash(client, "large", 300);
            Value reply = OK;
            int filled = 0;
            for (; reply.equals(OK); filled++) {
                reply = client.call("SET", "fill" + filled, "y".repeat(2_000));
            }
            List<Value> sets = new ArrayList<>();
            List<Value> additions = new ArrayList<>();
            for (int round = 0; round < 350; round++) {
                List<String> words = new ArrayList<>(List.of("MSET"));
                List<String> keys = new ArrayList<>(List.of("EXISTS"));
                List<String> fields = new ArrayList<>(List.of("HSET", "large"));
                for (int i = 0; i < 700; i++) {
                    words.addAll(List.of("m" + round + "-" + i, "z".repeat(150)));
                    keys.add("m" + round + "-" + i);
                    fields.addAll(List.of("new" + round + "-" + i, "w"));
                }
                Value set = client.call(words.toArray(String[]::new));
                assertThat(client.call(keys.toArray(String[]::new))).isEqualTo(new Number(set.equals(OK) ? 700 : 0));
                sets.add(set);
                long length = ((Number) client.call("HLEN", "large")).value();
                Value added = client.call(fields.toArray(String[]::new));
                assertThat(client.call("HLEN", "large"))
                        .isEqualTo(new Number(length + (added instanceof Number ? 700 : 0)));
                additions.add(added);
                for (int i = 0; i < 40 && filled > 0; i++) {
                    client.call("DEL", "fill" + --filled);
                }
            }
            Failure full = new Failure("OOM command not allowed when used memory > 'maxmemory'.");
            assertThat(sets).containsOnly(OK, full);
            assertThat(additions).containsOnly(new Number(700), full);
        }
    }

    // ---- what is refused

    @Test
    void aSecondServerIsRefused() throws Exception {
        try (ServerProcess process = ServerProcess.start("data", directory.toString(), "maxmemory", "32mb")) {
            int port = process.port();
            assertThatThrownBy(this::start)
                    .isInstanceOfSatisfying(
                            RegionException.class, e -> assertThat(e.reason()).isEqualTo(RegionException.Reason.BUSY))
                    .hasMessageContaining(directory.toString())
                    .hasMessageContaining("process " + process.pid());
            try (RespClient client = new RespClient(port)) {
                assertThat(client.call("SET", "k", "v")).isEqualTo(OK);
                assertThat(client.call("SHUTDOWN")).isEqualTo(OK);
            } catch (IOException e) {
                // SHUTDOWN is not always answered
            }
            assertThat(process.await()).isZero();
        }
        try (LoamServer server = start()) {
            assertThat(server.data()).contains("1 keys, left in order");
        }
    }

    private void expectDamaged(String how) throws IOException {
        assertThatThrownBy(this::start)
                .isInstanceOfSatisfying(
                        RegionException.class, e -> assertThat(e.reason()).isEqualTo(RegionException.Reason.CORRUPT))
                .hasMessageContaining("data " + directory)
                .hasMessageContaining(how);
    }

    private void put() throws IOException {
        try (LoamServer server = start();
                RespClient client = connect(server)) {
            assertThat(client.call("SET", "k", "v")).isEqualTo(OK);
        }
    }

    /** Starts with the option for it, and finds nothing. */
    private void startEmpty() throws IOException {
        try (LoamServer server = start("data-if-damaged", "start-empty");
                RespClient client = connect(server)) {
            assertThat(server.data()).contains("new");
            assertThat(client.call("GET", "k")).isEqualTo(new Nothing(false));
        }
        try (LoamServer server = start()) {
            assertThat(server.data()).contains("left in order");
        }
    }

    @Test
    void dataThatTheMachineMayHaveTornAreRefused() throws Exception {
        put();
        directory.pretendAnotherBoot();
        try (LoamServer server = start();
                RespClient client = connect(server)) {
            assertThat(server.data()).as("they were on the disk").contains("1 keys, left in order");
            assertThat(client.call("GET", "k")).isEqualTo(new Bulk("v"));
        }
        try (ServerProcess process = ServerProcess.start("data", directory.toString(), "maxmemory", "32mb")) {
            assertThat(process.first()).contains("left in order");
            process.kill();
        }
        directory.pretendAnotherBoot();
        expectDamaged("when the machine stopped");
        expectDamaged("data-if-damaged start-empty");
        startEmpty();
    }

    @Test
    void aFileThatIsCutIsRefused() throws IOException {
        put();
        try (RandomAccessFile file = new RandomAccessFile(directory.file().toFile(), "rw")) {
            file.setLength(1 << 20);
        }
        expectDamaged("1048576 bytes");
        startEmpty();
    }

    @Test
    void aFileThatIsOverwrittenIsRefused() throws IOException {
        put();
        try (RandomAccessFile file = new RandomAccessFile(directory.file().toFile(), "rw")) {
            file.seek(520);
            file.writeInt(99);
        }
        expectDamaged("checksum");
        startEmpty();
    }

    @Test
    void whatIsNotLoamsIsRefusedAndStays() throws IOException {
        Files.createDirectory(directory.path());
        Files.writeString(directory.path().resolve("letter.txt"), "Dear Sir");
        expectDamaged("letter.txt");
        assertThatThrownBy(() -> start("data-if-damaged", "start-empty")).hasMessageContaining("letter.txt");
        Files.delete(directory.path().resolve("letter.txt"));
        Files.delete(directory.path());
        Files.writeString(directory.path(), "Dear Madam");
        expectDamaged("it is a file");
        assertThatThrownBy(() -> start("data-if-damaged", "start-empty")).hasMessageContaining("it is a file");
        assertThat(Files.readString(directory.path())).isEqualTo("Dear Madam");
    }

    @Test
    void aFullFileSystemIsRefused() throws Exception {
        assumeTrue(new ProcessBuilder("unshare", "-rm", "true").start().waitFor() == 0, "no namespace for mounting");
        List<String> mounted = List.of(
                "unshare",
                "-rm",
                "sh",
                "-c",
                "mount -t tmpfs -o size=8m tmpfs " + directory.path().getParent() + " && exec \"$0\" \"$@\"");
        try (ServerProcess process =
                ServerProcess.start(mounted, List.of(), "data", directory.toString(), "maxmemory", "32mb")) {
            assertThat(process.first()).startsWith("refused: data " + directory).contains("free space");
            assertThat(process.await()).isEqualTo(1);
        }
    }
}
