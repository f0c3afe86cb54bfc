/** Runs the module's jcstress tests, and protocol code under a model checker. */
@NullMarked
package io.loam.stress;

import org.jspecify.annotations.NullMarked;
