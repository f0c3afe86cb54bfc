package io.loam.bench.space;

import io.loam.memory.Membarrier;
import io.loam.memory.RawMemory;
import io.loam.memory.Reservation;
import io.loam.memory.SharedFile;
import io.loam.memory.SharedRange;
import io.loam.memory.region.Access;
import io.loam.memory.region.Region;
import io.loam.memory.region.RegionOptions;
import io.loam.memory.region.Registry;
import io.loam.memory.space.AddressSpaces;
import io.loam.memory.space.Attachment;
import io.loam.memory.space.Context;
import io.loam.memory.space.Switch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** The paper's Table 6 for this machine, in nanoseconds: what a switch costs, and what the kernel's means cost. */
public final class SwitchCosts {

    private static final long MIB = 1L << 20;
    private static final int[] REGION_COUNTS = {1, 4, 16};
    private static final int NODES = 1 << 14;
    private static final int NODE_BYTES = 64;

    private final double seconds;
    private final int slices;
    private final long seed;
    private final Path parent;

    /**
     * @param seconds for each figure, and as long again to warm up
     * @param slices of which the median counts
     * @param parent where files may be put, on tmpfs
     */
    public SwitchCosts(double seconds, int slices, long seed, Path parent) {
        this.seconds = seconds;
        this.slices = slices;
        this.seed = seed;
        this.parent = parent;
    }

    public Map<String, Object> measure() {
        Map<String, Object> figures = new LinkedHashMap<>();
        try (ScratchRegistry scratch = new ScratchRegistry(parent)) {
            Registry registry = scratch.registry();
            AddressSpaces spaces = AddressSpaces.of(registry);
            for (int i = 0; i < 16; i++) {
                registry.regions().create("plain" + i, RegionOptions.of(MIB));
                registry.regions().create("locked" + i, RegionOptions.of(MIB).withLock());
            }
            registry.regions().create("large", RegionOptions.of(64 * MIB));
            for (String name : new String[] {"a", "b"}) {
                define(spaces, name, "plain", 1, Access.WRITE);
                define(spaces, name + "-shared", "locked", 1, Access.READ);
                define(spaces, name + "-exclusive", "locked", 1, Access.WRITE);
                define(spaces, name + "-shared16", "locked", 16, Access.READ);
            }
            switches(figures, spaces);
            dereferences(figures, registry, spaces);
            attaching(figures, spaces);
            kernel(figures, registry);
            recovery(figures, registry, spaces);
        }
        return figures;
    }

    private static void define(AddressSpaces spaces, String name, String regions, int count, Access access) {
        spaces.create(name, 0600);
        for (int i = 0; i < count; i++) {
            spaces.add(name, regions + i, access, false);
        }
    }

    private void switches(Map<String, Object> figures, AddressSpaces spaces) {
        Context context = Context.current();
        try (Attachment a = spaces.attach("a");
                Attachment b = spaces.attach("b");
                Attachment sharedA = spaces.attach("a-shared");
                Attachment sharedB = spaces.attach("b-shared");
                Attachment exclusiveA = spaces.attach("a-exclusive");
                Attachment exclusiveB = spaces.attach("b-exclusive");
                Attachment manyA = spaces.attach("a-shared16");
                Attachment manyB = spaces.attach("b-shared16")) {
            figures.put("switchNanos", switching(context, a, b));
            figures.put("switchThreadLocalNanos", time(count -> {
                for (int i = 0; i < count; i++) {
                    try (Switch in = Context.current().enter((i & 1) == 0 ? a : b)) {
                        // the switch is what is measured
                    }
                }
                return 0;
            }));
            figures.put("switchSharedLockNanos", switching(context, sharedA, sharedB));
            figures.put("switchExclusiveLockNanos", switching(context, exclusiveA, exclusiveB));
            figures.put("switch16SharedLocksNanos", switching(context, manyA, manyB));
        }
    }

    /** Into one of two spaces in turn, and out again. */
    private double switching(Context context, Attachment a, Attachment b) {
        return time(count -> {
            for (int i = 0; i < count; i++) {
                try (Switch in = context.enter((i & 1) == 0 ? a : b)) {
                    // the switch is what is measured
                }
            }
            return 0;
        });
    }

    private double time(Timing.Loop loop) {
        return Timing.nanosEach(seconds, slices, loop);
    }

