package io.loam.bench;

import io.loam.bench.system.Setup;
import java.util.Map;

/** Experiments by name. */
final class Experiments {

    private Experiments() {}

    static Experiment of(Map<String, Object> request) {
        Setup setup = Worker.setup(request);
        return switch (String.valueOf(request.get("experiment"))) {
            case "ycsb" -> new Ycsb(setup, Worker.plan(request, Ycsb.Plan.class));
            case "fragmentation" -> new Fragmentation(setup, Worker.plan(request, Fragmentation.Plan.class));
            case "postmark" -> new Postmark(setup, Worker.plan(request, Postmark.Plan.class));
            case "eviction" -> new CacheHits(setup, Worker.plan(request, CacheHits.Plan.class));
            case "growth" -> new Growth(setup, Worker.plan(request, Growth.Plan.class));
            case "scan" -> new Scan(setup, Worker.plan(request, Scan.Plan.class));
            case "latency" -> new Latency(setup, Worker.plan(request, Latency.Plan.class));
            default -> throw new IllegalStateException("unknown experiment " + request.get("experiment"));
        };
    }
}
