package io.loam.heap;

import io.loam.heap.structure.HeapCodec;
import io.loam.heap.structure.PersistentList;
import io.loam.heap.structure.PersistentMap;
import io.loam.heap.structure.PersistentTree;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/** One operation on a map, a tree or a list, or on all at once; closing and opening. */
final class StructuresScenario implements CrashScenario {

    private static final int KEYS = 90;

    @Override
    public String name() {
        return "structures";
    }

    @Override
    public HeapOptions options() {
        return SmallHeap.OPTIONS.withSize(16 * 4096, 100 * 4096);
    }

    private static PersistentMap<Long, String> map(PersistentHeap heap) {
        return PersistentMap.open(heap, "map", HeapCodec.longs(), HeapCodec.strings());
    }

    private static PersistentTree<Long, String> tree(PersistentHeap heap) {
        return PersistentTree.open(heap, "tree", HeapCodec.longs(), HeapCodec.strings());
    }

    private static PersistentList<String> list(PersistentHeap heap) {
        return PersistentList.open(heap, "list", HeapCodec.strings());
    }

    @Override
    public void prepare(PersistentHeap heap) {
        for (long i = 0; i < 62; i++) {
            map(heap).put(i, "first");
            tree(heap).put(i * 2, "first");
        }
        for (int i = 0; i < 7; i++) {
            list(heap).add("first");
        }
    }

    @Override
    public PersistentHeap step(PersistentHeap heap, RandomGenerator random, Reopening reopening) {
        long key = random.nextInt(KEYS);
        String value = "v".repeat(random.nextInt(40)) + key;
        switch (random.nextInt(14)) {
            case 0, 1 -> map(heap).put(key, value);
            case 2 -> map(heap).remove(key);
            case 3, 4 -> tree(heap).put(key, value);
            case 5, 6 -> tree(heap).remove(random.nextInt(KEYS) & -2L);
            case 7 -> list(heap).add(value);
            case 8 -> change(list(heap), random, value);
            case 9, 10 ->
                heap.atomic(() -> {
                    map(heap).put(key, value);
                    tree(heap).remove(key);
                    tree(heap).put(key + 1000, value);
                    list(heap).add(0, value);
                });
            case 11, 12 -> heap.compact();
            default -> {
                heap.close();
                return reopening.reopen();
            }
        }
        return heap;
    }

    private static void change(PersistentList<String> list, RandomGenerator random, String value) {
        int size = list.size();
        if (size == 0) {
            return;
        }
        switch (random.nextInt(3)) {
            case 0 -> list.set(random.nextInt(size), value);
            case 1 -> list.remove(size - 1);
            default -> list.remove(random.nextInt(size));
        }
    }

    @Override
    public Object state(PersistentHeap heap) {
        Map<String, Object> state = new TreeMap<>();
        state.put("map", new TreeMap<>(map(heap)));
        state.put("tree", new TreeMap<>(tree(heap)));
        state.put("list", List.copyOf(new ArrayList<>(list(heap))));
        return state;
    }
}
