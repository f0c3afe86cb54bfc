/**
 * What every store does, as tests that each implementation inherits.
 *
 * <pre>
 *   StoreContract ──opens stores by──► its subclass, one for each implementation
 *        └──moves──► SettableClock
 * </pre>
 */
@NullMarked
package io.loam.store.contract;

import org.jspecify.annotations.NullMarked;
