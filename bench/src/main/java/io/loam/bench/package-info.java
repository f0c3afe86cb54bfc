/**
 * Measurement of Loam beside its peers.
 *
 * <pre>
 *   BenchCommand ─► YcsbCommand, FragmentationCommand, …   parse, ask a Comparison, print
 *   Comparison ──one WorkerProcess per system──► Worker (own JVM) ─► Experiment ─► system.SystemUnderTest
 *        └─► Figures (medians, ratios)   Json (the protocol and the results)
 *   ServerBenchCommand ─► server: processes that are spoken to by sockets
 *   Experiments share: KeyChooser, StampedValues, LatencyHistogram, GreedyCleaner, Process figures
 * </pre>
 *
 * <p>Each system runs in a JVM of its own with the flags it is best with ({@link io.loam.bench.SystemName}); a comparison loads all, then
 * measures them in turn, slice by slice, so that a noisy machine is noisy to all alike.
 */
@NullMarked
package io.loam.bench;

import org.jspecify.annotations.NullMarked;
