package io.loam.store.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.memory.HeapMemory;
import io.loam.store.log.BlockPool.Purpose;
import java.util.ArrayDeque;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BlockPoolTest {

    private static final int BLOCKS = 1000;
    private static final int RESERVE = 30;
    private static final int FOR_INDEX = 8;
    private static final int SEGMENT = 8;

    private final Geometry geometry = new Geometry((long) BLOCKS * 4096, 4096, SEGMENT * 4096, 4, 1, 1, 1, false);
    private final BlockPool pool = pool();

    private BlockPool pool() {
        HeapMemory memory = new HeapMemory((int) geometry.tableBytes);
        BlockTable blocks = new BlockTable(memory, geometry.blockTableOffset);
        BlockPool made = new BlockPool(memory, geometry, blocks, geometry.poolOffset, 1);
        made.format(BLOCKS);
        made.setReserve(RESERVE, FOR_INDEX);
        return made;
    }

    private boolean take(Purpose purpose, int[] into) {
        return pool.allocate(purpose, 0, 1, into);
    }

    private int takeAllForWriters() {
        int taken = 0;
        while (take(Purpose.WRITE, new int[1])) {
            taken++;
        }
        return taken;
    }

    @Test
    void writersKeepTheirStockWhileAPassTakesItsBlocks() {
        pool.lend(10);
        long stock = pool.stock();

        assertThat(take(Purpose.CLEAN, new int[10])).isTrue();

        assertThat(pool.stock()).isEqualTo(stock);
        assertThat(takeAllForWriters()).isEqualTo(BLOCKS - RESERVE);
    }

    @Test
    void whatAPassTakesBeyondItsLoanIsMissingToWriters() {
        pool.lend(10);
        long stock = pool.stock();

        assertThat(take(Purpose.CLEAN, new int[12])).isTrue();

        assertThat(pool.stock()).isEqualTo(stock - 2);
    }

    @Test
    void passThatNeedsMoreThanTheReserveGetsNoLoan() {
        pool.lend(RESERVE - FOR_INDEX);
        long stock = pool.stock();

        assertThat(take(Purpose.CLEAN, new int[1])).isTrue();

        assertThat(pool.stock()).isEqualTo(stock - 1);
    }

    @Test
    void failedPassKeepsWritersOutUntilTheReserveIsWholeAgain() {
        pool.lend(10);
        assertThat(take(Purpose.CLEAN, new int[10])).isTrue();
        takeAllForWriters();

        pool.endLoan();

        assertThat(pool.stock()).isEqualTo(-10);
        assertThat(take(Purpose.WRITE_IN_TURN, new int[1])).isFalse();
    }

    /** Whatever writers take and however late sources are freed, a pass that got its loan finds all the blocks that it needs. */
    @Test
    void passWithALoanNeverLacksBlocks() {
        int loans = 0;
        for (int seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            BlockPool all = pool();
            ArrayDeque<int[]> retired = new ArrayDeque<>();
            ArrayDeque<int[]> sources = new ArrayDeque<>();
            for (int[] segment = new int[SEGMENT];
                    all.allocate(Purpose.WRITE, 0, 1, segment);
                    segment = new int[SEGMENT]) {
                sources.add(segment);
            }
            for (int round = 0; round < 300; round++) {
                // a pass is chosen so that what is free suffices at first
                int live = (int) Math.min(all.freeBlocks(), 1 + random.nextInt(2 * (SEGMENT - 1)));
                boolean granted = all.lend(live);
                loans += granted ? 1 : 0;
                for (int i = 0; i < live; i++) {
                    int[] block = new int[1];
                    boolean served = all.allocate(Purpose.CLEAN, 0, 1, block);
                    if (!served && !granted) {
                        all.endLoan();
                        break;
                    }
                    assertThat(served)
                            .as("seed %d, round %d, block %d of %d", seed, round, i, live)
                            .isTrue();
                    sources.add(block);
                    for (int[] taken = new int[1];
                            random.nextInt(3) > 0 && all.allocate(Purpose.WRITE, 0, 1, taken);
                            taken = new int[1]) {
                        sources.add(taken);
                    }
                }
                for (int freed = 0; freed <= live && !sources.isEmpty(); ) {
                    int[] source = sources.remove();
                    freed += source.length;
                    retired.add(source);
                }
                while (!retired.isEmpty() && random.nextInt(4) > 0) {
                    all.free(1, retired.remove());
                }
            }
        }
        assertThat(loans).isGreaterThan(10_000);
    }
}
