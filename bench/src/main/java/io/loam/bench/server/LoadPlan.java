package io.loam.bench.server;

import io.loam.bench.system.Mix;

/**
 * What a generator sends.
 *
 * @param protocol a name of {@link Protocol}
 * @param command set, get, mixed, hset, delete, or none: only pings
 * @param readShare of mixed: the share of gets
 * @param firstKey the lowest key's number
 * @param keys how many there are
 * @param order uniform, zipfian: until the time is over; sequence: each key once
 * @param share in a sequence: the share of its keys that are sent, chosen by {@link #isChosen}
 * @param pipeline requests in a batch
 * @param rate requests per second of all connections; 0: as fast as the replies come
 * @param seconds until the last request is due; for a sequence without meaning
 * @param pingsPerSecond of one more connection; 0: none
 */
record LoadPlan(
        String protocol,
        int port,
        String command,
        double readShare,
        int valueBytes,
        long firstKey,
        long keys,
        String order,
        double share,
        int connections,
        int pipeline,
        double rate,
        double seconds,
        double pingsPerSecond,
        long seed) {

    static final String SEQUENCE = "sequence";

    /** At most so many bytes under way while a server is filled, if a value is not larger by itself. */
    private static final int SEQUENCE_BYTES = 32 << 20;

    /** Whether a share of {@code share} of all keys holds this one. */
    static boolean isChosen(long key, double share) {
        return (Mix.mix(key + 0x9E3779B97F4A7C15L) >>> 11) * 0x1p-53 < share;
    }

    boolean isSequence() {
        return order.equals(SEQUENCE);
    }

    /** Each key from {@code first} on once, by {@code command}: to fill, or to delete. */
    static LoadPlan sequence(
            ServerProcess server, String command, int valueBytes, long first, long keys, double share) {
        int connections = 8;
        int pipeline = Math.clamp(SEQUENCE_BYTES / connections / (valueBytes + 100), 1, 64);
        return new LoadPlan(
                server.system().protocol().name(),
                server.port(),
                command,
                0,
                valueBytes,
                first,
                keys,
                SEQUENCE,
                share,
                connections,
                pipeline,
                0,
                0,
                0,
                1);
    }

    /** Nothing but pings. */
    static LoadPlan pings(ServerProcess server, double pingsPerSecond, double seconds) {
        return new LoadPlan(
                server.system().protocol().name(),
                server.port(),
                "none",
                0,
                0,
                0,
                1,
                "uniform",
                1,
                0,
                1,
                0,
                seconds,
                pingsPerSecond,
                1);
    }
}
