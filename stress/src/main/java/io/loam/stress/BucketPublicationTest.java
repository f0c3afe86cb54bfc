package io.loam.stress;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * Publication of an entry by a bucket: entry written plainly, then the slot's word by release, then the tag by release; a reader loads the control word and the
 * slot by acquire and follows the location without looking at the key, which would hide an entry whose bytes are not there yet.
 *
 * <p>Forbidden: a location whose entry is not whole. A weaker machine breaks it if either the store of the slot's word (Index.fill) were not a release or its load
 * (Index.lookup, guess) not an acquire.
 */
@JCStressTest
@State
@Outcome(id = "0", expect = Expect.ACCEPTABLE, desc = "not there yet")
@Outcome(id = "7", expect = Expect.ACCEPTABLE, desc = "there and whole")
@Outcome(expect = Expect.FORBIDDEN, desc = "published before its bytes")
public class BucketPublicationTest {

    private static final Parts PARTS = SharedIndex.PARTS;

    private final long number = SharedIndex.claim();
    private final byte[] key = SharedIndex.key(number, 0);
    private final long hash = PARTS.hash(key);
    private final long location = SharedIndex.location(number, 0);

    public BucketPublicationTest() {
        PARTS.memory.fill(PARTS.base + location, 64, (byte) 0x54);
    }

    @Actor
    public void writer() {
        PARTS.write(location, key, 1, 7);
        PARTS.insert(key, hash, location);
    }

    @Actor
    public void reader(I_Result r) {
        long pin = PARTS.epochs.pin();
        try {
            long found = PARTS.index.guess(hash, PARTS.index.home(hash));
            if (found == location) {
                r.r1 = PARTS.entries.keyEquals(location, key, 0, key.length) ? PARTS.mark(location) : Parts.TORN;
            }
        } finally {
            PARTS.epochs.unpin(pin);
        }
    }
}
