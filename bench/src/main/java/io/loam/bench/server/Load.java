package io.loam.bench.server;

/**
 * The requests of an experiment, whatever server they go to.
 *
 * @param command set, get, mixed (of sets and gets) or hset (fields of one hash)
 * @param readShare of mixed: the share of gets
 * @param keys how many keys, or fields, there are; all exist
 * @param distribution uniform or zipfian
 */
public record Load(
        String command,
        double readShare,
        int valueBytes,
        long keys,
        String distribution,
        int connections,
        int pipeline,
        long seed) {

    /** Whether redis-benchmark can do this. */
    public boolean isPlain() {
        return !command.equals("mixed") && distribution.equals("uniform");
    }

    /** @param rate requests per second, or 0 for as many as come */
    LoadPlan plan(ServerProcess server, double rate, double seconds, double pingsPerSecond) {
        return new LoadPlan(
                server.system().protocol().name(),
                server.port(),
                command,
                readShare,
                valueBytes,
                0,
                keys,
                distribution,
                1,
                connections,
                pipeline,
                rate,
                seconds,
                pingsPerSecond,
                seed);
    }

    /** Sets every key or field once. */
    LoadPlan fill(ServerProcess server) {
        return LoadPlan.sequence(server, command.equals("hset") ? "hset" : "set", valueBytes, 0, keys, 1);
    }
}
