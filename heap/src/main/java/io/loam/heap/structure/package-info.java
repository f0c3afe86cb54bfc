/**
 * Collections in a persistent heap, found again by the name of a root.
 *
 * <pre>
 *   PersistentMap   hash table that grows bucket by bucket      Map
 *   PersistentTree  B+-tree whose nodes are copied on change    Map in the order of the keys, with ranges
 *   PersistentList  references in an array                      List
 *      └──► StructureLock     one writer, optimistic readers; kept to the end of an atomic update
 *      └──► HeapCodec         objects to bytes and back
 * </pre>
 *
 * <ul>
 *   <li>I1. An operation is durable when it returns, and a crash leaves all of it or nothing. What is new is made durable first, then one word of 8 bytes is stored
 *       that links it; operations that need more words run in {@code atomic}.
 *   <li>I2. What was unlinked is freed after the unlinking is durable. A crash between leaves garbage, which recovery reclaims.
 *   <li>I3. Inside of a user's {@code atomic} an operation is part of it; its locks are kept to its end, so that nobody builds on what may be undone.
 * </ul>
 *
 * <p>Readers take no lock: they read, then ask whether a writer came between, and if so read again. What they read meanwhile may be garbage, so every length and
 * offset is checked or validated before it is used.
 */
@NullMarked
package io.loam.heap.structure;

import org.jspecify.annotations.NullMarked;
