/**
 * The persistent heap beside other allocators, in the allocators' classic workloads.
 *
 * <pre>
 *   HeapWorker (a JVM of its own, on the class path, for native access) ──► ChurnWorkload ──► Allocator
 *        │                                                                                        ◄── LoamAllocator
 *        │                                                                                        ◄── MallocAllocator   glibc, jemalloc: by downcall
 *        │                                                                                        ◄── PmemobjAllocator  libpmemobj: by downcall
 *        └──► HeapExperiments   what only a persistent heap has: recovery, opening, compaction, wear, a map
 * </pre>
 */
@NullMarked
package io.loam.bench.heap;

import org.jspecify.annotations.NullMarked;
