/**
 * Copies live entries out of sealed segments so that dead space can be reused.
 *
 * <pre>
 *   Cleaner (threads, one or more per node; helping writers) ──asks──► CleaningPolicy   which segments
 *      └──works on──► CleaningPass ──block by block──► Relocator ──► survivor heads of the log
 *                                                        └──asks──► Owners (engine): which index, expired?, evict?
 * </pre>
 *
 * <p>I1. An entry is copied to a survivor and the index pointed there under the lock of its key, so no overwrite is lost; the old segment retires after all its blocks
 * are done.<br>
 * I2. A pass copies at most what the free blocks, reserve included, can take; it gains at least a block. So cleaning can always proceed while anything is dead. What it takes from the reserve is lent
 * ({@link io.loam.store.log.BlockPool}), so that writers go on meanwhile.<br>
 * I3. A unit of work is one block under one pin; a helping writer does one unit at a time and holds nothing in between.<br>
 * I4. Sources are worked on from the oldest to the youngest, so that survivors hold entries of like age; a survivor's age is the mean of its entries'.<br>
 * I5. Only an idle store copies what is dense, to empty groups of blocks for the kernel, and only while that makes progress.
 *
 * <p>When: as soon as writers have fewer than the low-water mark's blocks left. A thread with nothing to do sleeps, and the writer who takes a block wakes it, so a writer waits only if cleaning
 * is slower than writing, or a cleaner has no CPU for longer than the blocks at the mark last.
 *
 * <p>Which segment: the one whose cost of cleaning falls the slowest, {@link io.loam.store.cleaner.CleaningPolicy#score}, with the live share without what has expired and the
 * rate at which its entries died since it was opened. Cost-benefit with the age of the entries (Rosenblum and Ousterhout; Rumble et al., FAST 2014) copied 6.5 bytes per
 * user byte where this copies 4.2 (1 KiB, uniform, 90 %), and 5.9 instead of 2.4 (zipfian): survivors looked old at once, and were cleaned again too soon. Source: Lomet
 * and Luo, VLDB 2021. Survivors are sorted by the age of their entries, as in RAMCloud.
 *
 * <p>Locks: the pass lock (choosing) → the index's resizing lock (moving its parts); a bucket per entry.
 */
@NullMarked
package io.loam.store.cleaner;

import org.jspecify.annotations.NullMarked;
