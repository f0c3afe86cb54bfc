package io.loam.heap;

import java.util.random.RandomGenerator;

/** Work on a heap, step by step, of which a crash must leave the state before or after a step, and nothing between. */
interface CrashScenario {

    String name();

    HeapOptions options();

    /** What the steps need; the heap is new. */
    void prepare(PersistentHeap heap);

    /**
     * One step, the same for the same numbers and state.
     *
     * @return the heap to go on with: the same unless the step closed it
     */
    PersistentHeap step(PersistentHeap heap, RandomGenerator random, Reopening reopening);

    /** All that a user could see of the content, without offsets. */
    Object state(PersistentHeap heap);

    /** Opens the heap's memory anew. */
    interface Reopening {
        PersistentHeap reopen();
    }
}
