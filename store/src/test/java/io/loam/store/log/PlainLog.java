package io.loam.store.log;

import io.loam.memory.HeapMemory;
import io.loam.store.epoch.Epochs;
import io.loam.store.epoch.Reclaimer;
import java.lang.foreign.MemorySegment;
import java.time.InstantSource;

/** A log of 128 blocks with two heads, and what it stands on, in memory that a test may replace; formatted. */
public final class PlainLog {

    public static final int BLOCK_BYTES = 4096;
    public static final Geometry GEOMETRY =
            new Geometry(128 * BLOCK_BYTES, BLOCK_BYTES, 4 * BLOCK_BYTES, 16, 1, 2, 1, false);

    public final BlockTable blocks;
    public final SegmentTable segments;
    public final Epochs epochs;
    public final Reclaimer reclaimer;
    public final Log log;

    public PlainLog() {
        this(new HeapMemory(GEOMETRY.reservedBytes));
    }

    /** @param memory zeroed, of {@link Geometry#reservedBytes} */
    PlainLog(HeapMemory memory) {
        blocks = new BlockTable(memory, GEOMETRY.blockTableOffset);
        segments = new SegmentTable(memory, GEOMETRY.segmentOffset, GEOMETRY.segmentSlots);
        epochs = new Epochs(memory, 64, GEOMETRY.epochOffset, GEOMETRY.epochSlots, false);
        reclaimer = new Reclaimer(epochs, memory, 144);
        BlockPool pool = new BlockPool(memory, GEOMETRY, blocks, GEOMETRY.poolOffset, 1);
        log = new Log(
                memory,
                0,
                GEOMETRY,
                blocks,
                pool,
                segments,
                new Entries(memory, 0, GEOMETRY, blocks, MemorySegment.NULL),
                epochs,
                reclaimer,
                InstantSource.system(),
                128);
        pool.format(GEOMETRY.maximumBlocks);
        log.format();
    }
}
