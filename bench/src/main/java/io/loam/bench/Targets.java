package io.loam.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;

/** The figures that were set as goals, each with where it is found in the results of {@code bench/run-all}. */
final class Targets {

    /**
     * @param figure what is measured
     * @param bound the goal
     * @param atLeast whether the goal is a lower bound
     * @param value finds it; NaN if it was not measured
     */
    record Target(String figure, double bound, boolean atLeast, ToDoubleFunction<Results> value) {

        /** Whether the goal is met; false if it was not measured. */
        boolean met(double actual) {
            return atLeast ? actual >= bound : actual <= bound;
        }

        String goal() {
            return (atLeast ? "≥ " : "≤ ") + text(bound);
        }
    }

    private static final String PER_SECOND = "opsPerSecond";
    private static final String PER_CPU = "opsPerCpuSecond";
    private static final String PER_PROCESS_CPU = "opsPerProcessCpuSecond";

    private Targets() {}

    static List<Target> all() {
        List<Target> targets = new ArrayList<>();
        versus(targets, "GET 1 KiB vs", "get-1k", PER_CPU, "bare", 0.9);
        versus(targets, "GET 100 B vs", "get-100", PER_CPU, "bare", 0.7);
        versus(targets, "batch of 16 GETs, 100 B, vs", "batch-100", PER_CPU, "bare", 0.5);
        versus(targets, "batch of 16 GETs, 1 KiB, vs", "batch-1k", PER_CPU, "bare", 0.8);
        versus(targets, "GET 100 B vs", "get-100", PER_CPU, "chm-copy", 1.1);
        versus(targets, "GET 100 B vs", "get-100", PER_CPU, "chm", 0.85);
        versus(targets, "GET 100 B vs", "get-100", PER_CPU, "chronicle", 2.5);
        versus(targets, "GET 100 B vs", "get-100", PER_CPU, "ohc", 3);
        versus(targets, "update 100 B, append, 50 %, vs same memory", "update-100", PER_PROCESS_CPU, "chm", 1.2);
        versus(targets, "update 100 B, append, 50 %, vs", "update-100", PER_PROCESS_CPU, "chronicle", 3);
        versus(targets, "update 100 B, append, 50 %, vs", "update-100", PER_PROCESS_CPU, "ohc", 2);
        least(
                targets,
                "update in place, 75-125 B, 90 % vs 30 %",
                0.9,
                r -> r.ratio("in-place", "loam@0.9", "loam@0.3", PER_PROCESS_CPU));
        least(
                targets,
                "update 1 KiB append, 80 % vs 30 %",
                0.38,
                r -> r.ratio("append-1k", "loam@0.8", "loam@0.3", PER_PROCESS_CPU));
        least(
                targets,
                "update 1 KiB append, 90 % vs 30 %",
                0.18,
                r -> r.ratio("append-1k", "loam@0.9", "loam@0.3", PER_PROCESS_CPU));
        most(
                targets,
                "copied per byte vs greedy cleaner, 80 %",
                1.15,
                r -> r.number("append-1k", "loam@0.8", "copiedVersusGreedy"));
        most(
                targets,
                "copied per byte vs greedy cleaner, 90 %",
                1.15,
                r -> r.number("append-1k", "loam@0.9", "copiedVersusGreedy"));
        most(
                targets,
                "copied per user byte, zipfian vs uniform, 90 %",
                0.6,
                r -> r.number("zipfian-1k", "loam", "copiedPerUserByte")
                        / r.number("append-1k", "loam@0.9", "copiedPerUserByte"));
        fill(targets, "W1", 0.75);
        fill(targets, "W2", 0.78);
        fill(targets, "W3", 0.78);
        least(
                targets,
                "fill ratio, values of 1000 B and more (lowest of W7, P2-P6)",
                0.92,
                r -> DoubleStream.of(
                                filled(r, "W7"),
                                filled(r, "P2"),
                                filled(r, "P3"),
                                filled(r, "P4"),
                                filled(r, "P5"),
                                filled(r, "P6"))
                        .filter(value -> !Double.isNaN(value))
                        .min()
                        .orElse(Double.NaN));
        most(
                targets,
                "RSS after 90 % deletes / (1.5 live + 64 MiB), worst",
                1,
                r -> Fragmentation.Workload.ALL.stream()
                        .mapToDouble(w -> r.number("fragmentation:" + w.name(), "loam", "rssAfterDeleteVersusAllowed"))
                        .filter(value -> !Double.isNaN(value))
                        .max()
                        .orElse(Double.NaN));
        most(targets, "metadata bytes per object", 24, r -> r.number("get-100", "loam", "metadataBytesPerObject"));
        for (String trace : Trace.NAMES) {
            least(
                    targets,
                    "EVICT hit ratio vs exact LRU, " + trace,
                    0.97,
                    r -> r.number("eviction:" + trace, "loam", "hitRatioVersusExactLru"));
        }
        most(
                targets,
                "longest stall while the index grows and shrinks, ms",
                5,
                r -> r.number("growth", "loam", "longestStallNanos") / 1e6);
        least(targets, "lowest index load while it grows", 0.75, r -> r.number("growth", "loam", "lowestLoad"));
        most(targets, "GET at the highest load vs at half of it", 1.2, r -> r.number("growth", "loam", "getCostRatio"));
        most(
                targets,
                "PUT at 80 %, half rate: p99.9 / median",
                50,
                r -> r.number("latency", "loam-append@0.8", "pacedP999PerMedian"));
        most(
                targets,
                "PUT at 80 %, saturated: longest stall, ms",
                20,
                r -> r.number("latency", "loam-append@0.8", "updateLongestStallNanos") / 1e6);
        most(
                targets,
                "PUT at 90 %, saturated: longest stall, ms",
                20,
                r -> r.number("latency", "loam-append@0.9", "updateLongestStallNanos") / 1e6);
        for (String workload : List.of("larson", "threadtest")) {
            String label = "heap-" + workload;
            versus(targets, "heap, " + workload + ", vs", label, PER_CPU, "jemalloc", 0.7);
            least(
                    targets,
                    "heap, " + workload + ", MSYNC on tmpfs, vs pmemobj",
                    8,
                    r -> r.ratio(label, "loam-msync", "pmemobj", PER_CPU));
        }
        least(
                targets,
                "heap, objects of 64 B marked per second and thread, million",
                6,
                r -> r.number("heap-recovery", "loam", "markedPerSecondPerThread") / 1e6);
        most(
                targets,
                "heap, open after a clean close, 4 GiB, ms",
                50,
                r -> r.number("heap-open", "loam", "openMillis"));
        most(
                targets,
                "heap, bytes in use per live byte, shifting sizes, compacted",
                1.15,
                r -> r.number("heap-fragmentation", "loam", "bytesPerLiveByte"));
        addServer(targets);
        most(targets, "address space switch, context in hand, ns", 5, r -> r.number("switch", "loam", "switchNanos"));
        most(
                targets,
                "address space switch with one shared lock, ns",
                15,
                r -> r.number("switch", "loam", "switchSharedLockNanos"));
        most(
                targets,
                "checked vs bare pointer chase, 16 regions",
                1.15,
                r -> r.number("switch", "loam", "chaseRatio16Regions"));
        most(
                targets,
                "lock of a killed process recovered, ms, worst",
                100,
                r -> r.number("switch", "loam", "recoveryWorstMillis"));
        least(
                targets,
                "GUPS, 16 windows, address spaces vs remapping",
                100,
                r -> r.number("gups", "spaces", "mups") / r.number("gups", "map", "mups"));
        least(targets, "alignment pipeline, regions vs BAM", 3, r -> r.number("alignments", "loam", "ratio"));
        least(
                targets,
                "GET in an attached store vs in a private one",
                0.85,
                r -> r.number("shared-store", "loam", "directToPrivate"));
        least(
                targets,
                "GET in an attached store vs over a Unix-domain socket",
                50,
                r -> r.number("shared-store", "loam", "directToServed"));
        least(
                targets,
                "the same with 10,000 keys, which the processor's caches hold",
                50,
                r -> r.number("shared-store-small", "loam", "directToServed"));
        most(
                targets,
                "longest put while a process that leads is killed and repaired, ms, worst",
                200,
                r -> r.number("shared-store", "loam", "leaderKilledWorstStallMillis"));
        return targets;
    }

