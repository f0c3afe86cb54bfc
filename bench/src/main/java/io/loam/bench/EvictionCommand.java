package io.loam.bench;

import io.loam.bench.system.Setup;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench eviction}. */
@Command(
        name = "eviction",
        mixinStandardHelpOptions = true,
        description = "Hit ratio of a full cache on traces, beside exact LRU with the same bytes.",
        footer = {
            "",
            "exactLruHitRatio: exact LRU that holds as many user bytes (key and value) as the whole capacity, without any overhead;",
            "exactLruOfLiveHitRatio: as many as the store held live. Caffeine's weight is user bytes, too: it holds the capacity in user",
            "bytes, and its own overhead comes on top. Traces: zipf (0.99); zipf-scan: with scans of keys never asked for again; shifting:",
            "popularity wanders.",
        })
final class EvictionCommand extends Measurement {

    @Mixin
    private final SystemOptions options = new SystemOptions();

    @Option(
            names = "--trace",
            paramLabel = "zipf|zipf-scan|shifting",
            split = ",",
            defaultValue = "zipf,zipf-scan,shifting",
            description = "(default: ${DEFAULT-VALUE})")
    @SuppressWarnings("NullAway.Init")
    private List<String> traces;

    @Option(
            names = "--capacity",
            paramLabel = "SIZE",
            defaultValue = "128m",
            description = "The budget (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String capacity;

    @Option(
            names = "--keys",
            paramLabel = "COUNT",
            defaultValue = "1m",
            description = "Keys of the trace (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String keys;

    @Option(
            names = "--requests",
            paramLabel = "COUNT",
            defaultValue = "6m",
            description = "Length of the trace (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String requests;

    @Option(
            names = "--value-bytes",
            paramLabel = "SIZE|LOW-HIGH",
            defaultValue = "200-800",
            description = "(default: ${DEFAULT-VALUE})")
    @SuppressWarnings("NullAway.Init")
    private String valueBytes;

    @Option(names = "--key-bytes", defaultValue = "8", description = "Key size (default: ${DEFAULT-VALUE}).")
    private int keyBytes;

    @Override
    Map<String, Object> measure() {
        int[] sizes = Sizes.range("--value-bytes", valueBytes);
        long capacityBytes = Sizes.bytes("--capacity", capacity);
        List<SystemName> systems = options.systems();
        for (SystemName system : systems) {
            if (!List.of(SystemName.LOAM, SystemName.CAFFEINE, SystemName.OHC, SystemName.EHCACHE)
                    .contains(system)) {
                throw new BadInput(system + " does not evict; allowed here: loam, caffeine, ohc, ehcache");
            }
        }
        List<Map<String, Object>> runs = new ArrayList<>();
        for (String trace : traces) {
            oneOf("--trace", trace, Trace.NAMES);
            var plan = new CacheHits.Plan(
                    trace, Sizes.count("--keys", keys), Sizes.count("--requests", requests), options.seed);
            List<Comparison.Part> parts = new ArrayList<>();
            for (SystemName system : systems) {
                long records = (long) (capacityBytes / (keyBytes + (sizes[0] + (double) sizes[1]) / 2));
                Setup setup = options.setup(system, records, keyBytes, sizes, capacityBytes)
                        .withThreads(1);
                parts.add(new Comparison.Part(
                        system.toString(), system, setup, plan, 4 * capacityBytes + (256L << 20), List.of()));
            }
            Map<String, Object> result = new Comparison("eviction", 1, progress()).run(parts);
            result.put("trace", trace);
            double exact = CacheHits.exactLru(plan, keyBytes, sizes[0], sizes[1], capacityBytes);
            result.put("exactLruHitRatio", exact);
            addRatios(result, plan, sizes, exact);
            runs.add(result);
        }
        if (runs.size() == 1) {
            return runs.getFirst();
        }
        Map<String, Object> all = Figures.create();
        all.put("benchmark", "eviction");
        all.put("runs", runs);
        return all;
    }

    private void addRatios(Map<String, Object> result, CacheHits.Plan plan, int[] sizes, double exact) {
        Map<String, Object> systems = Figures.object(result, "systems");
        List<Map<String, Object>> objects = new ArrayList<>();
        if (systems.isEmpty()) {
            objects.add(result);
        } else {
            systems.keySet().forEach(name -> objects.add(Figures.object(systems, name)));
        }
        for (Map<String, Object> figures : objects) {
            figures.put("hitRatioVersusExactLru", Figures.number(figures, "hitRatio") / exact);
            if (figures.get("liveUserBytes") instanceof Number live) {
                double ofLive = CacheHits.exactLru(plan, keyBytes, sizes[0], sizes[1], live.longValue());
                figures.put("exactLruOfLiveHitRatio", ofLive);
                figures.put("hitRatioVersusExactLruOfLive", Figures.number(figures, "hitRatio") / ofLive);
            }
        }
    }
}
