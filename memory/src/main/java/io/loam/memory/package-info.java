/**
 * Everything native in one place: address ranges, huge pages, topology, and the fastest safe way to touch memory.
 *
 * <pre>
 *   Reservation ──mmap, madvise──► Native (libc by java.lang.foreign; downcalls for memory)
 *   MappedFile ──► SharedFile ──open, mmap, locks──► Native
 *   Topology, Cpu, ProcessMemory ──► Native, sysfs, procfs
 *   RawMemory ◄── NativeMemory (one segment over every address)
 *             ◄── HeapMemory   (a long[], for model checkers)
 * </pre>
 *
 * <p>No other package of the project calls native code.
 */
@NullMarked
package io.loam.memory;

import org.jspecify.annotations.NullMarked;
