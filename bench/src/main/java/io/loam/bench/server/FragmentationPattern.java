package io.loam.bench.server;

import io.loam.bench.Figures;
import io.loam.bench.WorkerFailure;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What values of one size leave behind for values of another: keys of 16 bytes, filled with values of 100 bytes; nine tenths deleted, chosen at random;
 * refilled, under new keys, with values of another size. Resident size of the whole process after each step.
 */
public final class FragmentationPattern {

    private static final int FIRST_VALUE_BYTES = 100;
    private static final double DELETED = 0.9;

    private final Setting setting;
    private final long bytes;
    private final int refillValueBytes;
    private final double settleSeconds;

    /**
     * @param bytes of values, in the fill and in the refill
     * @param settleSeconds how long to wait before a resident size is read once more
     */
    public FragmentationPattern(Setting setting, long bytes, int refillValueBytes, double settleSeconds) {
        this.setting = setting;
        this.bytes = bytes;
        this.refillValueBytes = refillValueBytes;
        this.settleSeconds = settleSeconds;
    }

    /** Figures by the systems' names. */
    public Map<String, Map<String, Object>> run() {
        Map<String, Map<String, Object>> results = new LinkedHashMap<>();
        for (ServerSystem system : setting.systems()) {
            // redis-server can't hold the fill in twice its values' bytes; how it keeps to a budget is redis-evicting's
            // to show
            long memoryBytes = system == ServerSystem.REDIS || system == ServerSystem.REDIS_IO_THREADS
                    ? 2 * setting.memoryBytes()
                    : setting.memoryBytes();
            setting.tell("100 to %d bytes, %s", refillValueBytes, system);
            try (LoadProcess generator = LoadProcess.start(setting.cores().generator);
                    ServerProcess server = ServerProcess.start(system, memoryBytes, setting.cores().server)) {
                Map<String, Object> figures = run(server, generator);
                setting.tell("100 to %d bytes, %s: %s", refillValueBytes, system, figures);
                results.put(system.toString(), figures);
            }
        }
        return results;
    }

    private Map<String, Object> run(ServerProcess server, LoadProcess generator) {
        long first = bytes / FIRST_VALUE_BYTES;
        long second = bytes / refillValueBytes;
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("memoryBytes", server.memoryBytes());
        figures.put("emptyRssBytes", server.emptyRssBytes());

        double refused = errors(generator.run(LoadPlan.sequence(server, "set", FIRST_VALUE_BYTES, 0, first, 1)));
        figures.put("fillRssBytes", server.rssBytes());
        generator.runWithoutErrors(LoadPlan.sequence(server, "delete", 0, 0, first, DELETED));
        figures.put("deletedRssBytes", server.rssBytes());
        settle();
        figures.put("deletedSettledRssBytes", server.rssBytes());
        refused += errors(generator.run(LoadPlan.sequence(server, "set", refillValueBytes, first, second, 1)));
        long rss = server.rssBytes();
        figures.put("rssBytes", rss);

        // What is there is counted by reading it, so that evicted and refused keys are not counted live.
        long survivors = held(generator, LoadPlan.sequence(server, "get", 0, 0, first, 1));
        long refilled = held(generator, LoadPlan.sequence(server, "get", 0, first, second, 1));
        long live = survivors * (FIRST_VALUE_BYTES + Protocol.KEY_BYTES)
                + refilled * (refillValueBytes + Protocol.KEY_BYTES);
        if (live == 0) {
            throw new WorkerFailure(server.system() + " holds nothing of what was put into it");
        }
        settle();
        long settled = server.rssBytes();
        long peak = server.peakRssBytes();
        figures.put("settledRssBytes", settled);
        figures.put("peakRssBytes", peak);
        figures.put("liveUserBytes", live);
        figures.put("refusedKeys", refused);
        figures.put("lostKeys", expectedSurvivors(first) + second - survivors - refilled);
        figures.put("rssPerLive", (double) rss / live);
        figures.put("rssPerLiveSettled", (double) settled / live);
        figures.put("peakAboveMemoryBytes", peak - server.emptyRssBytes() - server.memoryBytes());
        figures.put("serverCommand", server.command());
        return figures;
    }

    private static long expectedSurvivors(long keys) {
        long survivors = 0;
        for (long key = 0; key < keys; key++) {
            survivors += LoadPlan.isChosen(key, DELETED) ? 0 : 1;
        }
        return survivors;
    }

    private static double errors(Map<String, Object> figures) {
        return Figures.number(figures, "errors");
    }

    private static long held(LoadProcess generator, LoadPlan gets) {
        Map<String, Object> figures = generator.runWithoutErrors(gets);
        return Math.round(Figures.number(figures, "operations") - Figures.number(figures, "misses"));
    }

    private void settle() {
        try {
            TimeUnit.NANOSECONDS.sleep(Math.round(settleSeconds * 1e9));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new WorkerFailure("interrupted");
        }
    }
}
