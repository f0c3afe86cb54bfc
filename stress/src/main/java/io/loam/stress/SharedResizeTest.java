package io.loam.stress;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * Two threads that do the pieces of the same resizings, one of which removes and inserts keys whose homes both may want to move.
 *
 * <p>Forbidden: a key that was removed is back, or one that was inserted is absent. It is broken if a home that is MOVED were copied again (Index.moveHome), if the homes could be moved before
 * every block of the successors is zeroed, or the directory led to the successors before every home is moved (Resize.claim, blockDone, homesDone).
 */
@JCStressTest
@State
@Outcome(id = "0", expect = Expect.ACCEPTABLE, desc = "every key was where it should be")
@Outcome(expect = Expect.FORBIDDEN, desc = "a removed key came back, or an inserted one was lost")
public class SharedResizeTest {

    private static final int KEYS = 300;
    private static final int TURNS = 16;
    private static final ResizedIndex INDEX = new ResizedIndex(KEYS);

    @Actor
    public void resizer() {
        INDEX.resizeAlong();
    }

    @Actor
    public void owner(I_Result r) {
        r.r1 = INDEX.revives(TURNS) ? 1 : 0;
    }
}
