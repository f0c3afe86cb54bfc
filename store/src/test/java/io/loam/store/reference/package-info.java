/**
 * The model that stores are compared with: slow, on-heap, obviously right.
 *
 * <pre>
 *   ReferenceStore ──one for each name──► ReferenceNamespace ──values shown through──► PiecewiseView
 *        │                                       └──transact──► ReferenceTransaction
 *        └──owns the lock, the versions, the clock, the listeners
 * </pre>
 *
 * <p>I1. All state is guarded by the store's monitor. I2. Functions, readers, visitors and listeners run outside it. I3. Versions of a
 * store never repeat.
 */
@NullMarked
package io.loam.store.reference;

import org.jspecify.annotations.NullMarked;
