package io.loam.heap.structure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.heap.HeapOptions;
import io.loam.heap.PersistentHeap;
import io.loam.heap.Root;
import io.loam.memory.persistence.Durability;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StructuresTest {

    private static final HeapOptions OPTIONS =
            HeapOptions.defaults().withDurability(Durability.NONE).withSize(1 << 20, 256 << 20);

    @TempDir
    Path directory;

    private Path file() {
        return directory.resolve("structures.heap");
    }

    private static PersistentMap<String, String> map(PersistentHeap heap) {
        return PersistentMap.open(heap, "map", HeapCodec.strings(), HeapCodec.strings());
    }

    private static PersistentTree<String, String> tree(PersistentHeap heap) {
        return PersistentTree.open(heap, "tree", HeapCodec.strings(), HeapCodec.strings());
    }

    private static PersistentList<String> list(PersistentHeap heap) {
        return PersistentList.open(heap, "list", HeapCodec.strings());
    }

    /** Two logs, and more threads than that which update a list and a map, some after a store of their own: none waits for ever. */
    @Test
    void whoeverWaitsForALogKeepsNothingThatOthersWaitFor() throws Exception {
        // closed in the end only: it would wait for those that wait for ever
        PersistentHeap heap = PersistentHeap.create(file(), OPTIONS.withTables(16, 16, 2, 4096));
        var list = list(heap);
        var map = map(heap);
        long cells = heap.allocate(heap.bytes(), 8 * 64);
        heap.root("cells", heap.bytes()).set(cells);
        List<Thread> team = new ArrayList<>();
        var failure = new AtomicReference<Throwable>();
        for (int t = 0; t < 8; t++) {
            int number = t;
            Thread thread = Thread.ofPlatform().daemon().unstarted(() -> {
                for (int i = 0; i < 500; i++) {
                    int round = i;
                    switch (number % 4) {
                        case 0 ->
                            heap.atomic(() -> {
                                heap.putLong(cells + number * 64L, round);
                                list.add(0, "of an update");
                                map.put("key" + round % 50, "of an update");
                                list.remove(0);
                            });
                        case 1 -> {
                            list.add(0, "alone");
                            list.remove(0);
                        }
                        case 2 -> map.put(number + "key" + round, "alone");
                        default -> heap.atomic(() -> map.put("key" + round % 50, "of a small update"));
                    }
                }
            });
            thread.setUncaughtExceptionHandler((ignored, e) -> failure.compareAndSet(null, e));
            team.add(thread);
            thread.start();
        }
        for (Thread thread : team) {
            thread.join(120_000);
            assertThat(thread.isAlive()).as(thread + " waits for ever").isFalse();
        }
        assertThat(failure.get()).isNull();
        assertThat(list).isEmpty();
        assertThat(map).hasSize(50 + 2 * 500);
        assertThat(heap.check().problems()).isEmpty();
        heap.close();
    }

    /** One waits for the monitor of a root and makes a structure then; another opens it inside of an update, for whose end a collection waits. */
    @Test
    void whoeverMakesAStructureIsInsideOfTheHeapBeforeItKeepsTheRoot() throws Exception {
        // closed in the end only: it would wait for those that wait for ever
        PersistentHeap heap = PersistentHeap.create(file(), OPTIONS);
        PersistentMap.open(heap, "other", HeapCodec.strings(), HeapCodec.strings());
        Root root =
                heap.root("map", Objects.requireNonNull(heap.findRoot("other")).type());
        var inside = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        Thread updating = Thread.ofPlatform()
                .daemon()
                .start(() -> heap.atomic(() -> {
                    inside.countDown();
                    awaitUninterruptibly(go);
                    map(heap).put("key", "value");
                }));
        inside.await();
        Thread making;
        Thread collecting;
        synchronized (root) {
            making = Thread.ofPlatform().daemon().start(() -> map(heap));
            awaitState(making, Thread.State.BLOCKED);
            collecting = Thread.ofPlatform().daemon().start(heap::collect);
            awaitState(collecting, Thread.State.TIMED_WAITING);
        }
        // ends, or waits with the monitor for the collection
        awaitState(making, Thread.State.TERMINATED, Thread.State.TIMED_WAITING);
        go.countDown();
        for (Thread thread : List.of(updating, making, collecting)) {
            thread.join(60_000);
            assertThat(thread.isAlive()).as(thread + " waits for ever").isFalse();
        }
        assertThat(map(heap)).containsOnly(Map.entry("key", "value"));
        heap.close();
    }

    private static void awaitState(Thread thread, Thread.State... wanted) {
        Thread.State state = thread.getState();
        while (!List.of(wanted).contains(state)) {
            assertThat(state).as(thread + " has ended").isNotEqualTo(Thread.State.TERMINATED);
            Thread.onSpinWait();
            state = thread.getState();
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void anAtomicUpdateOpensStructuresAndMakesNone() {
        try (PersistentHeap heap = PersistentHeap.create(file(), OPTIONS)) {
            for (Runnable making : List.<Runnable>of(() -> map(heap), () -> tree(heap), () -> list(heap))) {
                assertThatThrownBy(() -> heap.atomic(making))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("outside of atomic()");
            }
            assertThat(heap.allRoots()).isEmpty();
            map(heap);
            heap.atomic(() -> map(heap).put("key", "value"));
            assertThat(map(heap)).containsOnly(Map.entry("key", "value"));
        }
    }

    /** The structure after many random operations is what the JDK's is after the same, open and reopened; and nothing leaks. */
    @Test
    void mapsAreLikeTheJdks() {
        for (boolean ordered : new boolean[] {false, true}) {
            Map<String, String> model = ordered ? new TreeMap<>() : new HashMap<>();
            var random = new Random(5);
            Path path = directory.resolve(ordered ? "tree" : "map");
            try (PersistentHeap heap = PersistentHeap.create(path, OPTIONS.withChecks(true))) {
                Map<String, String> map = ordered ? tree(heap) : map(heap);
                for (int i = 0; i < 40_000; i++) {
                    String key = "key" + random.nextInt(i < 30_000 ? 5000 : 300);
                    if (random.nextInt(i < 15_000 ? 10 : 3) > 0 && i < 30_000) {
                        String value = "v".repeat(random.nextInt(60)) + i;
                        assertThat(map.put(key, value)).isEqualTo(model.put(key, value));
                    } else {
                        assertThat(map.remove(key)).isEqualTo(model.remove(key));
                    }
                    assertThat(map.get(key)).isEqualTo(model.get(key));
                }
                assertThat(map.size()).isEqualTo(model.size());
                assertThat(map).isEqualTo(model);
                assertThat(heap.check().problems()).isEmpty();
                assertThat(heap.check().garbage()).isZero();
            }
            try (PersistentHeap heap = PersistentHeap.open(path, OPTIONS)) {
                Map<String, String> map = ordered ? tree(heap) : map(heap);
                assertThat(map).isEqualTo(model);
                assertThat(map.size()).isEqualTo(model.size());
                if (ordered) {
                    assertThat(new ArrayList<>(map.keySet())).isEqualTo(new ArrayList<>(model.keySet()));
                }
                map.clear();
                assertThat(map).isEmpty();
                assertThat(map.put("again", "1")).isNull();
                assertThat(heap.check().garbage()).isZero();
                assertThat(heap.check().problems()).isEmpty();
            }
        }
    }

    @Test
    void aTreeScansRangesInOrder() {
        try (PersistentHeap heap = PersistentHeap.create(file(), OPTIONS)) {
            PersistentTree<Long, Long> tree =
                    PersistentTree.open(heap, "numbers", HeapCodec.longs(), HeapCodec.longs());
            TreeMap<Long, Long> model = new TreeMap<>();
            var random = new Random(2);
            for (int i = 0; i < 5000; i++) {
                long key = random.nextInt(20_000) - 10_000;
                tree.put(key, key * 2);
                model.put(key, key * 2);
            }
            for (int i = 0; i < 100; i++) {
                long from = random.nextInt(20_000) - 10_000;
                long to = from + random.nextInt(1000);
                List<Long> keys = new ArrayList<>();
                tree.range(from, to).forEach(entry -> keys.add(entry.getKey()));
                assertThat(keys)
                        .isEqualTo(new ArrayList<>(model.subMap(from, to).keySet()));
                var ceiling = tree.ceilingEntry(from);
                assertThat(ceiling == null ? null : ceiling.getKey()).isEqualTo(model.ceilingKey(from));
            }
            assertThat(tree.firstEntry()).isEqualTo(model.firstEntry());
        }
    }

    @Test
    void aListIsLikeTheJdks() {
        List<String> model = new ArrayList<>();
        var random = new Random(7);
        try (PersistentHeap heap = PersistentHeap.create(file(), OPTIONS.withChecks(true))) {
            PersistentList<String> list = list(heap);
            for (int i = 0; i < 5000; i++) {
                String element = "e".repeat(random.nextInt(30)) + i;
                switch (random.nextInt(6)) {
                    case 0, 1 -> {
                        list.add(element);
                        model.add(element);
                    }
                    case 2 -> {
                        int index = random.nextInt(model.size() + 1);
                        list.add(index, element);
                        model.add(index, element);
                    }
                    case 3 -> {
                        if (!model.isEmpty()) {
                            int index = random.nextInt(model.size());
                            assertThat(list.set(index, element)).isEqualTo(model.set(index, element));
                        }
                    }
                    default -> {
                        if (!model.isEmpty()) {
                            int index = random.nextBoolean() ? model.size() - 1 : random.nextInt(model.size());
                            assertThat(list.remove(index)).isEqualTo(model.remove(index));
                        }
                    }
                }
            }
            assertThat(list).isEqualTo(model);
            assertThatThrownBy(() -> list.get(model.size())).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> list.remove(-1)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThat(heap.check().garbage()).isZero();
            assertThat(heap.check().problems()).isEmpty();
        }
        try (PersistentHeap heap = PersistentHeap.open(file(), OPTIONS)) {
            assertThat(list(heap)).isEqualTo(model);
            list(heap).clear();
            assertThat(list(heap)).isEmpty();
        }
    }

    @Test
    void operationsInsideOfAnAtomicUpdateSucceedOrFailTogether() {
        try (PersistentHeap heap = PersistentHeap.create(file(), OPTIONS)) {
            PersistentMap<String, String> map = map(heap);
            PersistentTree<String, String> tree = tree(heap);
            PersistentList<String> list = list(heap);
            for (int i = 0; i < 200; i++) {
                map.put("k" + i, "before");
                tree.put("k" + i, "before");
                list.add("before");
            }
            assertThatThrownBy(() -> heap.atomic(() -> {
                        for (int i = 0; i < 300; i++) {
                            map.put("k" + i, "after");
                            tree.put("k" + i, "after");
                            list.add(0, "after");
                        }
                        map.remove("k5");
                        tree.remove("k5");
                        assertThat(map.size()).isEqualTo(299);
                        throw new IllegalStateException("no");
                    }))
                    .hasMessage("no");
            assertThat(map).hasSize(200).containsEntry("k5", "before").doesNotContainValue("after");
            assertThat(tree).hasSize(200).containsEntry("k5", "before").doesNotContainValue("after");
            assertThat(list).hasSize(200).doesNotContain("after");
            heap.atomic(() -> {
                map.put("both", "1");
                tree.put("both", "1");
            });
            assertThat(map).hasSize(201);
            assertThat(tree).hasSize(201);
            assertThat(heap.check().problems()).isEmpty();
            assertThat(heap.check().garbage()).isZero();
        }
    }

    /** Each key is written by one thread and read by all: a reader finds the key, and a value that was written whole. */
    @Test
    void readersSeeWholeValuesWhileOthersWrite() throws Exception {
        try (PersistentHeap heap = PersistentHeap.create(file(), OPTIONS)) {
            List<Map<String, String>> maps = List.of(map(heap), tree(heap));
            for (Map<String, String> map : maps) {
                for (int i = 0; i < 100; i++) {
                    map.put("k" + i, "0".repeat(20));
                }
            }
            AtomicReference<Throwable> failure = new AtomicReference<>();
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                int id = t;
                Thread thread = Thread.ofPlatform().start(() -> {
                    try {
                        var random = new Random(id);
                        for (int i = 0; i < 20_000; i++) {
                            Map<String, String> map = maps.get(i & 1);
                            String key = "k" + random.nextInt(100);
                            if (id < 2) {
                                map.put(key, ("" + (char) ('a' + random.nextInt(26))).repeat(random.nextInt(200)));
                                map.put("x" + id + random.nextInt(1000), "y");
                                map.remove("x" + id + random.nextInt(1000));
                            } else {
                                String value = map.get(key);
                                if (value == null || value.chars().distinct().count() > 1) {
                                    throw new AssertionError(key + " has " + value);
                                }
                            }
                        }
                    } catch (Throwable e) {
                        failure.compareAndSet(null, e);
                    }
                });
                threads.add(thread);
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(failure.get()).isNull();
            assertThat(heap.check().problems()).isEmpty();
            assertThat(heap.check().garbage()).isZero();
        }
    }

    @Test
    void iterationRemovesAndChangesThroughTheMap() {
        try (PersistentHeap heap = PersistentHeap.create(file(), OPTIONS)) {
            PersistentMap<String, String> map = map(heap);
            for (int i = 0; i < 1000; i++) {
                map.put("k" + i, "" + i);
            }
            map.entrySet().removeIf(entry -> Integer.parseInt(entry.getValue()) % 2 == 0);
            map.entrySet().forEach(entry -> entry.setValue("odd"));
            assertThat(map).hasSize(500);
            assertThat(map.values()).containsOnly("odd");
        }
    }

    /** The first size() counts while others change the map: what it finds stays right afterwards. */
    @Test
    void sizeIsRightAfterItWasCountedWhileOthersWrote() throws Exception {
        for (int round = 0; round < 20; round++) {
            Path path = directory.resolve("size" + round);
            try (PersistentHeap heap = PersistentHeap.create(path, OPTIONS)) {
                for (int i = 0; i < 500; i++) {
                    map(heap).put("old" + i, "");
                }
                PersistentMap<String, String> map = map(heap);
                PersistentTree<String, String> tree = tree(heap);
                List<Thread> team = new ArrayList<>();
                for (int t = 0; t < 3; t++) {
                    int id = t;
                    team.add(Thread.ofPlatform().start(() -> {
                        for (int i = 0; i < 300; i++) {
                            map.put("new" + id + "." + i, "");
                            tree.put("new" + id + "." + i, "");
                            map.remove("old" + (id * 100 + i % 100));
                        }
                    }));
                }
                while (team.stream().anyMatch(Thread::isAlive)) {
                    assertThat(map.size()).isBetween(200, 1400);
                    assertThat(tree.size()).isBetween(0, 900);
                }
                assertThat(map).hasSize(1100);
                assertThat(map.entrySet().stream().count()).isEqualTo(1100);
                assertThat(tree).hasSize(900);
                assertThatThrownBy(() -> heap.atomic(() -> {
                            map.put("undone", "");
                            tree.remove("new0.0");
                            assertThat(map).hasSize(1101);
                            throw new IllegalStateException("undo this");
                        }))
                        .hasMessage("undo this");
                assertThat(map).hasSize(1100);
                assertThat(tree).hasSize(900);
            }
        }
    }
}
