package io.loam.bench;

import io.loam.bench.space.Gups;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench gups}. */
@Command(
        name = "gups",
        mixinStandardHelpOptions = true,
        description =
                "Random updates of a table in windows, got at by address spaces, by remapping, or by a process for each (SpaceJMP, Figures 48 and 49).",
        footer = {
            "",
            "mups: millions of updates per second, by one thread. The processes are asked by pipes and block: with a core for each",
            "and busy waiting they come closer, as the paper's do."
        })
final class GupsCommand extends Measurement {

    @Option(names = "--windows", defaultValue = "16", description = "1 to 1024 (default: ${DEFAULT-VALUE}).")
    private int windows;

    @Option(
            names = "--updates",
            defaultValue = "64",
            description = "In one window before the next is chosen (default: ${DEFAULT-VALUE}).")
    private int updates;

    @Option(
            names = "--window-bytes",
            paramLabel = "SIZE",
            defaultValue = "64m",
            description = "Size of a window (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String windowBytes;

    @Option(
            names = "--compare",
            paramLabel = "WAY,…",
            split = ",",
            defaultValue = "spaces,map",
            description = "spaces, map, processes (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private List<String> compare;

    @Option(names = "--locked", description = "Entering a space takes the exclusive lock of its window.")
    private boolean locked;

    @Option(names = "--huge-pages", description = "Windows of 2 MiB pages.")
    private boolean hugePages;

    @Option(names = "--seconds", defaultValue = "1", description = "Length of a slice (default: ${DEFAULT-VALUE}).")
    private double seconds;

    @Option(names = "--rounds", defaultValue = "5", description = "Slices of each way (default: ${DEFAULT-VALUE}).")
    private int rounds;

    @Option(names = "--seed", defaultValue = "1", description = "(default: ${DEFAULT-VALUE})")
    private long seed;

    @Option(
            names = "--directory",
            defaultValue = "/dev/shm",
            description = "For its files (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private Path directory;

    @Override
    Map<String, Object> measure() {
        between("--windows", windows, 1, 1024);
        between("--updates", updates, 1, 1 << 16);
        between("--rounds", rounds, 1, 1000);
        between("--seconds", seconds, 0.001, 3600);
        long bytes = Sizes.bytes("--window-bytes", windowBytes);
        if (bytes < 1 << 16) {
            throw new BadInput("--window-bytes '" + windowBytes + "'; allowed: at least 64k");
        }
        List<Gups.Way> ways = compare.stream().map(GupsCommand::way).distinct().toList();
        Map<Gups.Way, List<Double>> measured = new LinkedHashMap<>();
        Map<String, Object> result = Figures.create();
        result.put("benchmark", "gups");
        try (Gups gups = new Gups(windows, updates, bytes, hugePages, locked, seed, directory)) {
            result.putAll(gups.parameters());
            for (Gups.Way way : ways) {
                double ignored = gups.measure(way, seconds);
                measured.put(way, new ArrayList<>());
            }
            for (int round = 0; round < rounds; round++) {
                for (Map.Entry<Gups.Way, List<Double>> way : measured.entrySet()) {
                    way.getValue().add(gups.measure(way.getKey(), seconds));
                }
            }
            if (!gups.isRight()) {
                throw new WorkerFailure("wrong data: a window does not hold what its updates make of it");
            }
        }
        result.put("locked", locked);
        result.put("hugePages", hugePages);
        result.put("rounds", rounds);
        result.put("seed", seed);
        Map<String, Object> systems = Figures.create();
        measured.forEach((way, values) -> systems.put(name(way), Map.of("mups", Statistics.median(values))));
        result.put("systems", systems);
        result.put("ratios", ratios(measured));
        return result;
    }

    /** Address spaces divided by each other way. */
    private static Map<String, Object> ratios(Map<Gups.Way, List<Double>> measured) {
        Map<String, Object> ratios = Figures.create();
        List<Double> spaces = measured.get(Gups.Way.SPACES);
        if (spaces != null) {
            measured.forEach((way, values) -> {
                if (way != Gups.Way.SPACES) {
                    ratios.put(name(way), Map.of("mups", Statistics.median(spaces) / Statistics.median(values)));
                }
            });
        }
        return ratios;
    }

    private static Gups.Way way(String name) {
        oneOf("--compare", name, "spaces", "map", "processes");
        return Gups.Way.valueOf(name.toUpperCase(Locale.ROOT));
    }

    private static String name(Gups.Way way) {
        return way.name().toLowerCase(Locale.ROOT);
    }
}
