package io.loam.bench;

import io.loam.bench.system.Loam;
import io.loam.bench.system.Mix;
import io.loam.bench.system.Session;
import io.loam.bench.system.Setup;
import io.loam.bench.system.SystemUnderTest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * An index that grows from few keys to many and shrinks back, every operation timed: the longest stall, the lowest load on the way up, and
 * what a GET costs at the loads that come by.
 */
final class Growth implements Experiment {

    /**
     * @param from keys at the start, where watching begins
     * @param to keys at the top
     */
    record Plan(long from, long to, long seed) {}

    private static final int CHECKS = 1000;
    private static final int COST_POINTS = 40;
    private static final int COST_READS = 50_000;

    private final Setup setup;
    private final Plan plan;
    private final SystemUnderTest system;
    private final Session session;
    private final StampedValues values;
    private final byte[] buffer;

    Growth(Setup setup, Plan plan) {
        this.setup = setup;
        this.plan = plan;
        system = SystemName.open(setup);
        session = system.newSession();
        values = new StampedValues(setup.minValueBytes(), setup.maxValueBytes(), 1);
        buffer = new byte[setup.maxValueBytes()];
    }

    @Override
    public Map<String, Object> prepare() {
        // Compile first: the same operations on a part of the keys, then away with them.
        long some = Math.min(plan.to(), Math.max(plan.from(), 300_000));
        for (long id = 0; id < some; id++) {
            put(id);
        }
        getCost(some);
        for (long id = 0; id < some; id++) {
            session.delete(Mix.keyOf(id));
        }
        Map<String, Object> figures = Figures.create();
        figures.put("hiccupNanos", StallWatch.hiccup(3000));
        return figures;
    }

    private void put(long id) {
        long key = Mix.keyOf(id);
        byte[] value = values.stamp(key, id);
        session.put(key, value, values.length());
    }

    private double load() {
        return system instanceof Loam loam ? loam.store().stats().indexLoad() : Double.NaN;
    }

    /** CPU nanoseconds of a GET of one of the first {@code keys} records. */
    private double getCost(long keys) {
        KeyChooser chooser = KeyChooser.uniform(keys, plan.seed());
        long cpu = ProcessFigures.threadCpuNanos();
        for (int i = 0; i < COST_READS; i++) {
            if (session.get(Mix.keyOf(chooser.next()), buffer) < 0) {
                throw new VerificationException("a key that was stored is absent while the index changes its size");
            }
        }
        return (double) (ProcessFigures.threadCpuNanos() - cpu) / COST_READS;
    }

    @Override
    public Map<String, Object> measure(int round) {
        Map<String, Object> figures = Figures.create();
        List<Map<String, Object>> costs = new ArrayList<>();
        for (long id = 0; id < plan.from(); id++) {
            put(id);
        }
        double lowest = Double.MAX_VALUE;
        double highest = 0;
        long step = Math.max(1, (plan.to() - plan.from()) / CHECKS);
        HiccupMeter hiccups = new HiccupMeter();
        StallWatch growing = new StallWatch();
        long cpu = ProcessFigures.threadCpuNanos();
        for (long id = plan.from(); id < plan.to(); id++) {
            long key = Mix.keyOf(id);
            byte[] value = values.stamp(key, id);
            growing.begin();
            session.put(key, value, values.length());
            growing.end();
            if ((id & 63) == 0) {
                // A read of an older key meanwhile: it must be there, and waits no longer either.
                long old = Mix.keyOf(Math.unsignedMultiplyHigh(Mix.mix(id), id));
                growing.begin();
                int length = session.get(old, buffer);
                growing.end();
                if (length < 0) {
                    throw new VerificationException("a key that was stored is absent while the index grows");
                }
            }
            if (id % step == 0) {
                double load = load();
                lowest = Math.min(lowest, load);
                highest = Math.max(highest, load);
            }
            if (id >= plan.to() / 2 && (id - plan.to() / 2) % Math.max(1, plan.to() / 2 / COST_POINTS) == 0) {
                costs.add(costPoint("growing", id));
            }
        }
        figures.put("insertCpuNanos", (double) (ProcessFigures.threadCpuNanos() - cpu) / (plan.to() - plan.from()));
        growing.report("growing", figures);
        figures.put("growingHiccupNanos", hiccups.end());
        figures.put("lowestLoad", lowest);
        figures.put("highestLoad", highest);
        figures.put("rssBytes", ProcessFigures.rssBytes());
        figures.putAll(system.figures());
        hiccups = new HiccupMeter();
        StallWatch shrinking = new StallWatch();
        for (long id = plan.to() - 1; id >= plan.from(); id--) {
            long key = Mix.keyOf(id);
            shrinking.begin();
            boolean present = session.delete(key);
            shrinking.end();
            if (!present) {
                throw new VerificationException("a key that was stored is absent while the index shrinks");
            }
            if (id >= plan.to() / 4 && id % Math.max(1, plan.to() * 3 / 4 / COST_POINTS) == 0) {
                costs.add(costPoint("shrinking", id));
            }
        }
        shrinking.report("shrinking", figures);
        figures.put("shrinkingHiccupNanos", hiccups.end());
        figures.put(
                "longestStallNanos",
                Math.max(
                        Figures.number(figures, "growingLongestStallNanos"),
                        Figures.number(figures, "shrinkingLongestStallNanos")));
        figures.put(
                "longestStallCpuNanos",
                Math.max(
                        Figures.number(figures, "growingLongestStallCpuNanos"),
                        Figures.number(figures, "shrinkingLongestStallCpuNanos")));
        addCosts(costs, figures);
        for (long id = 0; id < plan.from(); id++) {
            session.delete(Mix.keyOf(id));
        }
        return figures;
    }

    private Map<String, Object> costPoint(String phase, long keys) {
        Map<String, Object> point = Figures.create();
        point.put("phase", phase);
        point.put("keys", keys);
        point.put("load", load());
        point.put("getCpuNanos", getCost(keys));
        return point;
    }

    /** GET at the highest load seen against GET at the load nearest to half of that, as medians of the three nearest points. */
    private static void addCosts(List<Map<String, Object>> costs, Map<String, Object> figures) {
        figures.put("getCosts", costs);
        double highest = costs.stream()
                .mapToDouble(point -> Figures.numberOrNaN(point, "load"))
                .max()
                .orElse(Double.NaN);
        if (Double.isFinite(highest)) {
            Map<String, Object> high = near(costs, highest);
            Map<String, Object> half = near(costs, highest / 2);
            figures.put("getNanosAtHighestLoad", Figures.number(high, "getCpuNanos"));
            figures.put("getHighestLoad", Figures.number(high, "load"));
            figures.put("getNanosAtHalfLoad", Figures.number(half, "getCpuNanos"));
            figures.put("getHalfLoad", Figures.number(half, "load"));
            figures.put("getCostRatio", Figures.number(high, "getCpuNanos") / Figures.number(half, "getCpuNanos"));
        }
    }

    private static Map<String, Object> near(List<Map<String, Object>> costs, double load) {
        List<Map<String, Object>> nearest = costs.stream()
                .sorted(java.util.Comparator.comparingDouble(point -> Math.abs(Figures.number(point, "load") - load)))
                .limit(3)
                .toList();
        return Statistics.medians(nearest);
    }

    @Override
    public Map<String, Object> finish() {
        system.close();
        return Map.of();
    }
}
