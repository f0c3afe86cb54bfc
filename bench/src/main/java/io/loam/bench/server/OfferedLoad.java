package io.loam.bench.server;

import io.loam.bench.Figures;
import java.util.Map;

/** Latencies while every server is sent the same number of requests per second, from when each was due. */
public final class OfferedLoad extends Interleaved {

    private final Load load;
    private final double seconds;
    private final double warmup;
    private final double rate;

    /** @param rate requests per second */
    public OfferedLoad(Setting setting, Load load, double seconds, double warmup, double rate) {
        super(setting);
        this.load = load;
        this.seconds = seconds;
        this.warmup = warmup;
        this.rate = rate;
    }

    @Override
    void prepare(ServerProcess server, LoadProcess generator) {
        generator.runWithoutErrors(load.fill(server));
        // As fast as it goes, so that as much code is warm as in a server that has run for longer; then as measured.
        generator.runWithoutErrors(load.plan(server, 0, warmup, 0));
        generator.runWithoutErrors(load.plan(server, rate, warmup / 2, 0));
    }

    @Override
    Map<String, Object> measure(ServerProcess server, LoadProcess generator) {
        long serverFrom = server.cpuNanos();
        Map<String, Object> figures = generator.runWithoutErrors(load.plan(server, rate, seconds, 0));
        figures.put("serverCpuNanosPerOp", (server.cpuNanos() - serverFrom) / Figures.number(figures, "operations"));
        return figures;
    }
}
