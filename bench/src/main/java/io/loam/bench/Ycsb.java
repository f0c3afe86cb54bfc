package io.loam.bench;

import io.loam.bench.system.Loam;
import io.loam.bench.system.Mix;
import io.loam.bench.system.RefusedException;
import io.loam.bench.system.Session;
import io.loam.bench.system.Setup;
import io.loam.bench.system.SystemUnderTest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * YCSB's core workloads: {@code a} half reads, half updates; {@code b} 95 % reads; {@code c} reads; {@code update} updates; {@code insert}: each
 * operation stores a new record and deletes the thread's oldest, so that as many stay.
 *
 * <p>All systems run the very same loop. One operation in 64 is timed, and what it read is verified.
 */
final class Ycsb implements Experiment {

    static final int SAMPLED = 64;

    /** So many refused writes of a thread, one after the other, end the run. */
    private static final int MOST_REFUSALS = 50;

    /**
     * What to run.
     *
     * @param workload a, b, c, update, insert
     * @param distribution uniform or zipfian
     * @param batch keys read at a time
     * @param seconds length of a measured slice
     * @param warmupSeconds length of the run before the first slice
     * @param turnover the warm-up goes on until this times the live user bytes has been written (at most ten times as long)
     * @param wantedUtilisation to set Loam's capacity to, or 0 to leave it
     * @param settleMillis after a slice, the process's CPU time is counted for this long still: cleaning and collecting left undone
     * @param seed of the choice of keys
     */
    record Plan(
            String workload,
            String distribution,
            int batch,
            double seconds,
            double warmupSeconds,
            double turnover,
            double wantedUtilisation,
            int settleMillis,
            long seed) {

        /** The share of reads, of 1024. */
        int reads() {
            return switch (workload) {
                case "a" -> 512;
                case "b" -> 973;
                case "c" -> 1024;
                default -> 0;
            };
        }

        boolean writes() {
            return !workload.equals("c");
        }
    }

    private final Setup setup;
    private final Plan plan;
    private final long baseRssBytes;
    private final List<Client> clients = new ArrayList<>();
    private SystemUnderTest system;
    private long loadRssBytes;

    Ycsb(Setup setup, Plan plan) {
        this.setup = setup;
        this.plan = plan;
        new StampedValues(
                setup.minValueBytes(), setup.maxValueBytes(), 0); // bad sizes are told before anything is opened
        baseRssBytes = ProcessFigures.rssBytes();
        system = SystemName.open(setup);
    }

    @Override
    public Map<String, Object> prepare() {
        Map<String, Object> figures = Figures.create();
        Crew.Effort effort = Loading.load(system, setup, 0, setup.records());
        figures.put("loadOpsPerCpuSecond", setup.records() * 1e9 / effort.cpuNanos());
        adjustUtilisation(figures);
        loadRssBytes = ProcessFigures.rssBytes();
        double[] table = plan.distribution().equals("zipfian")
                ? KeyChooser.zipfTable(setup.records(), KeyChooser.ZIPF_EXPONENT)
                : new double[0];
        for (int i = 0; i < setup.threads(); i++) {
            clients.add(new Client(i, table));
        }
        warmUp();
        adjustUtilisation(figures); // overwrites in place have left room in the entries, which is live
        figures.put("baseRssBytes", baseRssBytes);
        figures.put("loadRssBytes", loadRssBytes);
        // Loam knows it exactly and says so below; of the others it is what their resident size grew by beyond the
        // data.
        figures.put(
                "metadataBytesPerObject", (double) (loadRssBytes - baseRssBytes - liveUserBytes()) / setup.records());
        figures.putAll(system.figures());
        return figures;
    }

    private void adjustUtilisation(Map<String, Object> figures) {
        if (plan.wantedUtilisation() > 0 && system instanceof Loam loam) {
            Loading.adjust(loam, plan.wantedUtilisation(), figures);
        }
    }

    private void warmUp() {
        double seconds = 0;
        double wanted = plan.turnover() * liveUserBytes();
        do {
            double part = Math.max(0.2, plan.warmupSeconds());
            run(part);
            seconds += part;
        } while (plan.writes() && written() < wanted && seconds < 10 * plan.warmupSeconds());
    }

    private long liveUserBytes() {
        return (long) (setup.records() * (setup.keyBytes() + setup.meanValueBytes()));
    }

    private long written() {
        return clients.stream().mapToLong(client -> client.writtenBytes).sum();
    }

    private Crew.Effort run(double seconds) {
        return Crew.work(
                setup.threads(), seconds, (thread, clock) -> clients.get(thread).run(clock));
    }

