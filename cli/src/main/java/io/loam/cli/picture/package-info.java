/**
 * Pictures of a store's memory: pure functions from {@link io.loam.store.StoreStats} to text.
 *
 * <pre>
 *   MemoryPicture ──► CapacityBar     the capacity split by use
 *        │   └──────► SegmentMap      a cell per segment
 *        └──────────► Paint           glyphs and ANSI colours, or none
 * </pre>
 */
@NullMarked
package io.loam.cli.picture;

import org.jspecify.annotations.NullMarked;
