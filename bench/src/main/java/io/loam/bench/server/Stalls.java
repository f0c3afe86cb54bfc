package io.loam.bench.server;

import io.loam.bench.Figures;
import io.loam.bench.WorkerFailure;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/**
 * The longest that a PING waits, a thousand a second, each counted from when it was due: while values are overwritten at 90 % of the memory, and while a large
 * hash is deleted. A generator that is late itself makes a ping late; how late it was at worst stands beside.
 */
public final class Stalls {

    private static final double PINGS_PER_SECOND = 1000;
    private static final double FULL = 0.9;
    private static final long BEFORE_DELETE_MILLIS = 500;
    private static final double AFTER_DELETE_SECONDS = 1.5;

    private final Setting setting;
    private final Load load;
    private final double rate;
    private final double seconds;
    private final double warmup;
    private final long fields;

    /**
     * @param load of it, connections, pipeline, value size and distribution are used
     * @param rate overwrites per second
     * @param seconds of overwriting
     * @param warmup of overwriting before that, in seconds
     * @param fields of the hash that is deleted; 0: no hash
     */
    public Stalls(Setting setting, Load load, double rate, double seconds, double warmup, long fields) {
        this.setting = setting;
        this.load = load;
        this.rate = rate;
        this.seconds = seconds;
        this.warmup = warmup;
        this.fields = fields;
    }

    /** Figures by the systems' names. */
    public Map<String, Map<String, Object>> run() {
        Map<String, Map<String, Object>> results = new Overwriting().run();
        if (fields > 0) {
            new LargeHash()
                    .run()
                    .forEach((system, figures) -> results.computeIfAbsent(system, any -> Figures.create())
                            .putAll(figures));
        }
        return results;
    }

    private final class Overwriting extends Interleaved {

        private final Map<ServerProcess, Load> full = new LinkedHashMap<>();

        Overwriting() {
            super(Stalls.this.setting);
        }

        @Override
        void prepare(ServerProcess server, LoadProcess generator) {
            long step = Math.max(1, server.memoryBytes() / 100 / (load.valueBytes() + 100));
            long keys = 0;
            try (RespClient client = new RespClient(server.port())) {
                while (client.info("memory", "used_memory") < FULL * server.memoryBytes()) {
                    generator.runWithoutErrors(LoadPlan.sequence(server, "set", load.valueBytes(), keys, step, 1));
                    keys += step;
                    if (keys * load.valueBytes() > server.memoryBytes()) {
                        throw new WorkerFailure(server.system() + " was given more than its memory of "
                                + server.memoryBytes() + " bytes and its INFO says used_memory:"
                                + client.info("memory", "used_memory"));
                    }
                }
            }
            Load overwriting = new Load(
                    "set",
                    0,
                    load.valueBytes(),
                    Math.max(1, keys),
                    load.distribution(),
                    load.connections(),
                    load.pipeline(),
                    load.seed());
            generator.runWithoutErrors(overwriting.plan(server, rate, warmup, 0));
            full.put(server, overwriting);
        }

        @Override
        Map<String, Object> measure(ServerProcess server, LoadProcess generator) {
            Load overwriting = full.get(server);
            if (overwriting == null) {
                throw new IllegalStateException("not prepared");
            }
            long serverFrom = server.cpuNanos();
            Map<String, Object> measured =
                    generator.runWithoutErrors(overwriting.plan(server, rate, seconds, PINGS_PER_SECOND));
            Map<String, Object> figures = Figures.create();
            figures.put("overwrittenKeys", overwriting.keys());
            figures.put("overwritesPerSecond", measured.get("opsPerSecond"));
            figures.put("serverCpuNanosPerOp", (server.cpuNanos() - serverFrom) / (rate * seconds));
            figures.put("longestPingOverwritingNanos", measured.get("longestPingNanos"));
            figures.put("pingP99OverwritingNanos", measured.get("pingP99Nanos"));
            figures.put("p99Nanos", measured.get("p99Nanos"));
            figures.put("longestLateOverwritingNanos", measured.get("longestPingLateNanos"));
            return figures;
        }
    }

    private final class LargeHash extends Interleaved {

        LargeHash() {
            super(Stalls.this.setting);
        }

        @Override
        void prepare(ServerProcess server, LoadProcess generator) {}

        @Override
        Map<String, Object> measure(ServerProcess server, LoadProcess generator) {
            Map<String, Object> figures = new LinkedHashMap<>();
            measure("DEL", "Deleting", server, generator, figures);
            measure("UNLINK", "Unlinking", server, generator, figures);
            return figures;
        }

        private void measure(
                String command,
                String doing,
                ServerProcess server,
                LoadProcess generator,
                Map<String, Object> figures) {
            generator.runWithoutErrors(LoadPlan.sequence(server, "hset", load.valueBytes(), 0, fields, 1));
            try (RespClient client = new RespClient(server.port())) {
                long held = Long.parseLong(client.call("HLEN", Protocol.HASH));
                if (held != fields) {
                    throw new WorkerFailure(server.system() + ": the hash has " + held + " fields, not " + fields);
                }
                FutureTask<Long> deletion = new FutureTask<>(() -> {
                    TimeUnit.MILLISECONDS.sleep(BEFORE_DELETE_MILLIS);
                    long from = System.nanoTime();
                    String deleted = client.call(command, Protocol.HASH);
                    if (!deleted.equals("1")) {
                        throw new WorkerFailure(command + " of the hash answered " + deleted + ", not 1");
                    }
                    return System.nanoTime() - from;
                });
                Thread.ofPlatform().daemon().name("deleter").start(deletion);
                double pingSeconds = BEFORE_DELETE_MILLIS * 1e-3 + AFTER_DELETE_SECONDS;
                Map<String, Object> measured = generator.run(LoadPlan.pings(server, PINGS_PER_SECOND, pingSeconds));
                figures.put(command.toLowerCase(java.util.Locale.ROOT) + "Nanos", deletion.get());
                figures.put("longestPing" + doing + "Nanos", measured.get("longestPingNanos"));
                figures.put("longestLate" + doing + "Nanos", measured.get("longestPingLateNanos"));
            } catch (ExecutionException e) {
                throw e.getCause() instanceof WorkerFailure failure
                        ? failure
                        : new WorkerFailure(command + ": " + e.getCause());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new WorkerFailure("interrupted");
            }
        }
    }
}
