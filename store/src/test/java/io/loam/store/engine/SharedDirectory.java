package io.loam.store.engine;

import io.loam.memory.region.Registry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** A registry of regions for one test, deleted afterwards. */
final class SharedDirectory implements AutoCloseable {

    private final Path parent;
    final Registry registry;

    SharedDirectory() {
        try {
            parent = Files.createTempDirectory(Path.of("/dev/shm"), "loam-store-test-");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        registry = Registry.open(path(), Registry.PRIVATE);
    }

    Path path() {
        return parent.resolve("registry");
    }

    @Override
    public void close() {
        registry.close();
        try (Stream<Path> files = Files.walk(parent)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
