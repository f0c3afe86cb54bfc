package io.loam.bench;

import io.loam.bench.system.Loam;
import io.loam.bench.system.Mix;
import io.loam.bench.system.RefusedException;
import io.loam.bench.system.Session;
import io.loam.bench.system.Setup;
import io.loam.bench.system.SystemUnderTest;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * How long single operations take: inserts while loading, updates as fast as they go, and updates at a fixed rate, where the time counts from
 * the moment at which each was due, so that a stall counts for all that it held up. The paced loop that waits as long as a put takes is the control: before,
 * and after beside a thread that works as much as the cleaner, collector and compiler did. Its tail is the machine's own.
 */
final class Latency implements Experiment {

    /**
     * @param seconds of the saturated and of the paced part
     * @param rateShare what is offered, of the rate reached when saturated
     */
    record Plan(
            double seconds,
            double warmupSeconds,
            double rateShare,
            double wantedUtilisation,
            String distribution,
            long seed) {}

    /** A thread that is early by more than this sleeps instead of spinning. */
    private static final long SLEEP_NANOS = 200_000;

    /** The control's busy thread works once in this time, about as often as the cleaner. */
    private static final long BUSY_PERIOD_NANOS = 6_000_000;

    private static final long PUT = 0;

    private final Setup setup;
    private final Plan plan;
    private final SystemUnderTest system;
    private final LongAdder refusals = new LongAdder();

    Latency(Setup setup, Plan plan) {
        this.setup = setup;
        this.plan = plan;
        system = SystemName.open(setup);
    }

    @Override
    public Map<String, Object> prepare() {
        Map<String, Object> figures = Figures.create();
        Session session = system.newSession();
        StampedValues values = new StampedValues(setup.minValueBytes(), setup.maxValueBytes(), 1);
        StallWatch inserts = new StallWatch();
        for (long id = 0; id < setup.records(); id++) {
            long key = Mix.keyOf(id);
            byte[] value = values.stamp(key, id);
            inserts.begin();
            session.put(key, value, values.length());
            inserts.end();
        }
        inserts.report("insert", figures);
        figures.put("insertCurve", inserts.latency().curve());
        if (system instanceof Loam loam && plan.wantedUtilisation() > 0) {
            Loading.adjust(loam, plan.wantedUtilisation(), figures);
        }
        saturate(plan.warmupSeconds());
        figures.put("hiccupNanos", StallWatch.hiccup(2000));
        return figures;
    }

    private record Saturated(StallWatch[] watches, long operations, long wallNanos, long cpuNanos) {}

    private Saturated saturate(double seconds) {
        StallWatch[] watches = new StallWatch[setup.threads()];
        long[] operations = new long[setup.threads()];
        Crew.Effort effort = Crew.work(setup.threads(), seconds, (thread, clock) -> {
            StallWatch watch = new StallWatch();
            watches[thread] = watch;
            Updater updater = new Updater(thread);
            long count = 0;
            while (clock.running()) {
                for (int i = 0; i < 16; i++) {
                    updater.choose();
                    watch.begin();
                    updater.put();
                    watch.end();
                }
                count += 16;
            }
            operations[thread] = count;
        });
        long total = 0;
        for (long count : operations) {
            total += count;
        }
        return new Saturated(watches, total, effort.wallNanos(), effort.cpuNanos());
    }

    @Override
    public Map<String, Object> measure(int round) {
        Map<String, Object> figures = Figures.create();
        Saturated saturated = saturate(plan.seconds());
        figures.put("opsPerSecond", saturated.operations() * 1e9 / saturated.wallNanos());
        figures.put("opsPerCpuSecond", saturated.operations() * 1e9 / saturated.cpuNanos());
        StallWatch slowest = saturated.watches()[0];
        LatencyHistogram all = new LatencyHistogram();
        for (StallWatch watch : saturated.watches()) {
            all.add(watch.latency());
            slowest = watch.latency().maximum() > slowest.latency().maximum() ? watch : slowest;
        }
        slowest.report("update", figures);
        figures.put("p50Nanos", all.quantile(0.5));
        figures.put("p99Nanos", all.quantile(0.99));
        figures.put("p999Nanos", all.quantile(0.999));
        figures.put("updateCurve", all.curve());
        double rate = plan.rateShare() * saturated.operations() * 1e9 / saturated.wallNanos() / setup.threads();
        long standIn = Math.max(1, all.quantile(0.5));
        // neither loop is compiled before, and the compiler would take its CPU
        pace(rate, plan.warmupSeconds() / 2, standIn);
        pace(rate, plan.warmupSeconds(), PUT);
        LatencyHistogram control = pace(rate, plan.seconds(), standIn).latency();
        Collections before = Collections.now();
        Paced puts = pace(rate, plan.seconds(), PUT);
        Collections after = Collections.now();
        LatencyHistogram busyControl = beside(
                puts.othersShare(), () -> pace(rate, plan.seconds(), standIn).latency());
        LatencyHistogram paced = puts.latency();
        figures.put("pacedOpsPerSecond", rate * setup.threads());
        figures.put("pacedP50Nanos", paced.quantile(0.5));
        figures.put("pacedP99Nanos", paced.quantile(0.99));
        figures.put("pacedP999Nanos", paced.quantile(0.999));
        figures.put("pacedMaxNanos", paced.maximum());
        figures.put("pacedP999PerMedian", (double) paced.quantile(0.999) / Math.max(1, paced.quantile(0.5)));
        figures.put("pacedCurve", paced.curve());
        figures.put("pacedCollections", after.count() - before.count());
        figures.put("pacedCollectionMillis", after.millis() - before.millis());
        figures.put("pacedOthersCpuShare", puts.othersShare());
        reportControl("pacedControl", control, figures);
        reportControl("pacedBusyControl", busyControl, figures);
        figures.put(
                "pacedP999PerBusyControl", (double) paced.quantile(0.999) / Math.max(1, busyControl.quantile(0.999)));
        figures.put("refusals", refusals.sum());
        figures.putAll(system.figures());
        return figures;
    }

