package io.loam.cli.demo;

import io.loam.store.StoreStats;
import java.util.List;

/** The capacity at which given objects make a store as full as wanted. */
record CapacityPlan(double utilisation) {
    static final CapacityPlan NINETY_PERCENT = new CapacityPlan(0.90);
    /** How far from the wanted utilisation a demo may be. */
    static final double TOLERANCE = 0.005;

    private static final int HEADER_BYTES = 12;
    private static final int INDEX_BYTES_PER_ENTRY = 12;
    /** Reserve and tables, before the store has told. */
    private static final double RESERVE_SHARE = 0.03;

    private static final long MINIMUM_BYTES = 4L << 20;
    private static final long GRAIN_BYTES = 64L << 10;

    /** From the objects' sizes alone. */
    long estimate(List<DemoObject> objects) {
        long live = objects.stream().mapToLong(CapacityPlan::entryBytes).sum();
        double log = live / utilisation + (double) INDEX_BYTES_PER_ENTRY * objects.size();
        return rounded(log / (1 - RESERVE_SHARE));
    }

    /** From what a store holding the objects says; reserve and tables are taken to stay as they are. */
    long adjusted(StoreStats stats) {
        return rounded(
                stats.liveLogBytes() / utilisation + stats.indexBytes() + stats.tableBytes() + stats.reserveBytes());
    }

    boolean isMet(StoreStats stats) {
        return Math.abs(stats.utilisation() - utilisation) <= TOLERANCE;
    }

    static long entryBytes(DemoObject object) {
        return HEADER_BYTES + object.userBytes() + 7L & -8L;
    }

    private static long rounded(double bytes) {
        return Math.max(MINIMUM_BYTES, (long) Math.ceil(bytes / GRAIN_BYTES) * GRAIN_BYTES);
    }
}
