package io.loam.store.engine;

import io.loam.store.Store;
import io.loam.store.index.Index;
import io.loam.store.log.BlockTable;
import io.loam.store.log.SegmentTable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Audits every invariant of a store that nobody is using: each slot of the index points to an entry with its key's hash in a segment's used part; live bytes equal a
 * recount, or exceed it where a process that died has left doubts; each block has one owner; the budget is kept.
 */
public final class StoreChecker {

    private final Engine engine;
    private final List<String> complaints = new ArrayList<>();

    private StoreChecker(Engine engine) {
        this.engine = engine;
    }

    /** What is wrong with the store; empty when all is well. */
    public static List<String> check(Store store) {
        StoreChecker checker = new StoreChecker(((LogStore) store).engine);
        if (!checker.engine.isClosed() && !checker.engine.exclusively(checker::run)) {
            checker.complaints.add("the store could not be brought to rest: somebody is pinned");
        }
        return checker.complaints;
    }

    private void run() {
        engine.reclaimer.pause(() -> {}); // the cleaner's threads free even while cleaning is paused
        try {
            engine.reclaimer.reclaim();
            checkAll();
        } finally {
            engine.reclaimer.resume();
        }
    }

    private void checkAll() {
        long[] liveUnits = new long[engine.segments.slots()];
        Set<Long> locations = new HashSet<>();
        for (KeySpace space : engine.keySpaces()) {
            if (!space.isDropped()) {
                space.index.audit(complaints::add, location -> count(space, location, liveUnits, locations));
            }
            for (Index condemned : space.condemned) {
                condemned.audit(complaints::add, location -> count(space, location, liveUnits, locations));
            }
        }
        checkSegments(liveUnits);
        checkBlocks();
    }

    private void count(KeySpace space, long location, long[] liveUnits, Set<Long> locations) {
        int block = engine.geometry.blockAt(location);
        int segment = engine.blocks.owner(block);
        if (segment < 0) {
            complaints.add(
                    "location " + location + " lies in block " + block + ", which no segment owns (" + segment + ")");
            return;
        }
        int state = engine.segments.state(segment);
        if (state == SegmentTable.FREE || state == SegmentTable.RETIRED) {
            complaints.add("location " + location + " lies in segment " + segment + " of state " + state);
        }
        long header = engine.entries.headerAcquire(location);
        if ((header & 1) != 0 || engine.entries.isFiller(header)) {
            complaints.add("location " + location + " has no readable entry: header " + Long.toHexString(header));
            return;
        }
        if (engine.entries.namespaceId(location, header) != space.id) {
            complaints.add("location " + location + " belongs to namespace "
                    + engine.entries.namespaceId(location, header) + ", not " + space.id);
        }
        if (!locations.add(location)) {
            complaints.add("two slots point to location " + location);
        }
        liveUnits[segment] += engine.entries.units(location, header);
    }

    private void checkSegments(long[] liveUnits) {
        long open = engine.log.openUnits();
        long counted = 0;
        long recounted = 0;
        boolean anyDoubt = false;
        for (int segment = 0; segment < liveUnits.length; segment++) {
            int state = engine.segments.state(segment);
            if (state == SegmentTable.FREE || state == SegmentTable.RETIRED) {
                continue;
            }
            counted += engine.segments.liveUnits(segment);
            recounted += liveUnits[segment];
            if (state == SegmentTable.CLEANING) {
                complaints.add("segment " + segment + " is being cleaned while cleaning is paused");
            }
            boolean doubt = engine.segments.isDoubtful(segment);
            anyDoubt |= doubt;
            long excess = engine.segments.liveUnits(segment) - liveUnits[segment];
            if (state == SegmentTable.SEALED && (doubt ? excess < 0 : excess != 0)) {
                complaints.add("segment " + segment + " counts " + engine.segments.liveUnits(segment)
                        + " live units and has " + liveUnits[segment]);
            }
        }
        long excess = counted + open - recounted;
        if (anyDoubt ? excess < 0 : excess != 0) {
            complaints.add("the log counts " + (counted + open) + " live units and has " + recounted);
        }
    }

    private void checkBlocks() {
        int[] owners = new int[engine.geometry.maximumBlocks];
        java.util.Arrays.fill(owners, BlockTable.FREE);
        long owned = 0;
        for (int segment = 0; segment < engine.segments.slots(); segment++) {
            if (engine.segments.state(segment) == SegmentTable.FREE) {
                continue;
            }
            int block = engine.segments.firstBlock(segment);
            for (int i = 0; i < engine.segments.blockCount(segment); i++) {
                if (block < 0 || block >= owners.length) {
                    complaints.add("segment " + segment + " has a chain that ends after " + i + " of "
                            + engine.segments.blockCount(segment) + " blocks");
                    break;
                }
                if (owners[block] != BlockTable.FREE) {
                    complaints.add("block " + block + " is owned by segments " + owners[block] + " and " + segment);
                }
                owners[block] = segment;
                owned++;
                block = engine.blocks.next(block);
            }
        }
        long index = 0;
        for (int block = 0; block < owners.length; block++) {
            int owner = engine.blocks.owner(block);
            if (owner == BlockTable.INDEX) {
                index++;
            } else if (owner != owners[block]) {
                complaints.add(
                        "block " + block + " says segment " + owner + " and is in the chain of " + owners[block]);
            }
        }
        if (owned + index != engine.pool.usedBlocks()) {
            complaints.add("the pool counts " + engine.pool.usedBlocks() + " used blocks; segments own " + owned
                    + ", the index " + index);
        }
        if (engine.pool.usedBlocks() + engine.pool.freeBlocks() != engine.pool.budgetBlocks()) {
            complaints.add("used " + engine.pool.usedBlocks() + " and free " + engine.pool.freeBlocks()
                    + " blocks are not the budget of " + engine.pool.budgetBlocks());
        }
    }
}
