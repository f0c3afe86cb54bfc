/**
 * The demo: real objects in a store kept 90 % utilised, overwritten many times over, and verified.
 *
 * <pre>
 *   DemoCommand ──► Demo ──reads──► ObjectSource ◄── JdkObjects      jrt:/
 *                    │  └─fills──► MapFootprint                      what a ConcurrentHashMap takes
 *                    ├──► Filling ──► CapacityPlan                   a store at the wanted utilisation
 *                    │       └──────► WorkingSet of DemoObject       keys, sources, expected generations
 *                    ├──► Churn ──► ChurnWorker …                    each owns its share of the objects
 *                    ├──► Progress                                   bar or lines
 *                    ├──► Verification                               everything against the source, read anew
 *                    └──► DemoReport
 *   Generation                                                      source bytes ⇄ stored bytes
 * </pre>
 *
 * <p>I1. An object is written by one worker only, so what the store must hold is known without any lock.
 * <br>I2. Each overwrite gives the object a new generation, and every byte stored depends on it: an old value can't pass for the present one.
 */
@NullMarked
package io.loam.cli.demo;

import org.jspecify.annotations.NullMarked;
