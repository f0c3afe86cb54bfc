package io.loam.heap;

/**
 * What a compaction did.
 *
 * @param moved objects
 * @param movedBytes of their slots
 * @param superblocksFreed more are free than before, garbage included
 * @param pinnedRuns sparse runs that had to stay: of opaque type, or with an object that something opaque, a root or a session refers to
 * @param nanos that it took, while nobody else could use the heap
 */
public record CompactionReport(long moved, long movedBytes, long superblocksFreed, long pinnedRuns, long nanos) {}
