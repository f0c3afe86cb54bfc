package io.loam.server;

import io.loam.memory.ProcessMemory;
import io.loam.memory.region.Region;
import io.loam.memory.region.RegionException;
import io.loam.memory.region.Regions;
import io.loam.memory.region.Registry;
import io.loam.store.FullPolicy;
import io.loam.store.Store;
import io.loam.store.StoreBuilder;
import io.loam.store.StoreFullException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;

/**
 * Opens the store of a server: in memory of its process or, with the setting {@code data}, in a region that outlives it.
 *
 * <p>The directory {@code data} is a {@link Registry} of its own, with one store, which one server has at a time. What was set when the store was created does not bind a later server but in one thing: all memory is allocated then, so
 * {@code maxmemory} can't be more later. A server for which nobody has set {@code maxmemory} goes on with what it was.
 */
final class ServerStore {

    private static final Logger LOG = System.getLogger(ServerStore.class.getName());

    /** The store's, in its directory. */
    private static final String NAME = "server";
    /** So long a write waits for memory, on no event loop: where others are evicted for it, it is on its way; where not, cleaning finds out sooner whether there is any. */
    private static final long EVICTING_MILLIS = 10_000;

    private static final long REFUSING_MILLIS = 1_000;

    private ServerStore() {}

    /**
     * Opens the store, and creates it if there is none.
     *
     * @throws RegionException with {@code data}, if the directory holds something else, its store is damaged or open elsewhere, or there is no space; the message names it
     * @throws IllegalArgumentException for options that are out of range or don't fit together, or don't fit the store that is there; the message names setting and directory
     */
    static Store open(ServerOptions options, InstantSource clock) {
        if (options.data().isEmpty()) {
            // CONFIG SET maxmemory can make it twice as large
            return builder(options, clock)
                    .maximumCapacityBytes(Math.max(
                            options.maxMemory(), Math.min(2 * options.maxMemory(), ProcessMemory.physicalBytes())))
                    .open();
        }
        Path directory = ConfigFile.path(options.data()).toAbsolutePath().normalize();
        try {
            return openRegion(options, clock, directory);
        } catch (RegionException e) {
            throw new RegionException(e.reason(), "data " + directory + ": " + e.getMessage(), e);
        }
    }

    private static StoreBuilder builder(ServerOptions options, InstantSource clock) {
        ServerOptions.Policy policy = options.policy();
        return Store.builder()
                .capacityBytes(options.maxMemory())
                .updatePolicy(options.updatePolicy())
                .fullPolicy(policy.full())
                .eviction(policy.eviction())
                .writeTimeoutMillis(policy.full() == FullPolicy.EVICT ? EVICTING_MILLIS : REFUSING_MILLIS)
                .clock(clock);
    }

    private static Store openRegion(ServerOptions options, InstantSource clock, Path directory) {
        if (Files.exists(directory) && !Files.isDirectory(directory)) {
            throw new RegionException(
                    RegionException.Reason.CORRUPT, "it is a file; name a directory, which is made if there is none");
        }
        StoreBuilder builder =
                builder(options, clock).region(directory.resolve(NAME)).exclusive(true);
        if (!Files.exists(directory)) {
            LOG.log(
                    Level.INFO,
                    "data {0}: is made, and all of its {1} MiB allocated, which may take seconds for each GiB",
                    directory,
                    Long.toString(options.maxMemory() >> 20));
        }
        Store store;
        try {
            store = attachOrCreate(builder, directory);
        } catch (RegionException e) {
            if (e.reason() != RegionException.Reason.CORRUPT || !Files.isDirectory(directory.resolve("regions"))) {
                throw e;
            }
            if (!options.startsEmptyIfDamaged()) {
                throw new RegionException(
                        e.reason(),
                        e.getMessage() + ". With data-if-damaged start-empty the server does that by itself",
                        e);
            }
            LOG.log(Level.WARNING, "data {0}: {1}. The server starts empty", directory, e.getMessage());
            discard(directory);
            store = attachOrCreate(builder, directory);
        }
        try {
            setCapacity(store, options, directory);
            return store;
        } catch (RuntimeException e) {
            store.close();
            throw e;
        }
    }

    private static Store attachOrCreate(StoreBuilder builder, Path directory) {
        try {
            return builder.open();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("data " + directory + ": " + e.getMessage(), e);
        }
    }

    /** Deletes the store, which nobody has. */
    private static void discard(Path directory) {
        try (Registry registry = Registry.open(directory, Registry.PRIVATE)) {
            Regions regions = registry.regions();
            for (Region region : regions.list()) {
                if (!regions.attachedTo(region).isEmpty()) {
                    throw new RegionException(
                            RegionException.Reason.BUSY,
                            region + " is damaged, and open in "
                                    + regions.attachedTo(region).getFirst() + "; end that process first");
                }
            }
            regions.names().forEach(regions::delete);
            regions.cleanUp();
        }
    }

    private static void setCapacity(Store store, ServerOptions options, Path directory) {
        if (!options.isMaxMemoryGiven()) {
            options.setDefaultMaxMemory(store.capacityBytes());
        }
        try {
            store.setCapacityBytes(options.maxMemory());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "maxmemory " + options.maxMemory() + " does not fit what is in " + directory
                            + ", whose memory was allocated when it was created: " + e.getMessage()
                            + ". Start with that, or with another directory",
                    e);
        } catch (StoreFullException e) {
            throw new IllegalArgumentException(
                    "maxmemory " + options.maxMemory() + " is too little for what is in " + directory + ": "
                            + e.getMessage() + ". Start with " + store.capacityBytes()
                            + ", or with a maxmemory-policy that evicts",
                    e);
        }
    }
}
