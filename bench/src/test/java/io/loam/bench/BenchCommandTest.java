package io.loam.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** The command: its errors, and small runs end to end, each in worker JVMs. */
class BenchCommandTest {

    private record Outcome(int exitCode, String out, String err) {
        Map<String, Object> json() {
            return Json.parseObject(out.strip().substring(out.strip().lastIndexOf('\n') + 1));
        }
    }

    private static Outcome run(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = new CommandLine(new BenchCommand())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
        return new Outcome(code, out.toString(), err.toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            ycsb --store redis              | unknown store 'redis'; there are loam, bare, chm
            ycsb --compare chm,redis        | unknown store 'redis'
            ycsb --workload z               | --workload 'z'; allowed: a, b, c, update, insert
            ycsb --distribution normal      | --distribution 'normal'; allowed: uniform, zipfian
            ycsb --value-bytes 10           | allowed: at least 16
            ycsb --value-bytes 200-100      | lower bound comes first
            ycsb --value-bytes x            | is no size
            ycsb --records 0                | --records '0'; allowed
            ycsb --utilisation 1.5          | allowed: 0.05 to 0.97
            ycsb --update sideways          | --update 'sideways'; allowed: append, in-place
            ycsb --hash md5                 | --hash 'md5'; allowed: flood-resistant, fast
            ycsb --threads 0                | --threads 0; allowed: 1 to 256
            ycsb --rounds 0                 | --rounds 0; allowed: 1 to 1000
            ycsb --key-bytes 4              | --key-bytes 4; allowed: 8 to 65535
            ycsb --format xml               | --format 'xml'; allowed: text, json
            ycsb --store bare --key-bytes 9 | bare knows only keys of 8 bytes
            fragmentation --workload W9     | --workload 'W9'; allowed: all, W1
            fragmentation --store bare      | it can't delete
            eviction --trace weekly         | --trace 'weekly'; allowed: zipf, zipf-scan, shifting
            eviction --compare chm          | chm does not evict
            growth --from 10 --to 5         | --to must be greater
            latency --policies both         | --policies 'both'; allowed: append, in-place
            scan --store ohc                | not ohc
            compaction --compare chm        | don't apply
            switch --rounds 0               | --rounds 0; allowed: 1 to 1000
            mapping --largest 1k            | --largest '1k'; allowed: at least 1m
            gups --windows 0                | --windows 0; allowed: 1 to 1024
            gups --compare spaces,threads   | --compare 'threads'; allowed: spaces, map, processes
            gups --window-bytes 8           | --window-bytes '8'; allowed: at least 64k
            report --results no-such-place  | no directory no-such-place
            """)
    void badInputIsToldAndExitsWith2(String arguments, String message) {
        Outcome outcome = run(arguments.strip().split(" +"));
        assertThat(outcome.err()).contains(message);
        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.out()).isEmpty();
    }

    @Test
    void unknownWhatIsToldWithWhatThereIs() {
        Outcome outcome = run();
        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.err()).contains("ycsb", "fragmentation", "limit");
    }

    @Test
    void ycsbComparesInJvmsOfTheirOwnAndGivesRatios() {
        Outcome outcome = run(
                ("ycsb --store bare --compare chm,chm-copy --workload b --records 2000 --seconds 0.5 --warmup 0.1 --rounds 3"
                                + " --settle 0 --format json")
                        .split(" "));
        assertThat(outcome.exitCode()).as(outcome.err()).isZero();
        Map<String, Object> systems = Figures.object(outcome.json(), "systems");
        assertThat(systems.keySet()).containsExactly("bare", "chm", "chm-copy");
        for (String system : systems.keySet()) {
            Map<String, Object> figures = Figures.object(systems, system);
            for (String figure : List.of(
                    "opsPerSecond",
                    "opsPerCpuSecond",
                    "opsPerProcessCpuSecond",
                    "p50Nanos",
                    "p99Nanos",
                    "p999Nanos",
                    "rssBytes",
                    "liveUserBytes",
                    "capacityBytes")) {
                assertThat(Figures.number(figures, figure))
                        .as(system + " " + figure)
                        .isPositive();
            }
            assertThat((List<?>) figures.get("opsPerSecondRounds")).hasSize(3);
        }
        assertThat(Figures.number(Figures.object(systems, "chm"), "verifiedReads"))
                .isPositive();
    }

    @Test
    void resultsAreSavedAndReported(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("results").resolve("get.json");
        Outcome outcome = run(
                "ycsb",
                "--store",
                "chm",
                "--records",
                "1000",
                "--seconds",
                "0.5",
                "--warmup",
                "0",
                "--rounds",
                "1",
                "--settle",
                "0",
                "--label",
                "get-100",
                "--save",
                file.toString());
        assertThat(outcome.exitCode()).as(outcome.err()).isZero();
        assertThat(outcome.out()).contains("opsPerCpuSecond");
        Outcome report = run(
                "report",
                "--results",
                file.getParent().toString(),
                "--output",
                directory.resolve("docs").toString());
        assertThat(report.exitCode()).as(report.err()).isZero();
        assertThat(report.out()).contains("not measured").contains("goals met");
        assertThat(Files.readString(directory.resolve("docs").resolve("results.md")))
                .contains("### get-100")
                .contains("ycsb --store chm");
    }

    @ParameterizedTest
    @CsvSource({
        "postmark --store chm --scale 0.0001 --transactions-per-file 2, completionSeconds",
        "growth --store chm --from 1k --to 5k, longestStallNanos",
        "scan --store chm --records 2k --seconds 0.5 --rounds 1, scanKeysPerCpuSecond",
        "latency --store chm --records 2k --seconds 0.5 --warmup 0.1 --rounds 1, pacedP999PerMedian",
        "ycsb --store chm --workload insert --records 2k --seconds 0.5 --warmup 0.1 --rounds 1, opsPerSecond",
        "ycsb --store chm-copy --workload a --batch 16 --records 2k --seconds 0.5 --warmup 0.1 --rounds 1, opsPerSecond",
        "ycsb --store chm --workload a --key-bytes 20 --value-bytes 20-400 --distribution zipfian --records 2k --seconds 0.5 --rounds 1, verifiedReads",
    })
    void everyExperimentRunsToItsEnd(String arguments, String figure) {
        Outcome outcome = run((arguments + " --format json").split(" "));
        assertThat(outcome.exitCode()).as(outcome.err()).isZero();
        assertThat(Figures.number(outcome.json(), figure)).isPositive();
    }

    @Test
    void limitMeasuresTheFourThingsThatItsNamesakeInCDoes() {
        Outcome outcome = run("limit --records 2k --seconds 0.5 --warmup 0.1 --rounds 1 --format json".split(" "));
        assertThat(outcome.exitCode()).as(outcome.err()).isZero();
        assertThat(Figures.object(outcome.json(), "systems").keySet())
                .containsExactly("GET", "GETBATCH16", "PUTINPLACE", "PUTLOG");
    }

    @Test
    void switchMeasuresEveryCost() {
        Outcome outcome = run("switch", "--seconds", "0.002", "--rounds", "1", "--format", "json");
        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.json())
                .containsKeys(
                        "switchNanos",
                        "switchThreadLocalNanos",
                        "switchSharedLockNanos",
                        "switchExclusiveLockNanos",
                        "chaseRatio16Regions",
                        "attachNanos",
                        "systemCallNanos",
                        "mapUnmapNanos",
                        "protect64MibNanos",
                        "processSwitchNanos",
                        "recoveryWorstMillis");
    }

    @Test
    void mappingMeasuresEachSize() {
        Outcome outcome = run("mapping", "--largest", "4m", "--rounds", "1", "--format", "json");
        assertThat(outcome.err()).isEmpty();
        assertThat((List<?>) outcome.json().get("sizes")).hasSize(2);
    }

    @Test
    void gupsComparesThreeWaysAndChecksTheTable() {
        Outcome outcome = run(
                "gups --windows 3 --window-bytes 1m --updates 16 --seconds 0.02 --rounds 1 --locked --format json --compare spaces,map,processes"
                        .split(" "));
        assertThat(outcome.err()).isEmpty();
        assertThat(Figures.object(outcome.json(), "systems")).containsOnlyKeys("spaces", "map", "processes");
        assertThat(Figures.object(outcome.json(), "ratios")).containsOnlyKeys("map", "processes");
        assertThat(outcome.exitCode()).isZero();
    }
}
