package io.loam.bench;

import io.loam.bench.heap.HeapWorker;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench heap}. */
@Command(
        name = "heap",
        mixinStandardHelpOptions = true,
        description =
                "The persistent heap beside other allocators, each in a JVM of its own, all called in the same harness.",
        footer = {
            "",
            "loam: durability NONE; loam-msync: MSYNC; loam-checked: every access is checked; loam-protected: write-protected, windows",
            "end every 10 ms. jemalloc (Debian's libjemalloc2), glibc and pmemobj (Debian's libpmemobj1) by downcall; jemalloc-critical by one that the JVM does not expect to wait. An operation is an allocation, a store, and the free of an object. recovery, open, fragmentation, wear and map",
            "are of Loam alone. A peer that is not installed is left out, and named.",
        })
final class HeapBenchCommand extends Measurement {

    static final List<String> ALLOCATORS = List.of(
            "loam",
            "loam-msync",
            "loam-checked",
            "loam-protected",
            "jemalloc",
            "jemalloc-critical",
            "glibc",
            "pmemobj");
    static final List<String> CHURN = List.of("threadtest", "larson", "shbench", "prod-con");
    private static final List<String> ALONE = List.of("recovery", "open", "fragmentation", "wear", "map");

    @Option(
            names = "--workload",
            paramLabel = "NAME",
            defaultValue = "larson",
            description =
                    "threadtest, larson, shbench, prod-con, recovery, open, fragmentation, wear, map (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String workload;

    @Option(
            names = "--compare",
            split = ",",
            defaultValue = "loam,loam-msync,jemalloc,jemalloc-critical,glibc,pmemobj",
            description = "(default: ${DEFAULT-VALUE})")
    @SuppressWarnings("NullAway.Init")
    private List<String> compared;

    @Option(names = "--threads", defaultValue = "1", description = "(default: ${DEFAULT-VALUE})")
    private int threads;

    @Option(names = "--seconds", defaultValue = "1", description = "Length of a slice (default: ${DEFAULT-VALUE}).")
    private double seconds;

    @Option(names = "--warmup", defaultValue = "1.5", description = "(default: ${DEFAULT-VALUE})")
    private double warmup;

    @Option(names = "--rounds", defaultValue = "3", description = "(default: ${DEFAULT-VALUE})")
    private int rounds;

    @Option(
            names = "--bytes",
            paramLabel = "SIZE",
            defaultValue = "256m",
            description = "Of objects, in recovery, open and fragmentation (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String bytes;

    @Option(
            names = "--directory",
            paramLabel = "PATH",
            defaultValue = "/dev/shm",
            description = "For the heaps' files (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private Path directory;

    @Option(names = "--seed", defaultValue = "1", description = "(default: ${DEFAULT-VALUE})")
    private long seed;

    @Override
    Map<String, Object> measure() {
        List<String> workloads = new ArrayList<>(CHURN);
        workloads.addAll(ALONE);
        oneOf("--workload", workload, workloads.toArray(String[]::new));
        compared.forEach(name -> oneOf("--compare", name, ALLOCATORS.toArray(String[]::new)));
        between("--threads", threads, 1, 256);
        between("--rounds", rounds, 1, 100);
        between("--seconds", seconds, 0.05, 600);
        between("--warmup", warmup, 0.05, 600);
        long size = Sizes.bytes("--bytes", bytes);
        if (!Files.isDirectory(directory)) {
            throw new BadInput("--directory " + directory + " is no directory");
        }
        List<String> subjects = new ArrayList<>(ALONE.contains(workload) ? List.of("loam") : compared);
        Map<String, List<Map<String, Object>>> figures = new LinkedHashMap<>();
        List<String> missing = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            for (String subject : List.copyOf(subjects)) {
                Map<String, Object> measured = worker(subject, size, seed + round);
                if (measured.get("error") instanceof String error && error.contains("can't be loaded")) {
                    progress().println(subject + " is left out: " + error);
                    missing.add(subject + ": " + error);
                    subjects.remove(subject);
                } else if (measured.get("error") instanceof String error) {
                    throw new WorkerFailure(subject + ": " + error);
                } else {
                    progress().println("round " + (round + 1) + " of " + rounds + ", " + subject + ": " + measured);
                    figures.computeIfAbsent(subject, ignored -> new ArrayList<>())
                            .add(measured);
                }
                progress().flush();
            }
        }
        return result(figures, missing);
    }

    private Map<String, Object> result(Map<String, List<Map<String, Object>>> figures, List<String> missing) {
        Map<String, Object> result = Figures.create();
        result.put("benchmark", "heap");
        result.put("workload", workload);
        result.put("time", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        result.put("processors", Runtime.getRuntime().availableProcessors());
        result.put("threads", threads);
        result.put("rounds", rounds);
        result.put("bytes", bytes);
        result.put("directory", directory.toString());
        if (!missing.isEmpty()) {
            result.put("missing", missing);
        }
        Map<String, Object> systems = Figures.create();
        figures.forEach((name, measured) -> systems.put(name, Statistics.medians(measured)));
        result.put("systems", systems);
        Map<String, Object> ratios = Figures.create();
        for (String ours : List.of("loam", "loam-msync")) {
            Map<String, Object> mine = Figures.object(systems, ours);
            for (String other : systems.keySet()) {
                if (!mine.isEmpty() && !other.startsWith("loam")) {
                    String name = ours.equals("loam") ? other : "msync/" + other;
                    ratios.put(name, Statistics.ratios(mine, Figures.object(systems, other)));
                }
            }
        }
        result.put("ratios", ratios);
        return result;
    }

    /** What one JVM measured, or {@code error}. */
    private Map<String, Object> worker(String allocator, long size, long roundSeed) {
        // in a runtime image the modules are there whatever the class path says
        boolean image = HeapWorker.class.getModule().isNamed()
                && System.getProperty("jdk.module.path", "").isEmpty();
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xms1g",
                "-Xmx2g",
                "-XX:+UseParallelGC",
                "--enable-native-access=" + (image ? "io.loam.memory,io.loam.bench" : "ALL-UNNAMED"),
                "--sun-misc-unsafe-memory-access=deny",
                "-cp",
                classPath(),
                HeapWorker.class.getName(),
                allocator,
                workload,
                String.valueOf(threads),
                String.valueOf(seconds),
                String.valueOf(warmup),
                directory.toString(),
                String.valueOf(size),
                String.valueOf(roundSeed));
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            // jemalloc wants more room for its thread-local state than glibc keeps for libraries loaded late
            builder.environment().put("GLIBC_TUNABLES", "glibc.rtld.optional_static_tls=16384");
            Process process = builder.start();
            Map<String, Object> figures = Figures.create();
            List<String> other = new ArrayList<>();
            for (String line : process.inputReader().lines().toList()) {
                if (line.startsWith("figure ")) {
                    int equals = line.indexOf('=');
                    figures.put(line.substring(7, equals), Double.valueOf(line.substring(equals + 1)));
                } else if (line.startsWith("error ")) {
                    figures.put("error", line.substring(6));
                } else {
                    other.add(line);
                }
            }
            if (process.waitFor() != 0 && !figures.containsKey("error")) {
                figures.put(
                        "error",
                        "its JVM ended with exit code " + process.exitValue() + ": "
                                + String.join("\n", other.subList(0, Math.min(20, other.size()))));
            }
            return figures;
        } catch (IOException e) {
            throw new UncheckedIOException("can't start a JVM for " + allocator, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new WorkerFailure("interrupted while " + allocator + " was measured");
        }
    }

    /** The peers are called natively from this module's classes: on the class path, so that only this JVM may. */
    private static String classPath() {
        if (!HeapBenchCommand.class.getModule().isNamed()) {
            return System.getProperty("java.class.path", "");
        }
        String modules = System.getProperty("jdk.module.path", "");
        if (modules.isEmpty()) {
            modules = Path.of(System.getProperty("loam.home", "."), "dist", "target", "modules")
                    .toString();
            if (!Files.isDirectory(Path.of(modules))) {
                throw new BadInput("this is a runtime image and has no jars; build them with mvn package -DskipTests");
            }
        }
        List<String> parts = new ArrayList<>();
        for (String part : modules.split(File.pathSeparator, -1)) {
            parts.add(Files.isDirectory(Path.of(part)) ? part + File.separator + "*" : part);
        }
        return String.join(File.pathSeparator, parts);
    }
}
