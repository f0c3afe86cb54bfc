package io.loam.memory.persistence;

/** What a fence promises. */
public enum Durability {
    /** Survives the end of the process, not of the machine's power: flush and fence do nothing. */
    NONE,
    /** Ordinary files: a fence hands the flushed pages to msync and waits. */
    MSYNC,
    /** Persistent memory mounted for direct access: cache lines are written back (JEP 352). */
    SYNC,
    /** No file: memory of a test that can lose its power at any moment. */
    SIMULATED
}
