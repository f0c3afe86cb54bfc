package io.loam.bench;

import io.loam.bench.system.Mix;
import io.loam.bench.system.RefusedException;
import io.loam.bench.system.Session;
import io.loam.bench.system.Setup;
import io.loam.bench.system.SystemUnderTest;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * How much of its memory a system can use when the sizes of values change: RAMCloud's W1–W8 and Nibble's P1–P6.
 *
 * <ol>
 *   <li>values of the sizes before, until the first refusal ({@code fillRatioBefore});
 *   <li>more of them, random ones deleted so that the live bytes stay {@code liveShare} of that, until {@code turnover} times as much was
 *       allocated;
 *   <li>a share deleted at random;
 *   <li>values of the sizes after, in the same way, {@code turnover} times;
 *   <li>until refused again: {@code fillRatio} and {@code rssPerLive};
 *   <li>90 % deleted at random, some idle time: {@code rssPerLiveAfterDelete}.
 * </ol>
 *
 * <p>A refusal is what the system itself refuses (Loam, Chronicle Map), for those in the Java heap an {@link OutOfMemoryError} with a heap of
 * exactly the capacity, and for the others, which take what they want, the moment at which their resident size reaches the capacity.
 */
final class Fragmentation implements Experiment {

    /**
     * A change of sizes.
     *
     * @param deletedShare between the two
     */
    record Workload(String name, int beforeLow, int beforeHigh, int afterLow, int afterHigh, double deletedShare) {

        static final List<Workload> ALL = List.of(
                new Workload("W1", 100, 100, 100, 100, 0),
                new Workload("W2", 100, 100, 130, 130, 0),
                new Workload("W3", 100, 100, 130, 130, 0.9),
                new Workload("W4", 100, 150, 200, 250, 0),
                new Workload("W5", 100, 150, 200, 250, 0.9),
                new Workload("W6", 100, 200, 1000, 2000, 0.5),
                new Workload("W7", 1000, 2000, 1500, 2500, 0.9),
                new Workload("W8", 50, 150, 5000, 15000, 0.9),
                new Workload("P1", 60, 60, 70, 70, 0.9),
                new Workload("P2", 1000, 1000, 1024, 1024, 0.9),
                new Workload("P3", 1000, 1000, 1030, 1030, 0.9),
                new Workload("P4", 1024, 1024, 10240, 10240, 0.9),
                new Workload("P5", 10240, 10240, 102400, 102400, 0.9),
                new Workload("P6", 512000, 512000, 614400, 614400, 0.9));

        static Workload of(String name) {
            for (Workload workload : ALL) {
                if (workload.name.equalsIgnoreCase(name)) {
                    return workload;
                }
            }
            throw new BadInput("--workload '" + name + "'; allowed: all, "
                    + String.join(", ", ALL.stream().map(Workload::name).toList()));
        }

        boolean changes() {
            return beforeLow != afterLow || beforeHigh != afterHigh;
        }
    }

    /**
     * @param workload name
     * @param turnover how often as much as fits is allocated in a phase, 1 or more
     * @param liveShare of what fits: where the live bytes are held while that goes on
     * @param idleSeconds after the last deletion, before the resident size is read
     * @param rssRefusal refuse when the resident size reaches the capacity
     */
    record Plan(
            String workload, double turnover, double liveShare, double idleSeconds, boolean rssRefusal, long seed) {}

    private static final long RSS_CHECK_BYTES = 2 << 20;
    private static final int BALLAST_BYTES = 2 << 20;
    private static final int WARM_RECORDS = 20_000;
    private static final int MOST_ATTEMPTS = 50;

    private final Setup setup;
    private final Plan plan;
    private final Workload workload;
    private final BitSet live;
    private final SplittableRandom random;
    private final long baseRssBytes;
    private final SystemUnderTest system;
    private final Session session;
    private final Filler filler;
    private final boolean onHeap;
    private int next;
    private int firstAfter = Integer.MAX_VALUE;
    private long liveUserBytes;
    private long sinceCheck;
    private long refusals;
    private long filledBytes;
    /** Let go when the Java heap is full, so that there is room to go on. */
    private byte @Nullable [] ballast;

