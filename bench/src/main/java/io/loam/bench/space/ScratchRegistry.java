package io.loam.bench.space;

import io.loam.memory.region.Registry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** A registry for one measurement, deleted afterwards. */
final class ScratchRegistry implements AutoCloseable {

    private final Path directory;
    private final Registry registry;

    ScratchRegistry(Path parent) {
        try {
            directory = Files.createTempDirectory(parent, "loam-bench-");
            registry = Registry.open(directory.resolve("registry"), Registry.PRIVATE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Registry registry() {
        return registry;
    }

    @Override
    public void close() {
        registry.close();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
