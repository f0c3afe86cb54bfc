package io.loam.cli.demo;

import io.loam.cli.ByteSize;
import io.loam.cli.StoreOpener;
import io.loam.cli.StoreSettings;
import io.loam.store.FullPolicy;
import io.loam.store.LoamException;
import io.loam.store.Store;
import io.loam.store.StoreFullException;
import io.loam.store.UpdatePolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * A store filled to the wanted utilisation. Without a given capacity, the capacity is fitted to the objects; with one, the objects to it: as
 * many of them, or as many copies, as it takes.
 */
final class Filling {
    private static final int ATTEMPTS = 5;
    private static final int OBJECTS_PER_CHECK = 16;

    private final StoreOpener opener;
    private final UpdatePolicy update;
    private final CapacityPlan plan = CapacityPlan.NINETY_PERCENT;
    private final List<DemoObject> originals;

    /** What is loaded; only objects that the store took. */
    record Loaded(Store store, List<DemoObject> objects, long nanos) {}

    Filling(
            StoreOpener opener,
            UpdatePolicy update,
            ConcurrentHashMap<String, byte[]> map,
            List<ObjectSource.Listing> order) {
        this.opener = opener;
        this.update = update;
        this.originals = order.stream().map(o -> original(map, o.name())).collect(Collectors.toList());
    }

    private static DemoObject original(ConcurrentHashMap<String, byte[]> map, String name) {
        byte[] bytes = map.get(name);
        if (bytes == null) {
            throw new IllegalStateException("the source lists " + name + " but it was not read");
        }
        return new DemoObject(name, 0, bytes);
    }

    /** Opens stores until one of fitting capacity holds all objects. */
    Loaded fittingCapacity() {
        long capacity = plan.estimate(originals);
        for (int attempt = 1; ; attempt++) {
            Loaded loaded = load(capacity, false);
            boolean complete = loaded.objects.size() == originals.size();
            if (complete && (attempt >= ATTEMPTS || plan.isMet(loaded.store.stats()))) {
                return loaded;
            }
            if (attempt >= 2 * ATTEMPTS) {
                loaded.store.close();
                throw new LoamException(
                        "a store of " + ByteSize.format(capacity) + " does not hold the objects; give a --capacity");
            }
            long next = complete ? plan.adjusted(loaded.store.stats()) : capacity + capacity / 16;
            loaded.store.close();
            if (complete && next == capacity) {
                return load(capacity, false);
            }
            capacity = next;
        }
    }

    /** Loads objects, and copies of them if there are too few, until a store of this capacity is as full as wanted. */
    Loaded fittingObjects(long capacityBytes) {
        return load(capacityBytes, true);
    }

    private Loaded load(long capacityBytes, boolean toUtilisation) {
        Store store = opener.open(new StoreSettings(capacityBytes, update, FullPolicy.REJECT, null));
        try {
            var objects = new ArrayList<DemoObject>();
            long start = System.nanoTime();
            for (int copy = 0; copy == 0 || toUtilisation; copy++) {
                if (!loadCopy(store, copy, toUtilisation, objects)) {
                    break;
                }
            }
            return new Loaded(store, objects, System.nanoTime() - start);
        } catch (RuntimeException | Error e) {
            store.close();
            throw e;
        }
    }

    /** Loads each object once; whether there may be room for more. */
    private boolean loadCopy(Store store, int copy, boolean toUtilisation, List<DemoObject> objects) {
        for (DemoObject original : originals) {
            var object = new DemoObject(original.name, copy, original.source);
            try {
                store.put(object.key, object.source);
            } catch (StoreFullException ignored) {
                return false;
            }
            object.stored = 0;
            object.last = 0;
            objects.add(object);
            if (toUtilisation
                    && objects.size() % OBJECTS_PER_CHECK == 0
                    && store.stats().utilisation() >= plan.utilisation()) {
                return false;
            }
        }
        return !originals.isEmpty();
    }
}
