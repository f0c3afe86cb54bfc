package io.loam.bench;

import io.loam.bench.system.Setup;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Runs one experiment on several systems in turn: all are prepared, then each round measures every one for a slice. Medians of the
 * rounds, and Loam's figures divided by each peer's.
 */
final class Comparison {

    /**
     * What is measured beside the others.
     *
     * @param name in the results; the system's, unless one system is measured in several ways
     * @param heapBytes Java heap for systems that keep their data there
     * @param flags further flags of its JVM, which win over the system's
     * @param hugePages whether a peer that gets its memory from malloc is given huge pages
     */
    record Part(
            String name,
            SystemName system,
            Setup setup,
            Record plan,
            long heapBytes,
            List<String> flags,
            boolean hugePages) {
        Part(String name, SystemName system, Setup setup, Record plan, long heapBytes, List<String> flags) {
            this(name, system, setup, plan, heapBytes, flags, true);
        }
    }

    /** A part while it is measured. */
    private record Subject(
            Part part, WorkerProcess worker, Map<String, Object> state, List<Map<String, Object>> rounds) {}

    private final String experiment;
    private final int rounds;
    private final PrintWriter progress;

    Comparison(String experiment, int rounds, PrintWriter progress) {
        this.experiment = experiment;
        this.rounds = rounds;
        this.progress = progress;
    }

    /** The result: of one part, its figures; of more, {@code systems} and {@code ratios}. */
    Map<String, Object> run(List<Part> parts) {
        List<Subject> subjects = new ArrayList<>();
        Map<String, Map<String, Object>> results = new LinkedHashMap<>();
        try {
            for (Part part : parts) {
                tell("%s: preparing %s", experiment, part.name());
                Subject subject = new Subject(part, WorkerProcess.start(part), Figures.create(), new ArrayList<>());
                subjects.add(subject);
                prepare(subject);
            }
            for (int round = 0; round < rounds; round++) {
                for (Subject subject : subjects) {
                    Map<String, Object> figures = subject.worker().ask(Map.of("command", "measure", "round", round));
                    subject.rounds().add(figures);
                    tell(
                            "round %d of %d, %s%s",
                            round + 1, rounds, subject.part().name(), brief(figures));
                }
            }
            for (Subject subject : subjects) {
                results.put(subject.part().name(), finish(subject));
            }
        } finally {
            subjects.forEach(subject -> subject.worker().close());
        }
        return combined(results);
    }

    private void prepare(Subject subject) {
        Part part = subject.part();
        Map<String, Object> request = Figures.create();
        request.put("command", "prepare");
        request.put("experiment", experiment);
        request.put("setup", Json.toMap(part.setup()));
        request.put("plan", Json.toMap(part.plan()));
        Map<String, Object> state = subject.state();
        state.put("system", part.system().toString());
        state.putAll(Json.toMap(part.setup()));
        state.putAll(Json.toMap(part.plan()));
        if (part.system().kind() == SystemName.Kind.HEAP) {
            state.put("heapBytes", part.heapBytes());
        }
        state.put("jvmFlags", String.join(" ", WorkerProcess.flags(part)));
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
        progress.println(String.format(Locale.ROOT, format, arguments));
        progress.flush();
    }

    private static String brief(Map<String, Object> figures) {
        return figures.get("opsPerCpuSecond") instanceof Number ops
                ? String.format(Locale.ROOT, ": %,.0f operations per CPU-second", ops.doubleValue())
                : "";
    }

    private static void addDerived(Map<String, Object> figures) {
        if (figures.get("copiedPerAppendedByte") instanceof Number copied
                && figures.get("greedyCopyRatio") instanceof Number greedy) {
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
        // Loam's figures by each peer's; of one system measured in several ways, each way's by the first's.
        Map<String, Object> ours = results.get(SystemName.LOAM.toString());
        Map<String, Object> ratios = Figures.create();
        if (ours != null) {
            results.forEach((name, figures) -> {
                if (figures != ours) {
                    ratios.put(name, Statistics.ratios(comparable(ours), figures));
                }
            });
            result.put("ratios", ratios);
        } else {
            Map<String, Object> first = results.values().iterator().next();
            results.forEach((name, figures) -> {
                if (figures != first) {
                    ratios.put(name, Statistics.ratios(comparable(figures), first));
                }
            });
            result.put("ratiosToFirst", ratios);
        }
        return result;
    }

    /** Figures of which a ratio says something. */
    private static Map<String, Object> comparable(Map<String, Object> figures) {
        Map<String, Object> kept = new LinkedHashMap<>();
        figures.forEach((figure, value) -> {
            if (figure.startsWith("ops")
                    || figure.endsWith("Nanos")
                    || figure.startsWith("rss")
                    || figure.startsWith("fill")
                    || figure.endsWith("Ratio")
                    || figure.endsWith("Seconds")
                    || figure.endsWith("PerSecond")) {
                kept.put(figure, value);
            }
        });
        return kept;
    }
}
