package io.loam.bench;

import io.loam.bench.system.Setup;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench latency}. */
@Command(
        name = "latency",
        mixinStandardHelpOptions = true,
        description = "Latency of inserts and updates, APPEND and IN_PLACE, saturated and at a fixed rate.",
        footer = {
            "",
            "Saturated: update… figures, every operation timed; updateLongestStallNanos beside hiccupNanos, the machine's own noise.",
            "paced…: updates offered at --rate-share of the saturated rate, each timed from the moment it was due.",
            "pacedControl…: the same loop, waiting as long as a put takes: how late the machine itself makes it.",
            "pacedBusyControl…: the same beside a thread as busy as all others were during the puts (pacedOthersCpuShare).",
            "One worker thread by default: the paced worker spins, and on 2 CPUs the cleaner needs the other.",
        })
final class LatencyCommand extends Measurement {

    @Mixin
    private final SystemOptions options = new SystemOptions();

    @Option(names = "--records", paramLabel = "COUNT", defaultValue = "1m", description = "(default: ${DEFAULT-VALUE})")
    @SuppressWarnings("NullAway.Init")
    private String records;

    @Option(
            names = "--value-bytes",
            paramLabel = "SIZE|LOW-HIGH",
            defaultValue = "100",
            description = "(default: ${DEFAULT-VALUE})")
    @SuppressWarnings("NullAway.Init")
    private String valueBytes;

    @Option(
            names = "--writers",
            defaultValue = "1",
            description = "Worker threads here, instead of --threads (default: ${DEFAULT-VALUE}).")
    private int writers;

    @Option(
            names = "--seconds",
            defaultValue = "5",
            description = "Of the saturated and of the paced part (default: ${DEFAULT-VALUE}).")
    private double seconds;

    @Option(names = "--warmup", defaultValue = "5", description = "(default: ${DEFAULT-VALUE})")
    private double warmup;

    @Option(names = "--rate-share", defaultValue = "0.5", description = "(default: ${DEFAULT-VALUE})")
    private double rateShare;

    @Option(
            names = "--utilisation",
            paramLabel = "SHARE,…",
            split = ",",
            defaultValue = "0.8",
            description = "Loam: what to set the capacity for (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private List<Double> utilisations;

    @Option(
            names = "--policies",
            paramLabel = "append|in-place,…",
            split = ",",
            defaultValue = "append,in-place",
            description = "Loam, instead of --update (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private List<String> policies;

    @Option(
            names = "--distribution",
            paramLabel = "uniform|zipfian",
            defaultValue = "uniform",
            description = "(default: ${DEFAULT-VALUE})")
    @SuppressWarnings("NullAway.Init")
    private String distribution;

    @Override
    Map<String, Object> measure() {
        int[] sizes = Sizes.range("--value-bytes", valueBytes);
        long count = Sizes.count("--records", records);
        oneOf("--distribution", distribution, "uniform", "zipfian");
        between("--rate-share", rateShare, 0.01, 1);
        double mean = (sizes[0] + (double) sizes[1]) / 2;
        List<Comparison.Part> parts = new ArrayList<>();
        for (SystemName system : options.systems()) {
            boolean loam = system == SystemName.LOAM;
            for (String policy : loam ? policies : policies.subList(0, 1)) {
                oneOf("--policies", policy, "append", "in-place");
                for (double utilisation : loam ? utilisations : utilisations.subList(0, 1)) {
                    between("--utilisation", utilisation, 0.05, 0.97);
                    long capacity = Loading.capacityFor(count, 8, mean, Math.min(utilisation, 0.85));
                    var plan = new Latency.Plan(seconds, warmup, rateShare, utilisation, distribution, options.seed);
                    Setup setup = options.setup(system, count, 8, sizes, capacity)
                            .withCapacity(capacity, capacity * 2)
                            .withUpdate(policy)
                            .withThreads(between("--writers", writers, 1, 64));
                    String name = loam ? "loam-" + policy + "@" + utilisation : system.toString();
                    parts.add(new Comparison.Part(
                            name, system, setup, plan, options.heapBytes(capacity, count * (8 + mean)), List.of()));
                }
            }
        }
        return new Comparison("latency", options.rounds, progress()).run(parts);
    }
}
