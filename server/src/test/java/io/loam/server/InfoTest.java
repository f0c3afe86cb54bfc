package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.differential.RespClient;
import io.loam.server.differential.Value.Bulk;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What INFO says is so. */
final class InfoTest {

    private static final InstantSource CLOCK = InstantSource.fixed(Instant.ofEpochSecond(1_800_000_000));

    @RegisterExtension
    final Servers servers = new Servers();

    private static Map<String, String> info(RespClient client, String section) throws IOException {
        return ((Bulk) client.call("INFO", section))
                .text()
                .lines()
                .filter(line -> line.contains(":"))
                .collect(Collectors.toMap(line -> line.split(":", 2)[0], line -> line.split(":", 2)[1]));
    }

    @Test
    void keysThatExpireAreCounted() throws IOException {
        RespClient client = servers.connect(servers.start(CLOCK));
        client.call("MSET", "a", "1", "b", "2", "c", "3");
        assertThat(info(client, "keyspace")).containsEntry("db0", "keys=3,expires=0,avg_ttl=0");
        client.call("EXPIRE", "a", "100");
        client.call("EXPIRE", "b", "300");
        assertThat(info(client, "keyspace")).containsEntry("db0", "keys=3,expires=2,avg_ttl=200000");
        client.call("PERSIST", "b");
        client.call("SELECT", "3");
        client.call("SET", "d", "1", "EX", "7");
        assertThat(info(client, "keyspace"))
                .containsOnly(
                        Map.entry("db0", "keys=3,expires=1,avg_ttl=100000"),
                        Map.entry("db3", "keys=1,expires=1,avg_ttl=7000"));
    }

    /** A quarter of them expire, all at the same time; a sample of thousands is that near, but by a chance that does not come. */
    @Test
    void ofManyKeysThoseThatExpireAreEstimated() throws IOException {
        RespClient client = servers.connect(servers.start(CLOCK));
        int keys = 40_000;
        for (int i = 0; i < keys; i++) {
            client.send(
                    i % 4 == 0 ? new String[] {"SET", "k" + i, "v", "EX", "50"} : new String[] {"SET", "k" + i, "v"});
        }
        for (int i = 0; i < keys; i++) {
            client.read();
        }
        for (int i = 0; i < 20; i++) {
            String line = info(client, "keyspace").get("db0");
            assertThat(line).matches("keys=40000,expires=\\d+,avg_ttl=50000");
            int expires = Integer.parseInt(line.replaceAll(".*expires=(\\d+),.*", "$1"));
            assertThat(expires).isBetween(keys / 4 * 8 / 10, keys / 4 * 12 / 10);
        }
    }

    @Test
    void whatIsReadIsCounted() throws IOException {
        RespClient client = servers.connect(servers.start(CLOCK));
        client.call("MSET", "a", "1", "b", "2");
        client.call("MGET", "a", "b", "c");
        client.call("MULTI");
        client.call("GET", "a");
        client.call("GET", "c");
        client.call("EXEC");
        client.call("INCR", "a");
        assertThat(info(client, "stats"))
                .containsEntry("keyspace_hits", "3")
                .containsEntry("keyspace_misses", "2")
                .containsEntry("evicted_clients", "0");
        client.call("CONFIG", "RESETSTAT");
        assertThat(info(client, "stats"))
                .containsEntry("keyspace_hits", "0")
                .containsEntry("keyspace_misses", "0")
                .containsEntry("total_connections_received", "0")
                .containsEntry("expired_keys", "0");
    }

    @Test
    void thePeakOfMemoryStays() throws IOException {
        RespClient client = servers.connect(servers.start(CLOCK));
        for (int i = 0; i < 20; i++) {
            client.call("SET", "k" + i, "x".repeat(1 << 20));
        }
        Map<String, String> full = info(client, "memory");
        long peak = Long.parseLong(full.get("used_memory_peak"));
        assertThat(peak).isGreaterThan(20 << 20).isGreaterThanOrEqualTo(Long.parseLong(full.get("used_memory")));
        client.call("FLUSHALL");
        client.call("MEMORY", "PURGE");
        client.call("CONFIG", "RESETSTAT");
        Map<String, String> empty = info(client, "memory");
        for (int i = 0; i < 30_000 && Long.parseLong(empty.get("used_memory")) >= peak; i++) {
            LockSupport.parkNanos(1_000_000); // what was flushed is reclaimed in the background
            empty = info(client, "memory");
        }
        assertThat(Long.parseLong(empty.get("used_memory_peak"))).isGreaterThanOrEqualTo(peak);
        assertThat(Long.parseLong(empty.get("used_memory"))).isLessThan(peak);
    }

    @Test
    void theProcessorsTimeIsThatOfTheProcess() throws IOException {
        RespClient client = servers.connect(servers.start());
        Map<String, String> first = info(client, "cpu");
        double user = Double.parseDouble(first.get("used_cpu_user"));
        double system = Double.parseDouble(first.get("used_cpu_sys"));
        assertThat(user).isPositive();
        double total =
                ProcessHandle.current().info().totalCpuDuration().orElseThrow().toNanos() / 1e9;
        Map<String, String> then = info(client, "cpu");
        double sum = Double.parseDouble(then.get("used_cpu_user")) + Double.parseDouble(then.get("used_cpu_sys"));
        assertThat(total).isBetween(user + system - 0.1, sum + 0.1);
    }
}
