/**
 * Many threads on one store, every value checked.
 *
 * <pre>
 *   ...StressTest ──puts──► Stamp     a value that says whose it is and proves that it is whole
 *        ├──reads through──► Reader   every way to read; sees that nothing goes back in time
 *        └──runs threads in──► Crew   first failure stops all; a hanging thread fails with its stack
 * </pre>
 *
 * <p>Run length is scaled by {@code loam.test.scale}. Nothing asserts on time, but hanging is a failure.
 */
@NullMarked
package io.loam.store.stress;

import org.jspecify.annotations.NullMarked;
