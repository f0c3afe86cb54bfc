package io.loam.heap;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/** Lists of nodes under roots, large objects, multi-word updates, roots and types that come and go, collections, closing. */
final class ObjectsScenario implements CrashScenario {

    private static final StructLayout NODE = MemoryLayout.structLayout(
            ValueLayout.JAVA_LONG.withName("next"),
            ValueLayout.JAVA_LONG.withName("value"),
            MemoryLayout.sequenceLayout(10, ValueLayout.JAVA_LONG));
    private static final ObjectLayout NODE_LAYOUT = ObjectLayout.of("node", NODE, "next");
    private static final int CELLS = 40;

    @Override
    public String name() {
        return "objects";
    }

    @Override
    public HeapOptions options() {
        return SmallHeap.OPTIONS;
    }

    @Override
    public void prepare(PersistentHeap heap) {
        heap.root("list", heap.type(NODE_LAYOUT));
        Root cells = heap.root("cells", heap.bytes());
        cells.set(heap.allocate(heap.bytes(), CELLS * 64L, memory -> {
            memory.fill((byte) 0);
            memory.set(ValueLayout.JAVA_LONG, 0, 1000);
        }));
    }

    private static Root root(PersistentHeap heap, String name) {
        Root root = heap.findRoot(name);
        if (root == null) {
            throw new AssertionError("no root " + name);
        }
        return root;
    }

    @Override
    public PersistentHeap step(PersistentHeap heap, RandomGenerator random, Reopening reopening) {
        switch (random.nextInt(16)) {
            case 0, 1, 2 -> push(heap, random.nextInt(1, 1000));
            case 3 -> pop(heap);
            case 4, 5 -> transfer(heap, random, false);
            case 6 -> transfer(heap, random, true);
            case 7 -> large(heap, random);
            case 8 -> name(heap, random);
            case 9 -> {
                heap.allocate(random.nextInt(1, 3000));
                if (random.nextBoolean()) {
                    heap.collect();
                }
            }
            case 10 -> group(heap, random);
            case 11, 12 -> byAnotherThread(heap, random);
            case 13 -> garbage(heap, random);
            case 14 -> heap.type(ObjectLayout.references("references" + random.nextInt(8)));
            default -> {
                heap.close();
                return reopening.reopen();
            }
        }
        return heap;
    }