    @Override
    public Map<String, Object> measure(int round) {
        clients.forEach(Client::reset);
        Map<String, Object> before = system.figures();
        long processCpu = ProcessFigures.processCpuNanos();
        Crew.Effort effort = run(plan.seconds());
        Crew.sleep(plan.settleMillis());
        processCpu = ProcessFigures.processCpuNanos() - processCpu;
        Map<String, Object> after = system.figures();
        long operations =
                clients.stream().mapToLong(client -> client.operations).sum();
        LatencyHistogram latency = new LatencyHistogram();
        clients.forEach(client -> latency.add(client.latency));
        Map<String, Object> figures = Figures.create();
        figures.put("operations", operations);
        figures.put("opsPerSecond", operations * 1e9 / effort.wallNanos());
        figures.put("opsPerCpuSecond", operations * 1e9 / effort.cpuNanos());
        figures.put("opsPerProcessCpuSecond", operations * 1e9 / processCpu);
        figures.put("p50Nanos", latency.quantile(0.5));
        figures.put("p99Nanos", latency.quantile(0.99));
        figures.put("p999Nanos", latency.quantile(0.999));
        figures.put("maxNanos", latency.maximum());
        figures.put(
                "verifiedReads",
                clients.stream().mapToLong(client -> client.verified).sum());
        figures.put(
                "refusals",
                clients.stream().mapToLong(client -> client.refusals).sum());
        figures.put("writtenUserBytes", written());
        figures.put("rssBytes", ProcessFigures.rssBytes());
        figures.put("liveUserBytes", liveUserBytes());
        figures.put("loadAverage", ProcessFigures.loadAverage());
        for (Map.Entry<String, Object> figure : after.entrySet()) {
            figures.put(figure.getKey(), figure.getValue());
        }
        addCopying(before, after, figures);
        return figures;
    }

    /** What the cleaner copied in this slice, by what was written. */
    private void addCopying(Map<String, Object> before, Map<String, Object> after, Map<String, Object> figures) {
        if (!(system instanceof Loam)) {
            return;
        }
        double copied = Figures.growth("cleanerCopiedBytes", before, after);
        // Log bytes by user bytes as they are in what is live: the store's own count of appended bytes need not tell
        // whose they were.
        double logPerUserByte = Figures.number(after, "liveLogBytes") / Figures.number(after, "liveUserBytes");
        if (written() > 0 && !setup.inPlace()) {
            figures.put("copiedPerUserByte", copied / written());
            figures.put("copiedPerAppendedByte", copied / (written() * logPerUserByte));
        }
    }

    @Override
    public Map<String, Object> finish() {
        Map<String, Object> figures = Figures.create();
        figures.put("hugePageBytes", ProcessFigures.hugePageBytes());
        figures.put("heapUsedBytes", ProcessFigures.heapUsedBytes());
        Object utilisation = system.figures().get("utilisation");
        if (utilisation instanceof Double reached
                && reached > 0.02
                && reached < 0.98
                && plan.writes()
                && !setup.inPlace()) {
            figures.put("greedyCopyRatio", GreedyCleaner.copiesPerWrite(reached));
        }
        system.close();
        return figures;
    }

    /** One thread's work: its way into the system, its keys, values and counts. */
    private final class Client {
        private final Session session;
        private final KeyChooser chooser;
        private final StampedValues values;
        private final byte[] buffer;
        private final int reads;
        private final boolean verifies;
        private final LatencyHistogram latency;
        private final long[] batchKeys;
        private final byte[][] batchBuffers;
        private final int[] batchLengths;
        private long newest;
        private long oldest;
        private long operations;
        private long verified;
        private long writtenBytes;
        private long refusals;
        private int refusedInARow;
        private long sink;

        Client(int thread, double[] table) {
            session = system.newSession();
            long seed = plan.seed() * 1000 + thread;
            chooser = table.length == 0
                    ? KeyChooser.uniform(setup.records(), seed)
                    : KeyChooser.zipfian(setup.records(), table, seed);
            values = new StampedValues(setup.minValueBytes(), setup.maxValueBytes(), thread + 1L);
            buffer = new byte[setup.maxValueBytes()];
            reads = plan.reads();
            verifies = system.readsWholeValues() || !plan.writes();
            latency = new LatencyHistogram();
            batchKeys = new long[plan.batch()];
            batchBuffers = new byte[plan.batch()][setup.maxValueBytes()];
            batchLengths = new int[plan.batch()];
            oldest = thread;
            newest = thread + (setup.records() - thread + setup.threads() - 1) / setup.threads() * setup.threads();
        }

        void reset() {
            operations = 0;
            verified = 0;
            writtenBytes = 0;
            refusals = 0;
            latency.clear();
        }

