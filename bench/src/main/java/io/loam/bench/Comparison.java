package io.loam.bench;

import io.loam.bench.system.Setup;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Runs one experiment on several systems in turn: all are prepared, then each round measures every one for a slice. Medians of the
 * rounds, and Loam's figures divided by each peer's.
 */
final class Comparison {

    /**
     * One system's part.
     *
     * @param heapBytes Java heap for systems that keep their data there
     */
    record Part(SystemName system, Setup setup, Record plan, long heapBytes) {}

    private final String experiment;
    private final int rounds;
    private final PrintWriter progress;

    Comparison(String experiment, int rounds, PrintWriter progress) {
        this.experiment = experiment;
        this.rounds = rounds;
        this.progress = progress;
    }

    /** A system while it is measured. */
    private record Subject(SystemName system, WorkerProcess worker, Map<String, Object> state, List<Map<String, Object>> rounds) {}

    /** The result: with one system, its figures; with more, {@code systems} and {@code ratios}. */
    Map<String, Object> run(List<SystemName> systems, Function<SystemName, Part> parts) {
        List<Subject> subjects = new ArrayList<>();
        Map<String, Map<String, Object>> results = new LinkedHashMap<>();
        try {
            for (SystemName system : systems) {
                tell("%s: preparing %s", experiment, system);
                Part part = parts.apply(system);
                Subject subject = new Subject(system, WorkerProcess.start(system, part.heapBytes()), Figures.create(), new ArrayList<>());
                subjects.add(subject);
                prepare(subject, part);
            }
            for (int round = 0; round < rounds; round++) {
                for (Subject subject : subjects) {
                    Map<String, Object> figures = subject.worker().ask(Map.of("command", "measure", "round", round));
                    subject.rounds().add(figures);
                    tell("round %d of %d, %s%s", round + 1, rounds, subject.system(), brief(figures));
                }
            }
            for (Subject subject : subjects) {
                results.put(subject.system().toString(), finish(subject));
            }
        } finally {
            subjects.forEach(subject -> subject.worker().close());
        }
        return combined(results);
    }

    private void prepare(Subject subject, Part part) {
        Map<String, Object> request = Figures.create();
        request.put("command", "prepare");
        request.put("experiment", experiment);
        request.put("setup", Json.toMap(part.setup()));
        request.put("plan", Json.toMap(part.plan()));
        Map<String, Object> state = subject.state();
        state.put("system", subject.system().toString());
        state.putAll(Json.toMap(part.setup()));
        state.putAll(Json.toMap(part.plan()));
        if (subject.system().kind() == SystemName.Kind.HEAP) {
            state.put("heapBytes", part.heapBytes());
        }
        state.put("jvmFlags", String.join(" ", subject.system().flags(part.heapBytes())));
        state.putAll(subject.worker().ask(request));
    }

    private Map<String, Object> finish(Subject subject) {
        Map<String, Object> figures = subject.state();
        figures.putAll(Statistics.medians(subject.rounds()));
        figures.putAll(subject.worker().ask(Map.of("command", "finish")));
        addDerived(figures);
        figures.put("rounds", rounds);
        addSpread(subject.rounds(), figures);
        return figures;
    }

    private void tell(String format, Object... arguments) {
        progress.println(String.format(format, arguments));
        progress.flush();
    }

    private static String brief(Map<String, Object> figures) {
        return figures.get("opsPerCpuSecond") instanceof Number ops
                ? String.format(": %,.0f operations per CPU-second", ops.doubleValue())
                : "";
    }

    private static void addDerived(Map<String, Object> figures) {
        if (figures.get("copiedPerAppendedByte") instanceof Number copied && figures.get("greedyCopyRatio") instanceof Number greedy) {
            figures.put("copiedVersusGreedy", copied.doubleValue() / greedy.doubleValue());
        }
    }

    private static void addSpread(List<Map<String, Object>> rounds, Map<String, Object> figures) {
        for (String figure : List.of("opsPerSecond", "opsPerCpuSecond", "opsPerProcessCpuSecond")) {
            List<Number> values = new ArrayList<>();
            rounds.forEach(round -> {
                if (round.get(figure) instanceof Number number) {
                    values.add(number);
                }
            });
            if (!values.isEmpty()) {
                figures.put(figure + "Rounds", values);
            }
        }
    }

    /** One system: its figures. More: one object of figures each, and the ratios of Loam's to the others'. */
    private Map<String, Object> combined(Map<String, Map<String, Object>> results) {
        Map<String, Object> result = Figures.create();
        result.put("benchmark", experiment);
        result.put("time", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        result.put("processors", Runtime.getRuntime().availableProcessors());
        if (results.size() == 1) {
            results.values().forEach(result::putAll);
            return result;
        }
        result.put("systems", results);
        Map<String, Object> ours = results.get(SystemName.LOAM.toString());
        if (ours != null) {
            Map<String, Object> ratios = Figures.create();
            results.forEach((name, figures) -> {
                if (figures != ours) {
                    ratios.put(name, Statistics.ratios(comparable(ours), figures));
                }
            });
            result.put("ratios", ratios);
        }
        return result;
    }

    /** Figures of which a ratio says something. */
    private static Map<String, Object> comparable(Map<String, Object> figures) {
        Map<String, Object> kept = new LinkedHashMap<>();
        figures.forEach((figure, value) -> {
            if (figure.startsWith("ops") || figure.endsWith("Nanos") || figure.startsWith("rss") || figure.startsWith("fill")
                    || figure.endsWith("Ratio") || figure.endsWith("Seconds") || figure.endsWith("PerSecond")) {
                kept.put(figure, value);
            }
        });
        return kept;
    }
}
