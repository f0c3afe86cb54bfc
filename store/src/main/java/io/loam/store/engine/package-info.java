/**
 * What ties the parts together: the operations of the public API over index, log, epochs and cleaner.
 *
 * <pre>
 *   LogStore (Store) ──is a──► KeySpace (Namespace) ──► Engine ──owns──► StoreMemory, Epochs, BlockPool, Log, Cleaner
 *                                │    └──► Index (its own)        └──► Maintenance  resizing, reclaiming, releasing, accounting for cleared indexes
 *                                ├──► Write        one put, from reservation to publication
 *                                ├──► TransactionRun  several keys, optimistic
 *                                └──► EntryView    a value where it lies
 *   SharedStore is a LogStore whose Engine has a Sharing ──► Namespaces, Requests, Journals, Participants
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
 *
 * <h2>A store that processes share</h2>
 *
 * <p>It lies in two regions: data ({@link io.loam.store.engine.StoreHeader}, tables, blocks) and control ({@link io.loam.store.engine.SharedLayout}: who takes part, epoch slots, requests, journals). Control is written by
 * all, data by writers only: a reader maps it without the right to write. Any writer can damage the store, a reader can't; both can keep memory from being reused. Everything in the regions refers by offset.
 *
 * <p><b>Participants.</b> Each attached store object is one, of at most 32, and holds a byte of the control region's file locked as long as its memory is mapped, closed or not. Its number gives it epoch slots, log heads and journals of its own, so that the
 * operations of several processes meet in buckets, counters and the pool's lock, and nowhere else. They are the operations of a private store, by the same code.
 *
 * <p><b>The leader</b> is the writer that holds the leader's byte. It alone cleans, resizes, retires, and makes, clears and drops namespaces; others ask it ({@link io.loam.store.engine.Requests}) and wait. What it keeps in Java objects all follows from
 * the regions: who takes over marks what the namespaces lead to, frees what of the index nothing leads to, retires anew what is retired, and goes on with resizings that are linked.
 *
 * <p><b>Death.</b> Every writer looks for the leader's byte, the leader for the bytes of the others, every 10 ms. What the dead have left is repaired by the leader, while writers stay out: each enters by saying in its slot that it writes and then looking
 * at the pause word; the repairer sets the word, passes a barrier in all processes, and waits for those who write. Who waits for a lock looks at the word too, lets go of all it holds and starts over, so nobody waits for a dead one's lock.
 * Readers go on. Then, with nobody writing, what the dead ones were at is undone or finished, and nothing else is looked at. Each operation says in its epoch slot, before its first lock and its first reservation, which key it is
 * about ({@link io.loam.store.epoch.Epochs.Change}); a transaction says it of each key in its journal. It follows which subtables may hold locks or half a change; what is locked there now is a dead one's
 * ({@link io.loam.store.index.Index#repair}). Heads and journals are the dead one's own: segments that only it appended to are sealed ({@link io.loam.store.log.LogRepair}), overwriting in place and transactions, which can't be undone, are finished
 * ({@link io.loam.store.engine.Journals}). Subtables that are being resized are put in order, too, for whoever resizes may be the dead one or have been stopped half-way. A repair that is cut short is done again by the next leader: nothing is
 * forgotten of the dead until all is done. Who fails when it takes over has the leader's byte and leads not; it tries again. Who leads and closes looks for the dead until it has closed, for what it waits for may be theirs.<br>
 * A repair waits for no code of the user's: listeners are told when the write, the cleaning of the block, or the turn of maintenance is over.<br>
 * So repair costs by participants: some 10^5 slots for each operation that one was at. Only the tables of segments and blocks are looked at as a whole, 16 bytes for each block. What a dead one had counted can't be known to the last
 * entry; a segment it was about counts too much as live, is <em>doubtful</em>, and is cleaned when the store is idle.
 *
 * <p>The forbidden outcomes: an acknowledged write lost; a torn value; a survivor that waits for ever; a block with two owners; a location that leads to reused memory.
 *
 * <p>S1. Whoever changes data is the leader's own thread, paused during repair, or has said in its slot that it writes.<br>
 * S2. A version is noted before the store that publishes or removes, so that it is not given out again whatever dies.<br>
 * S3. A participant's record says ATTACHED from before its first pin until after its last, or until what it left is repaired; who gets a dead one's number waits for that.<br>
 * S4. A journal's phase OVERWRITE or COMMIT is set and reset under the locks of the buckets concerned.<br>
 * S5. A bucket is locked and a location reserved only after the slot or the journal says for which key; a head is changed by its own participant only. The leader asks the others to seal theirs.<br>
 * S6. A block's entries and fillers follow each other without a gap up to its head's position, at any instant: a filler of the whole size is there before the position is moved.<br>
 * S7. A request is taken and answered by a number that no other request in its place has or had: nobody is answered for a predecessor, and what was read of two requests is not done.<br>
 * S8. A participant's number is given back when nobody in its process can look at the memory any more: what comes late to a closed store object meets slots that are nobody's.
 *
 * <p><b>One alone.</b> A participant that opened the store exclusively holds a byte, SOLE, which all others look at when they come to the door. It may have other policies than the store was created with, as they are matters of conduct, and
 * write the keys of a large transaction to blocks ({@link io.loam.store.engine.Journals}). {@link io.loam.store.engine.Settlement} sees to it that nobody opens a store that the machine has torn when it stopped.
 *
 * <p>Lock order: door, leader's byte, then as in a private store. A process that lacks membarrier can only attach a store whose creator lacked it: then every pin fences.
 */
@NullMarked
package io.loam.store.engine;

import org.jspecify.annotations.NullMarked;
