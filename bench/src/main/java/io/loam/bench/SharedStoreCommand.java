package io.loam.bench;

import io.loam.bench.sharing.SharedStoreCosts;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench shared-store}. */
@Command(
        name = "shared-store",
        mixinStandardHelpOptions = true,
        description =
                "Operations per second of processes that attach one store and use it directly, beside a private store, and beside processes that are served by one over a Unix-domain socket, one request at a time (SpaceJMP's Redis experiment).",
        footer = {
            "",
            "privateGets, direct1Gets …: GETs per second, one thread in each process. direct1 …: with the updates mixed in.",
            "hugeShare: the part of the process's memory for the store that lies in 2 MiB pages.",
            "leaderKilledStallMillis, followerKilledStallMillis: the longest put of another process, from the kill on, until what the dead one left is repaired."
        })
final class SharedStoreCommand extends Measurement {

    @Option(names = "--keys", defaultValue = "200000", description = "(default: ${DEFAULT-VALUE})")
    private int keys;

    @Option(names = "--value-bytes", defaultValue = "100", description = "(default: ${DEFAULT-VALUE})")
    private int valueBytes;

    @Option(names = "--capacity-mib", defaultValue = "256", description = "Of each store (default: ${DEFAULT-VALUE}).")
    private int capacityMib;

    @Option(
            names = "--updates",
            defaultValue = "0.05",
            description = "Share of puts in the mixed figures (default: ${DEFAULT-VALUE}).")
    private double updates;

    @Option(names = "--seconds", defaultValue = "0.4", description = "Of each slice (default: ${DEFAULT-VALUE}).")
    private double seconds;

    @Option(
            names = "--rounds",
            defaultValue = "9",
            description = "Slices of each figure, in turn; the median counts (default: ${DEFAULT-VALUE}).")
    private int rounds;

    @Option(
            names = "--kills",
            defaultValue = "5",
            description = "Processes killed while they write, of either kind (default: ${DEFAULT-VALUE}).")
    private int kills;

    @Option(
            names = "--huge-pages",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "2 MiB pages for both stores, where the kernel has them (default: ${DEFAULT-VALUE}).")
    private boolean hugePages;

    @Option(
            names = "--directory",
            defaultValue = "/dev/shm",
            description = "For the regions (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private Path directory;

    @Override
    Map<String, Object> measure() {
        between("--keys", keys, 1, 100_000_000);
        between("--value-bytes", valueBytes, 1, 1000);
        between("--capacity-mib", capacityMib, 16, 1 << 20);
        between("--updates", updates, 0, 1);
        between("--seconds", seconds, 0.001, 60);
        between("--rounds", rounds, 1, 1000);
        between("--kills", kills, 0, 1000);
        Map<String, Object> result = Figures.create();
        result.put("benchmark", "shared-store");
        result.put("system", "loam");
        result.put("keys", keys);
        result.put("valueBytes", valueBytes);
        result.put("capacityMib", capacityMib);
        result.put("updates", updates);
        result.put("seconds", seconds);
        result.put("rounds", rounds);
        result.put("hugePages", hugePages);
        result.putAll(new SharedStoreCosts(
                        keys, valueBytes, capacityMib, updates, seconds, rounds, kills, hugePages, directory)
                .measure());
        return result;
    }
}
