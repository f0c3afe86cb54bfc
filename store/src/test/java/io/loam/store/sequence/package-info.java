/**
 * Random operation sequences against a model, with shrinking.
 *
 * <pre>
 *   SequenceTester ──generates──► Step*        from a seed
 *        │   └──on failure──► Shrinker         drops steps, then simplifies them
 *        └──runs──► SequenceRun ──compares──► Store with SpaceModel
 *                                    ▲
 *                 Setup ──opens──────┴──► the engine, or HeapStore (on-heap, with planted bugs: tests the tester)
 * </pre>
 *
 * <p>A failure prints the seed and the shortest sequence found. {@code -Dloam.sequence.seed=N -Dloam.sequence.setup=NAME} replays it.
 */
@NullMarked
package io.loam.store.sequence;

import org.jspecify.annotations.NullMarked;
