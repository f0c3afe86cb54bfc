/**
 * Log-structured memory: the public API of the store.
 *
 * <pre>
 *   StoreBuilder ──open──► Store ──is a──► Namespace ──► put, get, delete, scan, transact …
 *                            │                 └──asMap──► ConcurrentMap view (Codec)
 *                            ├──► StoreStats        what the memory holds
 *                            └──► Guard             zero-copy reads over several calls
 * </pre>
 *
 * <p>Keys and values are byte strings. The rest of the module is not exported: {@code engine} ties the parts together, {@code index},
 * {@code log}, {@code epoch} and {@code cleaner} are the parts; each package introduces itself.
 */
@NullMarked
package io.loam.store;

import org.jspecify.annotations.NullMarked;
