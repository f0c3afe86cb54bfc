package io.loam.cli.demo;

import java.io.IOException;
import java.lang.module.ModuleFinder;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Every class file and resource of the running Java runtime. */
final class JdkObjects implements ObjectSource {
    /** A full JDK has about 70 modules; an image made by jlink for Loam alone far fewer. */
    private static final int MODULES_OF_A_FULL_JDK = 60;

    private final FileSystem runtime = open(System.getProperty("loam.jdk.home"));

    /** The file system of a full JDK if the launcher named one, as it does when Loam runs from a small image; else of this runtime. */
    private static FileSystem open(@Nullable String home) {
        URI uri = URI.create("jrt:/");
        if (home != null && !home.isEmpty() && !home.equals(System.getProperty("java.home"))) {
            try {
                return FileSystems.newFileSystem(uri, Map.of("java.home", home));
            } catch (IOException e) {
                System.err.println("loam: can't read the JDK in " + home + " (" + e.getMessage()
                        + "); using this runtime's own classes");
            }
        }
        return FileSystems.getFileSystem(uri);
    }

    @Override
    public List<Listing> list() throws IOException {
        var objects = new ArrayList<Listing>();
        Files.walkFileTree(runtime.getPath("/modules"), new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                objects.add(new Listing(file.toString(), attributes.size()));
                return FileVisitResult.CONTINUE;
            }
        });
        objects.sort(Comparator.comparing(Listing::name));
        return objects;
    }

    @Override
    public byte[] read(String name) throws IOException {
        return Files.readAllBytes(runtime.getPath(name));
    }

    @Override
    public String description() {
        int present = ModuleFinder.ofSystem().findAll().size();
        String which = "every class and resource of Java " + Runtime.version() + ", " + present + " modules";
        return present >= MODULES_OF_A_FULL_JDK
                ? which
                : which + " (a reduced runtime image; a full JDK has some 30,000 objects)";
    }
}
