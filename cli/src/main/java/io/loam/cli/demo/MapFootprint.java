package io.loam.cli.demo;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A ConcurrentHashMap of the objects and the heap it takes: heap used after a full collection, with the map less without. The map
 * stays as the demo's copy of the source.
 */
record MapFootprint(ConcurrentHashMap<String, byte[]> map, long heapBytes, long userBytes) {
    private static final int COLLECTIONS = 3;

    static MapFootprint of(ObjectSource source, List<ObjectSource.Listing> objects) throws IOException {
        long before = usedHeap();
        var map = new ConcurrentHashMap<String, byte[]>();
        long user = 0;
        for (ObjectSource.Listing object : objects) {
            byte[] bytes = source.read(object.name());
            // A name of its own: the listing's is counted in `before`.
            map.put(new String(object.name().toCharArray()), bytes);
            user += object.name().length() + bytes.length;
        }
        return new MapFootprint(map, Math.max(0, usedHeap() - before), user);
    }

    /** Heap bytes per object besides its name and bytes. */
    double overheadBytesPerObject() {
        return map.isEmpty() ? 0 : (double) (heapBytes - userBytes) / map.size();
    }

    private static long usedHeap() {
        for (int i = 0; i < COLLECTIONS; i++) {
            System.gc();
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
