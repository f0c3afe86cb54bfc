/** Places where a test may let a process die. */
@NullMarked
package io.loam.store.crash;

import org.jspecify.annotations.NullMarked;
