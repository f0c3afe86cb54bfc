package io.loam.store.engine;

import io.loam.store.StoreStats;
import io.loam.store.StoreStats.GuardInfo;
import io.loam.store.StoreStats.SegmentInfo;
import io.loam.store.epoch.Epochs;
import io.loam.store.log.SegmentTable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Reads the counters of an engine. */
final class StatsReader {

    private static final String[] STATES = {"FREE", "HEAD", "SEALED", "CLEANING", "RETIRED"};

    private StatsReader() {}

    /** The caller is pinned. */
    static StoreStats read(Engine engine) {
        long capacityBytes = engine.capacityBytes();
        SegmentTable segments = engine.segments;
        int blockShift = engine.geometry.blockShift;
        long now = System.nanoTime();
        long nowMillis = engine.nowMillis();
        Integer[] histogram = new Integer[10];
        Arrays.fill(histogram, 0);
        List<SegmentInfo> infos = new ArrayList<>();
        long retiredBlocks = 0;
        long logBlocks = 0;
        for (int segment = 0; segment < segments.slots(); segment++) {
            int state = segments.state(segment);
            if (state == SegmentTable.FREE) {
                continue;
            }
            int blocks = segments.blockCount(segment);
            logBlocks += blocks;
            if (state == SegmentTable.RETIRED) {
                retiredBlocks += blocks;
            }
            long live = Math.max(0, segments.liveUnits(segment) - segments.expiredUnits(segment, nowMillis));
            if (state == SegmentTable.SEALED && blocks > 0) {
                int tenth = (int) Math.clamp(live * 10 / ((long) blocks * engine.geometry.blockUnits), 0, 9);
                histogram[tenth]++;
            }
            infos.add(new SegmentInfo(
                    STATES[state],
                    blocks,
                    live << 3,
                    segments.appendedUnits(segment) << 3,
                    Math.max(0, (now - segments.createdNanos(segment)) / 1_000_000)));
        }
        long keys = 0;
        long slots = 0;
        for (KeySpace space : engine.keySpaces()) {
            space.refresh();
            if (!space.isDropped()) {
                keys += space.index.size();
                slots += space.index.slots();
            }
        }
        long liveBytes = Math.max(0, engine.log.liveUnits() << 3);
        long free = engine.pool.freeBlocks(); // read once, so that the parts add up
        long used = engine.pool.budgetBlocks() - free;
        // segments freed between their count and the pool's must not make the parts exceed the whole
        long logBytes = Math.min(logBlocks, used) << blockShift;
        long budgetBytes = (long) engine.pool.budgetBlocks() << blockShift;
        long resizes = 0;
        for (KeySpace space : engine.keySpaces()) {
            resizes += space.index.resizes();
        }
        return new StoreStats(
                capacityBytes,
                keys,
                Math.max(0, liveBytes - engine.log.liveOverhead()),
                liveBytes,
                Math.max(0, logBytes - liveBytes),
                logBytes,
                Math.max(0, (used << blockShift) - logBytes),
                capacityBytes - budgetBytes,
                free << blockShift,
                (long) engine.pool.reserveBlocks() << blockShift,
                retiredBlocks << blockShift,
                engine.pool.releasedBytes(),
                slots,
                (double) (liveBytes >>> 3) / engine.cleaner.availableUnits(),
                List.of(histogram),
                engine.geometry.blockBytes,
                engine.geometry.segmentBlocks << blockShift,
                Math.max(0, (engine.log.now() << blockShift) - engine.cleaner.copiedBytes()),
                engine.overwrittenBytes.sum(),
                engine.cleaner.copiedBytes(),
                engine.cleaner.cleanedSegments(),
                engine.cleaner.passes(),
                engine.cleaner.evicted(),
                engine.cleaner.expired() + engine.expiredEntries.sum(),
                resizes,
                engine.writerStalls.sum(),
                engine.longestStall.get(),
                engine.refusedWrites.sum(),
                List.copyOf(infos),
                oldestGuard(engine, now),
                engine.sharing == null ? StoreStats.Opening.PRIVATE : engine.sharing.opening(),
                engine.sharing == null ? List.of() : engine.sharing.participants());
    }

    private static @org.jspecify.annotations.Nullable GuardInfo oldestGuard(Engine engine, long now) {
        Epochs.Pin oldest = engine.epochs.oldestGuard();
        return oldest == null ? null : new GuardInfo(oldest.threadId(), (now - oldest.nanos()) / 1_000_000);
    }
}
