package io.loam.bench.server;

import io.loam.bench.Statistics;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An experiment that starts and fills all servers, then measures each in turn, round by round; medians, but of what is called longest the longest of all rounds. */
abstract class Interleaved {

    private record Subject(ServerProcess server, List<Map<String, Object>> rounds) {}

    final Setting setting;

    Interleaved(Setting setting) {
        this.setting = setting;
    }

    abstract void prepare(ServerProcess server, LoadProcess generator);

    abstract Map<String, Object> measure(ServerProcess server, LoadProcess generator);

    /** Figures by the systems' names. */
    public Map<String, Map<String, Object>> run() {
        List<Subject> subjects = new ArrayList<>();
        try (LoadProcess generator = LoadProcess.start(setting.cores().generator)) {
            for (ServerSystem system : setting.systems()) {
                setting.tell("starting and filling %s", system);
                ServerProcess server = setting.start(system);
                subjects.add(new Subject(server, new ArrayList<>()));
                prepare(server, generator);
            }
            for (int round = 1; round <= setting.rounds(); round++) {
                for (Subject subject : subjects) {
                    Map<String, Object> figures = measure(subject.server, generator);
                    subject.rounds.add(figures);
                    setting.tell("round %d of %d, %s: %s", round, setting.rounds(), subject.server.system(), figures);
                }
            }
            Map<String, Map<String, Object>> results = new LinkedHashMap<>();
            for (Subject subject : subjects) {
                results.put(subject.server.system().toString(), finish(subject));
            }
            return results;
        } finally {
            subjects.forEach(subject -> subject.server.close());
        }
    }

    private static Map<String, Object> finish(Subject subject) {
        Map<String, Object> figures = new LinkedHashMap<>(Statistics.medians(subject.rounds));
        figures.replaceAll((name, median) -> name.startsWith("longest") ? longest(name, subject.rounds) : median);
        figures.put("rssBytes", subject.server.rssBytes());
        figures.put("peakRssBytes", subject.server.peakRssBytes());
        figures.put("emptyRssBytes", subject.server.emptyRssBytes());
        figures.put("serverCommand", subject.server.command());
        if (figures.containsKey("opsPerSecond")) {
            figures.put(
                    "opsPerSecondRounds",
                    subject.rounds.stream()
                            .map(round -> round.get("opsPerSecond"))
                            .toList());
        }
        return figures;
    }

    private static long longest(String name, List<Map<String, Object>> rounds) {
        return rounds.stream()
                .mapToLong(round -> round.get(name) instanceof Number nanos ? nanos.longValue() : 0)
                .max()
                .orElse(0);
    }
}
