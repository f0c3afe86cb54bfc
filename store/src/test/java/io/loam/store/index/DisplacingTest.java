package io.loam.store.index;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.memory.HeapMemory;
import io.loam.memory.RawMemory;
import io.loam.store.epoch.Epochs;
import io.loam.store.epoch.Reclaimer;
import io.loam.store.log.BlockPool;
import io.loam.store.log.BlockTable;
import io.loam.store.log.Entries;
import io.loam.store.log.Geometry;
import io.loam.store.stress.Crew;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Keys that a resizing moves find a slot at loads at which all their buckets are full, and nobody misses a key that makes room for them; and no subtable shrinks below what it holds. */
class DisplacingTest {
    private static final int BLOCK_BYTES = 32 << 10;
    private static final int ROUNDS = 400;

    private final Geometry geometry = new Geometry(32 * BLOCK_BYTES, BLOCK_BYTES, 4 * BLOCK_BYTES, 16, 1, 1, 1, false);
    /** What happens just before a long is released to an address, once. */
    private final Map<Long, Runnable> before = new HashMap<>();

    private final RawMemory memory = new HeapMemory(geometry.reservedBytes) {
        @Override
        public void putLongRelease(long address, long value) {
            Runnable action = before.isEmpty() ? null : before.remove(address);
            if (action != null) {
                action.run();
            }
            super.putLongRelease(address, value);
        }
    };
    private final Epochs epochs = new Epochs(memory, 64, geometry.epochOffset, geometry.epochSlots, false);
    private final BlockTable blocks = new BlockTable(memory, geometry.blockTableOffset);
    private final BlockPool pool = new BlockPool(memory, geometry, blocks, geometry.poolOffset, 1);
    private final Index index;
    private long table;
    private int slots;

    DisplacingTest() {
        pool.format(geometry.maximumBlocks);
        index = new Index(
                memory,
                0,
                geometry,
                pool,
                new Entries(memory, 0, geometry, blocks, MemorySegment.NULL),
                new KeyHash(memory, false, 1, 2),
                epochs,
                new Reclaimer(epochs, memory, 144),
                new DescriptorSlab(memory, 0, geometry, pool),
                hash -> {});
        useTable();
    }

    private void useTable() {
        table = index.descriptor(0);
        slots = SubtableLayout.buckets(memory.getInt(table)) * BucketLayout.SLOTS;
    }

    private static long hash(long number) {
        long mixed = (number + 1) * 0x9E3779B97F4A7C15L;
        mixed = (mixed ^ mixed >>> 32) * 0xD6E8FEB86659FD93L;
        return mixed ^ mixed >>> 32;
    }

    private static long location(long number) {
        return number + 1 << 3;
    }

    private void insert(long number) {
        long hash = hash(number);
        index.insertMoved(
                table,
                hash << SubtableLayout.depth(memory.getInt(table)) >>> 32,
                BucketLayout.tag(hash),
                location(number),
                BucketLayout.windowOf(hash, memory.getInt(table + SubtableLayout.WINDOW)));
    }

    /** As a store inserts, and resizes when that is asked for. */
    private void insertAndResize(long number) {
        long hash = hash(number);
        long bucket = index.tryLock(table, hash);
        assertThat(index.insertLocked(table, bucket, hash, location(number), null))
                .isEqualTo(Index.Insert.DONE);
        index.unlock(bucket);
        index.resize(hash);
        useTable();
    }

    /** As {@link #insert}, but in the place of another key if one can be moved, though there may be free slots. */
    private boolean insertInPlaceOfAnother(long number) {
        long hash = hash(number);
        long bucket = index.tryLock(table, hash);
        Index.Insert outcome = index.placeByDisplacing(
                table,
                bucket,
                hash << SubtableLayout.depth(memory.getInt(table)) >>> 32,
                BucketLayout.tag(hash),
                location(number),
                BucketLayout.windowOf(hash, memory.getInt(table + SubtableLayout.WINDOW)));
        index.unlock(bucket);
        if (outcome != Index.Insert.DONE) {
            insert(number);
        }
        return outcome == Index.Insert.DONE;
    }

    private void remove(long number) {
        long hash = hash(number);
        while (true) {
            long bucket = index.tryLock(table, hash);
            long slot = index.findLocationLocked(table, bucket, hash, location(number));
            assertThat(slot).as("key %d", number).isNotZero();
            boolean removed = index.removeLocked(table, bucket, slot, 1, null);
            index.unlock(bucket);
            if (removed) {
                return;
            }
        }
    }