    Fragmentation(Setup setup, Plan plan) {
        this.setup = setup;
        this.plan = plan;
        workload = Workload.of(plan.workload());
        random = new SplittableRandom(plan.seed());
        filler = new Filler(Math.max(workload.beforeHigh(), workload.afterHigh()));
        // All of it now: where data fills the Java heap, there is no room for a larger one later.
        live = new BitSet((int) Math.min(1 << 30, setup.records() * (2 * plan.turnover() + 2)));
        onHeap = SystemName.of(setup.system()).kind() == SystemName.Kind.HEAP;
        if (!onHeap) {
            warmUp();
        }
        System.gc();
        baseRssBytes = ProcessFigures.rssBytes();
        system = SystemName.open(setup);
        session = system.newSession();
    }

    /** Runs a small instance first, so that classes, compiled code and the like are in the base that is subtracted. */
    private void warmUp() {
        Setup small = setup.withCapacity(64L << 20, 64L << 20).withRecords(WARM_RECORDS);
        try (SystemUnderTest throwaway = SystemName.open(small)) {
            Session warm = throwaway.newSession();
            byte[] buffer = new byte[Math.max(workload.beforeHigh(), workload.afterHigh())];
            int bytes = Math.min(workload.beforeLow(), 1024);
            for (int round = 0; round < 5; round++) {
                for (int i = 0; i < WARM_RECORDS; i++) {
                    warm.put(Mix.keyOf(i), filler.value(Mix.keyOf(i), bytes), bytes);
                }
                for (int i = 0; i < WARM_RECORDS; i++) {
                    warm.get(Mix.keyOf(i), buffer);
                    warm.delete(Mix.keyOf(i));
                }
            }
        }
    }

    @Override
    public Map<String, Object> prepare() {
        Map<String, Object> figures = Figures.create();
        figures.put("baseRssBytes", baseRssBytes);
        return figures;
    }

    @Override
    public Map<String, Object> measure(int round) {
        Map<String, Object> figures = Figures.create();
        long start = System.nanoTime();
        fill(workload.beforeLow(), workload.beforeHigh());
        long fits = filledBytes;
        figures.put("fillRatioBefore", (double) fits / setup.capacityBytes());
        long held = (long) (fits * plan.liveShare());
        allocate(workload.beforeLow(), workload.beforeHigh(), (long) ((plan.turnover() - 1) * fits), held);
        if (workload.changes()) {
            deleteShare(workload.deletedShare());
            allocate(workload.afterLow(), workload.afterHigh(), (long) (plan.turnover() * fits), held);
        }
        fill(workload.afterLow(), workload.afterHigh());
        figures.put("fillRatio", (double) filledBytes / setup.capacityBytes());
        figures.put("liveUserBytes", liveUserBytes);
        long rss = ProcessFigures.rssBytes();
        figures.put("rssBytes", rss);
        figures.put("rssPerLive", (double) (rss - baseRssBytes) / liveUserBytes);
        figures.put("refusals", refusals);
        figures.put("seconds", (System.nanoTime() - start) / 1e9);
        figures.putAll(system.figures());
        verifySample();
        deleteShare(0.9);
        long beforeIdle = ProcessFigures.rssBytes();
        Crew.sleep((long) (plan.idleSeconds() * 1000));
        long after = ProcessFigures.rssBytes();
        figures.put("liveUserBytesAfterDelete", liveUserBytes);
        figures.put("rssBytesAfterDeleteAtOnce", beforeIdle);
        figures.put("rssBytesAfterDelete", after);
        figures.put("rssPerLiveAfterDelete", (double) (after - baseRssBytes) / liveUserBytes);
        double allowed = 1.5 * liveUserBytes + (64 << 20);
        figures.put("rssAfterDeleteVersusAllowed", (after - baseRssBytes) / allowed);
        verifySample();
        return figures;
    }

    @Override
    public Map<String, Object> finish() {
        Map<String, Object> figures = Figures.create();
        figures.put("hugePageBytes", ProcessFigures.hugePageBytes());
        system.close();
        return figures;
    }

    /** The size of a record is a function of its number and the bounds it was stored under, so that it need not be kept. */
    private int sizeOf(int id) {
        boolean before = id < firstAfter;
        int low = before ? workload.beforeLow() : workload.afterLow();
        int high = before ? workload.beforeHigh() : workload.afterHigh();
        return low + (int) Math.unsignedMultiplyHigh(Mix.mix(id * 31L + 7), high - low + 1L);
    }

