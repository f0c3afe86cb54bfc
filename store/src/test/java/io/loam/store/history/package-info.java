/**
 * Linearizability, key by key.
 *
 * <pre>
 *   HistoryDriver ──threads call──► Store
 *        └──record──► Call*  ──per key──► LinearizabilityChecker ──asks──► KeyModel (what a call may do in a state)
 * </pre>
 *
 * <p>The checker searches an order of the calls that respects real time and that the model allows: Wing and Gong 1993 with Lowe's
 * memoisation (2017). Keys are independent, so each key's history is checked by itself; batches are one call per key.
 */
@NullMarked
package io.loam.store.history;

import org.jspecify.annotations.NullMarked;
