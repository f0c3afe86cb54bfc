package io.loam.store.log;

import io.loam.memory.HeapMemory;
import io.loam.stress.Lincheck;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/** Interleavings of reservations in a head's block with leaving it: no two overlap, and the units counted at leaving are exact. */
@Param(name = "units", gen = IntGen.class, conf = "1:200")
public class HeadModelTest {

    private static final Geometry GEOMETRY = new Geometry(1 << 16, 4096, 4096, 4, 1, 1, 1, false);

    private final Head head = new Head(new HeapMemory(Head.BYTES), 0, GEOMETRY, 0, 1);

    public HeadModelTest() {
        head.format();
        head.move(head.position(), Head.word(0, 0, 0));
    }

    @Operation
    public long reserve(@Param(name = "units") int units) {
        return head.tryReserve(units, 8);
    }

    /** Units and overhead of the block that is left. */
    @Operation
    public long leave() {
        long word = head.leave();
        return Head.units(word) * 1_000_000 + Head.overhead(word);
    }

    /** A cursor. */
    public static final class Model {

        private long units;
        private long overhead;

        public long reserve(int count) {
            if (units + count > GEOMETRY.blockUnits) {
                return -1;
            }
            units += count;
            overhead += 8;
            return GEOMETRY.blockOffset(0) + (units - count) * 8;
        }

        public long leave() {
            long left = units * 1_000_000 + overhead;
            units = GEOMETRY.blockUnits;
            overhead = 0;
            return left;
        }
    }

    @Test
    void reservationsAreLinearizable() {
        new ModelCheckingOptions()
                .iterations(Lincheck.SCENARIOS)
                .invocationsPerIteration(5 * Lincheck.INTERLEAVINGS)
                .threads(3)
                .actorsPerThread(2)
                .sequentialSpecification(Model.class)
                .check(HeadModelTest.class);
    }
}
