package io.loam.heap;

import io.loam.memory.persistence.PersistentMemory;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Counts over the runs. */
final class StatsReader {

    private final PersistentMemory memory;
    private final Geometry geometry;
    private final Blocks blocks;
    private final Space space;

    StatsReader(PersistentMemory memory, Geometry geometry, Blocks blocks, Space space) {
        this.memory = memory;
        this.geometry = geometry;
        this.blocks = blocks;
        this.space = space;
    }

    private record Key(int type, long slotBytes) {}

    private static final class Sum {
        long runs;
        long superblocks;
        long slots;
        long used;
        String type = "";
    }

    HeapStats read() {
        Map<Key, Sum> sums = new TreeMap<>(Comparator.comparingInt(Key::type).thenComparingLong(Key::slotBytes));
        long live = 0;
        long objects = 0;
        long superblocks = 0;
        long resting = 0;
        for (Run run : blocks.all()) {
            byte[] states = blocks.states(run);
            long used = run.used();
            Sum sum = sums.computeIfAbsent(
                    new Key(run.type.id(), run.bin == null ? 0 : run.slotBytes), ignored -> new Sum());
            sum.type = run.type.name();
            sum.runs++;
            sum.superblocks += run.superblocks;
            sum.slots += run.slots;
            sum.used += used;
            live += used * run.slotBytes;
            objects += used;
            superblocks += run.superblocks;
            for (byte state : states) {
                resting += state == Run.RESTING ? run.slotBytes : 0;
            }
        }
        List<HeapStats.ClassStats> classes = new ArrayList<>();
        sums.forEach((key, sum) -> classes.add(
                new HeapStats.ClassStats(sum.type, key.slotBytes, sum.runs, sum.superblocks, sum.slots, sum.used)));
        long runBytes = superblocks << geometry.shift();
        return new HeapStats(
                geometry.maximumBytes(),
                memory.bytes(),
                geometry.offset(geometry.firstSuperblock()),
                (long) space.free() << geometry.shift(),
                runBytes,
                live,
                runBytes - live,
                resting,
                objects,
                (long) space.largestPossible() << geometry.shift(),
                classes);
    }
}
