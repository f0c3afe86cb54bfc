package io.loam.bench.space;

import io.loam.memory.SharedFile;
import io.loam.memory.SharedMapping;
import io.loam.memory.region.Region;
import io.loam.memory.region.RegionOptions;
import io.loam.memory.region.Registry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What it costs to map memory that is there already, by size and page size (the paper's Figures 6 and 37), in microseconds. */
public final class MappingCosts {

    private final long largest;
    private final int rounds;
    private final Path parent;

    /**
     * @param largest sizes go from 1 MiB up to this by powers of 4
     * @param parent where files may be put, on tmpfs
     */
    public MappingCosts(long largest, int rounds, Path parent) {
        this.largest = largest;
        this.rounds = rounds;
        this.parent = parent;
    }

    /** A row for each size. */
    public List<Map<String, Object>> measure() {
        List<Map<String, Object>> rows = new ArrayList<>();
        for (long bytes = 1L << 20; bytes <= largest; bytes *= 4) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("MiB", bytes >> 20);
            try (ScratchRegistry scratch = new ScratchRegistry(parent)) {
                measure(scratch.registry(), bytes, false, row);
            }
            if (bytes >= 2L << 20) {
                try (ScratchRegistry scratch = new ScratchRegistry(parent)) {
                    measure(scratch.registry(), bytes, true, row);
                }
            }
            rows.add(row);
        }
        return rows;
    }

    private void measure(Registry registry, long bytes, boolean huge, Map<String, Object> row) {
        RegionOptions options = RegionOptions.of(bytes);
        Region region = registry.regions().create("mapped", huge ? options.withHugePages() : options);
        String pages = huge ? "2MiB" : "4KiB";
        List<Double> lazy = new ArrayList<>();
        List<Double> whole = new ArrayList<>();
        List<Double> unmap = new ArrayList<>();
        double hugeShare = 0;
        try (SharedFile file = SharedFile.open(region.file(), true)) {
            for (int round = -1; round < rounds; round++) {
                long start = System.nanoTime();
                SharedMapping mapping = file.map(region.base(), bytes, true);
                long mapped = System.nanoTime();
                boolean populated = mapping.populate(bytes);
                long present = System.nanoTime();
                if (!populated) {
                    throw new IllegalStateException("the kernel can't make " + bytes + " bytes present");
                }
                if (round < 0) {
                    hugeShare = (double) mapping.hugePageBytes() / bytes;
                }
                long before = System.nanoTime();
                mapping.close();
                if (round >= 0) {
                    lazy.add((mapped - start) / 1e3);
                    whole.add((present - start) / 1e3);
                    unmap.add((System.nanoTime() - before) / 1e3);
                }
            }
        }
        row.put("map" + pages + "Micros", median(whole));
        row.put("unmap" + pages + "Micros", median(unmap));
        row.put("lazyMap" + pages + "Micros", median(lazy));
        if (huge) {
            row.put("hugeShare", hugeShare);
        }
    }

    private static double median(List<Double> values) {
        Collections.sort(values);
        return values.get(values.size() / 2);
    }
}
