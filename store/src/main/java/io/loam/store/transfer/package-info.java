/**
 * A store's entries in a checksummed file.
 *
 * <pre>
 *   StoreFile ──write──► StoreFileWriter ──scans──► Store
 *       └──read──► StoreFileReader ──puts──► Store
 *                        │
 *                  StoreFileLayout      the bytes: offsets, limits, table
 * </pre>
 *
 * <p>I1. A file of the given name is complete: it is written under another name, forced to the disk, then renamed. I2. Nothing is put
 * before the whole file has been verified. I3. A value is never held in the heap as a whole unless it is small.
 */
@NullMarked
package io.loam.store.transfer;

import org.jspecify.annotations.NullMarked;