    private static void reportControl(String name, LatencyHistogram latency, Map<String, Object> figures) {
        figures.put(name + "P99Nanos", latency.quantile(0.99));
        figures.put(name + "P999Nanos", latency.quantile(0.999));
        figures.put(name + "MaxNanos", latency.maximum());
    }

    /** Measures while another thread works for a share of the time. */
    private static LatencyHistogram beside(double share, Supplier<LatencyHistogram> measurement) {
        AtomicBoolean done = new AtomicBoolean();
        long busy = (long) (Math.min(1, share) * BUSY_PERIOD_NANOS);
        Thread.ofPlatform().daemon().name("bench-busy").start(() -> {
            while (!done.get()) {
                long end = System.nanoTime() + busy;
                while (System.nanoTime() < end) {
                    Thread.onSpinWait();
                }
                LockSupport.parkNanos(BUSY_PERIOD_NANOS - busy);
            }
        });
        try {
            return measurement.get();
        } finally {
            done.set(true);
        }
    }

    /** What the JVM has collected so far. */
    private record Collections(long count, long millis) {

        static Collections now() {
            long count = 0;
            long millis = 0;
            for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
                count += collector.getCollectionCount();
                millis += collector.getCollectionTime();
            }
            return new Collections(count, millis);
        }
    }

    /** @param othersShare CPU time of all threads of the process but the workers, by the time that passed */
    private record Paced(LatencyHistogram latency, double othersShare) {}

    /**
     * Each thread puts at a fixed rate; an operation's time counts from when it was due.
     *
     * @param standIn {@link #PUT}, or how many nanoseconds to wait instead: what is late then is the machine's and the loop's doing
     */
    private Paced pace(double perSecond, double seconds, long standIn) {
        LatencyHistogram total = new LatencyHistogram();
        double interval = 1e9 / perSecond;
        long cpuBefore = ProcessFigures.processCpuNanos();
        Crew.Effort effort = Crew.work(setup.threads(), seconds, (thread, clock) -> {
            Updater updater = new Updater(thread);
            LatencyHistogram latency = new LatencyHistogram();
            long start = System.nanoTime();
            for (long i = 0; (i & 63) != 0 || clock.running(); i++) {
                long due = start + (long) (i * interval);
                updater.choose();
                long early = due - System.nanoTime();
                if (early > SLEEP_NANOS) {
                    LockSupport.parkNanos(early - SLEEP_NANOS / 2);
                }
                while (System.nanoTime() < due) {
                    Thread.onSpinWait();
                }
                if (standIn == PUT) {
                    updater.put();
                } else {
                    for (long end = System.nanoTime() + standIn; System.nanoTime() < end; ) {
                        Thread.onSpinWait();
                    }
                }
                latency.record(System.nanoTime() - due);
            }
            synchronized (total) {
                total.add(latency);
            }
        });
        long others = ProcessFigures.processCpuNanos() - cpuBefore - effort.cpuNanos();
        return new Paced(total, Math.max(0, others) / (double) effort.wallNanos());
    }

    @Override
    public Map<String, Object> finish() {
        system.close();
        return Map.of();
    }

    /** Chooses a record and its new value, then puts it. */
    private final class Updater {
        private final Session session = system.newSession();
        private final KeyChooser chooser;
        private final StampedValues values;
        private long key;
        private byte[] value = new byte[0];

        Updater(int thread) {
            chooser = KeyChooser.of(plan.distribution(), setup.records(), plan.seed() * 100 + thread);
            values = new StampedValues(setup.minValueBytes(), setup.maxValueBytes(), thread);
        }

        void choose() {
            key = Mix.keyOf(chooser.next());
            value = values.stamp(key, chooser.bits());
        }

        /** A refusal comes after the longest wait there is, so it counts as the stall that it is. */
        void put() {
            try {
                session.put(key, value, values.length());
            } catch (RefusedException e) {
                refusals.increment();
            }
        }
    }
}
