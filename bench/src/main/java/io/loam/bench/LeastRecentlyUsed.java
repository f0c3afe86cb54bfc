package io.loam.bench;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/** Exact LRU by bytes, simulated: what a cache with perfect knowledge of recency and no overhead would hit. */
final class LeastRecentlyUsed {

    private final long budgetBytes;
    private final Map<Long, Integer> entries = new LinkedHashMap<>(1 << 16, 0.75f, true);
    private long usedBytes;

    LeastRecentlyUsed(long budgetBytes) {
        this.budgetBytes = budgetBytes;
    }

    /** Asks for a key, storing it with {@code bytes} bytes if it is absent; whether it was present. */
    boolean ask(long key, int bytes) {
        if (entries.get(key) != null) {
            return true;
        }
        entries.put(key, bytes);
        usedBytes += bytes;
        Iterator<Integer> coldest = entries.values().iterator();
        while (usedBytes > budgetBytes && coldest.hasNext()) {
            usedBytes -= coldest.next();
            coldest.remove();
        }
        return false;
    }
}