    /** A chase along a ring of pointers in random order, checked and bare, over as many bytes whatever the number of regions. */
    private void dereferences(Map<String, Object> figures, Registry registry, AddressSpaces spaces) {
        RawMemory memory = RawMemory.ofProcess();
        Context context = Context.current();
        for (int regions : REGION_COUNTS) {
            String name = "chase" + regions;
            define(spaces, name, "plain", regions, Access.WRITE);
            try (Attachment attachment = spaces.attach(name);
                    Switch in = context.enter(attachment)) {
                long first = ring(context, registry, regions);
                List<Double> bare = new ArrayList<>();
                List<Double> checked = new ArrayList<>();
                for (int round = 0; round < 5; round++) {
                    bare.add(time(count -> {
                        long pointer = first;
                        for (int i = 0; i < count; i++) {
                            pointer = memory.getLong(pointer);
                        }
                        return pointer;
                    }));
                    checked.add(time(count -> {
                        long pointer = first;
                        for (int i = 0; i < count; i++) {
                            pointer = context.getLong(pointer);
                        }
                        return pointer;
                    }));
                }
                Collections.sort(bare);
                Collections.sort(checked);
                figures.put("chaseBare" + regions + "RegionsNanos", bare.get(2));
                figures.put("chaseChecked" + regions + "RegionsNanos", checked.get(2));
                figures.put("chaseRatio" + regions + "Regions", checked.get(2) / bare.get(2));
            }
        }
    }

    private long ring(Context context, Registry registry, int regions) {
        List<Region> places = new ArrayList<>();
        for (int i = 0; i < regions; i++) {
            places.add(registry.regions().get("plain" + i));
        }
        List<Long> nodes = new ArrayList<>();
        for (int i = 0; i < NODES; i++) {
            nodes.add(places.get(i % regions).base() + (long) (i / regions) * NODE_BYTES);
        }
        Collections.shuffle(nodes, new Random(seed));
        for (int i = 0; i < NODES; i++) {
            context.putLong(nodes.get(i), nodes.get((i + 1) % NODES));
        }
        return nodes.getFirst();
    }

    private void attaching(Map<String, Object> figures, AddressSpaces spaces) {
        spaces.create("large", 0600);
        spaces.add("large", "large", Access.WRITE, false);
        define(spaces, "sixteen", "plain", 16, Access.WRITE);
        figures.put("attachNanos", attaching(spaces, "large"));
        figures.put("attach16RegionsNanos", attaching(spaces, "sixteen"));
    }

    private double attaching(AddressSpaces spaces, String name) {
        return time(count -> {
            for (int i = 0; i < count; i++) {
                spaces.attach(name).close();
            }
            return 0;
        });
    }

    private void kernel(Map<String, Object> figures, Registry registry) {
        figures.put("systemCallNanos", time(count -> {
            int supported = 0;
            for (int i = 0; i < count; i++) {
                supported += Membarrier.isSupported() ? 1 : 0;
            }
            return supported;
        }));
        try (SharedFile file = SharedFile.open(registry.regions().get("large").file(), true)) {
            figures.put("mapUnmapNanos", time(count -> {
                for (int i = 0; i < count; i++) {
                    file.map(SharedRange.BASES_END - Region.GRANULE_BYTES, 64 * MIB, true)
                            .close();
                }
                return 0;
            }));
        }
        figures.put("protect64MibNanos", protect());
        figures.put("processSwitchNanos", processSwitch());
    }

    /** Taking the right to write away from 64 MiB of present 4 KiB pages; giving it back costs about as much again. */
    private double protect() {
        List<Double> each = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            try (Reservation reservation = Reservation.reserve(64 * MIB, 2 * MIB)) {
                reservation.adviseHugePages(0, 64 * MIB, false);
                reservation.populate(0, 64 * MIB);
                long start = System.nanoTime();
                reservation.protectReadOnly();
                each.add((double) (System.nanoTime() - start));
            }
        }
        Collections.sort(each);
        return each.get(3);
    }

    /** From the kill of a process that is inside a space for writing to its lock's next holder, who is told. */
    private static void recovery(Map<String, Object> figures, Registry registry, AddressSpaces spaces) {
        List<Double> millis = new ArrayList<>();
        Context context = Context.current();
        try (Attachment attachment = spaces.attach("a-exclusive")) {
            for (int i = 0; i < 5; i++) {
                try (ChildProcess holder = ChildProcess.start(
                        LockHolder.class, registry.directory().toString(), "a-exclusive")) {
                    int ignored = holder.receive();
                    long start = System.nanoTime();
                    holder.kill();
                    try (Switch in = context.enter(attachment)) {
                        millis.add((System.nanoTime() - start) / 1e6);
                        if (in.ownersDied().isEmpty()) {
                            throw new IllegalStateException("a death was not reported");
                        }
                    }
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        }
        Collections.sort(millis);
        figures.put("recoveryMillis", millis.get(2));
        figures.put("recoveryWorstMillis", millis.getLast());
    }

    /** Half the way of a byte to another process and back by pipes. */
    private double processSwitch() {
        try (ChildProcess echo = ChildProcess.start(Echo.class)) {
            return time(count -> {
                        for (int i = 0; i < count; i++) {
                            echo.send(1);
                            int ignored = echo.receive();
                        }
                        return 0;
                    })
                    / 2;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