    @Test
    void keysFindSlotsWhereNearlyAllAreTaken() {
        int keys = slots - slots / 400;
        for (int number = 0; number < keys; number++) {
            insert(number);
        }
        for (int number = 0; number < keys; number++) {
            assertThat(index.pointsTo(hash(number), location(number)))
                    .as("key %d", number)
                    .isTrue();
        }
        for (int number = 0; number < keys; number++) {
            remove(number);
            assertThat(index.pointsTo(hash(number), location(number))).isFalse();
        }
    }

    /** Forbidden: a subtable shrinks though others have filled it again meanwhile, so that its keys do not fit. */
    @Test
    void subtableThatIsFilledWhileItIsAboutToShrinkStays() {
        int keys = 0;
        int first = slots;
        while (slots == first) {
            insertAndResize(keys++);
        }
        long grown = table;
        int most = slots * 88 / 100;
        int few = keys;
        memory.putLong(table + SubtableLayout.KEYS, first / 2); // it is to shrink
        before.put(
                table + SubtableLayout.ASKED,
                () -> before.put(table + SubtableLayout.ASKED, () -> {
                    for (int number = few; number < most; number++) {
                        insert(number);
                    }
                    memory.putLong(grown + SubtableLayout.KEYS, most);
                }));
        long free = pool.freeBlocks();
        index.resize(hash(0));
        assertThat(before).isEmpty();
        assertThat(index.descriptor(0)).isEqualTo(grown);
        assertThat(index.isResizing()).isFalse();
        assertThat(pool.freeBlocks()).as("the smaller subtable is given back").isEqualTo(free);
        for (int number = 0; number < most; number++) {
            assertThat(index.pointsTo(hash(number), location(number))).isTrue();
        }
        assertThat(memory.getLong(grown + SubtableLayout.ASKED))
                .as("growth is asked for")
                .isNotZero();
    }

    /** A small subtable holds less for its size: forbidden are one that shrinks and grows by turns, and a shrinking that is begun again and again. */
    @Test
    void subtableWhoseKeysDoNotFitTheNextSmallerOneStaysInPeace() {
        int keys = 0;
        while (SubtableLayout.buckets(memory.getInt(table)) < 1024) {
            insertAndResize(keys++);
        }
        int limit = memory.getInt(table + SubtableLayout.LIMIT);
        int most = limit - limit / 5;
        int fitting = 4455; // 960 buckets of 7 slots, 0.85 of them and 0.78 of that
        assertThat(most).isGreaterThan(fitting);
        long kept = table;
        for (int few = fitting + 1; few < most; few++) {
            memory.putLong(table + SubtableLayout.KEYS, few);
            index.resize(0);
            assertThat(index.descriptor(0)).as("with %d keys", few).isEqualTo(kept);
            assertThat(memory.getLong(table + SubtableLayout.ASKED)).isZero();
        }
        memory.putLong(table + SubtableLayout.KEYS, fitting);
        index.resize(0);
        assertThat(index.descriptor(0)).isNotEqualTo(kept);
    }

    /** Forbidden: a key that is there all the time is not seen while it is displaced. */
    @Test
    void displacedKeysAreNeverMissed() {
        int stay = slots * 80 / 100;
        int come = slots * 15 / 100;
        for (int number = 0; number < stay; number++) {
            insert(number);
        }
        AtomicLong looks = new AtomicLong();
        AtomicLong displaced = new AtomicLong();
        AtomicBoolean done = new AtomicBoolean();
        Crew crew = new Crew();
        crew.work("mover", () -> {
            for (int round = 0; (round < ROUNDS || looks.get() < 100_000) && crew.goesOn(); round++) {
                long first = stay + (long) round * come;
                for (long number = first; number < first + come; number++) {
                    displaced.addAndGet(insertInPlaceOfAnother(number) ? 1 : 0);
                }
                for (long number = first; number < first + come; number++) {
                    remove(number);
                }
            }
            done.set(true);
        });
        crew.work("reader", () -> {
            SplittableRandom random = new SplittableRandom(7);
            while (!done.get() && crew.goesOn()) {
                long number = random.nextInt(stay);
                if (!index.pointsTo(hash(number), location(number))) {
                    throw new AssertionError("key " + number + " was missed");
                }
                looks.incrementAndGet();
            }
        });
        crew.run();
        assertThat(displaced.get()).isGreaterThan(ROUNDS);
        for (int number = 0; number < stay; number++) {
            assertThat(index.pointsTo(hash(number), location(number))).isTrue();
        }
    }
}
