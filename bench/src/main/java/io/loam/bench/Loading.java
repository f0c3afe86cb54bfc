package io.loam.bench;

import io.loam.bench.system.Loam;
import io.loam.bench.system.Mix;
import io.loam.bench.system.Session;
import io.loam.bench.system.Setup;
import io.loam.bench.system.SystemUnderTest;
import io.loam.store.StoreStats;
import java.util.Map;

/** Fills a system with records, and sets Loam's capacity so that the utilisation wanted is reached. */
final class Loading {

    /** Guesses made before there is a store to ask: header, index with its load, tables. */
    private static final int HEADER_BYTES = 16;

    private static final int INDEX_BYTES = 14;
    private static final double TABLES_AND_RESERVE = 0.035;
    private static final double CLOSE_ENOUGH = 0.003;

    private Loading() {}

    /** The capacity in which so many records should be {@code utilisation} of the log. */
    static long capacityFor(long records, int keyBytes, double meanValueBytes, double utilisation) {
        double entry = HEADER_BYTES + keyBytes + meanValueBytes + 4;
        double bytes = records * entry / utilisation + records * (double) INDEX_BYTES;
        return roundUp((long) (bytes * (1 + TABLES_AND_RESERVE)) + (4L << 20));
    }

    private static long roundUp(long bytes) {
        return (bytes + (1L << 20) - 1) & -(1L << 20);
    }

    /** Stores records {@code from} to {@code to}, shared among threads. */
    static Crew.Effort load(SystemUnderTest system, Setup setup, long from, long to) {
        return Crew.work(setup.threads(), 0, (thread, clock) -> {
            Session session = system.newSession();
            StampedValues values = new StampedValues(setup.minValueBytes(), setup.maxValueBytes(), thread);
            KeyChooser random = KeyChooser.uniform(1, thread + 77L);
            for (long id = from + thread; id < to; id += setup.threads()) {
                long key = Mix.keyOf(id);
                byte[] value = values.stamp(key, random.bits());
                session.put(key, value, values.length());
            }
        });
    }

    /**
     * Changes Loam's capacity until its utilisation is the one wanted, as far as it lets us.
     *
     * @param figures gets what was wanted, what was reached, and what stood in the way
     */
    static void adjust(Loam loam, double wanted, Map<String, Object> figures) {
        try {
            for (int attempt = 0; attempt < 6; attempt++) {
                StoreStats stats = loam.store().stats();
                double now = stats.utilisation();
                if (!(now > 0) || Math.abs(now - wanted) <= CLOSE_ENOUGH) {
                    break;
                }
                long change = (long) (stats.liveLogBytes() / wanted - stats.liveLogBytes() / now);
                loam.store().setCapacityBytes(Math.max(1, stats.capacityBytes() + change));
            }
        } catch (RuntimeException e) {
            figures.put("adjustment", "stopped: " + e.getMessage());
        }
    }
}
