package io.loam.stress;

import io.loam.memory.Membarrier;
import io.loam.memory.RawMemory;
import io.loam.store.epoch.Epochs;
import io.loam.store.epoch.Reclaimer;
import java.lang.foreign.Arena;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * Retiring and reusing: unlink, tag = epoch++, reuse once every pin is younger than the tag; against pin, follow the link, read. Each state has epoch slots of its own.
 *
 * <p>Forbidden: a pinned reader sees the reused bytes. Needs a store-load fence on both sides: on the reclaimer's the epoch's getAndAdd and the fence in oldestPin; on the reader's, who
 * pins its own slot by a plain store, the membarrier of oldestPin, or a fullFence in pin where the kernel has none. Without the latter even x86 breaks it.
 */
@JCStressTest
@State
@Outcome(
        id = {"1, 0", "1, 1", "2, 0", "2, 1"},
        expect = Expect.ACCEPTABLE,
        desc = "old or new; reused or not yet")
@Outcome(expect = Expect.FORBIDDEN, desc = "reused under a pin")
public class ReuseTest {

    private static final RawMemory MEMORY = RawMemory.ofProcess();
    private static final int STATE_BYTES = 512;
    private static final int STATES = 1 << 15;
    private static final int SLOT_COUNT = 2;
    private static final boolean MEMBARRIER = Membarrier.register();
    private static final long START =
            Arena.global().allocate((long) STATES * STATE_BYTES, 64).address();
    private static final AtomicInteger NEXT = new AtomicInteger();

    private static final int LINK = 320;
    private static final int OLD = 384;
    private static final int NEW = 448;
    private static final int REUSED = 9;

    private final long at = START + (long) (NEXT.getAndIncrement() & STATES - 1) * STATE_BYTES;
    private final Epochs epochs;
    private final Reclaimer reclaimer;

    public ReuseTest() {
        MEMORY.fill(at, STATE_BYTES, (byte) 0);
        epochs = new Epochs(MEMORY, at, at + 64, SLOT_COUNT, MEMBARRIER);
        reclaimer = new Reclaimer(epochs);
        MEMORY.putLong(at + OLD, 1);
        MEMORY.putLong(at + NEW, 2);
        MEMORY.putLong(at + LINK, at + OLD);
    }

    @Actor
    public void writer(II_Result r) {
        MEMORY.putLongRelease(at + LINK, at + NEW);
        reclaimer.retire(() -> MEMORY.putLong(at + OLD, REUSED));
        r.r2 = reclaimer.reclaim() ? 1 : 0;
    }

    @Actor
    public void reader(II_Result r) {
        epochs.unpin(epochs.pin()); // the first makes the thread a slot's owner, by a lock
        long pin = epochs.pin();
        long found = MEMORY.getLongAcquire(at + LINK);
        long seen = 0;
        for (int i = 0; i < 16; i++) {
            seen = Math.max(seen, MEMORY.getLongOpaque(found));
        }
        epochs.unpin(pin);
        r.r1 = (int) seen;
    }
}
