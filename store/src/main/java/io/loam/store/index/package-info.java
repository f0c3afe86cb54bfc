/**
 * The index: from a key's hash to the location of its entry.
 *
 * <pre>
 *   Index ──root──► directory ──► subtable (SubtableLayout) ──units──► buckets (BucketLayout) ──► entries of the log
 *     ├──uses──► KeyHash
 *     └──has───► Resize, one for each resizing under way
 * </pre>
 *
 * <p>The top bits of the hash choose a subtable, the bits below a bucket in it by multiplication, so that buckets lie in hash order and a scan's
 * position is a hash. The lowest 8 bits are the tag. A subtable has 8 to 15 units; it grows and shrinks by one unit, and splits in two of 8 when it would
 * have 16, so that the load stays within one ninth of its bound.
 *
 * <p>I1. A key has a home bucket. Its slot is there or, when that was full, in one of 31 alternates that follow from the home alone; the slot says which, the home
 * the largest that was in use since the subtable was made.<br>
 * I2. A key stays in its slot until it is removed. Only resizing copies it, home by home, to another subtable; the old copy stays as it was and the old home is
 * marked MOVED. So a reader that looked at a home that was not marked has looked at a state the key was in, and a miss needs no validation.<br>
 * I3. What slots say about a home's keys changes only under the home's lock; which slots of a bucket are taken only under that bucket's lock.<br>
 * I4. A tag is set after its slot's word and cleared before it: who sees the tag sees a word of that slot that was published no earlier, or zero.<br>
 * I5. A subtable that has been replaced is retired like a block of the log.<br>
 * I6. A home is moved once, and not before every block of the successors is zeroed; the directory leads to the successors only when every home is moved.
 *
 * <p><b>Why lock-free reads are linearizable.</b> A reader loads the home's control word once, with acquire, then each candidate's slot word. Absent from
 * the control word (and, if the home says so, from those of the alternates, loaded later): by I2 and I4 the key was absent at one moment between
 * the first and the last of these loads, because to be missed in each it must have been removed and inserted anew in between. Present: the slot word was the key's location when it was
 * loaded, or the key was removed after the control word was loaded, and its last location before that is in the window. On a machine weaker than x86 the order of the
 * loads is what acquire gives: replacing those by plain loads would break the second argument.
 *
 * <p><b>Resizing</b> is done in pieces, so that no operation waits for more than a few of them: {@link io.loam.store.index.Resize} hands them out, a block to zero or 32 homes to move, to the
 * maintenance thread, which does most, and to writers. A descriptor is the source or successor of one resizing at most; several of different subtables may be under way.
 * It begins, by whoever was asked or finds it necessary, with taking the successors' blocks and descriptors, which nobody can reach yet. Each phase ends with whoever does its last piece: a counter's
 * increments order all its pieces before the store that opens the next, the release of the successor after zeroing, that of the directory's word after moving. The forbidden outcomes: a reader sent
 * on to a bucket of garbage, or led past a home whose keys are still to come. A piece and a writer in need of just this home may both want to move it; who has the home's lock and
 * finds it MOVED leaves it alone, for a second copy would bring back a key that was removed from the successor since, or a location that has been reused.<br>
 * Inserts keep to a schedule ({@link io.loam.store.index.Resize#allowedKeys}): one that is ahead of the pieces claimed so far is refused as if there were no slot, does a piece
 * ({@link io.loam.store.index.Index#growNow}) and tries again. So the successors never fill before all keys are in, however late the maintenance thread is, and nobody does more than a piece, a home and the beginning
 * for one attempt. Only the last pieces, claimed by a thread that lost its CPU, can be waited for, after half of the successors' room has been used up.
 *
 * <p>Lock order: a home, then (try-lock only) alternates; while resizing: old home, new home, (try-lock) new alternates; transactions: try-lock only, releasing all on contention. Lock
 * of the pieces (read: doing one; write: destroying the index), resizing lock (beginning and publishing, nothing longer), then all these. Source: Merritt (D§4.3), with RAMCloud's order of appending and locking; the geometry is Loam's own.
 */
@NullMarked
package io.loam.store.index;

import org.jspecify.annotations.NullMarked;
