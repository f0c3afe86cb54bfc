/** Persistent allocation: a heap in a file that survives crashes, its recovery collector, and structures in it. */
module io.loam.heap {
    requires transitive io.loam.memory;
    requires jdk.jfr;
    requires static transitive org.jspecify;

    exports io.loam.heap;
    exports io.loam.heap.structure;
}
