package io.loam.bench.server;

import io.loam.bench.WorkerFailure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Debian's redis-benchmark: one command, uniform keys, a batch after the other. */
final class RedisBenchmark {

    /** Its columns that are kept: milliseconds, kept in nanoseconds. */
    private static final Map<String, String> COLUMNS = Map.of(
            "p50_latency_ms", "p50Nanos",
            "p99_latency_ms", "p99Nanos",
            "max_latency_ms", "longestNanos");

    private RedisBenchmark() {}

    /**
     * Runs it.
     *
     * @param command set, get or hset
     * @param cpus where it may run, as taskset writes them
     * @return opsPerSecond, p50Nanos, p99Nanos, longestNanos
     */
    static Map<String, Object> run(
            int port,
            String cpus,
            String command,
            int connections,
            int pipeline,
            int valueBytes,
            long keys,
            long requests) {
        List<String> line = new ArrayList<>(ServerProcess.pinned(cpus));
        line.add(ServerSystem.onPath(
                "the load generator",
                "redis-benchmark",
                "install Debian's package redis-tools, or say --generator loadgen"));
        line.addAll(List.of("-h", "127.0.0.1", "-p", String.valueOf(port), "--csv", "-t", command));
        line.addAll(List.of("-c", String.valueOf(connections), "-P", String.valueOf(pipeline)));
        line.addAll(List.of("-d", String.valueOf(valueBytes), "-r", String.valueOf(keys)));
        line.addAll(List.of("-n", String.valueOf(requests)));
        try {
            Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
            String output =
                    new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
            int code = process.waitFor();
            if (code != 0) {
                throw new WorkerFailure("redis-benchmark ended with exit code " + code + ".\n" + String.join(" ", line)
                        + "\n" + output.strip());
            }
            return parse(output, command);
        } catch (IOException e) {
            throw new UncheckedIOException("can't run redis-benchmark", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new WorkerFailure("interrupted while redis-benchmark ran");
        }
    }

    /** The figures of {@code command} in what it printed with --csv. */
    static Map<String, Object> parse(String output, String command) {
        List<String> header = List.of();
        for (String line : output.lines().toList()) {
            List<String> cells = cells(line);
            if (cells.getFirst().equals("test")) {
                header = cells;
            } else if (cells.getFirst().equals(command.toUpperCase(Locale.ROOT)) && cells.size() == header.size()) {
                return figures(header, cells);
            }
        }
        throw new WorkerFailure("redis-benchmark printed no figures of " + command + ":\n" + output.strip());
    }

    private static Map<String, Object> figures(List<String> header, List<String> cells) {
        Map<String, Object> figures = new LinkedHashMap<>();
        for (int i = 1; i < cells.size(); i++) {
            String column = header.get(i);
            try {
                double value = Double.parseDouble(cells.get(i));
                if (column.equals("rps")) {
                    figures.put("opsPerSecond", value);
                } else if (COLUMNS.get(column) instanceof String figure) {
                    figures.put(figure, Math.round(value * 1e6));
                }
            } catch (NumberFormatException e) {
                throw new WorkerFailure("redis-benchmark printed '" + cells.get(i) + "' for " + column);
            }
        }
        return figures;
    }

    private static List<String> cells(String line) {
        return java.util.Arrays.stream(line.split(",", -1))
                .map(cell -> cell.strip().replaceAll("^\"|\"$", ""))
                .toList();
    }
}