    private void fill(int low, int high) {
        begin(low, high);
        ballast = onHeap ? new byte[BALLAST_BYTES] : null;
        while (store()) {
            // until refused
        }
        ballast = null;
        filledBytes = liveUserBytes;
        if (onHeap) {
            deleteShare(0.02); // a collector with no room at all takes all time
        }
    }

    private void begin(int low, int high) {
        if (firstAfter == Integer.MAX_VALUE
                && workload.changes()
                && low == workload.afterLow()
                && high == workload.afterHigh()) {
            firstAfter = next;
        }
    }

    private void allocate(int low, int high, long bytes, long held) {
        begin(low, high);
        long allocated = 0;
        while (allocated < bytes) {
            int size = sizeOf(next);
            while (liveUserBytes + size + setup.keyBytes() > held && !live.isEmpty()) {
                deleteOne();
            }
            if (store()) {
                allocated += size + setup.keyBytes();
            } else {
                refusals++;
                for (int i = 0; i < 16 && !live.isEmpty(); i++) {
                    deleteOne();
                }
            }
        }
    }

    private boolean store() {
        int size = sizeOf(next);
        long bytes = size + setup.keyBytes();
        sinceCheck += bytes;
        if (plan.rssRefusal() && sinceCheck >= RSS_CHECK_BYTES) {
            sinceCheck = 0;
            if (ProcessFigures.rssBytes() - baseRssBytes >= setup.capacityBytes()) {
                return false;
            }
        }
        long key = Mix.keyOf(next);
        try {
            session.put(key, filler.value(key, size), size);
        } catch (RefusedException e) {
            return false;
        } catch (OutOfMemoryError e) {
            if (!onHeap) {
                throw e;
            }
            return false;
        }
        live.set(next);
        next++;
        liveUserBytes += bytes;
        return true;
    }

    private void deleteOne() {
        for (; ; ) {
            int id = random.nextInt(next);
            if (live.get(id)) {
                delete(id);
                return;
            }
        }
    }

    private void delete(int id) {
        if (!remove(Mix.keyOf(id))) {
            throw new VerificationException("record " + id + " was stored and never deleted, but is absent");
        }
        live.clear(id);
        liveUserBytes -= sizeOf(id) + setup.keyBytes();
    }

    /** Removes a key; where the Java heap is so full that even this found no memory, again. */
    private boolean remove(long key) {
        for (int attempt = 1; ; attempt++) {
            try {
                return session.delete(key);
            } catch (OutOfMemoryError e) {
                if (!onHeap || attempt == MOST_ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    private void deleteShare(double share) {
        if (share > 0) {
            for (int id = live.nextSetBit(0); id >= 0; id = live.nextSetBit(id + 1)) {
                if (random.nextDouble() < share) {
                    delete(id);
                }
            }
        }
    }

    /** Reads some records and checks that they are whole. */
    private void verifySample() {
        byte[] buffer = new byte[Math.max(workload.beforeHigh(), workload.afterHigh())];
        for (int i = 0; i < 2000 && !live.isEmpty(); i++) {
            int id = live.nextSetBit(random.nextInt(next));
            if (id < 0) {
                continue;
            }
            long key = Mix.keyOf(id);
            int length = session.get(key, buffer);
            if (length != sizeOf(id) || !filler.isValue(key, session.value(buffer), length)) {
                throw new VerificationException(
                        "record " + id + " of " + sizeOf(id) + " bytes was read as " + length + " bytes, or others");
            }
        }
    }

    /** Values that carry their key at both ends; shorter than stamped ones may be. */
    static final class Filler {
        private final byte[] bytes;
        private byte[] exact = new byte[0];

        Filler(int most) {
            bytes = new byte[most];
            new SplittableRandom(5).nextBytes(bytes);
        }

        byte[] value(long key, int length) {
            if (exact.length != length) {
                exact = java.util.Arrays.copyOf(bytes, length);
            }
            for (int i = 0; i < Math.min(8, length); i++) {
                exact[i] = (byte) (key >>> 8 * i);
                exact[length - 1 - i] = (byte) (key >>> 8 * i);
            }
            return exact;
        }

        boolean isValue(long key, byte[] value, int length) {
            for (int i = 0; i < Math.min(8, length / 2); i++) {
                if (value[i] != (byte) (key >>> 8 * i) || value[length - 1 - i] != (byte) (key >>> 8 * i)) {
                    return false;
                }
            }
            return length < 16 || java.util.Arrays.equals(value, 8, length - 8, bytes, 8, length - 8);
        }
    }
}
