package io.loam.store.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loam.memory.HeapMemory;
import io.loam.memory.RawMemory;
import io.loam.store.log.BlockPool.Purpose;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BlockPoolRebuildTest {

    private static final int OWNER = 7;

    private final Random random = new Random(5);
    private final ArrayDeque<Integer> taken = new ArrayDeque<>();
    private Geometry geometry;
    private RawMemory memory;
    private BlockPool pool;

    private void open(int blockBytes, int nodes) {
        geometry = new Geometry(16L << 20, blockBytes, 4 * blockBytes, 64, nodes, 1, 1, false);
        memory = new HeapMemory((int) geometry.tableBytes);
        BlockTable blocks = new BlockTable(memory, geometry.blockTableOffset);
        pool = new BlockPool(memory, geometry, blocks, geometry.poolOffset, 1);
        pool.format(geometry.maximumBlocks);
    }

    private void takeAndFree(int steps) {
        for (int i = 0; i < steps; i++) {
            if (taken.size() > 20 && random.nextBoolean()) {
                pool.free(OWNER, taken.remove());
            } else {
                int[] into = new int[1 + random.nextInt(3)];
                if (pool.allocate(Purpose.CLEAN, random.nextInt(geometry.nodes), OWNER, into)) {
                    Arrays.stream(into).forEach(taken::add);
                }
            }
        }
    }

    private long[] words() {
        int from = (int) geometry.poolOffset;
        return java.util.stream.LongStream.range(0, (geometry.segmentOffset - from) / 8)
                .map(i -> memory.getLong(from + 8 * i))
                .toArray();
    }

    @ParameterizedTest
    @ValueSource(ints = {4096, 65536})
    void rebuildingFromOwnersGivesTheSamePool(int blockBytes) {
        for (int nodes = 1; nodes <= 2; nodes++) {
            taken.clear();
            open(blockBytes, nodes);
            pool.setReserve(5, 2);
            takeAndFree(500);
            long[] before = words();
            memory.putLong(geometry.poolOffset + 8, -77);
            memory.putLong(geometry.poolOffset + 16, 1234);
            memory.putLong(geometry.poolOffset + 64, 99);
            for (long at = geometry.poolOffset + 192; at < geometry.segmentOffset; at += 24) {
                memory.putLong(at, memory.getLong(at) ^ 3); // free counts and masks, here and there
            }
            pool.rebuild();
            long[] after = words();
            int groupWords = Math.max(1, Math.min(8, geometry.groupBlocks / 64)) + 2;
            for (int i = 24; i < before.length; i++) {
                if ((i - 24) % groupWords == 1) {
                    after[i] = before[i]; // since when a group is free is not rebuilt
                }
            }
            assertEquals(Arrays.toString(before), Arrays.toString(after));
            takeAndFree(500);
            taken.forEach(block -> pool.free(OWNER, block));
            assertEquals(0, pool.usedBlocks());
            assertEquals(geometry.maximumBlocks, pool.freeBlocks());
        }
    }

    @Test
    void aWriterLeavesTheReserveAndWhatOthersWaitFor() {
        open(65536, 1);
        int all = geometry.maximumBlocks;
        pool.setReserve(10, 4);
        pool.claim(5);
        assertTrue(pool.allocate(Purpose.WRITE, 0, OWNER, new int[all - 15]));
        assertFalse(pool.allocate(Purpose.WRITE, 0, OWNER, new int[1]));
        assertTrue(pool.allocate(Purpose.WRITE_IN_TURN, 0, OWNER, new int[5]));
        assertFalse(pool.allocate(Purpose.WRITE_IN_TURN, 0, OWNER, new int[1]));
        pool.unclaim(5);
        assertEquals(4, pool.allocateIndex(4).length);
        assertEquals(0, pool.allocateIndex(1).length);
        assertTrue(pool.allocate(Purpose.CLEAN, 0, OWNER, new int[6]));
        assertFalse(pool.allocate(Purpose.CLEAN, 0, OWNER, new int[1]));
        assertEquals(0, pool.freeBlocks());
        pool.setBudgetBlocks(all - 1);
        assertEquals(-1, pool.freeBlocks());
    }

    /** Forbidden: what is freed for the second time takes a block from the one who has it by then. */
    @Test
    void blockOfAnotherIsNotFreed() {
        open(65536, 1);
        int[] block = new int[1];
        assertTrue(pool.allocate(Purpose.WRITE, 0, OWNER, block));
        long free = pool.freeBlocks();
        assertThrows(IllegalStateException.class, () -> pool.free(OWNER + 1, block));
        assertEquals(free, pool.freeBlocks());
        pool.free(OWNER, block);
        assertThrows(IllegalStateException.class, () -> pool.free(OWNER, block));
        assertEquals(free + 1, pool.freeBlocks());
    }

    @Test
    void theBudgetIsLoweredOnlyAsFarAsTheCleanerCanGoOn() {
        open(65536, 1);
        int all = geometry.maximumBlocks;
        pool.setReserve(10, 4);
        int[] used = new int[all / 2];
        assertTrue(pool.allocate(Purpose.WRITE, 0, OWNER, used));
        assertFalse(pool.approachBudget(all / 4));
        assertEquals(all / 2 + 6, pool.budgetBlocks());
        assertEquals(6, pool.freeBlocks());
        assertFalse(pool.approachBudget(all / 4));
        assertEquals(6, pool.freeBlocks());
        pool.free(OWNER, used);
        assertTrue(pool.approachBudget(all / 4));
        assertEquals(all / 4, pool.freeBlocks());
        assertTrue(pool.approachBudget(all));
        assertEquals(all, pool.freeBlocks());
    }
}