    private static void addServer(List<Target> targets) {
        for (String command : List.of("get", "set")) {
            String what = "server, " + command.toUpperCase(Locale.ROOT) + " 100 B, ";
            String label = "server-" + command;
            versus(targets, what + "pipeline 1, vs", label + "-p1", PER_SECOND, "redis", 0.85);
            versus(targets, what + "pipeline 16, vs", label + "-p16", PER_SECOND, "redis", 0.8);
            versus(targets, what + "both cores, vs", label + "-shared", PER_SECOND, "redis-io-threads", 1.1);
        }
        most(
                targets,
                "server, p99 at half of redis's most, vs redis",
                1.5,
                r -> r.ratio("server-latency", "loam", "redis", "p99Nanos"));
        most(
                targets,
                "server, RSS per live byte, 100 to 130 B",
                1.5,
                r -> r.number("server-fragmentation:130", "loam", "rssPerLive"));
        most(
                targets,
                "server, RSS per live byte, 100 to 1000 B",
                1.3,
                r -> r.number("server-fragmentation:1000", "loam", "rssPerLive"));
        most(
                targets,
                "server, RSS above its memory, worst moment, MiB",
                64,
                r -> DoubleStream.of(130, 1000)
                        .map(size -> r.number("server-fragmentation:" + (int) size, "loam", "peakAboveMemoryBytes"))
                        .filter(value -> !Double.isNaN(value))
                        .map(bytes -> bytes / (1 << 20))
                        .max()
                        .orElse(Double.NaN));
        most(
                targets,
                "server, longest PING while overwriting at 90 %, ms",
                5,
                r -> r.number("server-stalls", "loam", "longestPingOverwritingNanos") / 1e6);
        most(
                targets,
                "server, longest PING during DEL of a large hash, ms",
                5,
                r -> r.number("server-stalls", "loam", "longestPingDeletingNanos") / 1e6);
        most(targets, "server, start to first reply, ms", 500, r -> r.number("server-start", "loam", "startMillis"));
    }

    private static void versus(
            List<Target> targets, String what, String label, String figure, String peer, double bound) {
        least(targets, what + " " + peer, bound, r -> r.ratio(label, "loam", peer, figure));
    }

    private static void fill(List<Target> targets, String workload, double bound) {
        least(targets, "user bytes / capacity at first refusal, " + workload, bound, r -> filled(r, workload));
    }

    private static double filled(Results results, String workload) {
        return results.number("fragmentation:" + workload, "loam", "fillRatio");
    }

    private static void least(List<Target> targets, String figure, double bound, ToDoubleFunction<Results> value) {
        targets.add(new Target(figure, bound, true, value));
    }

    private static void most(List<Target> targets, String figure, double bound, ToDoubleFunction<Results> value) {
        targets.add(new Target(figure, bound, false, value));
    }

    static String text(double value) {
        return Double.isNaN(value) ? "not measured" : String.format(Locale.ROOT, "%.3g", value);
    }
}
