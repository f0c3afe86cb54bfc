/**
 * What is to be seen of a running server, beside replies.
 *
 * <pre>
 *   Connection ──slow commands──► Watch ──► SlowLog           SLOWLOG
 *                                   ├─────► LatencyMonitor    LATENCY LATEST, HISTORY
 *                                   ├─────► SlowCommandEvent  JFR
 *                                   └─────► Rates             commands and bytes a second
 *   Figures ──reads──► Service, StoreStats, Rates             LOAM STATS and /metrics say the same by it
 *   MetricsServer ──HTTP──► PrometheusPage                    /metrics, /health/live, /health/ready
 *                              └──► ServerMeters ──reads──► Figures, Service     Micrometer's meters, of this registry or an application's
 *                                      └──► DurationCollector                    histogram and summary, where the registry is one of Prometheus
 * </pre>
 *
 * <p><b>What it costs.</b> A command that is not slow costs a comparison here, and in {@link io.loam.server.command.CommandCounters} some plain additions to arrays that its event loop has for itself. The time
 * at which one command ends is the time at which the next of a pipeline begins, so the clock is read once for each. Whoever looks sums up the event loops' arrays.
 *
 * <p><b>Meters</b> are functions that a registry calls when it wants their values. Only ServerMeters, DurationCollector and PrometheusPage know Micrometer; they are loaded when a registry is bound or /metrics is first
 * asked for, so a server that nobody scrapes starts without it.
 *
 * <p>I1. Nothing that is kept grows without a bound that an option sets.
 * <br>I2. Passwords are never kept: {@link io.loam.server.watch.SlowLog} knows which arguments are.
 * <br>I3. After {@link io.loam.server.watch.ServerMeters#close} no meter reads the store.
 * <br>Locks: SlowLog's and LatencyMonitor's own, each the innermost; MetricsServer's, then ServerMeters's, then the store's. A registry is called with none of ours but MetricsServer's, since it calls meters under its own.
 */
@NullMarked
package io.loam.server.watch;

import org.jspecify.annotations.NullMarked;
