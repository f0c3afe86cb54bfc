package io.loam.bench.heap;

import io.loam.heap.HeapOptions;
import io.loam.memory.persistence.Durability;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Measures one workload on one allocator in this JVM, and prints a line {@code figure=value} for each figure; or {@code error=…}. */
public final class HeapWorker {

    private static final int PROTECT_MILLIS = 10;

    private HeapWorker() {}

    /** @param arguments allocator, workload, threads, seconds, warm-up seconds, directory, bytes, seed */
    public static void main(String[] arguments) {
        try {
            run(arguments).forEach((figure, value) -> System.out.println("figure " + figure + "=" + value));
        } catch (Throwable t) {
            Throwable cause = t instanceof ExceptionInInitializerError && t.getCause() != null ? t.getCause() : t;
            System.out.println("error " + String.valueOf(cause.getMessage()).replace('\n', ' '));
            System.exit(1);
        }
    }

    private static Map<String, Double> run(String[] arguments) throws Exception {
        String allocator = arguments[0];
        String workload = arguments[1];
        int threads = Integer.parseInt(arguments[2]);
        double seconds = Double.parseDouble(arguments[3]);
        double warmup = Double.parseDouble(arguments[4]);
        Path directory = Path.of(arguments[5]);
        long bytes = Long.parseLong(arguments[6]);
        long seed = Long.parseLong(arguments[7]);
        if (HeapExperiments.NAMES.contains(workload)) {
            return new HeapExperiments(directory, threads, bytes, seed).run(workload);
        }
        try (Allocator measured = open(allocator, directory)) {
            new ChurnWorkload(workload, measured, threads, seed).run(warmup);
            ChurnWorkload.Rate rate = new ChurnWorkload(workload, measured, threads, seed + 1).run(seconds);
            Map<String, Double> figures = new LinkedHashMap<>();
            figures.put("opsPerSecond", rate.perSecond());
            figures.put("opsPerCpuSecond", rate.perCpuSecond());
            return figures;
        }
    }

    private static Allocator open(String name, Path directory) {
        HeapOptions plain = HeapOptions.defaults().withDurability(Durability.NONE);
        return switch (name) {
            case "loam" -> new LoamAllocator(directory, plain);
            case "loam-msync" -> new LoamAllocator(directory, plain.withDurability(Durability.MSYNC));
            case "loam-checked" -> new LoamAllocator(directory, plain.withChecks(true));
            case "loam-protected" -> new LoamAllocator(directory, plain.withProtection(PROTECT_MILLIS));
            case "glibc" -> new MallocAllocator.Glibc();
            case "jemalloc" -> new MallocAllocator.Jemalloc();
            case "jemalloc-critical" -> new MallocAllocator.JemallocCritical();
            case "pmemobj" -> new PmemobjAllocator(directory);
            default -> throw new IllegalArgumentException("allocator '" + name + "'");
        };
    }
}
