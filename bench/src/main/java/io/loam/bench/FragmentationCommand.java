package io.loam.bench;

import io.loam.bench.system.Setup;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench fragmentation}. */
@Command(
        name = "fragmentation",
        mixinStandardHelpOptions = true,
        description =
                "How much of the memory is used when the sizes of values change: RAMCloud's W1-W8, Nibble's P1-P6.",
        footer = {
            "",
            "fillRatioBefore: user bytes (key and value) at the first refusal / capacity; fillRatio: the same after the sizes changed;",
            "rssPerLive: resident size / live user bytes then; rssPerLiveAfterDelete: that after 90 %% were deleted and some idle time.",
            "From resident sizes the JVM's base is subtracted (baseRssBytes: measured after a small instance was used and closed, with the",
            "Java heap touched beforehand; for systems in the Java heap, at start).",
            "Refusal: what Loam and Chronicle Map refuse themselves; OutOfMemoryError for systems in the Java heap, whose heap is the",
            "capacity (and two in a hundred are deleted at once, so that the collector can go on); for the others the moment when their resident size reaches the capacity.",
            "Peers that get memory from malloc run without huge pages here, which would only make them larger.",
        })
final class FragmentationCommand extends Measurement {

    @Mixin
    private final SystemOptions options = new SystemOptions();

    @Option(
            names = "--workload",
            paramLabel = "W1…W8|P1…P6|all",
            split = ",",
            defaultValue = "all",
            description = "Which changes of sizes (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private List<String> workloads;

    @Option(
            names = "--capacity",
            paramLabel = "SIZE",
            defaultValue = "256m",
            description = "Memory budget (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String capacity;

    @Option(names = "--key-bytes", defaultValue = "8", description = "Key size (default: ${DEFAULT-VALUE}).")
    private int keyBytes;

    @Option(
            names = "--turnover",
            defaultValue = "5",
            description =
                    "In each phase this times what fits is allocated, random records deleted meanwhile (RAMCloud: 5; default:"
                            + " ${DEFAULT-VALUE}).")
    private double turnover;

    @Option(
            names = "--live-share",
            defaultValue = "0.97",
            description =
                    "Of what fits: where the live bytes are held meanwhile; 0.85 for systems in the Java heap (default: ${DEFAULT-VALUE}).")
    private double liveShare;

    @Option(
            names = "--idle-seconds",
            defaultValue = "30",
            description = "After the 90 %% delete (default: ${DEFAULT-VALUE}).")
    private double idleSeconds;

    @Override
    Map<String, Object> measure() {
        long capacityBytes = Sizes.bytes("--capacity", capacity);
        between("--turnover", turnover, 1, 1000);
        between("--live-share", liveShare, 0.1, 1);
        between("--idle-seconds", idleSeconds, 0, 3600);
        List<Fragmentation.Workload> chosen = workloads.contains("all")
                ? Fragmentation.Workload.ALL
                : workloads.stream().map(Fragmentation.Workload::of).toList();
        List<Map<String, Object>> runs = new ArrayList<>();
        for (Fragmentation.Workload workload : chosen) {
            List<Comparison.Part> parts = options.systems().stream()
                    .map(system -> part(system, workload, capacityBytes))
                    .toList();
            Map<String, Object> result = new Comparison("fragmentation", 1, progress()).run(parts);
            result.put("workload", workload.name());
            runs.add(result);
        }
        if (runs.size() == 1) {
            return runs.getFirst();
        }
        Map<String, Object> all = Figures.create();
        all.put("benchmark", "fragmentation");
        all.put("runs", runs);
        return all;
    }

    private Comparison.Part part(SystemName system, Fragmentation.Workload workload, long capacityBytes) {
        boolean heap = system.kind() == SystemName.Kind.HEAP;
        if (system == SystemName.BARE) {
            throw new BadInput("bare is no store: it can't delete, so it has no fragmentation to measure");
        }
        if (system == SystemName.EHCACHE || system == SystemName.ROCKSDB) {
            throw new BadInput(system
                    + (system == SystemName.EHCACHE
                            ? " takes its whole tier at the start and evicts instead of refusing"
                            : " keeps its data in files, which no resident size shows")
                    + "; allowed here: loam, chm, chm-copy, caffeine, chronicle, ohc, mapdb");
        }
        double meanBefore = (workload.beforeLow() + (double) workload.beforeHigh()) / 2;
        // Sized for the smaller values; those that are not told sizes beforehand don't mind.
        long records = (long) (capacityBytes / (meanBefore + keyBytes) * 1.02) + 1000;
        int[] sizes = {workload.beforeLow(), workload.beforeHigh() + 1};
        Setup setup =
                options.setup(system, records, keyBytes, sizes, capacityBytes).withThreads(1);
        boolean rssRefusal = system != SystemName.LOAM && !heap;
        var plan = new Fragmentation.Plan(
                workload.name(),
                turnover,
                heap ? Math.min(liveShare, 0.85) : liveShare,
                idleSeconds,
                rssRefusal,
                options.seed);
        List<String> flags = switch (system.kind()) {
            case LOAM -> List.of("-Xms128m", "-Xmx128m", "-XX:+AlwaysPreTouch");
            case OFF_HEAP -> List.of("-Xms512m", "-Xmx512m", "-XX:+AlwaysPreTouch");
            case HEAP -> List.of("-Xms64m", "-XX:GCTimeLimit=90");
        };
        return new Comparison.Part(system.toString(), system, setup, plan, capacityBytes, flags, false);
    }
}
