package io.loam.bench;

import io.loam.bench.system.Setup;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench postmark}. */
@Command(
        name = "postmark",
        mixinStandardHelpOptions = true,
        description =
                "Postmark's small files as key-value entries, as TableFS maps them: completion time at several utilisations.",
        footer = {
            "",
            "2 million files of 500-4096 bytes in 10,000 directories, times --scale; 16 transactions for each file: read, append, create,",
            "delete, each as likely. completionSeconds counts transactions and the final deletion of all files.",
        })
final class PostmarkCommand extends Measurement {

    private static final long FILES = 2_000_000;
    private static final long DIRECTORIES = 10_000;

    @Mixin
    private final SystemOptions options = new SystemOptions();

    @Option(names = "--scale", defaultValue = "0.05", description = "Of 2 million files (default: ${DEFAULT-VALUE}).")
    private double scale;

    @Option(
            names = "--utilisation",
            paramLabel = "SHARE,…",
            split = ",",
            defaultValue = "0.3,0.5,0.7,0.8",
            description = "Loam: what to set the capacity for (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private List<Double> utilisations;

    @Option(
            names = "--key-bytes",
            defaultValue = "24",
            description = "Inode and name; 8 for systems that know no other (default: ${DEFAULT-VALUE}).")
    private int keyBytes;

    @Option(names = "--transactions-per-file", defaultValue = "16", description = "(default: ${DEFAULT-VALUE})")
    private double transactionsPerFile;

    @Override
    Map<String, Object> measure() {
        between("--scale", scale, 1e-4, 100);
        between("--transactions-per-file", transactionsPerFile, 0, 1e6);
        long files = Math.max(100, (long) (FILES * scale));
        List<Comparison.Part> parts = new ArrayList<>();
        List<SystemName> systems = options.systems();
        if (systems.contains(SystemName.BARE)) {
            throw new BadInput("bare is no store: it can't delete files");
        }
        double mean = (Postmark.LOW_BYTES + (double) Postmark.HIGH_BYTES) / 2;
        for (double utilisation : utilisations) {
            between("--utilisation", utilisation, 0.05, 0.97);
            // Appending makes files longer: some more than the sizes at creation must fit.
            long capacity = Loading.capacityFor(files, keyBytes, mean, Math.min(utilisation, 0.8));
            var plan = new Postmark.Plan(
                    files, Math.max(10, (long) (DIRECTORIES * scale)), transactionsPerFile, utilisation, options.seed);
            for (SystemName system : systems) {
                if (system != SystemName.LOAM && utilisation != utilisations.getFirst()) {
                    continue; // utilisation is a matter of Loam's alone
                }
                int[] sizes = {Postmark.LOW_BYTES, Postmark.HIGH_BYTES};
                Setup setup =
                        options.setup(system, files, keyBytes, sizes, capacity).withCapacity(capacity, capacity * 2);
                String name = system == SystemName.LOAM && utilisations.size() > 1
                        ? system + "@" + utilisation
                        : system.toString();
                parts.add(new Comparison.Part(
                        name, system, setup, plan, options.heapBytes(capacity, files * (keyBytes + mean)), List.of()));
            }
        }
        return new Comparison("postmark", 1, progress()).run(parts);
    }
}
