package io.loam.store.index;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.crash.DyingMemory;
import io.loam.store.epoch.Epochs;
import io.loam.store.epoch.Reclaimer;
import io.loam.store.log.BlockPool;
import io.loam.store.log.BlockTable;
import io.loam.store.log.Entries;
import io.loam.store.log.EntryShape;
import io.loam.store.log.Geometry;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whoever inserts, removes and resizes dies after a store chosen at random; another one repairs the subtables of the key that it was at. Forbidden: another key lost, found twice or brought back, a count that is
 * wrong, a bucket that stays locked.
 */
class IndexDeathTest {

    private static final int BLOCK_BYTES = 4096;
    private static final int BLOCKS = 256;
    private static final int KEYS = 1200;
    private static final int ENTRY_BYTES = 24;
    private static final int OPERATIONS = 3000;
    private static final int DEATHS = 300;

    private final Geometry geometry =
            new Geometry(BLOCKS * BLOCK_BYTES, BLOCK_BYTES, 4 * BLOCK_BYTES, 4, 1, 1, 1, false);

    private final class World {
        final DyingMemory memory = new DyingMemory(geometry.reservedBytes);
        final BlockTable blocks = new BlockTable(memory, geometry.blockTableOffset);
        final Entries entries = new Entries(memory, 0, geometry, blocks, MemorySegment.NULL);
        final KeyHash keyHash = new KeyHash(memory, false, 1, 2);
        final long[] locations = new long[KEYS];
        final Set<Integer> present = new HashSet<>();
        /** The key that an operation is about. */
        int at;

        int directoryBlock;
        long done;

        private BlockPool pool() {
            return new BlockPool(memory, geometry, blocks, geometry.poolOffset, 1);
        }

        private Epochs epochs() {
            return new Epochs(memory, 64, geometry.epochOffset, geometry.epochSlots, false);
        }

        void writeEntries(BlockPool pool) {
            int perBlock = BLOCK_BYTES / ENTRY_BYTES;
            int[] taken = pool.allocateIndex((KEYS + perBlock - 1) / perBlock);
            EntryShape shape = EntryShape.of(geometry, 8, ENTRY_BYTES - 16, false, false, 0, false);
            for (int key = 0; key < KEYS; key++) {
                locations[key] = geometry.blockOffset(taken[key / perBlock]) + (long) (key % perBlock) * ENTRY_BYTES;
                entries.write(
                        locations[key], shape, 0, 0, bytes(key), MemorySegment.ofArray(new byte[ENTRY_BYTES - 16]));
            }
        }

        private byte[] bytes(int key) {
            return ByteBuffer.allocate(8).putLong(key).array();
        }

        long hash(int key) {
            return keyHash.hash(bytes(key), 0, 8);
        }

        void work(Index index, List<Long> asked, Reclaimer reclaimer, Random random) {
            for (int i = 0; i < OPERATIONS; i++) {
                at = random.nextInt(KEYS);
                boolean growing = i / 1000 % 2 == 0;
                if (present.contains(at)) {
                    if (!growing || random.nextInt(4) == 0) {
                        remove(index);
                        present.remove(at);
                    }
                } else if (growing || random.nextInt(4) == 0) {
                    insert(index);
                    present.add(at);
                }
                while (!asked.isEmpty()) {
                    index.resize(asked.removeFirst());
                    boolean ignored = reclaimer.reclaim();
                }
            }
        }

        private void insert(Index index) {
            long hash = hash(at);
            while (true) {
                long descriptor = index.descriptor(hash);
                long bucket = index.tryLock(descriptor, hash);
                Index.Insert outcome = index.insertLocked(descriptor, bucket, hash, locations[at], null);
                index.unlock(bucket);
                if (outcome == Index.Insert.DONE) {
                    return;
                }
                assertThat(index.growNow(hash, descriptor)).isZero();
            }
        }

        private void remove(Index index) {
            long hash = hash(at);
            long descriptor = index.descriptor(hash);
            long bucket = index.tryLock(descriptor, hash);
            long slot = index.findLocationLocked(descriptor, bucket, hash, locations[at]);
            assertThat(index.removeLocked(descriptor, bucket, slot, 1, null)).isTrue();
            index.unlock(bucket);
        }

        /** As the next process sees it. */
        Index repaired() {
            BlockPool pool = pool();
            pool.inherit(0);
            Epochs epochs = epochs();
            Reclaimer reclaimer = new Reclaimer(epochs, memory, 144);
            DescriptorSlab slab = new DescriptorSlab(memory, 0, geometry, pool);
            Index index = new Index(
                    memory,
                    0,
                    geometry,
                    pool,
                    entries,
                    keyHash,
                    epochs,
                    reclaimer,
                    slab,
                    hash -> {},
                    directoryBlock,
                    null);
            Set<Long> tables = index.resizedTables();
            index.addTablesOf(hash(at), tables);
            index.repair(tables);
            index.repair(tables); // as if the first repair had been cut short at its end
            Set<Long> descriptors = new HashSet<>();
            index.mark(new HashSet<>(), descriptors);
            Set<Integer> ignored = slab.adopt(descriptors, task -> {});
            index.adoptResizes();
            return index;
        }
    }

    /** The world when so many stores have been done, or all. */
    private World after(long seed, long stores) {
        World world = new World();
        BlockPool pool = world.pool();
        pool.format(BLOCKS);
        world.writeEntries(pool);
        Epochs epochs = world.epochs();
        Reclaimer reclaimer = new Reclaimer(epochs, world.memory, 144);
        List<Long> asked = new ArrayList<>();
        Index index = new Index(
                world.memory,
                0,
                geometry,
                pool,
                world.entries,
                world.keyHash,
                epochs,
                reclaimer,
                new DescriptorSlab(world.memory, 0, geometry, pool),
                asked::add);
        world.directoryBlock = index.directoryBlock();
        long before = world.memory.stores();
        world.memory.dieAfter(stores);
        try {
            world.work(index, asked, reclaimer, new Random(seed));
        } catch (DyingMemory.Death e) {
            // as wanted
        } finally {
            world.memory.live();
        }
        world.done = world.memory.stores() - before;
        return world;
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void otherKeysStayWhereverItDies(long seed) {
        long all = after(seed, Long.MAX_VALUE).done;
        Random random = new Random(seed);
        for (int death = 0; death < DEATHS; death++) {
            long stores = (long) (random.nextDouble() * all);
            World world = after(seed, stores);
            String when = "seed " + seed + ", death after store " + stores;
            Index index = world.repaired();
            List<String> complaints = new ArrayList<>();
            Set<Long> found = new HashSet<>();
            index.audit(complaints::add, location -> {
                if (!found.add(location)) {
                    complaints.add("location " + location + " is there twice");
                }
            });
            assertThat(complaints).as(when).isEmpty();
            for (int key = 0; key < KEYS; key++) {
                if (key != world.at) {
                    assertThat(found.contains(world.locations[key]))
                            .as("%s: key %d", when, key)
                            .isEqualTo(world.present.contains(key));
                }
            }
            assertThat(index.size()).as(when).isEqualTo(found.size());
        }
    }
}
