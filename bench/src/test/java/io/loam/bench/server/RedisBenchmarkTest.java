package io.loam.bench.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.bench.BadInput;
import io.loam.bench.WorkerFailure;
import org.junit.jupiter.api.Test;

/** What redis-benchmark 7.0.15 prints with --csv, and what to do without it. */
class RedisBenchmarkTest {

    private static final String PRINTED = """
            WARNING: Could not fetch server CONFIG
            "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
            "SET","105263.16","1.389","0.264","0.759","7.223","7.479","7.543"
            "GET","153846.16","0.767","0.088","0.695","1.431","2.815","2.863"
            """;

    @Test
    void figuresAreFoundByTestAndColumn() {
        assertThat(RedisBenchmark.parse(PRINTED, "get"))
                .containsEntry("opsPerSecond", 153846.16)
                .containsEntry("p50Nanos", 695_000L)
                .containsEntry("p99Nanos", 2_815_000L)
                .containsEntry("longestNanos", 2_863_000L)
                .hasSize(4);
    }

    @Test
    void whatIsNotThereIsSaidWithWhatWasPrinted() {
        assertThatThrownBy(() -> RedisBenchmark.parse(PRINTED, "hset"))
                .isInstanceOf(WorkerFailure.class)
                .hasMessageContaining("no figures of hset")
                .hasMessageContaining("153846.16");
        assertThatThrownBy(() -> RedisBenchmark.parse(PRINTED.replace("153846.16", "-nan%"), "get"))
                .hasMessageContaining("'-nan%' for rps");
    }

    @Test
    void aMissingProgramIsNamedWithItsPackage() {
        assertThatThrownBy(
                        () -> ServerSystem.onPath("redis", "no-such-server", "install Debian's package redis-server"))
                .isInstanceOf(BadInput.class)
                .hasMessage("redis: no no-such-server on the PATH; install Debian's package redis-server");
    }
}
