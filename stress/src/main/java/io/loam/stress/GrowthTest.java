package io.loam.stress;

import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * Resizing while keys that are always there are looked up without locks: in half of the states a subtable grows by one unit and shrinks again, in the others one splits in two, which
 * are merged again.
 *
 * <p>Forbidden: a miss or a torn value. A reader that finds a home MOVED goes on in the successor, which holds all keys of that home by then. A weaker machine breaks it if the store of
 * MOVED (Index.moveHome) or of the successor were not a release, or the reader's load of the control word not an acquire; or if a retired subtable were reused under the pin.
 */
@JCStressTest
@State
@Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "every key was found, and the index was resized")
@Outcome(expect = Expect.FORBIDDEN, desc = "a key was absent or torn for a moment, or nothing was resized")
public class GrowthTest {

    private static final ResizedIndex GROWING = new ResizedIndex(300);
    private static final ResizedIndex SPLITTING = new ResizedIndex(4000);
    private static final AtomicInteger NEXT = new AtomicInteger();

    private final boolean splits = (NEXT.getAndIncrement() & 1) == 0;
    private final ResizedIndex index = splits ? SPLITTING : GROWING;
    private final int reads = splits ? 2048 : 128;

    @Actor
    public void resizer(II_Result r) {
        r.r2 = index.cycle() ? 1 : 0;
    }

    @Actor
    public void reader(II_Result r) {
        r.r1 = index.misses(reads) ? 1 : 0;
    }
}
