package io.loam.bench;

import io.loam.bench.space.MappingCosts;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench mapping}. */
@Command(
        name = "mapping",
        mixinStandardHelpOptions = true,
        description =
                "What it costs to map memory that is there already, by size, with 4 KiB and 2 MiB pages (SpaceJMP, Figures 6 and 37).",
        footer = {
            "",
            "map…Micros: mapped and all pages present. lazyMap…: mapped only. hugeShare: how much got 2 MiB pages."
        })
final class MappingCommand extends Measurement {

    @Option(
            names = "--largest",
            paramLabel = "SIZE",
            defaultValue = "1g",
            description = "From 1 MiB up to this, by powers of 4 (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String largest;

    @Option(names = "--rounds", defaultValue = "5", description = "The median counts (default: ${DEFAULT-VALUE}).")
    private int rounds;

    @Option(
            names = "--directory",
            defaultValue = "/dev/shm",
            description = "For its files (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private Path directory;

    @Override
    Map<String, Object> measure() {
        long bytes = Sizes.bytes("--largest", largest);
        if (bytes < 1 << 20) {
            throw new BadInput("--largest '" + largest + "'; allowed: at least 1m");
        }
        between("--rounds", rounds, 1, 1000);
        Map<String, Object> result = Figures.create();
        result.put("benchmark", "mapping");
        result.put("rounds", rounds);
        result.put("sizes", new MappingCosts(bytes, rounds, directory).measure());
        return result;
    }
}
