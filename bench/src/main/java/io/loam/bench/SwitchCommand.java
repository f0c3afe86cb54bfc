package io.loam.bench;

import io.loam.bench.space.SwitchCosts;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench switch}. */
@Command(
        name = "switch",
        mixinStandardHelpOptions = true,
        description =
                "What switching address spaces, locks and checked pointers cost, beside the kernel's means (SpaceJMP, Table 6).",
        footer = {
            "",
            "switchNanos: in and out again, the context in hand. chaseRatio: checked pointers along a ring, against bare loads.",
            "processSwitchNanos: half of a byte's way to another process and back by pipes, on however many CPUs there are."
        })
final class SwitchCommand extends Measurement {

    @Option(
            names = "--seconds",
            defaultValue = "0.5",
            description = "For each figure, and as long to warm up (default: ${DEFAULT-VALUE}).")
    private double seconds;

    @Option(
            names = "--rounds",
            defaultValue = "9",
            description = "Slices; the median counts (default: ${DEFAULT-VALUE}).")
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
        between("--seconds", seconds, 0.001, 60);
        between("--rounds", rounds, 1, 1000);
        Map<String, Object> result = Figures.create();
        result.put("benchmark", "switch");
        result.put("system", "loam");
        result.put("seconds", seconds);
        result.put("rounds", rounds);
        result.put("seed", seed);
        result.putAll(new SwitchCosts(seconds, rounds, seed, directory).measure());
        return result;
    }
}
