/**
 * The log: blocks, segments, heads and the entries in them.
 *
 * <pre>
 *   Log ──► Head (one per CPU and node; survivors have their own) ──► BlockPool   who owns which block
 *    │        └──appends──► EntryLayout  bytes of an entry           BlockTable  block → segment, next block
 *    └──► SegmentTable  state, appended and dead bytes, age
 * </pre>
 *
 * <p>I1. A block belongs to the pool, to one segment, or to the index.<br>
 * I2. The used part of every sealed block is a gapless row of entries and fillers; an abandoned reservation becomes a filler.<br>
 * I3. Appended minus dead bytes of a segment are at least those that the index points to, and equal when nothing is in flight.<br>
 * I4. A segment becomes a candidate for cleaning one grace period after it was sealed: a writer is pinned from its reservation until it
 * has published or abandoned, so no candidate holds an entry that may still be published.<br>
 * I5. An entry of at most {@link io.loam.store.log.Geometry#smallEntryBytes} lies in one block; a longer one may go on in the blocks that follow in its segment,
 * its header never does.
 *
 * <p>Lock order: head → pool; both are held for a few stores and never while waiting. Everything refers by offset from the store's
 * base, nothing by address. Source: Merritt (D§4), Rumble (seglets, reserve).
 */
@NullMarked
package io.loam.store.log;

import org.jspecify.annotations.NullMarked;
