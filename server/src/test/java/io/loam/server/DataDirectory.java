package io.loam.server;

import io.loam.memory.RawMemory;
import io.loam.memory.region.Access;
import io.loam.memory.region.MappedRegion;
import io.loam.memory.region.Region;
import io.loam.memory.region.Registry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A directory of data for one test, in the machine's memory. */
final class DataDirectory implements BeforeEachCallback, AfterEachCallback {

    private Path parent;

    @Override
    public void beforeEach(ExtensionContext context) throws IOException {
        parent = Files.createTempDirectory(Path.of("/dev/shm"), "loam-server-test-");
        Assumptions.assumeTrue(parent.toFile().getUsableSpace() > 200L << 20, "/dev/shm has less than 200 MiB left");
    }

    /** It does not exist at first. */
    Path path() {
        return parent.resolve("data");
    }

    @Override
    public String toString() {
        return path().toString();
    }

    /** The file of the store's data. */
    Path file() {
        return find("server.data").file();
    }

    private Region find(String name) {
        try (Registry registry = Registry.open(path(), Registry.PRIVATE)) {
            return registry.regions().get(name);
        }
    }

    /** Makes the store one that was open last before the machine's last start. */
    void pretendAnotherBoot() {
        try (Registry registry = Registry.open(path(), Registry.PRIVATE);
                MappedRegion control =
                        registry.regions().map(registry.regions().get("server.control"), Access.WRITE, true)) {
            RawMemory.ofProcess().putLong(control.address() + 168, 77);
        }
    }

    @Override
    public void afterEach(ExtensionContext context) throws IOException {
        try (Stream<Path> files = Files.walk(parent)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
