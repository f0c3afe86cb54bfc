package io.loam.bench.sharing;

import io.loam.bench.OwnJvm;
import io.loam.memory.region.Registry;
import io.loam.store.Store;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * Measures all arrangements in turn, round after round, so that what else the machine does falls on all of them; then how long the operations of a process take while another one is killed and repaired.
 */
public final class SharedStoreCosts {

    private static final int MOST = 4;
    private static final long BEFORE_KILL_NANOS = 200_000_000;
    private static final long AFTER_KILL_NANOS = 800_000_000;

    private final int keys;
    private final int valueBytes;
    private final int capacityMib;
    private final double updates;
    private final double seconds;
    private final int rounds;
    private final int kills;
    private final boolean hugePages;
    private final Path parent;

    public SharedStoreCosts(
            int keys,
            int valueBytes,
            int capacityMib,
            double updates,
            double seconds,
            int rounds,
            int kills,
            boolean hugePages,
            Path parent) {
        this.keys = keys;
        this.valueBytes = valueBytes;
        this.capacityMib = capacityMib;
        this.updates = updates;
        this.seconds = seconds;
        this.rounds = rounds;
        this.kills = kills;
        this.hugePages = hugePages;
        this.parent = parent;
    }

    /** Another JVM of this code, spoken to in lines. */
    private record Child(Process process, PrintWriter to, BufferedReader from) implements AutoCloseable {

        void awaitReady() {
            String line = line();
            if (!line.equals("ready")) {
                throw new IllegalStateException("process " + process.pid() + " said " + line);
            }
        }

