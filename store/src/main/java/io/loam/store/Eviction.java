package io.loam.store;

/**
 * Which entries {@link FullPolicy#EVICT} drops.
 *
 * @param order which first
 * @param domain from which
 */
public record Eviction(Order order, Domain domain) {

    /** Which entries go first. */
    public enum Order {
        /** Those not read or written for longest, approximately. */
        COLDEST,
        RANDOM,
        /** Those that would expire next; entries without expiry last. */
        SOONEST_EXPIRY
    }

    /** Which entries may be dropped at all. */
    public enum Domain {
        ALL,
        /** Only those with an expiry; when there are none left, writes are refused. */
        EXPIRING
    }

    public static final Eviction DEFAULT = new Eviction(Order.COLDEST, Domain.ALL);
}
