/**
 * Memory that outlives the process: the one interface through which durable parts store, flush and fence, and its simulation.
 *
 * <pre>
 *   PersistentMemory (store, flush, fence; addresses are offsets in the file)
 *      ◄── FileMemory ──► MappedFile      NONE, MSYNC, SYNC: a file mapped into a reservation of address space
 *             ├──► HeldRegion             optional: the file is the memory of a region (io.loam.memory.region): attached, locked, grown through its registry
 *             └──► StoreWindows           optional: write-protected but where stores are under way
 *      ◄── SimulatedMemory                SIMULATED: working image, durable image, the stores of each line since
 *             └── crash(CrashSampling) ──► CrashImage: what the medium may hold after power is lost here
 * </pre>
 *
 * <p><b>The model.</b> A store is visible to the process at once and durable some time later. {@code flush} names lines whose stores so
 * far are to become durable; the calling thread's next {@code fence} returns when all that it has flushed is durable. A line's stores become
 * durable in program order, 8 bytes at a time; the medium may hold any later prefix of them, unasked, of each line independently. So:
 *
 * <ul>
 *   <li>I1. What was flushed and then fenced by one thread survives, as long as no later store replaces it.
 *   <li>I2. Of stores that no fence separates, the later may survive without the earlier if they lie in different lines.
 *   <li>I3. An aligned word of 8 bytes is never torn.
 * </ul>
 *
 * <p>In program order means: stores to one line whose order matters are {@code putLongRelease}, since the compiler may swap plain ones.
 *
 * <p><b>Durability.</b> NONE: flush and fence do nothing; the page cache outlives the process but not the machine's power. MSYNC: flush collects
 * pages, fence gives them to msync in one call for each run of neighbours. SYNC: flush writes cache lines back (JEP 352), which needs a file on
 * persistent memory mounted for direct access. The kernel may write a page of an MSYNC file whenever it likes, which is a prefix of all its lines at one
 * moment: a case of the model.
 *
 * <p><b>The simulator</b> also finds mistakes that no crash shows ({@link io.loam.memory.persistence.SimulatedMemory.Finding}) and can leave out the flushes or fences of
 * one place in the code ({@link io.loam.memory.persistence.SimulatedMemory#leaveOut}), to see whether the tests notice.
 *
 * <p>Sources: the x86 persistency model as pmemcheck, Yat and pmreorder use it; JEP 352; msync(2).
 */
@NullMarked
package io.loam.memory.persistence;

import org.jspecify.annotations.NullMarked;
