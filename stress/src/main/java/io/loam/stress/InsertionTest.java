package io.loam.stress;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * Two inserters of one key: each locks the home by CAS, looks, inserts if the key is not there, unlocks by release.
 *
 * <p>Forbidden: both insert, neither does, or the key does not point to the winner's entry. A weaker machine breaks it if Index.unlock were not a release or the CAS of tryLock not an
 * acquire: the second would look at a bucket without the first one's tag.
 */
@JCStressTest
@State
@Outcome(id = "1, 0, 1", expect = Expect.ACCEPTABLE, desc = "the first inserts")
@Outcome(id = "0, 1, 2", expect = Expect.ACCEPTABLE, desc = "the second inserts")
@Outcome(expect = Expect.FORBIDDEN, desc = "not exactly one")
public class InsertionTest {

    private static final Parts PARTS = SharedIndex.PARTS;

    private final long number = SharedIndex.claim();
    private final byte[] key = SharedIndex.key(number, 0);
    private final long hash = PARTS.hash(key);

    public InsertionTest() {
        PARTS.write(SharedIndex.location(number, 1), key, 1, 1);
        PARTS.write(SharedIndex.location(number, 2), key, 1, 2);
    }

    @Actor
    public void first(III_Result r) {
        r.r1 = PARTS.insert(key, hash, SharedIndex.location(number, 1)) ? 1 : 0;
    }

    @Actor
    public void second(III_Result r) {
        r.r2 = PARTS.insert(key, hash, SharedIndex.location(number, 2)) ? 1 : 0;
    }

    @Arbiter
    public void reader(III_Result r) {
        r.r3 = PARTS.read(key, hash);
    }
}
