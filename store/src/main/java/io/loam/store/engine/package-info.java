/**
 * What ties the parts together: the operations of the public API over index, log, epochs and cleaner.
 *
 * <pre>
 *   LogStore (Store) ──is a──► KeySpace (Namespace) ──► Engine ──owns──► Reservation, Epochs, BlockPool, Log, Cleaner
 *                                │    └──► Index (its own)        └──► Maintenance  resizing, reclaiming, releasing, accounting for cleared indexes
 *                                ├──► Write        one put, from reservation to publication
 *                                ├──► TransactionRun  several keys, optimistic
 *                                └──► EntryView    a value where it lies
 * </pre>
 *
 * <p><b>A put</b>: pin; reserve; write; lock the home; look; check conditions; publish by one release store (or insert); unlock; count the old entry dead; unpin. Space is
 * waited for unpinned and unlocked, before anything is published. Nothing of the user's runs under a lock.<br>
 * <b>A get</b>: pin; look up; copy, validated; unpin. No lock, no write but to the pin's slot.<br>
 * <b>A clear</b> swaps the namespace's index for a new one; the old one is <em>condemned</em>: the maintenance thread walks it and counts its entries dead; the cleaner removes what it
 * meets first. An operation loads the index once, so it happens wholly before or after the clear.<br>
 * <b>clearAll</b> keeps writers out for one grace period, then frees every segment at once.
 *
 * <p>States of the engine: OPEN, PAUSED (writers wait, readers go on), CLOSED. An operation checks the state after it has pinned, and whoever changes the state waits for the pins from
 * before: so nothing runs on memory that is being given back.
 */
@NullMarked
package io.loam.store.engine;

import org.jspecify.annotations.NullMarked;
