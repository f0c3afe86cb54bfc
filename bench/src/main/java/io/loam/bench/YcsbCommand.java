package io.loam.bench;

import io.loam.bench.system.Setup;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench ycsb}. */
@Command(
        name = "ycsb",
        mixinStandardHelpOptions = true,
        description = "YCSB's core workloads. One operation in 64 is timed, and what it read is verified.",
        footer = {
            "",
            "Figures: opsPerSecond by the clock; opsPerCpuSecond by the CPU time of the workers, added over threads;",
            "opsPerProcessCpuSecond by that of the whole process (cleaner, collector, compiler), counted on for --settle after the slice.",
            "Utilisation is live log bytes / log bytes without the reserve; Loam's capacity is changed after loading until that is met",
            "(see 'utilisation' for what was reached). copiedPerAppendedByte / greedyCopyRatio compares its cleaner with a greedy one.",
            "bare is the limit: Java, the same accessors and huge pages, no header, version or pin. Its batch takes three passes; append",
            "copies to a ring and rewrites the slot; in-place overwrites. See 'bench limit --help'.",
        })
final class YcsbCommand extends Measurement {

    @Mixin
    private final SystemOptions options = new SystemOptions();

    @Option(
            names = "--workload",
            paramLabel = "a|b|c|update|insert",
            defaultValue = "c",
            description =
                    "a: 50 %% reads; b: 95 %%; c: all; update: none; insert: new records, the oldest deleted (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String workload;

    @Option(
            names = "--distribution",
            paramLabel = "uniform|zipfian",
            defaultValue = "uniform",
            description = "zipfian: exponent 0.99, scrambled (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String distribution;

    @Option(
            names = "--records",
            paramLabel = "COUNT",
            defaultValue = "1000000",
            description = "Records loaded (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String recordCount;

    @Option(
            names = "--value-bytes",
            paramLabel = "SIZE|LOW-HIGH",
            defaultValue = "100",
            description = "Value size, or a range to choose from uniformly (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String valueBytes;

    @Option(names = "--key-bytes", defaultValue = "8", description = "Key size (default: ${DEFAULT-VALUE}).")
    private int keyBytes;

    @Option(names = "--batch", defaultValue = "1", description = "Keys read at a time (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(names = "--seconds", defaultValue = "2", description = "Length of a slice (default: ${DEFAULT-VALUE}).")
    private double seconds;

    @Option(
            names = "--warmup",
            defaultValue = "3",
            description = "Seconds before the first slice (default: ${DEFAULT-VALUE}).")
    private double warmup;

    @Option(
            names = "--turnover",
            defaultValue = "1",
            description =
                    "Where there are writes, the warm-up goes on (up to ten times as long) until this times the live bytes is written"
                            + " (default: ${DEFAULT-VALUE}).")
    private double turnover;

    @Option(
            names = "--settle",
            paramLabel = "MILLIS",
            defaultValue = "200",
            description = "See below (default: ${DEFAULT-VALUE}).")
    private int settle;

    @Option(
            names = "--utilisation",
            paramLabel = "SHARE,…",
            split = ",",
            defaultValue = "0.5",
            description =
                    "Loam: what to set the capacity for; several are measured side by side (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private List<Double> utilisations;

    @Option(
            names = "--capacity",
            paramLabel = "SIZE",
            defaultValue = "0",
            description = "Loam: the capacity, instead of --utilisation.")
    @SuppressWarnings("NullAway.Init")
    private String capacity;

    @Override
    Map<String, Object> measure() {
        oneOf("--workload", workload, "a", "b", "c", "update", "insert");
        oneOf("--distribution", distribution, "uniform", "zipfian");
        between("--batch", batch, 1, 1024);
        between("--seconds", seconds, 0.05, 3600);
        between("--warmup", warmup, 0, 3600);
        between("--settle", settle, 0, 60_000);
        int[] sizes = Sizes.range("--value-bytes", valueBytes);
        long records = Sizes.count("--records", recordCount);
        double mean = (sizes[0] + (double) sizes[1]) / 2;
        boolean fixed = !capacity.equals("0");
        List<Comparison.Part> parts = new ArrayList<>();
        for (double utilisation : utilisations) {
            between("--utilisation", utilisation, 0.05, 0.97);
            // Some room more than planned for loading: the capacity is then lowered to what the utilisation asks for.
            long planned = fixed
                    ? Sizes.bytes("--capacity", capacity)
                    : Loading.capacityFor(records, keyBytes, mean, Math.min(utilisation, 0.85));
            var plan = new Ycsb.Plan(
                    workload,
                    distribution,
                    batch,
                    seconds,
                    warmup,
                    turnover,
                    fixed ? 0 : utilisation,
                    settle,
                    options.seed);
            for (SystemName system : options.systems()) {
                Setup setup = options.setup(system, records, keyBytes, sizes, planned)
                        .withCapacity(planned, fixed ? planned : planned * 2);
                String name = utilisations.size() == 1 ? system.toString() : system + "@" + utilisation;
                parts.add(new Comparison.Part(
                        name, system, setup, plan, options.heapBytes(planned, records * (keyBytes + mean)), List.of()));
            }
        }
        return new Comparison("ycsb", options.rounds, progress()).run(parts);
    }
}
