package io.loam.bench.server;

import io.loam.bench.Statistics;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** From the start of a server's process to its first reply, with no data. */
public final class StartTime {

    private final Setting setting;

    public StartTime(Setting setting) {
        this.setting = setting;
    }

    /** Figures by the systems' names. */
    public Map<String, Map<String, Object>> run() {
        Map<ServerSystem, List<Map<String, Object>>> rounds = new LinkedHashMap<>();
        // One more, the first, which is not counted: it reads files for the first time, and bin/loam makes its start-up
        // cache.
        for (int round = 0; round <= setting.rounds(); round++) {
            for (ServerSystem system : setting.systems()) {
                try (ServerProcess server = setting.start(system)) {
                    Map<String, Object> figures = new LinkedHashMap<>();
                    figures.put("startMillis", server.startNanos() / 1e6);
                    figures.put("startCpuMillis", server.cpuNanos() / 1e6);
                    figures.put("emptyRssBytes", server.emptyRssBytes());
                    figures.put("serverCommand", server.command());
                    if (round > 0) {
                        rounds.computeIfAbsent(system, any -> new ArrayList<>()).add(figures);
                        setting.tell("round %d of %d, %s: %s", round, setting.rounds(), system, figures);
                    }
                }
            }
        }
        Map<String, Map<String, Object>> results = new LinkedHashMap<>();
        rounds.forEach((system, figures) -> results.put(system.toString(), Statistics.medians(figures)));
        return results;
    }
}
