/** Loam measured beside its peers, each system in a JVM of its own. */
module io.loam.bench {
    requires io.loam.heap;
    requires io.loam.memory;
    requires io.loam.store;
    requires info.picocli;
    requires java.management;
    requires jdk.management;
    requires static org.jspecify;

    exports io.loam.bench;
    exports io.loam.bench.system;
    exports io.loam.bench.sharing;

    opens io.loam.bench to
            info.picocli;
}
