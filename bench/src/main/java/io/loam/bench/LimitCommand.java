package io.loam.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench limit}. */
@Command(
        name = "limit",
        mixinStandardHelpOptions = true,
        description = "What this machine allows: bare's GET, batch of 16 GETs, PUT in place and log PUT.",
        footer = {
            "",
            "bare does in Java what the C program limit.c does (prototype of the project's studies, not part of it): an array of 16-byte",
            "slots with linear probing at a load of 0.75 at most, values one after the other, huge pages, no concurrency control. The",
            "differences: limit.c has its loops in C with prefetch instructions and copies of constant length; its log PUT overwrites the",
            "value array itself where bare's has a ring; bare also counts, checks the clock for one operation in 64 and verifies what that",
            "read. limit.c's rates (operations per CPU-second, one thread) are therefore an upper bound of bare's.",
        })
final class LimitCommand extends Measurement {

    @Mixin
    private final SystemOptions options = new SystemOptions();

    @Option(names = "--records", paramLabel = "COUNT", defaultValue = "1m", description = "(default: ${DEFAULT-VALUE})")
    @SuppressWarnings("NullAway.Init")
    private String records;

    @Option(names = "--value-bytes", defaultValue = "100", description = "(default: ${DEFAULT-VALUE})")
    @SuppressWarnings("NullAway.Init")
    private String valueBytes;

    @Option(names = "--seconds", defaultValue = "1", description = "Length of a slice (default: ${DEFAULT-VALUE}).")
    private double seconds;

    @Option(names = "--warmup", defaultValue = "2", description = "(default: ${DEFAULT-VALUE})")
    private double warmup;

    @Override
    Map<String, Object> measure() {
        int[] sizes = Sizes.range("--value-bytes", valueBytes);
        long count = Sizes.count("--records", records);
        List<Comparison.Part> parts = new ArrayList<>();
        parts.add(part("GET", "c", 1, "append", count, sizes));
        parts.add(part("GETBATCH16", "c", 16, "append", count, sizes));
        parts.add(part("PUTINPLACE", "update", 1, "in-place", count, sizes));
        parts.add(part("PUTLOG", "update", 1, "append", count, sizes));
        Map<String, Object> result = new Comparison("ycsb", options.rounds, progress()).run(parts);
        result.put("benchmark", "limit");
        return result;
    }

    private Comparison.Part part(String name, String workload, int batch, String update, long count, int[] sizes) {
        var plan = new Ycsb.Plan(workload, "uniform", batch, seconds, warmup, 0, 0, 0, options.seed);
        var setup = options.setup(SystemName.BARE, count, 8, sizes, 0).withUpdate(update);
        return new Comparison.Part(name, SystemName.BARE, setup, plan, 0, List.of());
    }
}
