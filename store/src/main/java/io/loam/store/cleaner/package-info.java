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
 * I2. A pass copies at most what the free blocks, reserve included, can take; it gains at least a block. So cleaning can always proceed while anything is dead.<br>
 * I3. A unit of work is one block under one pin; a helping writer does one unit at a time and holds nothing in between.<br>
 * I4. Sources are worked on from the oldest to the youngest, so that survivors hold entries of like age; a survivor's age is the mean of its entries'.
 *
 * <p>Which segment: cost-benefit, (1 − u) · age / (1 + u), with u the live share without what has expired, age in blocks opened since the segment was. Source: Rosenblum and
 * Ousterhout; Rumble et al., FAST 2014; Merritt (D§4.4). Age is kept by survivors, as RAMCloud does and Nibble does not.
 *
 * <p>Locks: the pass lock (choosing); a bucket per entry.
 */
@NullMarked
package io.loam.store.cleaner;

import org.jspecify.annotations.NullMarked;
