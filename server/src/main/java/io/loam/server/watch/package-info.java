/**
 * What is to be seen of a running server, beside replies.
 *
 * <pre>
 *   Connection ──slow commands──► Watch ──► SlowLog           SLOWLOG
 *                                   ├─────► LatencyMonitor    LATENCY LATEST, HISTORY
 *                                   ├─────► SlowCommandEvent  JFR
 *                                   └─────► Rates             commands and bytes a second
 *   Figures ──reads──► Service, StoreStats, Rates             LOAM STATS and /metrics say the same by it
 *   MetricsServer ──HTTP──► MetricsText ◄── Figures           /metrics, /health/live, /health/ready
 * </pre>
 *
 * <p><b>What it costs.</b> A command that is not slow costs a comparison here, and in {@link io.loam.server.command.CommandCounters} some plain additions to arrays that its event loop has for itself. The time
 * at which one command ends is the time at which the next of a pipeline begins, so the clock is read once for each. Whoever looks sums up the event loops' arrays.
 *
 * <p>I1. Nothing that is kept grows without a bound that an option sets.
 * <br>I2. Passwords are never kept: {@link io.loam.server.watch.SlowLog} knows which arguments are.
 * <br>Locks: SlowLog's and LatencyMonitor's own, each the innermost.
 */
@NullMarked
package io.loam.server.watch;

import org.jspecify.annotations.NullMarked;
