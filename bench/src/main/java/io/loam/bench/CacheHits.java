package io.loam.bench;

import io.loam.bench.system.Session;
import io.loam.bench.system.Setup;
import io.loam.bench.system.SystemUnderTest;
import java.util.Map;

/** A cache asked by a trace: what is absent is stored. The hit ratio after the first fifth. */
final class CacheHits implements Experiment {

    /**
     * @param trace zipf, zipf-scan, shifting
     * @param keys that popularity is spread over
     * @param requests of the whole trace
     */
    record Plan(String trace, long keys, long requests, long seed) {}

    private final Setup setup;
    private final Plan plan;
    private final SystemUnderTest system;

    CacheHits(Setup setup, Plan plan) {
        this.setup = setup;
        this.plan = plan;
        system = SystemName.open(setup.evicting());
    }

    @Override
    public Map<String, Object> prepare() {
        return Map.of();
    }

    @Override
    public Map<String, Object> measure(int round) {
        Session session = system.newSession();
        StampedValues values = new StampedValues(setup.minValueBytes(), setup.maxValueBytes(), 1);
        byte[] buffer = new byte[setup.maxValueBytes()];
        Trace trace = new Trace(
                plan.trace(), plan.keys(), KeyChooser.zipfTable(plan.keys(), KeyChooser.ZIPF_EXPONENT), plan.seed());
        long warm = plan.requests() / 5;
        long hits = 0;
        long cpu = ProcessFigures.threadCpuNanos();
        for (long i = 0; i < plan.requests(); i++) {
            long key = trace.next();
            int length = session.get(key, buffer);
            if (length < 0) {
                int bytes = Trace.valueBytes(key, setup.minValueBytes(), setup.maxValueBytes());
                session.put(key, values.stampLength(key, bytes), bytes);
            } else {
                if (i >= warm) {
                    hits++;
                }
                if ((i & 63) == 0) {
                    StampedValues.verify(key, session.value(buffer), length);
                }
            }
        }
        cpu = ProcessFigures.threadCpuNanos() - cpu;
        Map<String, Object> figures = Figures.create();
        figures.put("hitRatio", (double) hits / (plan.requests() - warm));
        figures.put("opsPerCpuSecond", plan.requests() * 1e9 / cpu);
        figures.put("cachedKeys", system.size());
        figures.put("rssBytes", ProcessFigures.rssBytes());
        figures.putAll(system.figures());
        return figures;
    }

    /** The same trace on exact LRU with {@code budgetBytes} of user bytes. */
    static double exactLru(Plan plan, int keyBytes, int low, int high, long budgetBytes) {
        LeastRecentlyUsed cache = new LeastRecentlyUsed(budgetBytes);
        Trace trace = new Trace(
                plan.trace(), plan.keys(), KeyChooser.zipfTable(plan.keys(), KeyChooser.ZIPF_EXPONENT), plan.seed());
        long warm = plan.requests() / 5;
        long hits = 0;
        for (long i = 0; i < plan.requests(); i++) {
            long key = trace.next();
            if (cache.ask(key, keyBytes + Trace.valueBytes(key, low, high)) && i >= warm) {
                hits++;
            }
        }
        return (double) hits / (plan.requests() - warm);
    }

    @Override
    public Map<String, Object> finish() {
        system.close();
        return Map.of();
    }
}
