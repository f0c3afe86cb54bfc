/**
 * When memory may be reused.
 *
 * <pre>
 *   operation ──pin──► Epochs ◄──tag, isSafe── Reclaimer ◄──retire── cleaner, index, clear
 * </pre>
 *
 * <p>I1. Whoever follows a location found in the index or a directory entry holds a pin from before the load until after the last use.<br>
 * I2. What is retired was unlinked before its tag was taken; it is reused only when every pin is younger than the tag.<br>
 * I3. The epoch advances only when something is retired, so that readers share an unchanging line.<br>
 * I4. Nothing waits for memory while pinned: a writer unpins first, and a thread that holds a guard is refused.
 *
 * <p>Locks: the reclaimer's queue lock, innermost but for the block pool's. Source: Merritt, Nibble (D§4.5); Fraser.
 */
@NullMarked
package io.loam.store.epoch;

import org.jspecify.annotations.NullMarked;
