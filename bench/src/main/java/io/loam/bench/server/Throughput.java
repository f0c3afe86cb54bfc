package io.loam.bench.server;

import io.loam.bench.Figures;
import java.util.LinkedHashMap;
import java.util.Map;

/** As many requests as come: operations per second, the server's CPU time for one, latencies under full load. */
public final class Throughput extends Interleaved {

    /** For the first guess at how many requests redis-benchmark needs for a time. */
    private static final long PROBE_REQUESTS = 20_000;

    private final Load load;
    private final double seconds;
    private final double warmup;
    private final boolean byRedisBenchmark;
    private final Map<ServerProcess, Double> lastRate = new LinkedHashMap<>();

    /** @param byRedisBenchmark the generator: redis-benchmark, or our own */
    public Throughput(Setting setting, Load load, double seconds, double warmup, boolean byRedisBenchmark) {
        super(setting);
        this.load = load;
        this.seconds = seconds;
        this.warmup = warmup;
        this.byRedisBenchmark = byRedisBenchmark;
    }

    @Override
    void prepare(ServerProcess server, LoadProcess generator) {
        generator.runWithoutErrors(load.fill(server));
        if (!byRedisBenchmark) {
            generator.runWithoutErrors(load.plan(server, 0, warmup, 0));
            return;
        }
        double rate = redisBenchmark(server, PROBE_REQUESTS);
        // In two halves, as the first guess is of a server that has not warmed up.
        rate = redisBenchmark(server, rate * warmup / 2);
        rate = redisBenchmark(server, rate * warmup / 2);
        lastRate.put(server, rate);
    }

    private double redisBenchmark(ServerProcess server, double requests) {
        return Figures.number(redisBenchmarkFigures(server, (long) Math.max(1, requests)), "opsPerSecond");
    }

    private Map<String, Object> redisBenchmarkFigures(ServerProcess server, long requests) {
        return RedisBenchmark.run(
                server.port(),
                setting.cores().generator,
                load.command(),
                load.connections(),
                load.pipeline(),
                load.valueBytes(),
                load.keys(),
                requests);
    }

    @Override
    Map<String, Object> measure(ServerProcess server, LoadProcess generator) {
        long from = System.nanoTime();
        long serverFrom = server.cpuNanos();
        Map<String, Object> figures;
        double operations;
        double generatorNanos;
        if (byRedisBenchmark) {
            operations = Math.max(1, Math.rint(lastRate.getOrDefault(server, 1.0) * seconds));
            long generatorFrom = ProcessStat.endedChildrenCpuNanos();
            figures = redisBenchmarkFigures(server, (long) operations);
            generatorNanos = ProcessStat.endedChildrenCpuNanos() - generatorFrom;
            lastRate.put(server, Figures.number(figures, "opsPerSecond"));
        } else {
            long generatorFrom = generator.cpuNanos();
            figures = generator.runWithoutErrors(load.plan(server, 0, seconds, 0));
            generatorNanos = generator.cpuNanos() - generatorFrom;
            operations = Figures.number(figures, "operations");
        }
        double serverNanos = server.cpuNanos() - serverFrom;
        double elapsed = System.nanoTime() - from;
        figures.put("serverCpuNanosPerOp", serverNanos / operations);
        figures.put("serverCores", serverNanos / elapsed);
        figures.put("generatorCores", generatorNanos / elapsed);
        return figures;
    }
}