    private static void group(PersistentHeap heap, RandomGenerator random) {
        long cell = root(heap, "cells").get() + random.nextInt(CELLS) * 64L;
        heap.putLong(cell, heap.getLong(cell) + 1);
        HeapGroup group = heap.group();
        group.add(cell, 8);
        try {
            if (!group.seal().await(1, TimeUnit.MINUTES)) {
                throw new AssertionError("the group is not durable");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** What one thread carves or clears another relies on: what a thread has flushed, only its own fence makes durable. */
    private static void byAnotherThread(PersistentHeap heap, RandomGenerator random) {
        int bytes = random.nextInt(8, 5000);
        long[] made = new long[1];
        join(Thread.ofPlatform().start(() -> made[0] = heap.allocate(heap.bytes(), bytes)));
        heap.put(made[0], new byte[bytes]);
        heap.view(made[0]).asSlice(0, bytes).fill((byte) bytes);
        heap.putInt(made[0], bytes);
        heap.persist(made[0], bytes);
        Root root = heap.root("other", heap.bytes());
        long old = root.get();
        root.set(made[0]);
        if (old != 0) {
            join(Thread.ofPlatform().start(() -> heap.free(old)));
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Runs of small and large objects that are collected together, so that others of other lengths take their places. */
    private static void garbage(PersistentHeap heap, RandomGenerator random) {
        try (HeapSession session = heap.session()) {
            for (int i = random.nextInt(12); i >= 0; i--) {
                heap.allocate(heap.bytes(), random.nextInt(1, random.nextInt(10, 20_000)));
            }
        } catch (HeapFullException e) {
            // then there is less of it
        }
        heap.collect();
    }

    private static void push(PersistentHeap heap, int value) {
        HeapType node = heap.type(NODE_LAYOUT);
        Root list = root(heap, "list");
        list.set(heap.allocate(node, memory -> {
            memory.set(ValueLayout.JAVA_LONG, 0, list.get());
            memory.set(ValueLayout.JAVA_LONG, 8, value);
            memory.set(ValueLayout.JAVA_LONG, 88, value);
        }));
    }

    private static void pop(PersistentHeap heap) {
        Root list = root(heap, "list");
        long first = list.get();
        if (first != 0) {
            list.set(heap.getReference(first));
            heap.free(first);
        }
    }

    /** Some cells change together: their sum stays. One way the body throws, and nothing changes. */
    private static void transfer(PersistentHeap heap, RandomGenerator random, boolean throwing) {
        long cells = root(heap, "cells").get();
        int[] chosen = random.ints(random.nextInt(2, 14), 0, CELLS).toArray();
        try {
            heap.atomic(() -> {
                for (int i = 1; i < chosen.length; i++) {
                    long from = cells + chosen[i - 1] * 64L;
                    long to = cells + chosen[i] * 64L;
                    heap.putLong(from, heap.getLong(from) - 1);
                    heap.putLong(to, heap.getLong(to) + 1);
                }
                if (throwing) {
                    throw new IllegalStateException("undo this");
                }
                push(heap, 7);
            });
        } catch (IllegalStateException expected) {
            if (!throwing) {
                throw expected;
            }
        }
    }

    private static void large(PersistentHeap heap, RandomGenerator random) {
        Root large = heap.root("large", heap.bytes());
        long old = large.get();
        if (old != 0) {
            large.set(0);
            heap.free(old);
        } else {
            int bytes = random.nextInt(10_000, 36_000);
            large.set(heap.allocate(heap.bytes(), bytes, memory -> {
                memory.fill((byte) bytes);
                memory.set(ValueLayout.JAVA_INT, 0, bytes);
            }));
        }
    }

    private static void name(PersistentHeap heap, RandomGenerator random) {
        // long enough to lie in two lines
        String name = "name" + random.nextInt(2) + "-".repeat(70);
        Root known = heap.findRoot(name);
        if (known != null) {
            heap.removeRoot(known);
        } else {
            heap.root(name, random.nextBoolean() ? heap.bytes() : heap.opaque());
        }
    }

    @Override
    public Object state(PersistentHeap heap) {
        var state = new TreeMap<String, Object>();
        for (Root root : heap.allRoots()) {
            long offset = root.get();
            switch (root.name()) {
                case "list" -> state.put("list", list(heap, offset));
                case "cells" -> state.put("cells", cells(heap, offset));
                case "other" -> state.put("other", offset == 0 ? "none" : "of " + large(heap, offset));
                case "large" -> state.put("large", offset == 0 ? "none" : "of " + large(heap, offset));
                default -> state.put(root.name(), root.type().name());
            }
        }
        // an empty root and none are one state to the user
        state.putIfAbsent("large", "none");
        state.putIfAbsent("other", "none");
        state.put("types", heap.types().stream().map(HeapType::name).sorted().toList());
        return state;
    }

    private static List<Long> list(PersistentHeap heap, long first) {
        var values = new ArrayList<Long>();
        for (long at = first; at != 0; at = heap.getReference(at)) {
            if (heap.getLong(at + 8) != heap.getLong(at + 88)) {
                throw new AssertionError("torn node");
            }
            values.add(heap.getLong(at + 8));
        }
        return values;
    }

    private static List<Long> cells(PersistentHeap heap, long cells) {
        var values = new ArrayList<Long>();
        for (int i = 0; i < CELLS; i++) {
            values.add(heap.getLong(cells + i * 64L));
        }
        return values;
    }

    private static int large(PersistentHeap heap, long offset) {
        int bytes = heap.getInt(offset);
        for (int i = 4; i < bytes; i++) {
            if (heap.getByte(offset + i) != (byte) bytes) {
                throw new AssertionError("torn large object");
            }
        }
        return bytes;
    }
}
