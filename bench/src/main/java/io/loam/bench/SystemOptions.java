package io.loam.bench;

import io.loam.bench.system.Setup;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Options that say which systems are measured and how they are opened. */
final class SystemOptions {

    @Option(
            names = "--store",
            paramLabel = "SYSTEM",
            defaultValue = "loam",
            description =
                    "loam, chm, chm-copy, caffeine, chronicle, ohc, mapdb, ehcache, rocksdb, or bare, the limit (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init") // picocli sets options
    String store;

    @Option(
            names = "--compare",
            paramLabel = "SYSTEM,…",
            description = "Measure these too, in turn with --store, and print ratios.")
    List<String> compare = new ArrayList<>();

    @Option(
            names = "--rounds",
            defaultValue = "5",
            description = "Measured slices of each system; medians are reported (default: ${DEFAULT-VALUE}).")
    int rounds;

    @Option(names = "--threads", defaultValue = "2", description = "Worker threads (default: ${DEFAULT-VALUE}).")
    int threads;

    @Option(
            names = "--update",
            paramLabel = "append|in-place",
            defaultValue = "append",
            description = "Loam, bare: how a present key gets a new value (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    String update;

    @Option(names = "--cleaners", defaultValue = "0", description = "Loam: cleaner threads (0: the store's default).")
    int cleaners;

    @Option(
            names = "--segment",
            paramLabel = "SIZE",
            defaultValue = "0",
            description = "Loam: segment size (0: the store's default).")
    @SuppressWarnings("NullAway.Init")
    String segment;

    @Option(
            names = "--block",
            paramLabel = "SIZE",
            defaultValue = "0",
            description = "Loam: block size (0: the store's default).")
    @SuppressWarnings("NullAway.Init")
    String block;

    @Option(
            names = "--hash",
            paramLabel = "flood-resistant|fast",
            defaultValue = "flood-resistant",
            description = "Loam: how keys are hashed (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    String hash;

    @Option(
            names = "--heap",
            paramLabel = "SIZE|same|auto",
            defaultValue = "auto",
            description =
                    "Java heap (fixed) of chm, chm-copy and caffeine: a size; same: Loam's capacity; auto: the larger of Loam's capacity"
                            + " and 4 times the data plus 256 MiB (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    String heap;

    @Option(names = "--seed", defaultValue = "1", description = "Seed of the choice of keys.")
    long seed;

    List<SystemName> systems() {
        List<String> names = new ArrayList<>();
        names.add(store);
        names.addAll(compare);
        Measurement.between("--rounds", rounds, 1, 1000);
        return Measurement.systems(names);
    }

    Setup setup(SystemName system, long records, int keyBytes, int[] valueBytes, long capacityBytes) {
        Measurement.oneOf("--update", update, "append", "in-place");
        Measurement.oneOf("--hash", hash, "flood-resistant", "fast");
        Measurement.between("--threads", threads, 1, 256);
        Measurement.between("--cleaners", cleaners, 0, 64);
        Measurement.between("--key-bytes", keyBytes, 8, 65535);
        if (valueBytes[0] < StampedValues.HEADER_BYTES) {
            throw new BadInput("--value-bytes " + valueBytes[0] + "; allowed: at least " + StampedValues.HEADER_BYTES
                    + ", since values carry their key and a checksum");
        }
        return new Setup(
                system.toString(),
                records,
                keyBytes,
                valueBytes[0],
                valueBytes[1],
                capacityBytes,
                0,
                threads,
                update,
                cleaners,
                (int) Sizes.bytes("--segment", segment),
                (int) Sizes.bytes("--block", block),
                hash,
                false,
                0);
    }

    /** The fixed heap of systems that keep so much data in it. */
    long heapBytes(long capacityBytes, double dataBytes) {
        return switch (heap) {
            case "same" -> capacityBytes;
            case "auto" -> Math.max(capacityBytes, (long) (4 * dataBytes) + (256L << 20));
            default -> Sizes.bytes("--heap", heap);
        };
    }
}
