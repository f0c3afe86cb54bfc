package io.loam.bench;

import io.loam.bench.system.Setup;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench scan}. */
@Command(
        name = "scan",
        mixinStandardHelpOptions = true,
        description =
                "Keys scanned a second by one thread, alone and beside writers, and what that does to the writers.")
final class ScanCommand extends Measurement {

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

    @Option(names = "--seconds", defaultValue = "2", description = "Of each part (default: ${DEFAULT-VALUE}).")
    private double seconds;

    @Option(
            names = "--utilisation",
            defaultValue = "0.7",
            description = "Loam: what to set the capacity for (default: ${DEFAULT-VALUE}).")
    private double utilisation;

    @Override
    Map<String, Object> measure() {
        between("--utilisation", utilisation, 0.05, 0.97);
        int[] sizes = Sizes.range("--value-bytes", valueBytes);
        long count = Sizes.count("--records", records);
        double mean = (sizes[0] + (double) sizes[1]) / 2;
        long capacity = Loading.capacityFor(count, 8, mean, Math.min(utilisation, 0.85));
        List<SystemName> systems = options.systems();
        for (SystemName system : systems) {
            if (!List.of(SystemName.LOAM, SystemName.CHM, SystemName.CHM_COPY).contains(system)) {
                throw new BadInput("scanning is measured for loam, chm and chm-copy only, not " + system);
            }
        }
        var plan = new Scan.Plan(seconds, utilisation, options.seed);
        return new Comparison("scan", options.rounds, progress())
                .run(systems.stream()
                        .map(system -> {
                            Setup setup = options.setup(system, count, 8, sizes, capacity)
                                    .withCapacity(capacity, capacity * 2);
                            return new Comparison.Part(
                                    system.toString(),
                                    system,
                                    setup,
                                    plan,
                                    options.heapBytes(capacity, count * (8 + mean)),
                                    List.of());
                        })
                        .toList());
    }
}
