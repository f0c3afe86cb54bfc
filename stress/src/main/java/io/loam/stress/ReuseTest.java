package io.loam.stress;

import io.loam.memory.Membarrier;
import io.loam.memory.RawMemory;
import io.loam.store.epoch.Epochs;
import java.lang.foreign.Arena;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * Retiring and reusing: unlink, tag = epoch++, reuse once every pin is younger than the tag; against pin, follow the link, read. Each state has epoch slots of its own: the reader
 * owns the one, before the race, and the writer does not pin.
 *
 * <p>Forbidden: a pinned reader sees the reused bytes. Needs a store-load fence on both sides: on the reclaimer's the epoch's getAndAdd and the fence in oldestPin; on the reader's, who
 * pins by an opaque store, the membarrier of oldestPin, or a fullFence in pin where the kernel has none; half of the states do without membarrier. Without the reader's fence even x86
 * breaks it, for the pin's store waits in the CPU's store buffer while the link is loaded. It waits long here: the reader stores to {@link #COLD_LINES} lines that
 * its cache lacks first, and stores become visible in order. Without the fence of oldestPin nothing breaks on x86, where the getAndAdd is one; a weaker machine could load the slot first.
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

    private static final int COLD_LINES = 24;
    private static final long COLD_BYTES = 64L << 20;
    private static final long COLD = Arena.global().allocate(COLD_BYTES, 4096).address();

    private static final int LINK = 192;
    private static final int READY = 256;
    private static final int DONE = 320;
    private static final int OLD = 384;
    private static final int NEW = 448;
    private static final int REUSED = 9;
    /** Neither waits longer for the other, which may have lost its CPU. */
    private static final int MOST_SPINS = 2000;

    private final int number = NEXT.getAndIncrement();
    private final long at = START + (long) (number & STATES - 1) * STATE_BYTES;
    private final Epochs epochs;

    public ReuseTest() {
        MEMORY.fill(at, STATE_BYTES, (byte) 0);
        epochs = new Epochs(MEMORY, at, at + 64, SLOT_COUNT, MEMBARRIER && (number & 1) == 0);
        MEMORY.putLong(at + OLD, 1);
        MEMORY.putLong(at + NEW, 2);
        MEMORY.putLong(at + LINK, at + OLD);
    }

    @Actor
    public void writer(II_Result r) {
        await(READY);
        MEMORY.putLongRelease(at + LINK, at + NEW);
        if (epochs.isSafe(epochs.retireTag())) {
            MEMORY.putLong(at + OLD, REUSED);
            r.r2 = 1;
        }
        MEMORY.putLongRelease(at + DONE, 1);
    }

    @Actor
    public void reader(II_Result r) {
        epochs.unpin(epochs.pin()); // makes this thread the slot's owner, by a lock
        long seen = MEMORY.getLongOpaque(at + LINK) & 0; // its line is in the cache now
        MEMORY.putLongOpaque(at + READY, 1);
        long cold = number * 0x9E3779B97F4A7C15L;
        for (int i = 0; i < COLD_LINES; i++) {
            cold = cold * 0xD1342543DE82EF95L + 1;
            MEMORY.putLong(COLD + ((cold >>> 32) * COLD_BYTES >>> 32 & -64), cold);
        }
        long pin = epochs.pin();
        long found = MEMORY.getLongAcquire(at + LINK);
        await(DONE);
        seen += MEMORY.getLongOpaque(found);
        epochs.unpin(pin);
        r.r1 = (int) seen;
    }

    private void await(int flag) {
        for (int spins = 0; spins < MOST_SPINS && MEMORY.getLongAcquire(at + flag) == 0; spins++) {
            Thread.onSpinWait();
        }
    }
}
