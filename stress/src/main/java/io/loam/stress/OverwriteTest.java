package io.loam.stress;

import io.loam.store.log.Entries;
import java.lang.foreign.MemorySegment;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * Overwriting in place against copying with validation: the writer locks the header, fences, writes the value, stores the new header by release; the reader loads the
 * header by acquire, copies, fences, and looks at the header again. The new value is shorter, so that its length changes too.
 *
 * <p>Forbidden: a mixture, or one value with the other's length, by the general copy (first result), the one for plain entries (second) or the one for entries
 * like most (third). A weaker machine breaks it
 * without storeStoreFence after locking (bytes of the new value under the old header), without the release of the new header (old bytes under it), or without
 * acquireFence before the second look (the look passes the copy's loads).
 */
@JCStressTest
@State
@Outcome(
        id = {"1, 1, 1"},
        expect = Expect.ACCEPTABLE,
        desc = "whole, before the overwrite")
@Outcome(
        id = {"1, 1, 3", "1, 2, 3", "2, 2, 3"},
        expect = Expect.ACCEPTABLE,
        desc = "whole; the usual copy meets another likeness and refers to the general one")
@Outcome(
        id = {"1, 3, 3", "2, 3, 3"},
        expect = Expect.ACCEPTABLE,
        desc = "the plain copy met the overwrite and refers to the general one")
@Outcome(expect = Expect.FORBIDDEN, desc = "a mixture, or back to the old value")
public class OverwriteTest {

    private static final Parts PARTS = SharedIndex.PARTS;
    private static final int SHORTER = Parts.VALUE_BYTES - 3;
    private static final Entries.Likeness USUAL = Entries.Likeness.of(Long.BYTES, Parts.VALUE_BYTES);
    private static final MemorySegment NEW = Parts.value(2, SHORTER);

    private final long number = SharedIndex.claim();
    private final long location = SharedIndex.location(number, 0);

    public OverwriteTest() {
        PARTS.write(location, SharedIndex.key(number, 0), 1, 1);
    }

    @Actor
    public void writer() {
        PARTS.entries.overwrite(location, PARTS.entries.stableHeader(location), 2, 0, 0, NEW);
    }

    @Actor
    public void reader(III_Result r) {
        byte[] value = new byte[Parts.VALUE_BYTES];
        int length = Entries.CHANGED;
        while (length == Entries.CHANGED) {
            length = PARTS.entries.copyValue(location, PARTS.entries.stableHeader(location), value, 0);
        }
        r.r1 = checked(value, length);
        length = PARTS.entries.copyPlainValue(location, 8, value, 0);
        r.r2 = length == Entries.PLAIN_ONLY ? 3 : checked(value, length);
        length = PARTS.entries.copyUsual(location, USUAL, SharedIndex.key(number, 0), value, 0);
        r.r3 = length == Entries.UNUSUAL ? 3 : checked(value, length);
    }

    private static int checked(byte[] value, int length) {
        int mark = Parts.markOf(value, length);
        return length == (mark == 1 ? Parts.VALUE_BYTES : SHORTER) ? mark : Parts.TORN;
    }
}
