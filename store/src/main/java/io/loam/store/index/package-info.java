/**
 * The index: from a key's hash to the location of its entry.
 *
 * <pre>
 *   Index ──root──► directory ──► subtable (SubtableLayout) ──units──► buckets (BucketLayout) ──► entries of the log
 *     └──uses──► KeyHash
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
 * I5. A subtable that has been replaced is retired like a block of the log.
 *
 * <p><b>Why lock-free reads are linearizable.</b> A reader loads the home's control word once, with acquire, then each candidate's slot word. Absent from
 * the control word (and, if the home says so, from those of the alternates, loaded later): by I2 and I4 the key was absent at one moment between
 * the first and the last of these loads, because to be missed in each it must have been removed and inserted anew in between. Present: the slot word was the key's location when it was
 * loaded, or the key was removed after the control word was loaded, and its last location before that is in the window. On a machine weaker than x86 the order of the
 * loads is what acquire gives: replacing those by plain loads would break the second argument.
 *
 * <p>Lock order: a home, then (try-lock only) alternates; while resizing: old home, new home, (try-lock) new alternates; transactions: try-lock only, releasing all on contention. Resizing lock
 * of the index before all. Source: Merritt (D§4.3), with RAMCloud's order of appending and locking; the geometry is Loam's own.
 */
@NullMarked
package io.loam.store.index;

import org.jspecify.annotations.NullMarked;
