package io.loam.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Results kept in files, an object a line, found again by label; of several with one label, the last. */
final class Results {

    private final Map<String, Map<String, Object>> byLabel = new LinkedHashMap<>();

    static Results read(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            throw new BadInput("no directory " + directory + "; run bench/run-all first, or say --results");
        }
        Results results = new Results();
        List<Path> files;
        try (Stream<Path> stream = Files.list(directory)) {
            files = stream.filter(file -> file.toString().endsWith(".json"))
                    .sorted()
                    .toList();
        }
        for (Path file : files) {
            int line = 0;
            for (String text : Files.readAllLines(file)) {
                line++;
                if (!text.isBlank()) {
                    try {
                        results.add(Json.parseObject(text));
                    } catch (IllegalArgumentException e) {
                        throw new BadInput(file + ", line " + line + ": " + e.getMessage());
                    }
                }
            }
        }
        return results;
    }

    void add(Map<String, Object> result) {
        byLabel.put(String.valueOf(result.getOrDefault("label", result.get("benchmark"))), result);
    }

    Map<String, Map<String, Object>> all() {
        return byLabel;
    }

    /** The figures of {@code system} under a label; with a run's name after a colon ("fragmentation:W1"), of that run. Empty if there are none. */
    Map<String, Object> figures(String label, String system) {
        int colon = label.indexOf(':');
        Map<String, Object> result = byLabel.getOrDefault(colon < 0 ? label : label.substring(0, colon), Map.of());
        if (colon >= 0) {
            result = run(result, label.substring(colon + 1));
        }
        Map<String, Object> systems = Figures.object(result, "systems");
        return systems.isEmpty() && system.equals(result.get("system")) ? result : Figures.object(systems, system);
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> run(Map<String, Object> result, String name) {
        if (result.get("runs") instanceof List<?> runs) {
            for (Object run : runs) {
                Map<String, Object> figures = (Map<String, Object>) run;
                if (name.equals(figures.get("workload")) || name.equals(figures.get("trace"))) {
                    return figures;
                }
            }
        }
        return name.equals(result.get("workload")) || name.equals(result.get("trace")) ? result : Map.of();
    }

    double number(String label, String system, String figure) {
        return Figures.numberOrNaN(figures(label, system), figure);
    }

    double ratio(String label, String system, String other, String figure) {
        return number(label, system, figure) / number(label, other, figure);
    }
}
