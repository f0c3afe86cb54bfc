/**
 * Loading of absent values, by one thread at a time for each key.
 *
 * <pre>
 *   SingleFlight ──owns──► Flight        one for each key being loaded: who loads it, what came of it
 *        └──get, putIfAbsent──► Namespace
 * </pre>
 *
 * <p>I1. At most one thread runs a loader for a key of a namespace. I2. A flight leaves the table before its waiters wake, so that none
 * of them meets it again. I3. No lock is held while a loader runs.
 */
@NullMarked
package io.loam.store.loading;

import org.jspecify.annotations.NullMarked;