        String line() {
            try {
                String line = from.readLine();
                if (line == null) {
                    throw new IllegalStateException("process " + process.pid() + " has ended");
                }
                return line;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() {
            to.close();
            process.destroy();
            try {
                int ignored = process.waitFor();
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }

    public Map<String, Object> measure() {
        List<Child> children = new ArrayList<>();
        Path directory = null;
        try {
            directory = Files.createTempDirectory(parent, "loam-bench-");
            Path registryPath = directory.resolve("registry");
            try (Registry registry = Registry.open(registryPath, Registry.PRIVATE)) {
                Map<String, Object> figures;
                try (Store store =
                        SharedStoreProcess.builder(capacityMib, hugePages).create(registry, SharedStoreProcess.STORE)) {
                    SharedStoreProcess.load(store, keys, valueBytes);
                    figures = measure(children, directory);
                } finally {
                    children.forEach(Child::close);
                }
                figures.putAll(kill(registry, directory));
                return figures;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            if (directory != null) {
                delete(directory);
            }
        }
    }

    private Map<String, Object> measure(List<Child> children, Path directory) throws IOException {
        Child alone = start(children, "private", directory);
        Child server = start(children, "server", directory);
        List<Child> direct = new ArrayList<>();
        List<Child> served = new ArrayList<>();
        server.awaitReady();
        for (int i = 0; i < MOST; i++) {
            direct.add(start(children, "direct", directory));
            served.add(start(children, "served", directory));
        }
        children.stream().filter(child -> child != server).forEach(Child::awaitReady);
        Map<String, List<Child>> arrangements = new LinkedHashMap<>();
        arrangements.put("private", List.of(alone));
        for (int count = 1; count <= MOST; count *= 2) {
            arrangements.put("direct" + count, direct.subList(0, count));
            arrangements.put("served" + count, served.subList(0, count));
        }
        Map<String, List<Double>> slices = new LinkedHashMap<>();
        for (int round = -2; round < rounds; round++) { // the first two warm up
            for (Map.Entry<String, List<Child>> arrangement : arrangements.entrySet()) {
                for (double share : new double[] {0, updates}) {
                    double rate = run(arrangement.getValue(), share);
                    if (round >= 0) {
                        slices.computeIfAbsent(
                                        arrangement.getKey() + (share == 0 ? "Gets" : ""), k -> new ArrayList<>())
                                .add(rate);
                    }
                }
            }
        }
        Map<String, Object> figures = new LinkedHashMap<>();
        slices.forEach((name, rates) -> figures.put(name, median(rates)));
        figures.put("directToPrivate", ratio(slices, "direct1Gets", "privateGets"));
        figures.put("directToServed", ratio(slices, "direct1Gets", "served1Gets"));
        figures.put("direct2ToServed2", ratio(slices, "direct2", "served2"));
        figures.put("direct4ToServed4", ratio(slices, "direct4", "served4"));
        figures.put("privateHugeShare", hugeShare(alone, "AnonHugePages:"));
        figures.put("directHugeShare", hugeShare(direct.getFirst(), "ShmemPmdMapped:"));
        return figures;
    }

    /** The longest operation of this process around the death of another one, which leads or not. */
    private Map<String, Object> kill(Registry registry, Path directory) throws IOException {
        List<Double> leaders = new ArrayList<>();
        List<Double> followers = new ArrayList<>();
        for (int i = 0; i < kills; i++) {
            // who comes first leads
            try (Child leader = start(new ArrayList<>(), "direct", directory)) {
                leader.awaitReady();
                try (Store own = Store.attach(registry, SharedStoreProcess.STORE)) {
                    leaders.add(stallMillis(own, leader));
                }
            }
            try (Store own = Store.attach(registry, SharedStoreProcess.STORE);
                    Child follower = start(new ArrayList<>(), "direct", directory)) {
                follower.awaitReady();
                followers.add(stallMillis(own, follower));
            }
        }
        Map<String, Object> figures = new LinkedHashMap<>();
        if (kills > 0) {
            figures.put("leaderKilledStallMillis", median(leaders));
            figures.put("leaderKilledWorstStallMillis", Collections.max(leaders));
            figures.put("followerKilledStallMillis", median(followers));
            figures.put("followerKilledWorstStallMillis", Collections.max(followers));
        }
        return figures;
    }

    private double stallMillis(Store own, Child victim) {
        victim.to().println("30 0.5");
        SplittableRandom random = new SplittableRandom(victim.process().pid());
        byte[] value = new byte[valueBytes];
        long start = System.nanoTime();
        long longest = 0;
        long now = start;
        while (now - start < BEFORE_KILL_NANOS + AFTER_KILL_NANOS) {
            long before = System.nanoTime();
            if (now - start > BEFORE_KILL_NANOS && victim.process().isAlive()) {
                victim.process().destroyForcibly();
            }
            own.put(SharedStoreProcess.name(random.nextInt(keys)), value);
            now = System.nanoTime();
            longest = now - start > BEFORE_KILL_NANOS ? Math.max(longest, now - before) : 0;
        }
        return longest / 1e6;
    }

    private Child start(List<Child> children, String role, Path directory) throws IOException {
        List<String> command = OwnJvm.command(SharedStoreProcess.class, "-Xmx256m", "-XX:+UseSerialGC");
        command.addAll(List.of(
                role,
                directory.resolve("registry").toString(),
                directory.resolve("socket").toString(),
                Integer.toString(keys),
                Integer.toString(valueBytes),
                Integer.toString(capacityMib),
                Boolean.toString(hugePages)));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        Child child = new Child(
                process,
                new PrintWriter(process.outputWriter(StandardCharsets.UTF_8), true),
                process.inputReader(StandardCharsets.UTF_8));
        children.add(child);
        return child;
    }

    /** Operations per second of all of them together. */
    private double run(List<Child> workers, double share) {
        workers.forEach(worker -> worker.to().println(seconds + " " + share));
        double sum = 0;
        for (Child worker : workers) {
            sum += Double.parseDouble(worker.line());
        }
        return sum;
    }

    private static double median(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return sorted[sorted.length / 2];
    }

    /** The median of the rounds' ratios. */
    private static double ratio(Map<String, List<Double>> slices, String above, String below) {
        List<Double> ratios = new ArrayList<>();
        List<Double> first = slices.getOrDefault(above, List.of());
        List<Double> second = slices.getOrDefault(below, List.of());
        for (int i = 0; i < first.size(); i++) {
            ratios.add(first.get(i) / second.get(i));
        }
        return median(ratios);
    }

    private double hugeShare(Child child, String field) throws IOException {
        long kib = Files.readAllLines(Path.of("/proc/" + child.process().pid() + "/smaps_rollup")).stream()
                .filter(line -> line.startsWith(field))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .sum();
        return Math.min(1, kib / 1024.0 / capacityMib);
    }

    private static void delete(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toArray(Path[]::new)) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
