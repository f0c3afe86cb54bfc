/** Log-structured memory: a concurrent key-value store whose objects live off-heap in a log that is cleaned as it fills. */
module io.loam.store {
    requires transitive io.loam.memory;
    requires static transitive org.jspecify;
    requires jdk.jfr;

    exports io.loam.store;
}
