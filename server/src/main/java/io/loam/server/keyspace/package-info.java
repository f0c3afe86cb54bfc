/**
 * The 16 databases on the store, what is in their entries, and the locks that make commands atomic.
 *
 * <pre>
 *   Keyspace ──16──► Database ──is over──► io.loam.store.Namespace
 *      ├──► KeyLocks         stripes: which keys a command has for itself
 *      ├──► Watches          keys that transactions depend on
 *      ├──► KeyEvents        told of what happens to keys
 *      ├──► Elements         what large values consist of, told when their headers go
 *      └──► ValueType        the type bits of entries (docs/encoding.md)
 * </pre>
 *
 * <p><b>What is atomic.</b> The store makes each operation on one key linearizable. A command that does more than one such operation has its keys' stripes locked, exclusively and
 * in ascending order ({@link io.loam.server.keyspace.KeyLocks}); every write has. A command that only reads does not lock:
 *
 * <ul>
 *   <li>One read of one key (GET, EXISTS, TTL) is right unless a writer of several operations is in the midst of it: it looks at the stripe before and after the read and
 *       does it again if such a writer has it, or has had it in between.
 *   <li>Several reads (MGET, HGETALL) note the stripes' words before and compare them after; equal and unlocked means that nobody wrote in between. Else the command
 *       runs again, with the locks.
 * </ul>
 *
 * <p>I1. Every write to a database happens under the lock of its key's stripe.
 * <br>I2. A stripe whose holder makes more than one operation visible is marked MANY from before the first until after the last.
 * <br>I3. A thread waits for a stripe only while it holds none that comes after it; event loops never wait.
 * <br>I4. Who changes a key says so by {@code happened} before unlocking it; watches and notifications depend on it.
 * <br>I5. A lock belongs to a command, not to a thread: a command that turns out to have to wait is carried with its locks to a thread that may.
 */
@NullMarked
package io.loam.server.keyspace;

import org.jspecify.annotations.NullMarked;
