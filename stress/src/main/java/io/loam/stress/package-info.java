/**
 * jcstress tests of the store's publication protocols: each names the outcome that it forbids and the step of memory order that a machine weaker than x86 would break.
 *
 * <pre>
 *   *Test ──► SharedIndex ──► Parts ──► Index, Entries, Epochs, Reclaimer over a small memory
 * </pre>
 *
 * <p>A run on x86 proves nothing about AArch64: there a load may pass a load and a store a store. The javadocs say what to look at.
 */
@NullMarked
package io.loam.stress;

import org.jspecify.annotations.NullMarked;
