package io.loam.stress;

import java.util.concurrent.atomic.AtomicLong;

/**
 * One index for all states of a test, since one for each would be too dear. Each state has a number, from which its keys follow, and a cell for its entries.
 *
 * <p>Cells are used in turn. Whoever claims one removes the keys of the state that had it before; there are more cells than states that are alive at a time.
 */
final class SharedIndex {

    static final Parts PARTS = Parts.inProcess(1 << 16, 512, 64);

    static final int CELL_BYTES = 256;
    private static final int CELLS = 1 << 15;
    private static final int CELLS_PER_BLOCK = (1 << 16) / CELL_BYTES;
    private static final long[] BLOCKS = new long[CELLS / CELLS_PER_BLOCK];
    private static final AtomicLong NEXT = new AtomicLong(CELLS);

    static {
        for (int i = 0; i < BLOCKS.length; i++) {
            BLOCKS[i] = PARTS.newBlock();
        }
    }

    private SharedIndex() {}

    /** The number of a new state, whose cell is free. */
    static long claim() {
        long number = NEXT.getAndIncrement();
        for (int i = 0; i < 2; i++) {
            byte[] key = key(number - CELLS, i);
            PARTS.remove(key, PARTS.hash(key));
        }
        return number;
    }

    /** Key {@code i}, 0 or 1, of a state. */
    static byte[] key(long number, int i) {
        return Parts.key(2 * number + i);
    }

    /** The place for entry {@code i}, 0 to 3, of a state. */
    static long location(long number, int i) {
        int cell = (int) (number % CELLS);
        return BLOCKS[cell / CELLS_PER_BLOCK] + (long) (cell % CELLS_PER_BLOCK) * CELL_BYTES + 64L * i;
    }
}
