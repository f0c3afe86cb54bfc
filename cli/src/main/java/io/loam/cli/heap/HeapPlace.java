package io.loam.cli.heap;

import io.loam.heap.HeapOptions;
import io.loam.heap.PersistentHeap;
import io.loam.memory.region.RegionException;
import io.loam.memory.region.Registry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Where the heap of a command is: in a file, or in a region. */
final class HeapPlace {

    @Parameters(paramLabel = "FILE", description = "The heap's file; with --region, the region that it is in.")
    @SuppressWarnings("NullAway.Init")
    private String name;

    @Option(names = "--region", description = "It is in a region, which loam space create makes.")
    private boolean isRegion;

    @Option(
            names = "--directory",
            paramLabel = "DIR",
            description = "The registry of the region. Default: /dev/shm/loam-USER.")
    @Nullable
    private Path directory;

    /** A heap, and the registry that must stay open as long. */
    record Opened(PersistentHeap heap, @Nullable Registry registry) implements AutoCloseable {
        @Override
        public void close() {
            heap.close();
            if (registry != null) {
                registry.close();
            }
        }
    }

    Opened create(HeapOptions options) {
        return isRegion
                ? inRegion(registry -> PersistentHeap.create(registry, name, options))
                : new Opened(PersistentHeap.create(Path.of(name), options), null);
    }

    Opened open(HeapOptions options) {
        return isRegion
                ? inRegion(registry -> PersistentHeap.open(registry, name, options))
                : new Opened(PersistentHeap.open(Path.of(name), options), null);
    }

    Opened openReadOnly() {
        return isRegion
                ? inRegion(registry -> PersistentHeap.openReadOnly(registry, name))
                : new Opened(PersistentHeap.openReadOnly(Path.of(name)), null);
    }

    private Opened inRegion(Function<Registry, PersistentHeap> opening) {
        Path where = directory == null ? Registry.defaultDirectory() : directory;
        if (!Files.exists(where)) {
            throw new RegionException(
                    RegionException.Reason.NOT_FOUND, "there is no registry " + where + "; loam space create makes it");
        }
        Registry registry = directory == null ? Registry.open() : Registry.open(directory, Registry.PRIVATE);
        boolean opened = false;
        try {
            var found = new Opened(opening.apply(registry), registry);
            opened = true;
            return found;
        } finally {
            if (!opened) {
                registry.close();
            }
        }
    }

    @Override
    public String toString() {
        return (isRegion ? "region " : "") + name;
    }
}
