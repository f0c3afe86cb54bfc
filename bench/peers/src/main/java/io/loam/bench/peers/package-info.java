/** Adapters of the other stores, each set up to run at its best. On the class path of their workers only; loaded by name. */
@NullMarked
package io.loam.bench.peers;

import org.jspecify.annotations.NullMarked;
