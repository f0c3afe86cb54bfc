package io.loam.bench;

import io.loam.bench.system.Mix;
import io.loam.bench.system.Session;
import io.loam.bench.system.Setup;
import io.loam.bench.system.SystemUnderTest;
import java.util.Map;

/** Scanning every key: how many keys a second, alone and beside writers, and what it does to the writers. */
final class Scan implements Experiment {

    /** @param seconds of each of the three parts */
    record Plan(double seconds, double wantedUtilisation, long seed) {}

    private final Setup setup;
    private final Plan plan;
    private final SystemUnderTest system;

    Scan(Setup setup, Plan plan) {
        this.setup = setup;
        this.plan = plan;
        system = SystemName.open(setup);
    }

    @Override
    public Map<String, Object> prepare() {
        Map<String, Object> figures = Figures.create();
        Loading.load(system, setup, 0, setup.records());
        if (system instanceof io.loam.bench.system.Loam loam && plan.wantedUtilisation() > 0) {
            Loading.adjust(loam, plan.wantedUtilisation(), figures);
        }
        part(true, true, 1);
        return figures;
    }

    /** What was done by whom. */
    private record Done(
            long scanned, long scans, long written, long scanCpuNanos, long writeCpuNanos, long wallNanos) {}

    private Done part(boolean scans, boolean writes, double seconds) {
        long[] scanned = new long[3];
        int writers = writes ? Math.max(1, setup.threads() - 1) : 0;
        long[] written = new long[writers + 1];
        long[] cpu = new long[writers + 1];
        int scanners = scans ? 1 : 0;
        Crew.Effort effort = Crew.work(scanners + writers, seconds, (thread, clock) -> {
            long before = ProcessFigures.threadCpuNanos();
            if (thread < scanners) {
                while (clock.running()) {
                    scanned[0] += system.scan(clock::running);
                    scanned[1]++;
                }
                scanned[2] = ProcessFigures.threadCpuNanos() - before;
            } else {
                int writer = thread - scanners;
                written[writer] = write(clock, thread);
                cpu[writer] = ProcessFigures.threadCpuNanos() - before;
            }
        });
        long total = 0;
        long totalCpu = 0;
        for (int i = 0; i < writers; i++) {
            total += written[i];
            totalCpu += cpu[i];
        }
        return new Done(scanned[0], scanned[1], total, scanned[2], totalCpu, effort.wallNanos());
    }

    private long write(Crew.Clock clock, int thread) {
        Session session = system.newSession();
        StampedValues values = new StampedValues(setup.minValueBytes(), setup.maxValueBytes(), thread);
        KeyChooser chooser = KeyChooser.uniform(setup.records(), plan.seed() + thread);
        long count = 0;
        while (clock.running()) {
            for (int i = 0; i < 64; i++) {
                long key = Mix.keyOf(chooser.next());
                byte[] value = values.stamp(key, chooser.bits());
                session.put(key, value, values.length());
            }
            count += 64;
        }
        return count;
    }

    @Override
    public Map<String, Object> measure(int round) {
        Map<String, Object> figures = Figures.create();
        Done alone = part(true, false, plan.seconds());
        Done writers = part(false, true, plan.seconds());
        Done both = part(true, true, plan.seconds());
        figures.put("scanKeysPerSecond", alone.scanned() * 1e9 / alone.wallNanos());
        figures.put("scanKeysPerCpuSecond", alone.scanned() * 1e9 / alone.scanCpuNanos());
        figures.put("scanKeysPerCpuSecondBesideWriters", both.scanned() * 1e9 / both.scanCpuNanos());
        figures.put("writesPerSecond", writers.written() * 1e9 / writers.wallNanos());
        figures.put("writesPerCpuSecond", writers.written() * 1e9 / writers.writeCpuNanos());
        figures.put("writesPerCpuSecondBesideScan", both.written() * 1e9 / both.writeCpuNanos());
        figures.put(
                "writersEffectRatio",
                Figures.number(figures, "writesPerCpuSecondBesideScan")
                        / Figures.number(figures, "writesPerCpuSecond"));
        figures.put("rssBytes", ProcessFigures.rssBytes());
        figures.putAll(system.figures());
        return figures;
    }

    @Override
    public Map<String, Object> finish() {
        system.close();
        return Map.of();
    }
}
