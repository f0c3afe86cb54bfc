/** One store in several processes: attached by each, or served by one over a socket. */
@NullMarked
package io.loam.bench.sharing;

import org.jspecify.annotations.NullMarked;