        void run(Crew.Clock clock) {
            if (plan.workload().equals("insert")) {
                insert(clock);
            } else if (plan.batch() > 1) {
                mixedInBatches(clock);
            } else if (reads == 1024) {
                read(clock);
            } else {
                mixed(clock);
            }
        }

        private void read(Crew.Clock clock) {
            while (clock.running()) {
                sampledRead(Mix.keyOf(chooser.next()));
                for (int i = 1; i < SAMPLED; i++) {
                    readOne(Mix.keyOf(chooser.next()));
                }
                operations += SAMPLED;
            }
        }

        private void mixed(Crew.Clock clock) {
            while (clock.running()) {
                long sampled = chooser.bits();
                long key = Mix.keyOf(chooser.next());
                if ((sampled >>> 20 & 1023) < reads) {
                    sampledRead(key);
                } else {
                    sampledWrite(key, sampled);
                }
                for (int i = 1; i < SAMPLED; i++) {
                    long bits = chooser.bits();
                    key = Mix.keyOf(chooser.next());
                    if ((bits >>> 20 & 1023) < reads) {
                        readOne(key);
                    } else {
                        writeOne(key, bits);
                    }
                }
                operations += SAMPLED;
            }
        }

        private void readOne(long key) {
            int length = session.get(key, buffer);
            if (length < 0) {
                missing(key);
            }
            sink += session.value(buffer)[5];
        }

        private void sampledRead(long key) {
            long start = System.nanoTime();
            int length = session.get(key, buffer);
            latency.record(System.nanoTime() - start);
            if (length < 0) {
                missing(key);
            } else if (verifies) {
                StampedValues.verify(key, session.value(buffer), length);
                verified++;
            }
        }

        private void writeOne(long key, long bits) {
            byte[] value = values.stamp(key, bits);
            int length = values.length();
            store(key, value, length);
        }

        /** Stores; a refusal (memory was not freed in time) is counted, not fatal, unless nothing is accepted any more. */
        private void store(long key, byte[] value, int length) {
            try {
                session.put(key, value, length);
                writtenBytes += setup.keyBytes() + length;
                refusedInARow = 0;
            } catch (RefusedException e) {
                refusals++;
                if (++refusedInARow == MOST_REFUSALS) {
                    throw e;
                }
            }
        }

        private void sampledWrite(long key, long bits) {
            byte[] value = values.stamp(key, bits);
            int length = values.length();
            long start = System.nanoTime();
            store(key, value, length);
            latency.record(System.nanoTime() - start);
        }

        /** A batch is either of reads or of updates; each key counts as an operation. */
        private void mixedInBatches(Crew.Clock clock) {
            int batch = batchKeys.length;
            for (long round = 0; clock.running(); round++) {
                boolean sampled = round % Math.max(1, SAMPLED / batch) == 0;
                long bits = chooser.bits();
                if ((bits >>> 20 & 1023) < reads) {
                    readBatch(sampled);
                } else {
                    for (int i = 0; i < batch; i++) {
                        writeOne(Mix.keyOf(chooser.next()), chooser.bits());
                    }
                }
                operations += batch;
            }
        }

        private void readBatch(boolean sampled) {
            int batch = batchKeys.length;
            for (int i = 0; i < batch; i++) {
                batchKeys[i] = Mix.keyOf(chooser.next());
            }
            long start = sampled ? System.nanoTime() : 0;
            int present = session.getBatch(batchKeys, batchBuffers, batchLengths, batch);
            if (sampled) {
                latency.record(System.nanoTime() - start);
            }
            if (present < batch) {
                missing(batchKeys[0]);
            }
            for (int i = 0; i < batch; i++) {
                sink += session.batchValue(batchBuffers, i)[5];
            }
            if (sampled && verifies) {
                int i = (int) (start & Integer.MAX_VALUE) % batch;
                StampedValues.verify(batchKeys[i], session.batchValue(batchBuffers, i), batchLengths[i]);
                verified++;
            }
        }

        private void insert(Crew.Clock clock) {
            int stride = setup.threads();
            while (clock.running()) {
                for (int i = 0; i < SAMPLED; i++) {
                    long bits = chooser.bits();
                    if (i == 0) {
                        sampledWrite(Mix.keyOf(newest), bits);
                    } else {
                        writeOne(Mix.keyOf(newest), bits);
                    }
                    newest += stride;
                    if (!session.delete(Mix.keyOf(oldest)) && refusals == 0) {
                        missing(Mix.keyOf(oldest));
                    }
                    oldest += stride;
                }
                operations += SAMPLED;
            }
        }

        private void missing(long key) {
            if (!system.evicts()) {
                throw new VerificationException(
                        "key " + Long.toHexString(key) + " was stored and never deleted, but is absent; sum " + sink);
            }
        }
    }
}
