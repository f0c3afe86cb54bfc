package io.loam.stress;

import io.loam.store.index.HeldBuckets;
import io.loam.store.index.Index;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * A commit of two keys, step by step as TransactionRun does it: lock both homes, mark both BUSY, point both slots to the new entries, clear BUSY, unlock; against two reads.
 *
 * <p>Forbidden: the new value of the key that is read first and the old one of the other. A weaker machine breaks it if setBusy were no volatile store (the first slot could be
 * published before the second home is BUSY) or if the reader's loads of slot and control were not acquires (the second control word loaded before the first slot).
 */
@JCStressTest
@State
@Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "before")
@Outcome(id = "2, 2", expect = Expect.ACCEPTABLE, desc = "after")
@Outcome(id = "1, 2", expect = Expect.ACCEPTABLE, desc = "the commit lies between the reads")
@Outcome(expect = Expect.FORBIDDEN, desc = "half a commit")
public class TransactionTest {

    private static final Parts PARTS = SharedIndex.PARTS;

    private final long number = SharedIndex.claim();
    private final byte[][] keys = {SharedIndex.key(number, 0), SharedIndex.key(number, 1)};
    private final long[] hashes = {PARTS.hash(keys[0]), PARTS.hash(keys[1])};

    public TransactionTest() {
        for (int i = 0; i < 2; i++) {
            PARTS.write(SharedIndex.location(number, i), keys[i], 1, 1);
            PARTS.write(SharedIndex.location(number, 2 + i), keys[i], 2, 2);
            PARTS.insert(keys[i], hashes[i], SharedIndex.location(number, i));
        }
    }

    @Actor
    public void committer() {
        long pin = PARTS.epochs.pin();
        try {
            while (!commit()) {
                Thread.onSpinWait();
            }
        } finally {
            PARTS.epochs.unpin(pin);
        }
    }

    private boolean commit() {
        Index index = PARTS.index;
        HeldBuckets held = new HeldBuckets();
        try {
            long[] slots = new long[2];
            for (int i = 0; i < 2; i++) {
                long descriptor = index.descriptor(hashes[i]);
                long bucket = index.tryLockOnce(descriptor, hashes[i], held);
                while (bucket == 0) {
                    descriptor = index.successor(descriptor, hashes[i]);
                    bucket = index.tryLockOnce(descriptor, hashes[i], held);
                }
                if (bucket == Index.CONTENDED) {
                    return false;
                }
                slots[i] = index.findLocked(descriptor, bucket, hashes[i], keys[i], 0, keys[i].length);
            }
            int homes = held.count();
            for (int i = 0; i < homes; i++) {
                index.setBusy(held.bucket(i));
            }
            for (int i = 0; i < 2; i++) {
                index.setLocation(slots[i], SharedIndex.location(number, 2 + i));
                for (int spin = 0; spin < 20; spin++) {
                    Thread.onSpinWait(); // time enough for a reader to get from one key to the other
                }
            }
            for (int i = 0; i < homes; i++) {
                index.clearBusy(held.bucket(i));
            }
            return true;
        } finally {
            held.release(index);
        }
    }

    @Actor
    public void reader(II_Result r) {
        r.r1 = PARTS.read(keys[0], hashes[0]);
        r.r2 = PARTS.read(keys[1], hashes[1]);
    }
}
