package io.loam.heap;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** What of a heap's work is slow, for Flight Recorder. */
final class HeapEvents {

    private HeapEvents() {}

    /** A heap that had not been closed was recovered. */
    @Name("io.loam.HeapRecovery")
    @Label("Heap Recovery")
    @Category("Loam")
    @StackTrace(false)
    static final class Recovery extends Event {
        @Label("Heap")
        String heap = "";

        @Label("Objects reachable")
        long objects;

        @Label("Superblocks freed")
        long superblocksFreed;
    }

    /** Garbage was collected while the heap was held alone. */
    @Name("io.loam.HeapCollection")
    @Label("Heap Collection")
    @Category("Loam")
    @StackTrace(false)
    static final class Collection extends Event {
        @Label("Heap")
        String heap = "";

        @Label("Objects reachable")
        long objects;

        @Label("Objects freed")
        long freed;
    }

    /** Objects were moved together while the heap was held alone. */
    @Name("io.loam.HeapCompaction")
    @Label("Heap Compaction")
    @Category("Loam")
    @StackTrace(false)
    static final class Compaction extends Event {
        @Label("Heap")
        String heap = "";

        @Label("Objects moved")
        long moved;

        @Label("Superblocks freed")
        long superblocksFreed;
    }

    /** The file was extended. */
    @Name("io.loam.HeapGrowth")
    @Label("Heap Growth")
    @Category("Loam")
    @StackTrace(false)
    static final class Growth extends Event {
        @Label("Heap")
        String heap = "";

        @Label("Bytes more")
        long bytes;
    }
}
