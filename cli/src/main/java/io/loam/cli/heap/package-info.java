/**
 * {@code loam heap}: persistent heaps in files, made, looked at, audited and collected.
 *
 * <pre>
 *   HeapCommand ──► create, stat, roots, check, collect, dump
 *                      └──► HeapPicture (the file by use, a cell for each group of superblocks, a line for each class)
 * </pre>
 *
 * stat, roots, check and dump open the file to read only, beside each other; a heap that was not closed is looked at as it lies there.
 */
@NullMarked
package io.loam.cli.heap;

import org.jspecify.annotations.NullMarked;
