package io.loam.bench;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench alignments}: runs the tools of bench/alignments, each in a JVM of its own, over regions and over BAM files. */
@Command(
        name = "alignments",
        mixinStandardHelpOptions = true,
        description =
                "Genomic alignments through four tools, each a process: over one address space, and from BAM file to BAM file by htsjdk (SpaceJMP, SAMtools).",
        footer = {
            "",
            "Seconds are those of whole processes, start-up included. BAM files lie on the same file system, and are sorted in memory.",
            "Built by: " + Peers.BUILD_COMMAND
        })
final class AlignmentsCommand extends Measurement {

    private static final String PACKAGE = "io.loam.bench.alignments.";
    private static final List<String> TOOLS = List.of("flagstat", "name", "coordinate", "index");

    @Option(names = "--records", defaultValue = "1000000", description = "Reads (default: ${DEFAULT-VALUE}).")
    private int records;

    @Option(
            names = "--heap",
            paramLabel = "SIZE",
            defaultValue = "4g",
            description = "Of each tool (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String heap;

    @Option(names = "--seed", defaultValue = "1", description = "(default: ${DEFAULT-VALUE})")
    private long seed;

    @Option(
            names = "--directory",
            defaultValue = "/dev/shm",
            description = "For its files (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private Path parent;

    @Override
    Map<String, Object> measure() {
        between("--records", records, 2, 20_000_000);
        long heapBytes = Sizes.bytes("--heap", heap);
        String classPath = Peers.libraries("alignments") + File.separator + "*" + File.pathSeparator
                + MicroCommand.classPath(System.getProperty("jdk.module.path", ""));
        try {
            Path directory = Files.createTempDirectory(parent, "loam-bench-");
            try {
                return measure(List.of("-Xmx" + (heapBytes >> 20) + "m", "-cp", classPath), directory);
            } finally {
                delete(directory);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Map<String, Object> measure(List<String> flags, Path directory) throws IOException {
        run(flags, "Generator", directory.toString(), "" + records, "" + seed);
        Map<String, Object> result = Figures.create();
        result.put("benchmark", "alignments");
        result.put("system", "loam");
        result.put("records", records);
        result.put("seed", seed);
        double regions = 0;
        double files = 0;
        Map<String, Object> ratios = Figures.create();
        for (String tool : TOOLS) {
            Outcome inRegions =
                    run(flags, "RegionTools", directory.resolve("registry").toString(), tool);
            Outcome inFiles = run(flags, "BamTools", directory.toString(), tool, "" + records);
            check(flags, tool, inRegions, inFiles, directory);
            result.put(tool + "RegionsSeconds", inRegions.seconds);
            result.put(tool + "BamSeconds", inFiles.seconds);
            ratios.put(tool + "Ratio", inFiles.seconds / inRegions.seconds);
            regions += inRegions.seconds;
            files += inFiles.seconds;
        }
        result.put("regionsSeconds", regions);
        result.put("bamSeconds", files);
        result.putAll(ratios);
        result.put("ratio", files / regions);
        return result;
    }

    /** Both must have found, or made, the same. */
    private static void check(List<String> flags, String tool, Outcome inRegions, Outcome inFiles, Path directory)
            throws IOException {
        boolean sorts = tool.equals("name") || tool.equals("coordinate");
        String expected = sorts
                ? run(flags, "BamTools", directory.toString(), "digest", "by-" + tool + ".bam").line
                : inFiles.line;
        if (!expected.equals(inRegions.line)) {
            throw new WorkerFailure(
                    "wrong data: " + tool + " gives " + inRegions.line + " over regions and " + expected + " by BAM");
        }
    }

    /** What a tool printed and how long its process took. */
    private record Outcome(String line, double seconds) {}

    private static Outcome run(List<String> flags, String main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(
                "--enable-native-access=ALL-UNNAMED",
                "--illegal-native-access=deny",
                "--sun-misc-unsafe-memory-access=deny"));
        command.addAll(flags);
        command.add(PACKAGE + main);
        command.addAll(List.of(arguments));
        long start = System.nanoTime();
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        try {
            if (process.waitFor() != 0) {
                throw new WorkerFailure(String.join(" ", command) + " ended with " + process.exitValue());
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new WorkerFailure("interrupted");
        }
        return new Outcome(output, (System.nanoTime() - start) / 1e9);
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
