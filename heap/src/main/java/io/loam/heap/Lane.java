package io.loam.heap;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What one thread has of a heap: free slots for each bin, whether it is inside of an operation, and its atomic update. Used by its owner alone; by whoever
 * is alone in the heap too, except for the depth.
 */
final class Lane {

    private static final VarHandle DEPTH;
    private static final VarHandle CLAIMED;

    static {
        try {
            DEPTH = MethodHandles.lookup().findVarHandle(Lane.class, "depth", int.class);
            CLAIMED = MethodHandles.lookup().findVarHandle(Lane.class, "claimed", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Free slots of one bin: the last is used first. */
    static final class Cache {
        final Bin bin;
        final HeapType type;
        /** As {@link Run#place} has them. */
        final long[] places;

        int count;

        Cache(Bin bin) {
            this.bin = bin;
            this.type = bin.type;
            this.places = new long[bin.laneSlots];
        }
    }

    private final SizeClasses classes;
    private final boolean shared;

    @SuppressWarnings("unused") // by DEPTH
    private int depth;

    @SuppressWarnings("unused") // by CLAIMED
    private boolean claimed;

    private @Nullable Thread owner;
    /** The caches by type and size class, to allocate from. */
    private @Nullable Cache[][] byType = new Cache[0][];
    /** The same by the numbers of their bins, to free to. */
    private @Nullable Cache[] byBin = new Cache[0];
    /** The update that its thread is inside of. A field, not a method: one whose type is not loaded yet would never be inlined. */
    @Nullable
    Atomic atomic;

    @Nullable
    HeapSession session;

    Lane(SizeClasses classes, boolean shared) {
        this.classes = classes;
        this.shared = shared;
    }

    boolean isShared() {
        return shared;
    }

    int depth() {
        return depth;
    }

    void depthOpaque(int value) {
        DEPTH.setOpaque(this, value);
    }

    void depthRelease(int value) {
        DEPTH.setRelease(this, value);
    }

    int depthAcquire() {
        return (int) DEPTH.getAcquire(this);
    }

    boolean claim() {
        return CLAIMED.compareAndSet(this, false, true);
    }

    void unclaim() {
        CLAIMED.setRelease(this, false);
    }

    /** Makes the thread its owner if it has none that lives. Under the gate's monitor. */
    boolean adopt(Thread thread) {
        Thread before = owner;
        if (shared || before != null && before.isAlive()) {
            return false;
        }
        owner = thread;
        session = null;
        return true;
    }

    boolean isOwnedBy(Thread thread) {
        return owner == thread;
    }

    /** Null if there is none yet, or the type is another heap's. */
    @Nullable
    Cache cacheOrNull(HeapType type, int sizeClass) {
        int id = type.id();
        @Nullable Cache[][] all = byType;
        if (id < all.length) {
            @Nullable Cache[] ofType = all[id];
            if (ofType != null && ofType[sizeClass] instanceof Cache cache && cache.type == type) {
                return cache;
            }
        }
        return null;
    }

    Cache cache(Bin bin) {
        return bin.number < byBin.length && byBin[bin.number] instanceof Cache cache ? cache : makeCache(bin);
    }

    /** For the free slots of a run, which has a bin. */
    Cache cache(Run run) {
        int number = run.binNumber;
        @Nullable Cache[] all = byBin;
        return number < all.length && all[number] instanceof Cache cache
                ? cache
                : makeCache(Objects.requireNonNull(run.bin));
    }

    private Cache makeCache(Bin bin) {
        int id = bin.type.id();
        if (id >= byType.length) {
            byType = Arrays.copyOf(byType, id + 4);
        }
        if (byType[id] == null) {
            byType[id] = new Cache[classes.count()];
        }
        if (bin.number >= byBin.length) {
            byBin = Arrays.copyOf(byBin, bin.number + 16);
        }
        var cache = new Cache(bin);
        byType[id][bin.sizeClass] = cache;
        byBin[bin.number] = cache;
        return cache;
    }

    /** Fills an empty cache to a half. */
    void refill(Cache cache) {
        cache.count = cache.bin.refill(cache.places, Math.max(1, cache.places.length / 2));
    }

    /** Empties the older half of a full cache. */
    void spill(Cache cache) {
        int half = (cache.count + 1) / 2;
        cache.bin.spill(cache.places, 0, half);
        System.arraycopy(cache.places, half, cache.places, 0, cache.count - half);
        cache.count -= half;
    }

    /** Empties all caches. */
    void spillAll() {
        for (@Nullable Cache cache : byBin) {
            if (cache != null && cache.count > 0) {
                cache.bin.spill(cache.places, 0, cache.count);
                cache.count = 0;
            }
        }
    }
}
