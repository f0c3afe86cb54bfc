package io.loam.store.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.crash.DyingMemory;
import io.loam.store.epoch.Epochs;
import io.loam.store.epoch.Reclaimer;
import io.loam.store.log.BlockPool.Purpose;
import java.lang.foreign.MemorySegment;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One of two participants dies after each of its stores in turn; the other one repairs the log and goes on. Forbidden: an entry lost, a block lost or with two owners, counts that are too low. */
class LogDeathTest {

    private static final int BLOCK_BYTES = 4096;
    private static final int OPERATIONS = 10;
    private static final int SLOTS = 4;
    private static final int DYING = 1;
    private static final long WORDS = 512;

    private final Geometry geometry =
            new Geometry(64 * BLOCK_BYTES, BLOCK_BYTES, 4 * BLOCK_BYTES, SLOTS, 1, 1, 1, false, 2, 0);

    /** What the participants share. */
    private final class Shared {
        final DyingMemory memory = new DyingMemory(geometry.reservedBytes + 4096);
        final long control = geometry.reservedBytes;
        final BlockTable blocks = new BlockTable(memory, geometry.blockTableOffset);
        final SegmentTable segments = new SegmentTable(memory, geometry.segmentOffset, geometry.segmentSlots);
        final Entries entries = new Entries(memory, 0, geometry, blocks, MemorySegment.NULL);
        /** Units of the entries that must be there. */
        final Map<Long, Long> published = new HashMap<>();
    }

    private final class Participant {
        final Shared shared;
        final int number;
        final BlockPool pool;
        final Log log;

        Participant(Shared shared, int number) {
            this.shared = shared;
            this.number = number;
            long slots = shared.control + WORDS;
            Epochs epochs = new Epochs(
                    shared.memory,
                    shared.control,
                    slots + (long) number * SLOTS * Epochs.SLOT_BYTES,
                    SLOTS,
                    slots,
                    2 * SLOTS,
                    Epochs.Barrier.FENCE);
            pool = new BlockPool(shared.memory, geometry, shared.blocks, geometry.poolOffset, number + 1);
            log = new Log(
                    shared.memory,
                    0,
                    geometry,
                    shared.blocks,
                    pool,
                    shared.segments,
                    shared.entries,
                    epochs,
                    new Reclaimer(epochs, shared.memory, shared.control + 64),
                    InstantSource.system(),
                    shared.control + 128,
                    number);
        }

        /** Appends an entry, which is published if it is not given up. */
        void append(int valueBytes, boolean abandoned) {
            EntryShape shape = EntryShape.of(geometry, 8, valueBytes, false, false, 0, false);
            long note = shared.control + 192 + 8L * number;
            long location = log.reserve(log.head(0, number), shape.units(), shape.overhead(), Purpose.WRITE, note);
            assertThat(location).isPositive();
            shared.entries.write(location, shape, 0, 0, new byte[8], MemorySegment.ofArray(new byte[valueBytes]));
            if (abandoned) {
                log.abandon(location, shape.units(), shape.overhead());
            } else {
                shared.entries.setHeader(location, shape.header(1));
                shared.published.put(location, shape.units());
            }
        }

        void work(Random random) {
            for (int i = 0; i < OPERATIONS; i++) {
                int kind = random.nextInt(8);
                int bytes = kind == 0
                        ? 9_000 // a segment of its own
                        : kind < 3 ? 1_000 + random.nextInt(6_000) : random.nextInt(300);
                append(bytes, random.nextInt(4) == 0);
            }
            log.sealOwnHeads(true);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void survivorGoesOnAfterADeathAtAnyStore(long seed) {
        boolean died = true;
        for (long stores = 0; died; stores++) {
            Shared shared = new Shared();
            Participant survivor = new Participant(shared, 0);
            survivor.pool.format(geometry.maximumBlocks);
            survivor.log.format();
            survivor.append(100, false);
            Participant dying = new Participant(shared, DYING);
            dying.append(100, false);
            shared.memory.dieAfter(stores);
            try {
                dying.work(new Random(seed));
                died = false;
            } catch (DyingMemory.Death e) {
                died = true;
            } finally {
                shared.memory.live();
            }
            survivor.pool.inherit(DYING);
            repair(shared, survivor);
            repair(shared, survivor); // as if the first repair had been cut short at its end
            check(shared, survivor, "seed " + seed + ", death after store " + stores);
            Participant successor = new Participant(shared, DYING);
            for (int i = 0; i < 20; i++) {
                survivor.append(200, false);
                successor.append(200, false);
            }
            successor.log.sealOwnHeads(true);
            check(shared, survivor, "later, seed " + seed + ", death after store " + stores);
        }
    }

    private void repair(Shared shared, Participant survivor) {
        new LogRepair(geometry, shared.blocks, survivor.pool, shared.segments, shared.entries, survivor.log)
                .run(Set.of(DYING), false, () -> {});
    }

    private void check(Shared shared, Participant survivor, String when) {
        int open = survivor.log.segmentOf(survivor.log.head(0, 0));
        Map<Long, Long> found = new HashMap<>();
        Map<Integer, Integer> owners = new HashMap<>();
        for (int segment = 0; segment < shared.segments.slots(); segment++) {
            int state = shared.segments.state(segment);
            assertThat(state == SegmentTable.HEAD)
                    .as("%s: segment %d is open", when, segment)
                    .isEqualTo(segment == open);
            if (state == SegmentTable.FREE) {
                continue;
            }
            long units = 0;
            long live = 0;
            int block = shared.segments.firstBlock(segment);
            for (int i = 0; i < shared.segments.blockCount(segment); i++, block = shared.blocks.next(block)) {
                assertThat(owners.put(block, segment))
                        .as("%s: block %d", when, block)
                        .isNull();
                long used = shared.blocks.usedUnits(block);
                for (long position = shared.blocks.firstUnit(block); position < used; ) {
                    long location = geometry.blockOffset(block) + (position << 3);
                    long size = shared.entries.units(location, shared.entries.headerAcquire(location));
                    assertThat(size).as("%s: size at %d", when, location).isPositive();
                    found.put(location, size);
                    live += shared.published.containsKey(location) ? size : 0;
                    units += size;
                    position += size;
                }
            }
            if (state == SegmentTable.SEALED) {
                assertThat(shared.segments.appendedUnits(segment))
                        .as("%s: appended", when)
                        .isEqualTo(units);
                assertThat(shared.segments.liveUnits(segment))
                        .as("%s: live", when)
                        .isGreaterThanOrEqualTo(live);
            }
        }
        shared.published.forEach((location, units) -> {
            int segment = shared.blocks.owner(geometry.blockAt(location));
            if (segment != open) {
                assertThat(found).as(when).containsEntry(location, units);
            }
        });
        for (int block = 0; block < geometry.maximumBlocks; block++) {
            assertThat(shared.blocks.owner(block))
                    .as("%s: owner of block %d", when, block)
                    .isEqualTo(owners.getOrDefault(block, BlockTable.FREE));
        }
        assertThat(survivor.pool.usedBlocks()).as("%s: used", when).isEqualTo(owners.size());
        assertThat(survivor.pool.freeBlocks()).as("%s: free", when).isEqualTo(geometry.maximumBlocks - owners.size());
    }
}
