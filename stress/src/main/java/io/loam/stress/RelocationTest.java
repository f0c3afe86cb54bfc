package io.loam.stress;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * Relocation: the cleaner, under the home's lock, copies an entry and points the slot to the copy by release; a reader finds one or the other without a lock. What the entry
 * left is overwritten as soon as the epoch allows.
 *
 * <p>Forbidden: absent, torn, or the bytes of the reused place, in either of two reads. A weaker machine breaks it if Index.setLocation were not a release or the reader's load of
 * the slot not an acquire (a copy without its bytes), or without the fence after the pin's CAS (a location from before the unlinking, bytes from after the reuse).
 */
@JCStressTest
@State
@Outcome(id = "7, 7", expect = Expect.ACCEPTABLE, desc = "whole, wherever it lies")
@Outcome(expect = Expect.FORBIDDEN, desc = "absent, torn or reused")
public class RelocationTest {

    private static final Parts PARTS = SharedIndex.PARTS;

    private final long number = SharedIndex.claim();
    private final byte[] key = SharedIndex.key(number, 0);
    private final long hash = PARTS.hash(key);
    private final long from = SharedIndex.location(number, 0);
    private final long to = SharedIndex.location(number, 1);

    public RelocationTest() {
        PARTS.write(from, key, 1, 7);
        PARTS.memory.fill(PARTS.base + to, 64, (byte) 0x54);
        PARTS.insert(key, hash, from);
    }

    @Actor
    public void cleaner() {
        PARTS.relocate(key, hash, to, 8 + 8 + Parts.VALUE_BYTES);
        PARTS.reclaimer.retire(() -> PARTS.memory.fill(PARTS.base + from, 56, (byte) 0x54));
        PARTS.reclaimer.reclaim();
    }

    @Actor
    public void reader(II_Result r) {
        r.r1 = PARTS.read(key, hash);
        r.r2 = PARTS.read(key, hash);
    }
}
