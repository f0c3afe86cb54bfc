package io.loam.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class HeapBenchCommandTest {

    @TempDir
    Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        return new CommandLine(new BenchCommand())
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
    }

    @ParameterizedTest
    @ValueSource(strings = {"threadtest", "larson", "shbench", "prod-con"})
    void comparesAllocators(String workload) {
        int code = run(
                "heap",
                "--workload",
                workload,
                "--compare",
                "loam,loam-msync,glibc",
                "--threads",
                "2",
                "--seconds",
                "0.5",
                "--warmup",
                "0.1",
                "--rounds",
                "1",
                "--format",
                "json",
                "--directory",
                directory.toString());
        assertThat(code).as(err.toString()).isZero();
        Map<String, Object> result =
                Json.parseObject(out.toString().lines().reduce((a, b) -> b).orElseThrow());
        assertThat(Figures.object(result, "systems")).containsKeys("loam", "loam-msync", "glibc");
        assertThat(Figures.number(Figures.object(Figures.object(result, "systems"), "loam"), "opsPerSecond"))
                .isPositive();
        assertThat(Figures.object(result, "ratios")).containsKeys("glibc", "msync/glibc");
    }

    @ParameterizedTest
    @ValueSource(strings = {"recovery", "open", "fragmentation"})
    void measuresWhatLoamAloneDoes(String workload) {
        int code = run(
                "heap",
                "--workload",
                workload,
                "--bytes",
                "4m",
                "--rounds",
                "1",
                "--format",
                "json",
                "--directory",
                directory.toString());
        assertThat(code).as(err.toString()).isZero();
        Map<String, Object> result =
                Json.parseObject(out.toString().lines().reduce((a, b) -> b).orElseThrow());
        assertThat(Figures.object(Figures.object(result, "systems"), "loam")).isNotEmpty();
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void badInputIsSaid() {
        assertThat(run("heap", "--workload", "lason")).isEqualTo(2);
        assertThat(err.toString()).contains("lason", "larson");
    }
}
