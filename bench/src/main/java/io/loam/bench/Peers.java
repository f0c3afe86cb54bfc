package io.loam.bench;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Where the things are that are built apart, because they need libraries that are no modules: peers, microbenchmarks, alignments. */
final class Peers {

    static final String BUILD_COMMAND = "mvn -f bench/extras.xml package -DskipTests";

    private Peers() {}

    /** The directory with the jars of {@code bench/<part>}. */
    static Path libraries(String part) {
        for (Path root : roots()) {
            Path directory =
                    root.resolve("bench").resolve(part).resolve("target").resolve("lib");
            if (Files.isDirectory(directory)) {
                return directory;
            }
        }
        throw new BadInput(
                "the " + part + " are not built; build them in the project's directory with: " + BUILD_COMMAND);
    }

    /** Directories that may be the project's: as told, around our own classes, around the working directory. */
    private static List<Path> roots() {
        List<Path> roots = new ArrayList<>();
        String told = System.getProperty("loam.home", System.getenv().getOrDefault("LOAM_HOME", ""));
        if (!told.isEmpty()) {
            roots.add(Path.of(told));
        }
        addParents(ownCode(), roots);
        addParents(Path.of(System.getProperty("java.home")), roots);
        addParents(Path.of("").toAbsolutePath(), roots);
        return roots;
    }

    private static void addParents(@Nullable Path path, List<Path> roots) {
        for (Path parent = path; parent != null; parent = parent.getParent()) {
            roots.add(parent);
        }
    }

    private static @Nullable Path ownCode() {
        var source = Peers.class.getProtectionDomain().getCodeSource();
        if (source == null
                || source.getLocation() == null
                || !"file".equals(source.getLocation().getProtocol())) {
            return null;
        }
        return Path.of(URI.create(source.getLocation().toString()));
    }
}
