package io.loam.heap;

/**
 * What a collection did.
 *
 * @param marked objects that are in use
 * @param freed objects that were garbage
 * @param dangling references that led to no object
 * @param superblocksFreed by runs that became empty
 * @param nanos that it took, while nobody else could use the heap
 */
public record CollectionReport(long marked, long freed, long dangling, long superblocksFreed, long nanos) {}
