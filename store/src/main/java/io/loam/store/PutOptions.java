package io.loam.store;

/**
 * How a put is made and under which conditions.
 *
 * @param condition what must hold of the key for the put to happen
 * @param expectedVersion the version the key must have with {@link Condition#VERSION}; else 0
 * @param expiresAtMillis {@link Namespace#NEVER} or milliseconds since 1970
 * @param keepExpiry keep the present value's expiry, if any, instead
 * @param type the type bits, 0 to 15, for the user's own use
 */
public record PutOptions(
        Condition condition, long expectedVersion, long expiresAtMillis, boolean keepExpiry, int type) {

    /** What must hold of the key. */
    public enum Condition {
        ALWAYS,
        ABSENT,
        PRESENT,
        VERSION
    }

    public static final PutOptions DEFAULT = new PutOptions(Condition.ALWAYS, 0, Namespace.NEVER, false, 0);
    public static final PutOptions IF_ABSENT = DEFAULT.withCondition(Condition.ABSENT);
    public static final PutOptions IF_PRESENT = DEFAULT.withCondition(Condition.PRESENT);

    public PutOptions {
        if (expiresAtMillis < 0) {
            throw new IllegalArgumentException(
                    "expiry " + expiresAtMillis + " ms; allowed: 0 (never) or a positive time since 1970");
        }
        if (type < 0 || type > 15) {
            throw new IllegalArgumentException("type " + type + "; allowed: 0 to 15");
        }
        if (condition == Condition.VERSION && expectedVersion < 1) {
            throw new IllegalArgumentException("expected version " + expectedVersion + "; versions start at 1");
        }
    }

    public PutOptions withCondition(Condition condition) {
        return new PutOptions(condition, expectedVersion, expiresAtMillis, keepExpiry, type);
    }

    public PutOptions ifVersion(long version) {
        return new PutOptions(Condition.VERSION, version, expiresAtMillis, keepExpiry, type);
    }

    public PutOptions expiringAt(long millis) {
        return new PutOptions(condition, expectedVersion, millis, false, type);
    }

    public PutOptions keepingExpiry() {
        return new PutOptions(condition, expectedVersion, Namespace.NEVER, true, type);
    }

    public PutOptions withType(int type) {
        return new PutOptions(condition, expectedVersion, expiresAtMillis, keepExpiry, type);
    }
}
