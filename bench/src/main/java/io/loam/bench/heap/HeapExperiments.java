package io.loam.bench.heap;

import io.loam.heap.CompactionReport;
import io.loam.heap.HeapOptions;
import io.loam.heap.HeapStats;
import io.loam.heap.HeapType;
import io.loam.heap.ObjectLayout;
import io.loam.heap.PersistentHeap;
import io.loam.heap.Root;
import io.loam.heap.structure.HeapCodec;
import io.loam.heap.structure.PersistentMap;
import io.loam.memory.persistence.Durability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.LongAdder;

/** What only a persistent heap does. Each gives figures by name. */
final class HeapExperiments {

    static final List<String> NAMES = List.of("recovery", "open", "fragmentation", "wear", "map");

    private static final int OBJECT_BYTES = 64;

    private final Path file;
    private final int threads;
    private final long bytes;
    private final long seed;

    HeapExperiments(Path directory, int threads, long bytes, long seed) {
        this.file = directory.resolve("loam-bench-" + ProcessHandle.current().pid() + ".heap");
        this.threads = threads;
        this.bytes = bytes;
        this.seed = seed;
    }

    Map<String, Double> run(String name) throws IOException {
        try {
            return switch (name) {
                case "recovery" -> recovery();
                case "open" -> open();
                case "fragmentation" -> fragmentation();
                case "wear" -> wear();
                case "map" -> map();
                default -> throw new IllegalArgumentException("workload '" + name + "'; allowed: " + NAMES);
            };
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private HeapOptions options() {
        return HeapOptions.defaults()
                .withDurability(Durability.NONE)
                .withSize(64L << 20, Math.max(1L << 30, bytes * 4))
                .withMarkers(threads);
    }

    /** A wide graph of so many bytes: tables of references to objects of 64 bytes that have one reference each. */
    private static long fill(PersistentHeap heap, long bytes) {
        HeapType tables = heap.type(ObjectLayout.references("bench.table"));
        HeapType objects = heap.type(new ObjectLayout("bench.object", 0, OBJECT_BYTES, new long[] {1}, 0, new long[0]));
        Root root = heap.root("tables", tables);
        int perTable = 4096;
        int count = (int) Math.max(1, bytes / OBJECT_BYTES / perTable);
        long top = heap.allocate(tables, count * 8L);
        root.set(top);
        for (int t = 0; t < count; t++) {
            long table = heap.allocate(tables, perTable * 8L);
            heap.setReference(top + t * 8L, table);
            for (int i = 0; i < perTable; i++) {
                heap.setReference(table + i * 8L, heap.allocate(objects));
            }
        }
        return (long) count * (perTable + 1) + 1;
    }

    /** How long recovery takes, by live bytes: a sixteenth of them, a quarter, all. */
    private Map<String, Double> recovery() throws IOException {
        Map<String, Double> figures = new LinkedHashMap<>();
        figures.put("recoveryMillisOfASixteenth", recover(bytes / 16).seconds * 1e3);
        figures.put("recoveryMillisOfAQuarter", recover(bytes / 4).seconds * 1e3);
        Recovered recovered = recover(bytes);
        figures.put("recoveryMillis", recovered.seconds * 1e3);
        figures.put("objects", (double) recovered.objects);
        figures.put("markedPerSecond", recovered.objects / recovered.seconds);
        figures.put("markedPerSecondPerThread", recovered.objects / recovered.seconds / threads);
        return figures;
    }

    private record Recovered(long objects, double seconds) {}

    /** The heap's file is copied while it is open, which is what a crash of the process leaves. */
    private Recovered recover(long liveBytes) throws IOException {
        Path crashed = file.resolveSibling(file.getFileName() + ".crashed");
        long objects;
        try (PersistentHeap heap = PersistentHeap.create(file, options())) {
            objects = fill(heap, liveBytes);
            Files.copy(file, crashed);
        }
        Files.delete(file);
        double[] seconds = new double[5];
        for (int round = 0; round < seconds.length; round++) {
            Path again = file.resolveSibling(file.getFileName() + ".again");
            Files.copy(crashed, again);
            try (PersistentHeap heap = PersistentHeap.open(again, options())) {
                if (heap.recovery().objects() != objects) {
                    throw new IllegalStateException(heap.recovery().objects() + " objects were found, not " + objects);
                }
                seconds[round] = heap.recovery().nanos() / 1e9;
            } finally {
                Files.delete(again);
            }
        }
        Files.delete(crashed);
        Arrays.sort(seconds);
        return new Recovered(objects, seconds[seconds.length / 2]);
    }

    private Map<String, Double> open() {
        HeapOptions options = options();
        long fileBytes;
        try (PersistentHeap heap = PersistentHeap.create(file, options.withSize(bytes, bytes * 2))) {
            fill(heap, bytes);
            fileBytes = heap.stats().fileBytes();
        }
        double[] millis = new double[7];
        for (int i = 0; i < millis.length; i++) {
            long begin = System.nanoTime();
            PersistentHeap heap = PersistentHeap.open(file, options);
            heap.allocate(heap.bytes(), OBJECT_BYTES);
            millis[i] = (System.nanoTime() - begin) / 1e6;
            heap.close();
        }
        double first = millis[0];
        Arrays.sort(millis);
        return Map.of(
                "fileBytes", (double) fileBytes, "openMillis", millis[millis.length / 2], "firstOpenMillis", first);
    }

    /** Fills with one range of sizes, deletes nine in ten, fills up with another range; several times. */
    private Map<String, Double> fragmentation() {
        Map<String, Double> figures = new LinkedHashMap<>();
        int[][] ranges = {{64, 160}, {200, 400}, {600, 1200}, {100, 3000}, {64, 160}};
        var random = new SplittableRandom(seed);
        try (PersistentHeap heap = PersistentHeap.create(file, options())) {
            HeapType tables = heap.type(ObjectLayout.references("bench.table"));
            int slots = (int) (bytes / 64);
            long table = heap.allocate(tables, slots * 8L);
            heap.root("table", tables).set(table);
            long[] sizes = new long[slots];
            long live = 0;
            int used = 0;
            for (int[] range : ranges) {
                for (int i = 0; i < used; i++) {
                    if (random.nextInt(10) != 0 && sizes[i] != 0) {
                        long object = heap.getReference(table + i * 8L);
                        heap.setReference(table + i * 8L, 0);
                        heap.free(object);
                        live -= sizes[i];
                        sizes[i] = 0;
                    }
                }
                int slot = 0;
                while (live < bytes / 2) {
                    while (sizes[slot] != 0) {
                        slot++;
                    }
                    int size = random.nextInt(range[0], range[1]);
                    long object = heap.allocate(heap.bytes(), size);
                    heap.setReference(table + slot * 8L, object);
                    heap.settle(object);
                    sizes[slot] = size;
                    live += size;
                    used = Math.max(used, slot + 1);
                }
            }
            HeapStats before = heap.stats();
            CompactionReport report = heap.compact();
            HeapStats after = heap.stats();
            if (!heap.check().isSound() || after.liveObjects() != before.liveObjects()) {
                throw new IllegalStateException("compaction lost something");
            }
            // the table of references is the workload's own, and not what moves
            long own = heap.sizeOf(table);
            figures.put("liveBytes", (double) live);
            figures.put("bytesPerLiveByteBefore", (before.runBytes() - own) / (double) live);
            figures.put("bytesPerLiveByte", (after.runBytes() - own) / (double) live);
            figures.put("runBytesPerSlotByte", (after.runBytes() - own) / (double) (after.liveBytes() - own));
            figures.put("moved", (double) report.moved());
            figures.put("compactionMillis", report.nanos() / 1e6);
        }
        return figures;
    }

    /** How unevenly allocations are spread over places, with and without rest: most for one place by the mean of those used. */
    private Map<String, Double> wear() throws IOException {
        Map<String, Double> figures = new LinkedHashMap<>();
        for (long millis : new long[] {0, 1, 10}) {
            figures.put("imbalanceRest" + millis + "ms", imbalance(millis));
        }
        return figures;
    }

    private double imbalance(long restMillis) throws IOException {
        Files.deleteIfExists(file);
        Map<Long, int[]> counts = new HashMap<>();
        long total = 0;
        var random = new SplittableRandom(seed);
        try (PersistentHeap heap = PersistentHeap.create(file, options().withRest(restMillis, 64L << 20))) {
            long[] objects = new long[1000];
            for (int i = 0; i < 3_000_000; i++) {
                int slot = random.nextInt(objects.length);
                if (objects[slot] != 0) {
                    heap.free(objects[slot]);
                }
                objects[slot] = heap.allocate(heap.bytes(), random.nextInt(64, 400));
                counts.computeIfAbsent(objects[slot], ignored -> new int[1])[0]++;
                total++;
            }
        }
        int most = counts.values().stream().mapToInt(count -> count[0]).max().orElse(0);
        return most / ((double) total / counts.size());
    }

    /** YCSB's workload A over a PersistentMap: half reads, half updates of 100 bytes, uniform keys. */
    private Map<String, Double> map() {
        int records = 100_000;
        try (PersistentHeap heap = PersistentHeap.create(file, options())) {
            PersistentMap<Long, byte[]> map = PersistentMap.open(heap, "map", HeapCodec.longs(), HeapCodec.bytes());
            for (long i = 0; i < records; i++) {
                map.put(i, new byte[100]);
            }
            double rate = 0;
            for (int round = 0; round < 3; round++) {
                rate = mapRound(map, records);
            }
            return Map.of("records", (double) records, "opsPerSecond", rate);
        }
    }

    private double mapRound(PersistentMap<Long, byte[]> map, int records) {
        var operations = new LongAdder();
        long end = System.nanoTime() + 2_000_000_000L;
        List<Thread> team = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            long mine = seed + t;
            team.add(Thread.ofPlatform().start(() -> {
                var random = new SplittableRandom(mine);
                byte[] value = new byte[100];
                while (System.nanoTime() < end) {
                    for (int i = 0; i < 100; i++) {
                        long key = random.nextInt(records);
                        if (random.nextBoolean()) {
                            byte[] found = map.get(key);
                            if (found == null || found.length != 100) {
                                throw new IllegalStateException("key " + key + " was lost");
                            }
                        } else {
                            map.put(key, value);
                        }
                    }
                    operations.add(100);
                }
            }));
        }
        team.forEach(HeapExperiments::join);
        return operations.sum() / 2.0;
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
