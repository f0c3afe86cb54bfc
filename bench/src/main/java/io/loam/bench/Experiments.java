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
            default -> throw new IllegalStateException("unknown experiment " + request.get("experiment"));
        };
    }
}
