package io.loam.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code bench report}: goals, tables and charts from results that were saved. */
@Command(
        name = "report",
        mixinStandardHelpOptions = true,
        description = "Prints each figure beside its goal from saved results, and draws charts.",
        footer = {
            "",
            "With --output: writes results.md (figures, commands, tables) and charts/*.svg into that directory."
        })
final class ReportCommand implements Callable<Integer> {

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--results",
            paramLabel = "DIR",
            defaultValue = "docs/results",
            description = "Where the JSON files are (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private Path results;

    @Option(
            names = "--output",
            paramLabel = "DIR",
            description = "Where to write, such as docs; default: nothing is written.")
    private @Nullable Path output;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        try {
            Results read = Results.read(results);
            printTargets(read, out);
            if (output != null) {
                Files.createDirectories(output.resolve("charts"));
                List<String> charts = drawCharts(read, output.resolve("charts"));
                Files.writeString(output.resolve("results.md"), markdown(read, charts), StandardCharsets.UTF_8);
                out.println("wrote " + output.resolve("results.md") + " and " + charts.size() + " charts");
            }
            out.flush();
            return 0;
        } catch (BadInput e) {
            spec.commandLine().getErr().println("loam bench report: " + e.getMessage());
            return 2;
        }
    }

    private static void printTargets(Results results, PrintWriter out) {
        out.printf("%-62s%12s%14s%n", "figure", "goal", "measured");
        int met = 0;
        int measured = 0;
        for (Targets.Target target : Targets.all()) {
            double value = target.value().applyAsDouble(results);
            String verdict = Double.isNaN(value) ? "" : target.met(value) ? "  met" : "  MISSED";
            out.printf("%-62s%12s%14s%s%n", target.figure(), target.goal(), Targets.text(value), verdict);
            measured += Double.isNaN(value) ? 0 : 1;
            met += target.met(value) ? 1 : 0;
        }
        out.printf(
                "%n%d of %d measured goals met; %d goals in all%n",
                met, measured, Targets.all().size());
    }

    // ---- charts

    private static List<String> drawCharts(Results results, Path directory) throws IOException {
        List<String> names = new ArrayList<>();
        Map<String, List<SvgChart.Point>> absolute = SvgChart.ordered();
        Map<String, List<SvgChart.Point>> relative = SvgChart.ordered();
        results.all().forEach((label, result) -> addUtilisation(label, result, absolute, relative));
        if (!absolute.isEmpty()) {
            write(
                    directory,
                    names,
                    "utilisation",
                    SvgChart.lines(
                            "Update throughput by utilisation",
                            "utilisation",
                            "updates per process CPU-second",
                            false,
                            absolute));
            write(
                    directory,
                    names,
                    "utilisation-relative",
                    SvgChart.lines(
                            "Update throughput by utilisation, lowest = 1",
                            "utilisation",
                            "relative to the lowest utilisation",
                            false,
                            relative));
        }
        heapChart(results, directory, names);
        fragmentationChart(
                results, directory, names, "rssPerLive", "Resident size per live byte after the sizes changed");
        fragmentationChart(
                results,
                directory,
                names,
                "rssPerLiveAfterDelete",
                "Resident size per live byte after 90 % were deleted");
        fragmentationChart(results, directory, names, "fillRatio", "User bytes / capacity at the first refusal");
        latencyChart(results, directory, names);
        return names;
    }

    private static void write(Path directory, List<String> names, String name, String svg) throws IOException {
        Files.writeString(directory.resolve(name + ".svg"), svg, StandardCharsets.UTF_8);
        names.add(name);
    }

    private static void addUtilisation(
            String label,
            Map<String, Object> result,
            Map<String, List<SvgChart.Point>> absolute,
            Map<String, List<SvgChart.Point>> relative) {
        if (!"ycsb".equals(result.get("benchmark"))) {
            return;
        }
        List<SvgChart.Point> points = new ArrayList<>();
        Map<String, Object> systems = Figures.object(result, "systems");
        for (String name : systems.keySet()) {
            if (name.startsWith("loam@")) {
                Map<String, Object> figures = Figures.object(systems, name);
                points.add(new SvgChart.Point(
                        Double.parseDouble(name.substring(5)), Figures.number(figures, "opsPerProcessCpuSecond")));
            }
        }
        if (points.size() > 1) {
            double first = points.getFirst().y();
            absolute.put(label, points);
            relative.put(
                    label,
                    points.stream()
                            .map(point -> new SvgChart.Point(point.x(), point.y() / first))
                            .toList());
        }
    }

    private static void heapChart(Results results, Path directory, List<String> names) throws IOException {
        Map<String, Map<String, Double>> bars = new LinkedHashMap<>();
        for (String workload : HeapBenchCommand.CHURN) {
            Map<String, Double> rates = new LinkedHashMap<>();
            for (String system : HeapBenchCommand.ALLOCATORS) {
                double rate = results.number("heap-" + workload, system, "opsPerCpuSecond");
                if (!Double.isNaN(rate)) {
                    rates.put(system, rate / 1e6);
                }
            }
            if (!rates.isEmpty()) {
                bars.put(workload, rates);
            }
        }
        if (!bars.isEmpty()) {
            write(
                    directory,
                    names,
                    "heap-churn",
                    SvgChart.bars("Persistent heap: allocate, store, free", "million per CPU-second", bars));
        }
    }

    private static void fragmentationChart(
            Results results, Path directory, List<String> names, String figure, String title) throws IOException {
        Map<String, Map<String, Double>> groups = SvgChart.ordered();
        for (Fragmentation.Workload workload : Fragmentation.Workload.ALL) {
            Map<String, Double> group = SvgChart.ordered();
            for (String label : List.of("fragmentation", "fragmentation-peers")) {
                for (SystemName system : SystemName.values()) {
                    double value = results.number(label + ":" + workload.name(), system.toString(), figure);
                    if (!Double.isNaN(value)) {
                        group.putIfAbsent(system.toString(), value);
                    }
                }
            }
            if (!group.isEmpty()) {
                groups.put(workload.name(), group);
            }
        }
        if (!groups.isEmpty()) {
            write(directory, names, "fragmentation-" + figure, SvgChart.bars(title, figure, groups));
        }
    }

    private static void latencyChart(Results results, Path directory, List<String> names) throws IOException {
        Map<String, Object> systems = Figures.object(results.all().getOrDefault("latency", Map.of()), "systems");
        for (String curve : List.of("insertCurve", "updateCurve", "pacedCurve")) {
            Map<String, List<SvgChart.Point>> series = SvgChart.ordered();
            for (String name : systems.keySet()) {
                if (Figures.object(systems, name).get(curve) instanceof List<?> points) {
                    series.put(name, points.stream().map(ReportCommand::point).toList());
                }
            }
            if (!series.isEmpty()) {
                write(
                        directory,
                        names,
                        "latency-" + curve.replace("Curve", ""),
                        SvgChart.lines(
                                "Latency, " + curve.replace("Curve", ""),
                                "nines of the quantile",
                                "nanoseconds",
                                true,
                                series));
            }
        }
    }

    /** A quantile as its number of nines: 0.9 is 1, 0.99 is 2. */
    private static SvgChart.Point point(Object pair) {
        List<?> numbers = (List<?>) pair;
        double quantile = ((Number) numbers.getFirst()).doubleValue();
        double nines = -Math.log10(Math.max(1 - quantile, 1e-6));
        return new SvgChart.Point(nines, ((Number) numbers.get(1)).doubleValue());
    }

    // ---- markdown

    private static String markdown(Results results, List<String> charts) {
        StringBuilder out =
                new StringBuilder("# Results\n\nMade by `bin/loam bench report` from the JSON in `results/`.\n\n");
        out.append("| figure | goal | measured | |\n|---|---|---|---|\n");
        for (Targets.Target target : Targets.all()) {
            double value = target.value().applyAsDouble(results);
            out.append(String.format(
                    Locale.ROOT,
                    "| %s | %s | %s | %s |%n",
                    target.figure(),
                    target.goal(),
                    Targets.text(value),
                    Double.isNaN(value) ? "" : target.met(value) ? "met" : "**missed**"));
        }
        out.append("\n## Charts\n\n");
        charts.forEach(name ->
                out.append("![").append(name).append("](charts/").append(name).append(".svg)\n\n"));
        out.append("## Measurements\n\n");
        results.all().forEach((label, result) -> {
            out.append("### ")
                    .append(label)
                    .append("\n\n`bin/loam bench ")
                    .append(result.getOrDefault("command", ""))
                    .append("`, ")
                    .append(result.getOrDefault("time", ""))
                    .append("\n\n");
            table(result, out);
        });
        return out.toString();
    }

    private static final List<String> SHOWN = List.of(
            "opsPerSecond",
            "opsPerCpuSecond",
            "opsPerProcessCpuSecond",
            "p50Nanos",
            "p99Nanos",
            "p999Nanos",
            "rssBytes",
            "liveUserBytes",
            "utilisation",
            "metadataBytesPerObject",
            "copiedPerUserByte",
            "greedyCopyRatio",
            "copiedVersusGreedy",
            "completionSeconds",
            "completionProcessCpuSeconds",
            "fillRatioBefore",
            "fillRatio",
            "rssPerLive",
            "rssPerLiveAfterDelete",
            "hitRatio",
            "hitRatioVersusExactLru",
            "longestStallNanos",
            "lowestLoad",
            "getCostRatio",
            "scanKeysPerCpuSecond",
            "writersEffectRatio",
            "updateLongestStallNanos",
            "pacedP50Nanos",
            "pacedP999Nanos",
            "hiccupNanos",
            "serverCpuNanosPerOp",
            "serverCores",
            "generatorCores",
            "rssPerLiveSettled",
            "peakAboveMemoryBytes",
            "lostKeys",
            "longestPingOverwritingNanos",
            "longestPingDeletingNanos",
            "longestPingUnlinkingNanos",
            "longestLateOverwritingNanos",
            "longestLateDeletingNanos",
            "longestLateUnlinkingNanos",
            "longestLateNanos",
            "startMillis");

    @SuppressWarnings("unchecked")
    private static void table(Map<String, Object> result, StringBuilder out) {
        if (result.get("runs") instanceof List<?> runs) {
            runs.forEach(run -> {
                Map<String, Object> figures = (Map<String, Object>) run;
                out.append(figures.getOrDefault("workload", figures.getOrDefault("trace", "")))
                        .append(":\n\n");
                table(figures, out);
            });
            return;
        }
        Map<String, Object> systems = Figures.object(result, "systems");
        if (systems.isEmpty()) {
            systems = Map.of(String.valueOf(result.getOrDefault("system", "")), result);
        }
        List<String> names = List.copyOf(systems.keySet());
        out.append("| |")
                .append(String.join(" | ", names))
                .append(" |\n|---|")
                .append("---|".repeat(names.size()))
                .append('\n');
        for (String figure : SHOWN) {
            StringBuilder row = new StringBuilder();
            boolean any = false;
            for (String name : names) {
                double value = Figures.numberOrNaN(Figures.object(systems, name), figure);
                row.append(' ')
                        .append(Double.isNaN(value) ? "" : SvgChart.number(value))
                        .append(" |");
                any |= !Double.isNaN(value);
            }
            if (any) {
                out.append("| ").append(figure).append(" |").append(row).append('\n');
            }
        }
        out.append('\n');
    }
}
