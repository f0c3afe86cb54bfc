/**
 * A namespace seen as a map of objects.
 *
 * <pre>
 *   MapView ──encodes, decodes through──► Codec
 *      │  ├──every operation──► Namespace     atomic by the key's version
 *      │  └──keySet, values, entrySet──► EntryCursor ──batches──► Namespace.scan
 *      └──entries that write through──► LiveEntry
 * </pre>
 *
 * <p>I1. Keys and values are equal when their encoded bytes are. I2. A function given by the caller runs under no lock. I3. The view has
 * no state: two views of a namespace are interchangeable.
 */
@NullMarked
package io.loam.store.view;

import org.jspecify.annotations.NullMarked;
