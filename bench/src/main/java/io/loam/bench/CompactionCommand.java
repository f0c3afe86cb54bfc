package io.loam.bench;

import io.loam.bench.system.Setup;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench compaction}. */
@Command(
        name = "compaction",
        mixinStandardHelpOptions = true,
        description =
                "Update throughput at 90 %% utilisation by segment size, block size and number of cleaners (dissertation, chapter 6).",
        footer = {
            "",
            "Each of the three is varied alone, the others at the store's defaults. All variants are measured in turn."
        })
final class CompactionCommand extends Measurement {

    @Mixin
    private final SystemOptions options = new SystemOptions();

    @Option(
            names = "--segments",
            paramLabel = "SIZE,…",
            split = ",",
            defaultValue = "1m,4m,16m",
            description = "(default: ${DEFAULT-VALUE})")
    @SuppressWarnings("NullAway.Init")
    private List<String> segments;

    @Option(
            names = "--blocks",
            paramLabel = "SIZE,…",
            split = ",",
            defaultValue = "16k,64k,256k",
            description = "(default: ${DEFAULT-VALUE})")
    @SuppressWarnings("NullAway.Init")
    private List<String> blocks;

    @Option(
            names = "--cleaner-counts",
            paramLabel = "N,…",
            split = ",",
            defaultValue = "1,2",
            description = "(default: ${DEFAULT-VALUE})")
    @SuppressWarnings("NullAway.Init")
    private List<Integer> cleanerCounts;

    @Option(
            names = "--records",
            paramLabel = "COUNT",
            defaultValue = "200k",
            description = "(default: ${DEFAULT-VALUE})")
    @SuppressWarnings("NullAway.Init")
    private String records;

    @Option(
            names = "--value-bytes",
            paramLabel = "SIZE|LOW-HIGH",
            defaultValue = "1000",
            description = "(default: ${DEFAULT-VALUE})")
    @SuppressWarnings("NullAway.Init")
    private String valueBytes;

    @Option(
            names = "--distribution",
            paramLabel = "uniform|zipfian",
            defaultValue = "uniform",
            description = "(default: ${DEFAULT-VALUE})")
    @SuppressWarnings("NullAway.Init")
    private String distribution;

    @Option(names = "--utilisation", defaultValue = "0.9", description = "(default: ${DEFAULT-VALUE})")
    private double utilisation;

    @Option(names = "--seconds", defaultValue = "2", description = "Length of a slice (default: ${DEFAULT-VALUE}).")
    private double seconds;

    @Option(names = "--warmup", defaultValue = "3", description = "(default: ${DEFAULT-VALUE})")
    private double warmup;

    @Override
    Map<String, Object> measure() {
        if (!options.systems().equals(List.of(SystemName.LOAM))) {
            throw new BadInput("compaction is about Loam's cleaner; --store and --compare don't apply");
        }
        oneOf("--distribution", distribution, "uniform", "zipfian");
        between("--utilisation", utilisation, 0.05, 0.97);
        List<Comparison.Part> parts = new ArrayList<>();
        parts.add(part("defaults", 0, 0, 0));
        for (String segment : segments) {
            parts.add(part("segment " + segment, 0, (int) Sizes.bytes("--segments", segment), 0));
        }
        for (String block : blocks) {
            parts.add(part("block " + block, 0, 0, (int) Sizes.bytes("--blocks", block)));
        }
        for (int cleaners : cleanerCounts) {
            parts.add(part("cleaners " + cleaners, between("--cleaner-counts", cleaners, 1, 64), 0, 0));
        }
        Map<String, Object> result = new Comparison("ycsb", options.rounds, progress()).run(parts);
        result.put("benchmark", "compaction");
        return result;
    }

    private Comparison.Part part(String name, int cleaners, int segment, int block) {
        int[] sizes = Sizes.range("--value-bytes", valueBytes);
        long count = Sizes.count("--records", records);
        double mean = (sizes[0] + (double) sizes[1]) / 2;
        long capacity = Loading.capacityFor(count, 8, mean, Math.min(utilisation, 0.85));
        Setup setup = options.setup(SystemName.LOAM, count, 8, sizes, capacity)
                .withCapacity(capacity, capacity * 2)
                .withCleaning(cleaners, segment, block);
        var plan = new Ycsb.Plan("update", distribution, 1, seconds, warmup, 1, utilisation, 200, options.seed);
        return new Comparison.Part(name, SystemName.LOAM, setup, plan, 0, List.of());
    }
}
