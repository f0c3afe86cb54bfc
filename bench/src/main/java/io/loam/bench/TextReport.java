package io.loam.bench;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** A result for people: a column for each system, a line for each figure. */
final class TextReport {

    private static final Set<String> LEFT_OUT = Set.of("jvmFlags", "command", "label", "benchmark", "system", "time");

    private final PrintWriter out;

    TextReport(PrintWriter out) {
        this.out = out;
    }

    @SuppressWarnings("unchecked")
    void print(Map<String, Object> result) {
        out.printf("%n%s%n", result.getOrDefault("benchmark", ""));
        if (result.get("systems") instanceof Map<?, ?> systems) {
            printColumns((Map<String, Map<String, Object>>) systems);
            if (result.get("ratios") instanceof Map<?, ?> ratios && !ratios.isEmpty()) {
                out.printf("%n%s divided by%n", systems.containsKey("spaces") ? "spaces" : "loam");
                printColumns((Map<String, Map<String, Object>>) ratios);
            }
            if (result.get("ratiosToFirst") instanceof Map<?, ?> ratios && !ratios.isEmpty()) {
                out.printf("%ndivided by %s%n", systems.keySet().iterator().next());
                printColumns((Map<String, Map<String, Object>>) ratios);
            }
        } else if (result.get("runs") instanceof List<?> runs) {
            runs.forEach(run -> print((Map<String, Object>) run));
        } else {
            Map<String, Object> single = new LinkedHashMap<>(result);
            printColumns(Map.of(String.valueOf(result.getOrDefault("system", "")), single));
        }
    }

    private void printColumns(Map<String, Map<String, Object>> columns) {
        Set<String> figures = new LinkedHashSet<>();
        columns.values().forEach(column -> figures.addAll(column.keySet()));
        figures.removeAll(LEFT_OUT);
        out.printf("%-28s", "");
        columns.keySet().forEach(name -> out.printf("%16s", name));
        out.println();
        for (String figure : figures) {
            List<String> cells = new ArrayList<>();
            for (Map<String, Object> column : columns.values()) {
                cells.add(cell(column.get(figure)));
            }
            if (cells.stream().allMatch(String::isEmpty)) {
                continue;
            }
            out.printf("%-28s", figure);
            cells.forEach(text -> out.printf("%16s", text));
            out.println();
        }
        columns.forEach((name, column) -> column.forEach((figure, value) -> printTable(name, figure, value)));
    }

    /** Lists of points, one a line. */
    private void printTable(String name, String figure, Object value) {
        if (value instanceof List<?> rows && !rows.isEmpty() && rows.getFirst() instanceof Map<?, ?> first) {
            out.printf("%n%s %s%n", name, figure);
            first.keySet().forEach(column -> out.printf("%18s", column));
            out.println();
            for (Object row : rows) {
                for (Object column : first.keySet()) {
                    out.printf("%18s", cell(((Map<?, ?>) row).get(column)));
                }
                out.println();
            }
        }
    }

    private static String cell(@org.jspecify.annotations.Nullable Object value) {
        if (value instanceof Number number) {
            double real = number.doubleValue();
            boolean whole = real == Math.rint(real) && Math.abs(real) < 1e15;
            return String.format(Locale.ROOT, whole || Math.abs(real) >= 1000 ? "%,.0f" : "%.4g", real);
        }
        if (value instanceof List<?> list) {
            boolean table = list.isEmpty() || list.getFirst() instanceof Map || list.getFirst() instanceof List;
            return table ? "" : "(" + list.size() + " values)";
        }
        if (value == null || value instanceof Map) {
            return "";
        }
        String text = value.toString();
        return text.length() > 15 ? text.substring(0, 14) + "…" : text;
    }
}
