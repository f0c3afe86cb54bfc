package io.loam.stress;

import io.loam.store.Store;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** {@link TransactionTest} by the store's own transaction: commit of two keys against two reads. Forbidden: new, then old. */
@JCStressTest
@State
@Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "before")
@Outcome(id = "2, 2", expect = Expect.ACCEPTABLE, desc = "after")
@Outcome(id = "1, 2", expect = Expect.ACCEPTABLE, desc = "the commit lies between the reads")
@Outcome(expect = Expect.FORBIDDEN, desc = "half a commit")
public class StoreTransactionTest {

    private static final Store STORE =
            Store.builder().capacityBytes(64L << 20).writeTimeoutMillis(10_000).open();
    private static final AtomicLong NEXT = new AtomicLong();
    /** More than the states that are alive at a time. */
    private static final long STATES = 1 << 15;

    private final long number = NEXT.getAndIncrement() % STATES;
    private final byte[] first = Parts.key(2 * number);
    private final byte[] second = Parts.key(2 * number + 1);

    public StoreTransactionTest() {
        STORE.put(first, new byte[] {1});
        STORE.put(second, new byte[] {1});
    }

    @Actor
    public void committer() {
        STORE.transact(List.of(first, second), transaction -> {
            transaction.put(first, new byte[] {2});
            transaction.put(second, new byte[] {2});
            return 0;
        });
    }

    @Actor
    public void reader(II_Result r) {
        r.r1 = read(first);
        r.r2 = read(second);
    }

    private static int read(byte[] key) {
        byte[] value = STORE.get(key);
        return value == null ? 0 : value[0];
    }
}
