/**
 * Servers beside each other: Loam's, redis-server, memcached, each a process of its own with one client load.
 *
 * <pre>
 *   Throughput, OfferedLoad, FragmentationPattern, Stalls, StartTime   the experiments: figures for each system
 *        │              by Setting, Load   what is measured, and how;  Interleaved   round by round, one after the other
 *        ├──► ServerProcess ──► ServerSystem     a server: its start command, its CPU time and memory from /proc (ProcessStat)
 *        │         └──► RespClient               one command, one reply
 *        └──► RedisBenchmark                     redis-benchmark: closed loop, one command, uniform keys
 *        └──► LoadProcess ──pipe──► LoadWorker (a JVM of its own) ──► LoadGenerator      all else
 *                                     LoadPlan     what it sends       └──► Protocol ─► Request, ReplyReader
 * </pre>
 *
 * <ul>
 *   <li>I1. All systems of a comparison are loaded by one generator, which the figures name.
 *   <li>I2. A connection sends a batch of {@code pipeline} requests when all replies to the batch before have come, as redis-benchmark does.
 *   <li>I3. At a fixed rate a batch is due at a time that the schedule alone decides, and its latency counts from then; so a server that
 *       stalls is charged for all that should have been sent meanwhile.
 *   <li>I4. A run ends when every request has its reply, or fails and says how many are missing.
 * </ul>
 */
@NullMarked
package io.loam.bench.server;

import org.jspecify.annotations.NullMarked;
