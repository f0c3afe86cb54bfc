package io.loam.heap;

/**
 * What opening a heap found.
 *
 * @param wasDirty whether it had not been closed, or recovery was asked for: only then is anything below more than 0
 * @param undone records of atomic updates that were undone
 * @param objects found reachable
 * @param dangling references that led to no object; run {@code check} if there are any
 * @param superblocksFreed in runs without a reachable object
 * @param nanos that recovery took
 */
public record RecoveryReport(
        boolean wasDirty, int undone, long objects, long dangling, long superblocksFreed, long nanos) {

    static final RecoveryReport CLEAN = new RecoveryReport(false, 0, 0, 0, 0, 0);
}
