package io.loam.store.engine;

/**
 * What a reference mark says of an entry's use: bits 0–5 the period of its last use, bits 6–7 in how many periods it was used before, at most 3.
 *
 * <p>Periods are counted in the log's time, {@value #PERIODS_PER_LOG} while the log is written once, and begin again after 64. Entries that were used in several of them are kept
 * longer, so that what is asked for only once, as by a scan, leaves first.
 */
final class Marks {

    static final int PERIODS_PER_LOG = 12;
    static final int PERIOD_MASK = 63;
    private static final int MOST_USES = 3;

    /** By how much coldness grows in half a period, by uses. */
    private static final int[] COOLING = {4, 2, 1, 1};

    private Marks() {}

    /** The mark of a new entry. */
    static byte fresh(int period) {
        return (byte) period;
    }

    static boolean isOf(byte mark, int period) {
        return (mark & PERIOD_MASK) == period;
    }

    /** The mark after a use in a later period. */
    static byte used(byte mark, int period) {
        return (byte) (Math.min(MOST_USES, uses(mark) + 1) << 6 | period);
    }

    private static int uses(byte mark) {
        return mark >>> 6 & 3;
    }

    /** How ready the entry is to be evicted, from 1 to 255. */
    static int coldness(byte mark, int period) {
        int halfPeriods = 2 * (period - mark & PERIOD_MASK) + 1;
        return 1 + Math.min(254, halfPeriods * COOLING[uses(mark)] / 2);
    }
}
