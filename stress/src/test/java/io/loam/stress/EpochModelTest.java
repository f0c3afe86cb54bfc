package io.loam.stress;

import io.loam.memory.HeapMemory;
import io.loam.memory.RawMemory;
import io.loam.store.epoch.Epochs;
import io.loam.store.epoch.Reclaimer;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.junit.jupiter.api.Test;

/** Interleavings of pinned reads with unlinking, retiring and reusing: no pinned reader sees reused memory. */
public class EpochModelTest {

    private static final int SLOTS = 4;
    private static final int LINK = 384;
    private static final int FIRST = 392;
    private static final int SECOND = 400;
    private static final int PENDING = 408;
    private static final int LIVE = 1;
    private static final int REUSED = 9;

    private final RawMemory memory = new HeapMemory(512);
    private final Epochs epochs = new Epochs(memory, 0, 64, SLOTS, false);
    private final Reclaimer reclaimer = new Reclaimer(epochs, memory, PENDING);

    public EpochModelTest() {
        memory.putLong(FIRST, LIVE);
        memory.putLong(SECOND, REUSED);
        memory.putLongRelease(LINK, FIRST);
    }

    /** Whether all that was seen under the pin was live. */
    @Operation
    public boolean read() {
        long pin = epochs.pin();
        long found = memory.getLongAcquire(LINK);
        boolean live = memory.getLongOpaque(found) == LIVE;
        live &= memory.getLongOpaque(found) == LIVE;
        epochs.unpin(pin);
        return live;
    }

    /** Links the other place, if it is free, and retires the present one. */
    @Operation(nonParallelGroup = "writer")
    public void replace() {
        long old = memory.getLong(LINK);
        long other = old == FIRST ? SECOND : FIRST;
        if (memory.getLong(other) == REUSED) {
            memory.putLong(other, LIVE);
            memory.putLongRelease(LINK, other);
            reclaimer.retire(() -> memory.putLongOpaque(old, REUSED));
        }
        reclaimer.reclaim();
    }

    /** Reads are always live. */
    public static final class Model {

        public boolean read() {
            return true;
        }

        @SuppressWarnings("EmptyMethod")
        public void replace() {}
    }

    @Test
    void noPinnedReaderSeesReusedMemory() {
        new ModelCheckingOptions()
                .iterations(Lincheck.SCENARIOS)
                .invocationsPerIteration(5 * Lincheck.INTERLEAVINGS)
                .threads(3)
                .actorsPerThread(2)
                .sequentialSpecification(Model.class)
                .check(EpochModelTest.class);
    }
}
