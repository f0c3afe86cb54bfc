/** Everything native in one place: address ranges, huge pages, topology, and the fastest safe way to touch memory. */
module io.loam.memory {
    requires static transitive org.jspecify;
    requires jdk.nio.mapmode;

    exports io.loam.memory;
    exports io.loam.memory.persistence;
    exports io.loam.memory.region;
    exports io.loam.memory.space;
}
