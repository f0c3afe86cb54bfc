/**
 * Regions: named memory that outlives a process and is shared between processes.
 *
 * <pre>
 *   Registry ── a directory: who takes part, what is being changed
 *      │  └──► Participants ── one slot for each open Registry, alive as long as a byte of a file is locked
 *      └─────► Regions ── create, find, map, clone, resize, delete, clean up
 *                 ├──► Region        what a region's descriptor says      (RegionLayout)
 *                 ├──► MappedRegion  a region in this process's memory    (ProcessMappings: one mapping for each region)
 *                 └──► RegionLock    shared or exclusive, between threads of all processes (LockLayout)
 * </pre>
 *
 * <p>The directory:
 *
 * <pre>
 *   registry           header, counters, table of participants (RegistryLayout); mapped by every participant
 *   attached           empty; byte (number &lt;&lt; 8 | slot) is locked while participant slot has region or space number attached
 *   regions/NAME       a region's descriptor, 4 KiB, checksummed; appears and disappears whole
 *   spaces/NAME        an address space's definition
 *   memory/UUID        the bytes of a region, unless it was given a file elsewhere
 *   memory/UUID.lock   the lock of a lockable region: a file of its own, since readers must write to it
 *   temporary/UUID     descriptors of regions that are being created or deleted
 * </pre>
 *
 * <p><b>Invariants.</b>
 *
 * <ul>
 *   <li>I1. A name in {@code regions} names a whole region: the descriptor is complete and checksummed, and every byte is allocated. It
 *       gets there by link(2), so of several creators one wins, and leaves by rename(2), so of several deleters one does.
 *   <li>I2. Every file in {@code memory} is named by a descriptor in {@code regions} or {@code temporary}. Creators and deleters hold
 *       byte 0 of theirs in {@code temporary} locked; where it is not, they are dead, and {@link Regions#cleanUp} deletes.
 *   <li>I3. Bases are multiples of 1 GiB in {@code SharedRange}; those that the registry chose do not overlap. A region mapped at its
 *       base has its addresses in every process.
 *   <li>I4. A region never gets shorter. Its pages live until it is deleted and unmapped by all.
 *   <li>I5. A participant is alive exactly as long as its byte of {@code registry} is locked: the kernel ends the lock with the process.
 *       Its identity, generation and slot, is never used again.
 *   <li>I6. A lock's words name their holders by identity before the lock counts as held, so a dead holder is always known.
 * </ul>
 *
 * <p><b>Using it for a structure of one's own.</b> {@code Registry.open}, then {@code regions().create} for the one who makes the structure
 * and {@code regions().map} for everybody; the bytes are reached by {@code RawMemory} at {@link MappedRegion#address}. What is to be mapped by
 * readers without the right to write goes into a region of its own, and what they too must write (locks, announcements) into another. Words
 * that say who does something hold {@code participants().self()}, never a pid: {@link Participants#isAlive} then tells for ever whether that
 * one may still act. A table of participants of one's own ({@link Participants#join}) needs {@link Participants#BYTES} zero bytes of a region
 * that all write to and a {@link SharedFile} opened for that alone. A {@link RegionLock} needs {@link RegionLock#BYTES} zero bytes anywhere
 * in such memory; of its {@code Grant}s OWNER_DIED means that what it guards is to be looked over before it is used.
 *
 * <p><b>Lock order.</b> {@code Registry.exclusively} (a Java lock, then a byte of {@code registry}), then the lock of {@code
 * ProcessMappings}. {@link RegionLock}s come before both, in ascending order of region numbers. Descriptors are read without a lock: they
 * are replaced whole.
 *
 * <p><b>Memory ordering.</b> The Java memory model speaks of one JVM. Between JVMs Loam relies on what is beneath it: the same VarHandle
 * modes compile to the same instructions, and coherent memory doesn't care which process issues them. Each protocol is argued in terms of
 * these modes where it stands.
 *
 * <p><b>Trust.</b> Who may write to a region may write anything there, and shorten its file: others then get an {@link InternalError} from
 * accesses beyond its end, never a crash. Who may write to the directory may delete regions, and who may write to {@code registry} or to
 * a lock can claim to be somebody else. Who may only read a region's memory can't harm it. Processes that distrust each other use
 * different directories.
 *
 * <p>Source: El Hajj et al., SpaceJMP (ASPLOS 2016), there called segments; what it did in the kernel is done here on unmodified Linux.
 */
@NullMarked
package io.loam.memory.region;

import io.loam.memory.SharedFile;
import org.jspecify.annotations.NullMarked;
