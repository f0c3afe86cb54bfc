/**
 * The systems under test behind one small interface, and how they are started.
 *
 * <pre>
 *   SystemUnderTest ──one per thread──► Session        get, put, delete, getBatch by a key of 8 bytes
 *       ▲ Loam, Bare, HeapMap (chm, chm-copy)          here
 *       ▲ Caffeine, Chronicle, Ohc, MapDb, Ehcache, Rocks   in bench/peers, off the module path
 * </pre>
 *
 * <p>A worker JVM loads one system only, so the calls through these classes are monomorphic there and cost the same for all.
 */
@NullMarked
package io.loam.bench.system;

import org.jspecify.annotations.NullMarked;
