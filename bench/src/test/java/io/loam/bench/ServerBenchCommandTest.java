package io.loam.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** The command: its errors, and each experiment at a toy size with the servers that are installed. */
class ServerBenchCommandTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String arguments) {
        return new CommandLine(new BenchCommand())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(("server " + arguments).strip().split(" +"));
    }

    private Map<String, Object> result(String arguments) {
        assertThat(run(arguments + " --format json")).as(err.toString()).isZero();
        return Json.parseObject(out.toString().strip());
    }

    private static Map<String, Object> system(Map<String, Object> result, String name) {
        return Figures.object(Figures.object(result, "systems"), name);
    }

    private static boolean canPin(String cpu) {
        try {
            return new ProcessBuilder("taskset", "-c", cpu, "true").start().waitFor() == 0;
        } catch (IOException e) {
            return false; // no taskset
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void need(String... programs) {
        for (String program : programs) {
            assumeTrue(
                    Files.isExecutable(Path.of("/usr/bin", program)),
                    program + " is not installed, so this is not tested");
        }
        assumeTrue(canPin("0") && canPin("1"), "nothing can be pinned to the first two CPUs");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --compare loam,valkey                                     | unknown server 'valkey'; there are loam, redis, redis-evicting, redis-io-threads, memcached
            --experiment speed                                        | --experiment 'speed'; allowed: throughput, latency
            --command zadd                                            | --command 'zadd'; allowed: set, get, mixed, hset
            --distribution normal                                     | --distribution 'normal'; allowed: uniform, zipfian
            --cores all                                               | --cores 'all'; allowed: split, shared
            --connections 0                                           | --connections 0; allowed: 1 to 10000
            --pipeline 0                                              | --pipeline 0; allowed: 1 to 10000
            --value-bytes 0                                           | --value-bytes '0'; allowed: from 1
            --value-bytes 1m --pipeline 100                           | below 512m
            --keys none                                               | --keys 'none'; allowed
            --seconds 0                                               | --seconds 0.0; allowed
            --rounds 0                                                | --rounds 0; allowed: 1 to 100
            --reads 2                                                 | --reads 2.0; allowed
            --memory 1m                                               | --memory '1m'; allowed: at least 64m
            --compare memcached --command hset                        | memcached has no hashes
            --compare redis,memcached --generator redis-benchmark     | not to memcached
            --compare redis --command mixed --generator redis-benchmark | say --generator loadgen
            --generator memtier                                       | --generator 'memtier'; allowed: auto, redis-benchmark, loadgen
            --experiment latency --cores shared                       | allowed in latency: split
            --experiment latency --compare loam                       | latency needs redis in --compare
            --experiment latency --generator redis-benchmark          | keeps to no rate
            --experiment stalls --compare memcached                   | no PING and no hashes
            --experiment stalls --cores shared                        | allowed in stalls: split
            --experiment stalls --rate 0                              | --rate '0'; allowed
            --experiment fragmentation --bytes 1k                     | --bytes '1k'; allowed: at least 1m
            --experiment fragmentation --refill 0                     | --refill '0'; allowed: 1 to 64m
            --experiment start --compare loam                         | loam: no bin/loam in
            """)
    void badInputIsToldAndExitsWith2(String arguments, String message) {
        assertThat(run(arguments)).isEqualTo(2);
        assertThat(err.toString()).contains(message);
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void redisBenchmarkLoadsWhatItCan() {
        need("redis-server", "redis-benchmark", "taskset");
        Map<String, Object> result = result("--compare redis,redis-io-threads --command hset --keys 1k --pipeline 4"
                + " --seconds 0.1 --warmup 0.1 --rounds 3 --cores shared");
        assertThat(result).containsEntry("generator", "redis-benchmark").containsEntry("requests", "hset");
        for (String name : List.of("redis", "redis-io-threads")) {
            Map<String, Object> figures = system(result, name);
            for (String figure : List.of("opsPerSecond", "p50Nanos", "p99Nanos", "rssBytes", "emptyRssBytes")) {
                assertThat(Figures.number(figures, figure)).as(figure).isPositive();
            }
            assertThat((List<?>) figures.get("opsPerSecondRounds")).hasSize(3);
        }
    }

    @Test
    void ourGeneratorSpeaksToMemcachedToo() {
        need("redis-server", "memcached", "taskset");
        Map<String, Object> result = result("--compare redis,memcached --command mixed --distribution zipfian --keys 1k"
                + " --pipeline 4 --seconds 0.1 --warmup 0.1 --rounds 1");
        assertThat(result).containsEntry("generator", "loadgen");
        for (String name : List.of("redis", "memcached")) {
            assertThat(Figures.number(system(result, name), "p999Nanos")).isPositive();
            assertThat(Figures.number(system(result, name), "misses")).isZero();
        }
    }

    @Test
    void latencyOffersAShareOfWhatRedisDoes() {
        need("redis-server", "memcached", "taskset");
        Map<String, Object> result = result("--experiment latency --compare redis,memcached --command set --keys 1k"
                + " --share 0.1 --seconds 0.1 --warmup 0.1 --rounds 1");
        double offered = Figures.number(result, "offeredPerSecond");
        assertThat(offered)
                .isEqualTo(
                        Figures.number(result, "redisMostPerSecond") * 0.1,
                        org.assertj.core.api.Assertions.within(offered * 1e-4));
        assertThat(Figures.number(system(result, "redis"), "operations"))
                .isEqualTo(Figures.number(system(result, "memcached"), "operations"));
    }

    @Test
    void fragmentationCountsWhatIsLeft() {
        need("redis-server", "memcached", "taskset");
        Map<String, Object> result = result(
                "--experiment fragmentation --compare redis,redis-evicting,memcached --bytes 1m --refill 130,1000 --settle 0");
        List<?> runs = (List<?>) result.get("runs");
        assertThat(runs).hasSize(2);
        Results results = new Results();
        results.add(result);
        for (String name : List.of("redis", "redis-evicting", "memcached")) {
            Map<String, Object> figures = results.figures("server:1000", name);
            assertThat(Figures.number(figures, "lostKeys")).as(name).isZero();
            assertThat(Figures.number(figures, "rssPerLive")).isPositive();
            // a tenth of 10,485 keys of 16 + 100 bytes, and 1,048 of 16 + 1000
            assertThat(Figures.number(figures, "liveUserBytes")).isBetween(1_170_000.0, 1_200_000.0);
        }
    }

    @Test
    void stallsAreTheLongestPings() {
        need("redis-server", "taskset");
        Map<String, Object> figures = system(
                result(
                        "--experiment stalls --compare redis --memory 64m --value-bytes 1k --rate 1k --seconds 0.2 --fields 1k --rounds 1"),
                "redis");
        assertThat(figures)
                .containsKeys("longestPingOverwritingNanos", "longestPingDeletingNanos", "longestPingUnlinkingNanos")
                .containsKeys("longestLateOverwritingNanos", "longestLateDeletingNanos", "longestLateUnlinkingNanos");
        // 90 % of 64 MiB
        assertThat(Figures.number(figures, "overwrittenKeys")).isBetween(30_000.0, 60_000.0);
    }

    @Test
    void startIsTheTimeToTheFirstReply() {
        need("redis-server", "memcached", "taskset");
        Map<String, Object> result = result("--experiment start --compare redis,memcached --rounds 2");
        assertThat(Figures.number(system(result, "redis"), "startMillis")).isPositive();
        assertThat(Figures.number(system(result, "memcached"), "startMillis")).isPositive();
    }
}
