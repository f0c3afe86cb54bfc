/**
 * A persistent heap: memory in a file, allocated and linked by 64-bit offsets, that survives a crash with nothing lost but what was
 * not linked.
 *
 * <pre>
 *   PersistentHeap ──► Gate ──► Lane    a thread's free slots, and the mark that it is inside of an operation
 *        │                       └──► Bin     one size class of one type: runs with free slots
 *        │                              └──► Run     superblocks divided into slots: their states, in the Java heap
 *        │                              └──► Blocks ──► Space    free superblocks: best fit, coalescing, growth of the file
 *        │                                          └──► Lines    one checksummed line per superblock, in the file
 *        ├──► Roots, Types        named durable references; which words of an object are references
 *        ├──► Atomic ──► UndoLog  failure-atomic updates, one log for each running one
 *        ├──► HeapGroup ──► Flusher       ranges that become durable in the background
 *        ├──► RestQueue           freed memory that is not to be used again yet
 *        ├──► WindowCloser        write protection outside of update windows
 *        ├──► Collector ──► Marker, Compactor ──► Forwarding
 *        └──► HeapChecker, StatsReader
 *   all durable stores ──► io.loam.memory.persistence.PersistentMemory
 * </pre>
 *
 * <h2>The file</h2>
 *
 * <pre>
 *   0        header     4 KiB  geometry, written once; three words: state, size, forwarding     HeapLayout
 *   4 KiB    roots      128 bytes each: name, type, checked offset
 *            types      256 bytes each: name, version, which words are references
 *            logs       one undo log for each of some atomic() at a time
 *            lines      64 bytes for each superblock: what run begins here
 *            bitmaps    64 + superblock/128 bytes for each superblock: slots in use, valid only after a clean close
 *   data     superblocks, 64 KiB each
 * </pre>
 *
 * The tables are sized for the largest size the file may grow to; the file is sparse, so that only what is used of them takes space.
 *
 * <p>A reference is an offset in the file, a multiple of 16; 0 is none. A <b>run</b> is one or more superblocks whose first line holds a
 * header: kind, size class, type, count of superblocks, CRC32C. The word with the CRC is stored last and cleared first, so that a line is a header or none at every moment.
 * Superblocks that no header covers are free: nothing else says so. Therefore carving a run and freeing one are single durable words, and need no log.
 *
 * <p>Sizes up to an eighth of a superblock are slots of a run of one superblock; sizes up to eight superblocks, slots of a longer run; eight classes for each
 * doubling, so that at most 12.5 % is wasted (of the size rounded to 16). Larger objects are runs of their own.
 *
 * <h2>What is durable, and when</h2>
 *
 * Eager: run headers, roots, types, size, state. Never: which slots are in use, free lists, everything in the Java heap. A slot is in use if it is
 * reachable: after a crash the collector finds out. A clean close writes the bitmaps, so that the next open need not.
 *
 * <p>The state word goes CLEAN → DIRTY before the first mutation (when a heap is opened for writing, before {@code open} returns), and DIRTY → CLEAN as the very last step of close, after the bitmaps. Each opening of a clean heap begins an epoch. While
 * it is DIRTY the bitmaps mean nothing. An interrupted recovery leaves DIRTY, and is run again.
 *
 * <p><b>Recovery:</b> undo logs; mark from the roots, rewriting references to objects that have moved if the forwarding word names a compaction; free the runs
 * without a marked slot. Slots are swept when their run is next looked at: the marks are the states. Undo before all else: it restores words that marking reads.
 *
 * <p><b>Undo log.</b> A record {offset, old bytes, generation, CRC32C} is durable before the store it covers. Commit: flush what was changed, fence, advance the generation,
 * flush, fence. Recovery applies the records of the current generation up to the first that is not whole, the last first. A longer log goes on in a run of its own kind, which is freed afterwards.
 *
 * <p><b>Collection.</b> The states of a slot, a byte each: FREE, OLD, NEW (allocated outside of a session since the heap was opened), RESTING, and the mark. What a session allocates is OLD, and in
 * the session's list. collect() marks from the roots, from all NEW slots, and from what open sessions keep and have allocated, and frees OLD slots without a mark. Objects of a type are scanned precisely; one of
 * a type that is not in the table makes opening fail; a word that is no object is an error in {@code check} and ignored by the collector. Opaque objects
 * are scanned conservatively: each aligned word that is the offset of a slot in use.
 *
 * <p><b>Compaction</b> moves typed objects out of sparse runs. Copies are made; where each slot of an emptied run has gone is written to a table in a run; the forwarding word is set to that
 * (the point of no return); every reference is rewritten, which is idempotent; the old runs are freed; the word is cleared. In the Java heap it takes a word for each run. What stays is a whole run: one with an object that a root, an opaque object or a session
 * refers to, or that is NEW, RESTING or opaque itself.
 *
 * <p><b>Protection of the medium and the data.</b> Every header has a CRC32C that covers its place, too. Users see bounded views of single objects. Freed slots can rest, in a queue in the Java heap, so that a place is used at most once in each
 * rest. A protected heap's file is write-protected but where operations store; windows are closed in batches while the heap is held alone, and so never between a thread's look at a window and its store.
 *
 * <h2>Invariants</h2>
 *
 * <ul>
 *   <li>I1. Every superblock is in the header of one run, or free. A line inside of a run is no header.
 *   <li>I2. A slot is handed out by one lane at a time: its bit in the run is set from the refill to the spill.
 *   <li>I3. A superblock is in the free space only after the clearing of its header is durable; a header is durable before a slot of its run is handed out.
 *   <li>I4. Allocating and freeing slots in a lane flushes and fences nothing. Making or ending a run does, once for its many slots.
 *   <li>I5. At each moment a crash leaves: every root a whole object; every logged update done or undone; nothing unreachable after recovery.
 *   <li>I6. Recovery run twice, or interrupted and run again, gives what it gives run once.
 * </ul>
 *
 * <h2>Threads</h2>
 *
 * A lane belongs to one platform thread; virtual threads claim a shared one for each operation. Entering a lane stores its mark, then looks at the gate; whoever wants the heap alone
 * closes the gate, makes all threads pass a barrier (membarrier, else each entry has a fence), and waits for the marks. The forbidden outcome: the entering thread finds the
 * gate open and the closing one finds no mark. Inside of {@code atomic} a thread stays entered. JMM: the mark is opaque, its clearing release, paired with the acquire of who waits; a fence or the
 * barrier orders mark and gate, which the JMM promises only for the fence.
 *
 * <p>Lock order: gate → (a root's monitor, while a structure is made; a structure's lock) → bin → space → roots or types → a log's claim. No user code runs under a bin's or the space's lock.
 *
 * <p>Sources: Makalu (Bhandari et al., OOPSLA 2016), NVMalloc (Moraru et al., TRIOS 2013), Ralloc (Cai et al., ISMM 2020).
 */
@NullMarked
package io.loam.heap;

import org.jspecify.annotations.NullMarked;
