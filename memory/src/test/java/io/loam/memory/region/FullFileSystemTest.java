package io.loam.memory.region;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loam.memory.RawMemory;
import io.loam.memory.space.AddressSpaces;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A registry in a tmpfs of 4 MiB, mounted for one child. */
final class FullFileSystemTest {

    private static final int MIB = 1 << 20;
    private static final RawMemory MEMORY = RawMemory.ofProcess();

    @Test
    void afterRefusalsForWantOfSpaceEverythingIsAsBefore() throws Exception {
        assumeTrue(new ProcessBuilder("unshare", "-rm", "true").start().waitFor() == 0, "no namespace for mounting");
        try (RegistryDirectory directory = new RegistryDirectory()) {
            Path mount = directory.path().getParent();
            List<String> mounted = List.of(
                    "unshare",
                    "-rm",
                    "sh",
                    "-c",
                    "mount -t tmpfs -o size=4m tmpfs " + mount + " && exec \"$0\" \"$@\"");
            try (ChildJvm child = ChildJvm.start(
                    mounted,
                    List.of(),
                    FullFileSystemTest.class,
                    directory.path().toString())) {
                assertThat(child.line()).isEqualTo("all as it should be");
                assertThat(child.exit()).isZero();
            }
        }
    }

    /** The child. */
    public static void main(String[] arguments) throws IOException {
        try (Registry registry = Registry.open(Path.of(arguments[0]), Registry.PRIVATE)) {
            Regions regions = registry.regions();
            AddressSpaces spaces = AddressSpaces.of(registry);
            for (int i = 0; i < 3; i++) {
                regions.create("a" + i, RegionOptions.of(MIB));
            }
            refusesForWantOfSpace(() -> regions.create("b", RegionOptions.of(2 * MIB)));
            refusesForWantOfSpace(
                    () -> regions.create("b", RegionOptions.of(2 * MIB).withHugePages()));
            refusesForWantOfSpace(() -> regions.copy("a0", "b"));
            refusesForWantOfSpace(() -> regions.resize("a1", 3 * MIB));
            assertThat(regions.names()).containsExactly("a0", "a1", "a2");
            assertThat(regions.get("a1").bytes()).isEqualTo(MIB);
            assertThat(files(registry.subdirectory("memory"))).isEqualTo(3);
            assertThat(files(registry.subdirectory("temporary"))).isZero();
            fill(registry.directory().resolve("filler"));
            refusesForWantOfSpace(() -> regions.create("b", RegionOptions.of(1)));
            refusesForWantOfSpace(() -> spaces.create("s", 0600));
            assertThat(files(registry.subdirectory("memory"))).isEqualTo(3);
            assertThat(files(registry.subdirectory("temporary"))).isZero();
            assertThat(files(registry.subdirectory("spaces"))).isZero();
            // what was created has its space, full or not
            try (MappedRegion mapped = regions.map("a2", Access.WRITE)) {
                MEMORY.fill(mapped.address(), MIB, (byte) 7);
                assertThat(MEMORY.getByte(mapped.address() + MIB - 1)).isEqualTo((byte) 7);
            }
            regions.delete("a0");
            regions.create("b", RegionOptions.of(MIB / 2));
            assertThat(spaces.create("s", 0600).name()).isEqualTo("s");
            System.out.println("all as it should be");
        }
    }

    private static void fill(Path file) throws IOException {
        try (var out = Files.newOutputStream(file)) {
            byte[] page = new byte[4096];
            assertThatThrownBy(() -> {
                        while (true) {
                            out.write(page);
                        }
                    })
                    .isInstanceOf(IOException.class);
        }
    }

    private static void refusesForWantOfSpace(Runnable action) {
        assertThatThrownBy(action::run)
                .isInstanceOf(RegionException.class)
                .extracting(e -> ((RegionException) e).reason())
                .isEqualTo(RegionException.Reason.NO_SPACE);
    }

    private static long files(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.count();
        }
    }
}
