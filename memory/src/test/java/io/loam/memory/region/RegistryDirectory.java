package io.loam.memory.region;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** A directory under /dev/shm for one test, deleted afterwards. */
public final class RegistryDirectory implements AutoCloseable {

    private final Path path;

    public RegistryDirectory() {
        try {
            path = Files.createTempDirectory(Path.of("/dev/shm"), "loam-test-").resolve("registry");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    public Path path() {
        return path;
    }

    public Registry open() {
        return Registry.open(path, Registry.PRIVATE);
    }

    @Override
    public void close() {
        try (Stream<Path> files = Files.walk(path.getParent())) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
