package io.loam.bench.space;

import io.loam.memory.RawMemory;
import io.loam.memory.SharedFile;
import io.loam.memory.SharedMapping;
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
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Random updates of a table that is split into windows: a set of updates in one window, then a random other window (the paper's Figures 48 and 49). Three ways to get at a window:
 * switch into its address space, remap, or ask a process that has it mapped. At the end each window is compared with what its updates make of it.
 */
public final class Gups implements AutoCloseable {

    /** How a window is got at. */
    public enum Way {
        SPACES,
        MAP,
        PROCESSES
    }

    private final int windowCount;
    private final int setSize;
    private final long windowBytes;
    private final SplittableRandom random;
    private final ScratchRegistry scratch;
    private final Registry registry;
    private final List<Region> windows = new ArrayList<>();
    /** For each window, all values that it was updated with, by exclusive or: the same over the window's words. */
    private final long[] expected;

    private final List<Attachment> attachments = new ArrayList<>();
    private final List<SharedFile> files = new ArrayList<>();
    private final List<ChildProcess> processes = new ArrayList<>();
    private final long[] indices;
    private final long[] values;

    public Gups(
            int windowCount, int setSize, long windowBytes, boolean hugePages, boolean locked, long seed, Path parent) {
        this.windowCount = windowCount;
        this.setSize = setSize;
        this.windowBytes = windowBytes;
        this.random = new SplittableRandom(seed);
        this.scratch = new ScratchRegistry(parent);
        this.registry = scratch.registry();
        this.expected = new long[windowCount];
        this.indices = new long[setSize];
        this.values = new long[setSize];
        AddressSpaces spaces = AddressSpaces.of(registry);
        for (int i = 0; i < windowCount; i++) {
            RegionOptions options = RegionOptions.of(windowBytes);
            options = hugePages ? options.withHugePages() : options;
            Region region = registry.regions().create("window" + i, locked ? options.withLock() : options);
            windows.add(region);
            spaces.create("space" + i, 0600);
            spaces.add("space" + i, region.name(), Access.WRITE, false);
            files.add(SharedFile.open(region.file(), true));
        }
    }

    /** Updates for about so long; millions of updates per second. */
    public double measure(Way way, double seconds) {
        prepare(way);
        long updates = 0;
        long start = System.nanoTime();
        long end = start + (long) (seconds * 1e9);
        int batch = way == Way.SPACES ? 256 : 4;
        while (System.nanoTime() < end) {
            for (int i = 0; i < batch; i++) {
                update(way);
            }
            updates += (long) batch * setSize;
        }
        return updates * 1e3 / (System.nanoTime() - start);
    }

    private void prepare(Way way) {
        if (way != Way.SPACES) {
            attachments.forEach(Attachment::close);
            attachments.clear();
        } else if (attachments.isEmpty()) {
            AddressSpaces spaces = AddressSpaces.of(registry);
            for (int i = 0; i < windowCount; i++) {
                attachments.add(spaces.attach("space" + i));
            }
        }
        if (way == Way.PROCESSES && processes.isEmpty()) {
            try {
                for (Region window : windows) {
                    processes.add(ChildProcess.start(
                            GupsProcess.class, registry.directory().toString(), window.name(), "" + setSize));
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            processes.forEach(ChildProcess::receive);
        }
    }

    private void update(Way way) {
        int window = random.nextInt(windowCount);
        long folded = 0;
        for (int i = 0; i < setSize; i++) {
            indices[i] = random.nextLong(windowBytes >>> 3);
            values[i] = random.nextLong();
            folded ^= values[i];
        }
        expected[window] ^= folded;
        switch (way) {
            case SPACES -> inSpace(window);
            case MAP -> remapped(window);
            case PROCESSES -> byProcess(window);
        }
    }

    private void inSpace(int window) {
        Context context = Context.current();
        long base = windows.get(window).base();
        try (Switch in = context.enter(attachments.get(window))) {
            for (int i = 0; i < setSize; i++) {
                long pointer = base + (indices[i] << 3);
                context.putLong(pointer, context.getLong(pointer) ^ values[i]);
            }
        }
    }

    private void remapped(int window) {
        RawMemory memory = RawMemory.ofProcess();
        try (SharedMapping mapping = files.get(window).map(windows.getFirst().base(), windowBytes, true)) {
            for (int i = 0; i < setSize; i++) {
                long address = mapping.address() + (indices[i] << 3);
                memory.putLong(address, memory.getLong(address) ^ values[i]);
            }
        }
    }

    private void byProcess(int window) {
        ByteBuffer set = ByteBuffer.allocate(16 * setSize).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < setSize; i++) {
            set.putLong(indices[i]).putLong(values[i]);
        }
        processes.get(window).send(set);
        int ignored = processes.get(window).receive();
    }

    /** Whether every window holds what its updates make of it. */
    public boolean isRight() {
        prepare(Way.SPACES);
        Context context = Context.current();
        for (int i = 0; i < windowCount; i++) {
            long folded = 0;
            try (Switch in = context.enter(attachments.get(i))) {
                long base = windows.get(i).base();
                for (long offset = 0; offset < windowBytes; offset += 8) {
                    folded ^= context.getLong(base + offset);
                }
            }
            if (folded != expected[i]) {
                return false;
            }
        }
        return true;
    }

    /** What was asked, for the result. */
    public Map<String, Object> parameters() {
        Map<String, Object> parameters = new LinkedHashMap<>();
        parameters.put("windows", windowCount);
        parameters.put("updates", setSize);
        parameters.put("windowBytes", windowBytes);
        return parameters;
    }

    @Override
    public void close() {
        processes.forEach(ChildProcess::close);
        attachments.forEach(Attachment::close);
        files.forEach(SharedFile::close);
        scratch.close();
    }
}
