package io.loam.bench;

import io.loam.bench.system.Setup;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench growth}. */
@Command(
        name = "growth",
        mixinStandardHelpOptions = true,
        description =
                "The index grows and shrinks back, every operation timed: longest stall, lowest load, GET's cost by load.",
        footer = {
            "",
            "longestStallNanos is by the clock; hiccupNanos is how long the same thread is held up in 3 s of doing nothing: the noise of",
            "the machine. longestStallCpuNanos bounds what of a slow operation (1 ms or more) was the thread's own work. For each of the",
            "phases, growing and shrinking: ...LongestStallQueuedNanos bounds for how much of the longest the thread was ready and had no CPU,",
            "...HiccupNanos says by how much a thread that only sleeps overslept meanwhile.",
        })
final class GrowthCommand extends Measurement {

    @Mixin
    private final SystemOptions options = new SystemOptions();

    @Option(
            names = "--from",
            paramLabel = "COUNT",
            defaultValue = "10k",
            description = "Keys at the start (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String from;

    @Option(
            names = "--to",
            paramLabel = "COUNT",
            defaultValue = "10m",
            description = "Keys at the top (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String to;

    @Option(
            names = "--value-bytes",
            paramLabel = "SIZE|LOW-HIGH",
            defaultValue = "16",
            description = "(default: ${DEFAULT-VALUE})")
    @SuppressWarnings("NullAway.Init")
    private String valueBytes;

    @Override
    Map<String, Object> measure() {
        int[] sizes = Sizes.range("--value-bytes", valueBytes);
        long low = Sizes.count("--from", from);
        long high = Sizes.count("--to", to);
        if (low >= high) {
            throw new BadInput("--from " + low + " --to " + high + "; --to must be greater");
        }
        List<SystemName> systems = options.systems();
        if (systems.contains(SystemName.BARE)) {
            throw new BadInput("bare has an index of fixed size; it can't grow");
        }
        double mean = (sizes[0] + (double) sizes[1]) / 2;
        long capacity = Loading.capacityFor(high, 8, mean, 0.6);
        var plan = new Growth.Plan(low, high, options.seed);
        return new Comparison("growth", 1, progress())
                .run(systems.stream()
                        .map(system -> {
                            Setup setup = options.setup(system, low, 8, sizes, capacity)
                                    .withThreads(1);
                            long heap = options.heapBytes(capacity, high * (8 + mean + 16));
                            return new Comparison.Part(system.toString(), system, setup, plan, heap, List.of());
                        })
                        .toList());
    }
}
