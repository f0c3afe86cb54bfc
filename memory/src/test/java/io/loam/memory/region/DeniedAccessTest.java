package io.loam.memory.region;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.memory.space.AddressSpaces;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Permissions that are missing, for a child without the rights of an administrator. */
final class DeniedAccessTest {

    private static final List<String> WITHOUT_CAPABILITIES =
            List.of("setpriv", "--bounding-set", "-all", "--inh-caps", "-all");

    @Test
    void deniedAccessIsSaidAndLeavesEverythingAsBefore() {
        boolean administrator = System.getProperty("user.name").equals("root");
        try (RegistryDirectory directory = new RegistryDirectory();
                ChildJvm child = ChildJvm.start(
                        administrator ? WITHOUT_CAPABILITIES : List.of(),
                        List.of(),
                        DeniedAccessTest.class,
                        directory.path().toString())) {
            assertThat(child.line()).isEqualTo("all as it should be");
            assertThat(child.exit()).isZero();
        }
    }

    /** The child. */
    public static void main(String[] arguments) throws IOException {
        Path directory = Path.of(arguments[0]);
        try (Registry registry = Registry.open(directory, Registry.PRIVATE)) {
            Regions regions = registry.regions();
            AddressSpaces spaces = AddressSpaces.of(registry);
            Region a = regions.create("a", RegionOptions.of(1).withLock());
            spaces.create("s", 0600);
            spaces.add("s", "a", Access.WRITE, false);

            chmod(a.file(), 0);
            denied("a", () -> regions.map("a", Access.READ).close());
            chmod(a.file(), 0400);
            denied("a", () -> regions.map("a", Access.WRITE).close());
            denied("a", () -> regions.resize("a", 1 << 20));
            denied("a", () -> spaces.attach("s").close());
            assertThat(regions.attachedTo(a)).isEmpty();
            assertThat(registry.attachedTo(spaces.get("s").number())).isEmpty();
            regions.map("a", Access.READ).close();
            chmod(a.file(), 0600);

            Path lock = a.file().resolveSibling(a.uuid() + ".lock");
            chmod(lock, 0400);
            denied("a", () -> regions.mapLock(a).close());
            denied("a", () -> spaces.attach("s").close());
            assertThat(regions.attachedTo(a)).isEmpty();
            chmod(lock, 0600);

            chmod(directory.resolve("regions/a"), 0);
            denied("a", () -> regions.get("a"));
            assertThat(regions.list()).isEmpty();
            assertThat(regions.names()).containsExactly("a");
            assertThat(regions.cleanUp()).isEmpty();
            chmod(directory.resolve("regions/a"), 0644);

            spaces.setMode("s", 0400);
            chmod(directory.resolve("spaces/s"), 0);
            denied("s", () -> spaces.attach("s"));
            chmod(directory.resolve("spaces/s"), 0400);

            for (String part : List.of("regions", "spaces", "memory", "temporary")) {
                chmod(directory.resolve(part), 0500);
            }
            denied("b", () -> regions.create("b", RegionOptions.of(1)));
            denied("t", () -> spaces.create("t", 0600));
            denied("s", () -> spaces.remove("s", "a"));
            denied("a", () -> regions.delete("a"));
            for (String part : List.of("regions", "spaces", "temporary")) {
                chmod(directory.resolve(part), 0700);
            }
            denied("b", () -> regions.create("b", RegionOptions.of(1)));
            chmod(directory.resolve("memory"), 0700);
            assertThat(files(directory.resolve("memory"))).isEqualTo(2);
            assertThat(files(directory.resolve("temporary"))).isZero();

            chmod(directory.resolve("registry"), 0400);
            denied("registry", () -> Registry.open(directory, Registry.PRIVATE).close());
            chmod(directory.resolve("registry"), 0600);
            chmod(directory, 0);
            denied(
                    directory.toString(),
                    () -> Registry.open(directory, Registry.PRIVATE).close());
            chmod(directory, 0700);

            spaces.attach("s").close();
            System.out.println("all as it should be");
        }
    }

    private static void chmod(Path path, int mode) throws IOException {
        Files.setAttribute(path, "unix:mode", mode);
    }

    private static void denied(String what, Runnable action) {
        assertThatThrownBy(action::run)
                .isInstanceOf(RegionException.class)
                .hasMessageContaining(what)
                .extracting(e -> ((RegionException) e).reason())
                .isEqualTo(RegionException.Reason.DENIED);
    }

    private static long files(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.count();
        }
    }
}
