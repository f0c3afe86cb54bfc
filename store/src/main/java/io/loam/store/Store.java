package io.loam.store;

import io.loam.memory.region.Registry;
import io.loam.store.engine.SharedStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A key-value store in log-structured off-heap memory. It is also its own default {@link Namespace}.
 *
 * <pre>{@code
 * try (Store store = Store.builder().capacityBytes(1L << 30).open()) {
 *     store.put(key, value);
 *     byte[] read = store.get(key);
 * }
 * }</pre>
 */
public interface Store extends Namespace, AutoCloseable {

    static StoreBuilder builder() {
        return new StoreBuilder();
    }

    /**
     * Attaches a store that {@link StoreBuilder#create(Registry, String)} made, in this process or another. All who have it attached read and write it directly. It can be attached several
     * times by one process; the objects are then as separate as those of two.
     *
     * @throws io.loam.memory.region.RegionException NOT_FOUND, DENIED, CORRUPT, VERSION if it was made by a Loam with another layout, NO_SPACE if it is attached too often
     */
    static Store attach(Registry registry, String name) {
        return builder().attach(registry, name, false);
    }

    /** As {@link #attach}, without write access to the data: whatever this process does, it can't damage the store. Writes are refused by {@link UnsupportedOperationException}. */
    static Store attachReadOnly(Registry registry, String name) {
        return builder().attach(registry, name, true);
    }

    /** Whether there is a shared store of this name. */
    static boolean exists(Registry registry, String name) {
        return SharedStore.exists(registry, name);
    }

    /** Deletes a shared store. Who has it attached keeps its memory until it is closed there. */
    static void delete(Registry registry, String name) {
        SharedStore.delete(registry, name);
    }

    /**
     * The namespace of this name, created if there is none.
     *
     * @throws IllegalStateException when there are {@link StoreBuilder#MAX_NAMESPACES} already
     * @throws StoreFullException when there is no memory for its index (two or three blocks)
     */
    Namespace namespace(String name);

    /** The namespace of this name, or null if there is none; creates nothing. */
    @Nullable
    Namespace findNamespace(String name);

    /** The names of all namespaces but the default one. */
    Set<String> namespaces();

    /**
     * Removes a namespace and all its keys in constant time; the memory is reclaimed in the background. Handles to it are refused from then
     * on. Returns whether it existed.
     */
    boolean dropNamespace(String name);

    /**
     * Sets whether {@link FullPolicy#EVICT} may drop entries of a namespace, created if there is none; at first it may. Entries that belong together are protected so, and dropped by their
     * owner when the listener for removals tells him that what they belong to was. In a region that processes share it holds for all of them.
     */
    void setEvictable(String namespace, boolean evictable);

    /** Pins memory for zero-copy reads over several calls; close it soon, by any thread. */
    Guard guard();

    /** Removes every key of every namespace, in time proportional to the segments, and frees all memory at once. */
    void clearAll();

    /** What the memory holds now. Takes microseconds; counters are read one after another, not in one instant. */
    StoreStats stats();

    long capacityBytes();

    /**
     * Changes the budget, up to {@link StoreBuilder#maximumCapacityBytes}. Shrinking waits for the cleaner (with {@link FullPolicy#EVICT}: evicts).
     *
     * @throws IllegalArgumentException below the minimum or above the maximum
     * @throws StoreFullException when what is live does not fit; the capacity is unchanged
     */
    void setCapacityBytes(long bytes);

    /**
     * Writes every entry to a file, replacing it only when complete. Keys present throughout are in it; it is not one snapshot.
     *
     * @return how many entries were written
     */
    long exportTo(Path file) throws IOException;

    /**
     * Puts every entry of an exported file that has not expired. The whole file's checksums are verified before the first entry is put.
     *
     * @return how many entries were put
     * @throws IOException if the file is damaged or not an export; nothing was put then
     */
    long importFrom(Path file) throws IOException;

    /** Adds a listener to what leaves the store. It runs after the fact, on the thread that caused it, under no lock. */
    void addListener(RemovalListener listener);

    void removeListener(RemovalListener listener);

    /** Cleans until no segment is worth cleaning; for tests and tools. */
    void clean();

    /**
     * Refuses new operations, waits for those in flight at most 2 s, and gives the memory back. Idempotent. An operation that takes longer throws
     * {@link StoreClosedException}; a view of a guard that is still open throws {@link IllegalStateException}.
     */
    @Override
    void close();
}
