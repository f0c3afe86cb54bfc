package io.loam.store;

/** Outcomes of {@link Namespace#tryPut} besides a version. */
public final class TryPut {
    /** There is no memory at this moment; the hook will be called. */
    public static final long WOULD_WAIT = -2;

    private TryPut() {}
}
