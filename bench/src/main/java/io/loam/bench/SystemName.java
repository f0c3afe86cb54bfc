package io.loam.bench;

import io.loam.bench.system.Setup;
import io.loam.bench.system.SystemUnderTest;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The systems there are, each with the flags it runs best with. */
enum SystemName {
    LOAM("loam", "io.loam.bench.system.Loam", Kind.LOAM),
    BARE("bare", "io.loam.bench.system.Bare", Kind.LOAM),
    CHM("chm", "io.loam.bench.system.HeapMap", Kind.HEAP),
    CHM_COPY("chm-copy", "io.loam.bench.system.HeapMap", Kind.HEAP),
    CAFFEINE("caffeine", "io.loam.bench.peers.CaffeinePeer", Kind.HEAP),
    CHRONICLE("chronicle", "io.loam.bench.peers.ChroniclePeer", Kind.OFF_HEAP),
    OHC("ohc", "io.loam.bench.peers.OhcPeer", Kind.OFF_HEAP),
    MAPDB("mapdb", "io.loam.bench.peers.MapDbPeer", Kind.OFF_HEAP),
    EHCACHE("ehcache", "io.loam.bench.peers.EhcachePeer", Kind.OFF_HEAP),
    ROCKSDB("rocksdb", "io.loam.bench.peers.RocksPeer", Kind.OFF_HEAP);

    /** Where a system keeps its data. */
    enum Kind {
        /** Off-heap by our own memory module. */
        LOAM,
        /** In the Java heap. */
        HEAP,
        /** Off-heap by its own means. */
        OFF_HEAP
    }

    private final String name;
    private final String className;
    private final Kind kind;

    SystemName(String name, String className, Kind kind) {
        this.name = name;
        this.className = className;
        this.kind = kind;
    }

    static SystemName of(String name) {
        for (SystemName system : values()) {
            if (system.name.equals(name)) {
                return system;
            }
        }
        throw new BadInput("unknown store '" + name + "'; there are " + names());
    }

    static String names() {
        return Arrays.stream(values()).map(SystemName::toString).collect(Collectors.joining(", "));
    }

    Kind kind() {
        return kind;
    }

    /** Whether its adapter and libraries are outside this module, in {@code bench/peers}. */
    boolean isExtra() {
        return className.startsWith("io.loam.bench.peers.");
    }

    /** Flags of its JVM; {@code heapBytes} is used by those whose data is in the heap. */
    List<String> flags(long heapBytes) {
        List<String> flags = new ArrayList<>();
        switch (kind) {
            case LOAM -> {
                flags.addAll(List.of("-XX:+UseG1GC", "-Xms256m", "-Xmx256m"));
                flags.addAll(List.of("--enable-native-access=io.loam.memory", "--illegal-native-access=deny"));
                flags.add("--sun-misc-unsafe-memory-access=deny");
            }
            case HEAP -> {
                flags.addAll(
                        List.of("-XX:+UseParallelGC", "-XX:+UseTransparentHugePages", "-XX:+UseCompactObjectHeaders"));
                long megabytes = Math.max(64, heapBytes >> 20);
                flags.addAll(List.of("-Xms" + megabytes + "m", "-Xmx" + megabytes + "m"));
                flags.add("--sun-misc-unsafe-memory-access=allow");
            }
            case OFF_HEAP -> {
                flags.addAll(List.of("-XX:+UseG1GC", "-Xms256m", "-Xmx1500m", "-XX:MaxDirectMemorySize=16g"));
                flags.addAll(List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"));
            }
        }
        if (this == CHRONICLE) {
            for (String exported : List.of(
                    "java.base/jdk.internal.ref",
                    "java.base/sun.nio.ch",
                    "jdk.unsupported/sun.misc",
                    "jdk.compiler/com.sun.tools.javac.file")) {
                flags.add("--add-exports=" + exported + "=ALL-UNNAMED");
            }
            for (String opened : List.of(
                    "jdk.compiler/com.sun.tools.javac",
                    "java.base/java.lang",
                    "java.base/java.lang.reflect",
                    "java.base/java.io",
                    "java.base/java.nio",
                    "java.base/java.util",
                    "java.base/sun.nio.ch")) {
                flags.add("--add-opens=" + opened + "=ALL-UNNAMED");
            }
            flags.addAll(List.of("-Dchronicle.analytics.disable=true", "-Dsystem.properties=absent"));
        }
        return flags;
    }

    /**
     * Environment of its process. Systems that get their memory from malloc have huge pages by the C library's tunable (2.35 on), which
     * makes it advise its arenas and large blocks; {@code hugePageBytes} in the results says how much of it came true.
     */
    Map<String, String> environment() {
        return kind == Kind.OFF_HEAP ? Map.of("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1") : Map.of();
    }

    /** Opens it in this JVM. */
    static SystemUnderTest open(Setup setup) {
        SystemName system = of(setup.system());
        try {
            Class<?> type = Class.forName(system.className, true, ClassLoader.getSystemClassLoader());
            return (SystemUnderTest) type.getConstructor(Setup.class).newInstance(setup);
        } catch (ClassNotFoundException e) {
            throw new BadInput("'" + system + "' is not built; build the peers with: " + Peers.BUILD_COMMAND);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof IllegalArgumentException cause && !system.isExtra()) {
                throw new BadInput(String.valueOf(cause.getMessage()));
            }
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException("can't open " + system, e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("can't open " + system, e);
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
