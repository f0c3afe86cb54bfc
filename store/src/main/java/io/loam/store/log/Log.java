package io.loam.store.log;

import io.loam.memory.RawMemory;
import io.loam.store.crash.CrashPoint;
import io.loam.store.epoch.Epochs;
import io.loam.store.epoch.Reclaimer;
import io.loam.store.log.BlockPool.Purpose;
import java.lang.invoke.VarHandle;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Set;

/**
 * Appends entries to heads, seals segments, and counts what is live in each.
 *
 * <p>An append is a reservation (here), the writing of the entry ({@link Entries}) and its publication in the index, all under one pin that the caller
 * took before; then the segment's seal tag proves to the cleaner that nothing in it is still to be published. A reservation never waits:
 * without a block it fails, and the caller unpins before it waits.
 */
public final class Log {

    /** No block could be had. */
    public static final long NO_SPACE = -1;

    private static final int LEFT = 8;

    private final RawMemory memory;
    private final Geometry geometry;
    private final BlockTable blocks;
    private final BlockPool pool;
    private final SegmentTable segments;
    private final Entries entries;
    private final Epochs epochs;
    private final Reclaimer reclaimer;
    private final InstantSource clock;
    private final long clockAddress;
    private final Head[] heads;
    private final long smallUnits;
    private final int participant;
    /** Whether other processes use the log too; then a process that dies must leave blocks whose entries can be told apart. */
    private final boolean shared;

    private volatile int segmentHint;
    private volatile boolean retires;
    /** How many dead segments had been left to be retired when {@link #retireLeft} looked last. By one thread. */
    private long leftBefore;

    private volatile Runnable afterTaking = () -> {};

    /** @param clockAddress two zeroed words: one counts blocks opened, the log's own time; the other dead segments that processes left to the one that retires */
    public Log(
            RawMemory memory,
            long base,
            Geometry geometry,
            BlockTable blocks,
            BlockPool pool,
            SegmentTable segments,
            Entries entries,
            Epochs epochs,
            Reclaimer reclaimer,
            InstantSource clock,
            long clockAddress) {
        this(memory, base, geometry, blocks, pool, segments, entries, epochs, reclaimer, clock, clockAddress, 0);
    }

    /** @param participant number of this process among those that share the store */
    public Log(
            RawMemory memory,
            long base,
            Geometry geometry,
            BlockTable blocks,
            BlockPool pool,
            SegmentTable segments,
            Entries entries,
            Epochs epochs,
            Reclaimer reclaimer,
            InstantSource clock,
            long clockAddress,
            int participant) {
        this.memory = memory;
        this.geometry = geometry;
        this.blocks = blocks;
        this.pool = pool;
        this.segments = segments;
        this.entries = entries;
        this.epochs = epochs;
        this.reclaimer = reclaimer;
        this.clock = clock;
        this.clockAddress = clockAddress;
        this.smallUnits = geometry.smallEntryBytes >>> 3;
        this.participant = participant;
        this.shared = geometry.participants > 1;
        int perNode = geometry.headsOfNode();
        heads = new Head[geometry.nodes * perNode];
        for (int i = 0; i < heads.length; i++) {
            heads[i] = new Head(
                    memory, base + geometry.headOffset + (long) i * Head.BYTES, geometry, i / perNode, participant + 1);
        }
    }

    /** Makes a log of zeroed memory. */
    public void format() {
        for (Head head : heads) {
            head.format();
        }
    }

    /** The writers' head {@code index} of a node. */
    public int head(int node, int index) {
        return node * geometry.headsOfNode() + index;
    }

    /** The survivor head {@code index} of a node. */
    public int survivor(int node, int index) {
        return head(node, geometry.participants * geometry.headsPerNode + index);
    }

    /** Heads that hold a block which others can't have, or soon may. */
    public int openHeads() {
        if (geometry.participants == 1) {
            return heads.length;
        }
        int open = geometry.nodes * geometry.survivorsPerNode;
        for (Head head : heads) {
            open += Head.block(head.position()) != Head.NO_BLOCK ? 1 : 0;
        }
        return Math.min(heads.length, open);
    }

    /** Blocks opened so far: the log's time. */
    public long now() {
        return memory.getLongOpaque(clockAddress);
    }

    // ---- reserving

    /** Reserves space for an entry at a head; its location or {@link #NO_SPACE}. The caller is pinned. */
    public long reserve(int head, long units, long overhead, Purpose purpose) {
        return reserve(head, units, overhead, purpose, 0);
    }

    /**
     * As {@link #reserve(int, long, long, Purpose)}.
     *
     * @param note address of a word that is to have the location from before it is taken, in a shared store, so that it is known if this process dies; 0: none
     */
    public long reserve(int head, long units, long overhead, Purpose purpose, long note) {
        checkOverhead(units, overhead);
        if (units <= smallUnits) {
            long location =
                    shared ? takeLocking(heads[head], units, overhead, note) : heads[head].tryReserve(units, overhead);
            if (location >= 0) {
                return location;
            }
        }
        return reserveSlowly(heads[head], units, overhead, purpose, note);
    }

    /** Below 0 it would take a unit of the reservation back from the head's position, and what follows would lie over its end. */
    private static void checkOverhead(long units, long overhead) {
        if (overhead < 0 || overhead > units << 3) {
            throw new IllegalArgumentException(
                    "an entry of " + units + " units with " + overhead + " bytes that are neither key nor value");
        }
    }

    private long reserveSlowly(Head head, long units, long overhead, Purpose purpose, long note) {
        long location = units <= smallUnits
                ? reserveInNewBlock(head, units, overhead, purpose, note)
                : reserveLarge(head, units, overhead, purpose, note);
        if (purpose != Purpose.CLEAN) {
            afterTaking.run();
        }
        return location;
    }

    /** Runs {@code action} whenever a writer has taken a block or found none, under no lock. The writer is pinned. */
    public void afterTaking(Runnable action) {
        afterTaking = action;
    }

    private long takeLocking(Head head, long units, long overhead, long note) {
        head.lock();
        try {
            return take(head, units, overhead, note);
        } finally {
            head.unlock();
        }
    }

    /** Takes units in the open block; -1 if they don't fit. Under the head's lock. */
    private long take(Head head, long units, long overhead, long note) {
        if (!shared) {
            return head.tryReserve(units, overhead);
        }
        long position = head.position();
        if (Head.units(position) + units > geometry.blockUnits) {
            return -1;
        }
        long location = locationOf(position);
        lay(location, units, note);
        boolean ignored = head.move(position, position + (units << 20) + overhead);
        CrashPoint.at("taken");
        return location;
    }

    /** Lays a filler of a reservation's size where it will be: whoever looks at the block after this process died finds it. In a shared store. */
    private void lay(long location, long units, long note) {
        if (note != 0) {
            memory.putLong(note, location);
        }
        entries.writeFiller(location, units);
        CrashPoint.at("filler-laid");
    }

    /** As {@link #reserve}, in whatever block is open and has room: for the cleaner, when there is no free block left. */
    public long reserveInOpenBlock(long units, long overhead) {
        checkOverhead(units, overhead);
        for (int i = 0; i < heads.length; i++) {
            long location = !shared
                    ? heads[i].tryReserve(units, overhead)
                    : isOwn(i) ? takeLocking(heads[i], units, overhead, 0) : -1;
            if (location >= 0) {
                return location;
            }
        }
        return NO_SPACE;
    }

    /** Whether nobody else changes a head: it is this process's, or a survivor and this process cleans. */
    private boolean isOwn(int head) {
        int ofNode = head % geometry.headsOfNode();
        return !shared || (isSurvivor(ofNode) ? retires : ofNode / geometry.headsPerNode == participant);
    }

    private boolean isSurvivor(int ofNode) {
        return ofNode >= geometry.participants * geometry.headsPerNode;
    }

    /** Units that {@link #reserveInOpenBlock} could give out in all. */
    public long openRoom() {
        long sum = 0;
        for (int i = 0; i < heads.length; i++) {
            sum += isOwn(i) ? geometry.blockUnits - Head.units(heads[i].position()) : 0;
        }
        return sum;
    }

    private long reserveInNewBlock(Head head, long units, long overhead, Purpose purpose, long note) {
        head.lock();
        try {
            long location = take(head, units, overhead, note);
            if (location >= 0) {
                return location;
            }
            int[] block = new int[1];
            int segment = segmentFor(head, 1);
            if (segment < 0 || !pool.allocate(purpose, head.node, segment, block)) {
                dropIfEmpty(head, segment);
                return NO_SPACE;
            }
            CrashPoint.at("block-taken");
            long first = geometry.blockOffset(block[0]);
            if (shared) {
                noteUsed(head.position());
                lay(first, units, note);
            }
            link(head, segment, block);
            CrashPoint.at("block-linked");
            switchTo(head, segment, Head.word(block[0], units, overhead));
            return first;
        } finally {
            head.unlock();
        }
    }

    /** The segment that takes {@code count} more blocks: the head's own, or a new one when that is full. Under the head's lock. */
    private int segmentFor(Head head, int count) {
        int segment = head.segment();
        if (segment >= 0 && segments.blockCount(segment) + count <= Math.max(geometry.segmentBlocks, count)) {
            return segment;
        }
        return openSegment(false);
    }

    private int openSegment(boolean oversized) {
        int segment = segments.open(oversized, now(), System.nanoTime(), clock.millis(), segmentHint);
        if (segment >= 0) {
            segmentHint = segment + 1;
        }
        return segment;
    }

    private void dropIfEmpty(Head head, int segment) {
        if (segment >= 0 && segment != head.segment()) {
            segments.setState(segment, SegmentTable.FREE);
        }
    }

    /** Appends blocks to a segment. Under the head's lock, before the head's position names them. */
    private void link(Head head, int segment, int[] added) {
        for (int i = 1; i < added.length; i++) {
            blocks.setNext(added[i - 1], added[i]);
        }
        // before the segment leads to them: whoever repairs it finds all of them or none
        VarHandle.releaseFence();
        int last = segment == head.segment() ? head.lastBlock() : -1;
        if (last < 0) {
            segments.setFirstBlock(segment, added[0]);
        } else {
            blocks.setNext(last, added[0]);
        }
        segments.setBlockCount(segment, segments.blockCount(segment) + added.length);
        memory.getAndAddLong(clockAddress, added.length);
    }

    /** Moves the head to a new block that is the last of {@code segment}, and closes the old block. Under the head's lock. */
    private void switchTo(Head head, int segment, long word) {
        long old;
        do {
            old = head.position();
        } while (!head.move(old, word));
        CrashPoint.at("head-moved");
        finish(head, old, segment);
        head.setSegment(segment, Head.block(word));
    }

    private void finish(Head head, long old, int successor) {
        if (Head.block(old) != Head.NO_BLOCK) {
            closeBlock(head.segment(), old);
        }
        if (head.segment() >= 0 && head.segment() != successor) {
            seal(head.segment());
        }
    }

    /** Says how much of a head's block is used, before the head leaves it. */
    private void noteUsed(long position) {
        if (Head.block(position) != Head.NO_BLOCK) {
            blocks.setUsedUnits(Head.block(position), (int) Head.units(position));
        }
    }

    private void closeBlock(int segment, long word) {
        noteUsed(word);
        segments.addAppended(segment, Head.units(word) - blocks.firstUnit(Head.block(word)), Head.overhead(word));
    }

    void seal(int segment) {
        segments.setSealTag(segment, epochs.retireTag());
        segments.setState(segment, SegmentTable.SEALED);
    }

    private long reserveLarge(Head head, long units, long overhead, Purpose purpose, long note) {
        if (units > (long) geometry.segmentBlocks * geometry.blockUnits / 2) {
            return reserveOversized(head, units, overhead, purpose, note);
        }
        head.lock();
        try {
            while (true) {
                long position = head.position();
                long room = geometry.blockUnits - Head.units(position);
                if (room >= units) {
                    long location = take(head, units, overhead, note);
                    if (location >= 0) {
                        return location;
                    }
                    continue;
                }
                int segment = head.segment();
                boolean goesOn = room >= MIN_HEADER_UNITS && segment >= 0 && Head.block(position) != Head.NO_BLOCK;
                long here = goesOn ? room : 0;
                int more = (int) ((units - here + geometry.blockUnits - 1) / geometry.blockUnits);
                if (goesOn && segments.blockCount(segment) + more > 2 * geometry.segmentBlocks) {
                    goesOn = false;
                    here = 0;
                    more = (int) ((units + geometry.blockUnits - 1) / geometry.blockUnits);
                }
                int target = goesOn ? segment : segmentFor(head, more);
                int[] added = new int[more];
                if (target < 0 || !pool.allocate(purpose, head.node, target, added)) {
                    dropIfEmpty(head, target);
                    return NO_SPACE;
                }
                long location = placeAcross(head, position, target, added, units, here, overhead, note);
                if (location >= 0) {
                    return location;
                }
                pool.free(target, added); // somebody appended to the block meanwhile
                dropIfEmpty(head, target);
            }
        } finally {
            head.unlock();
        }
    }

    /** Header, lengths, expiry and namespace stay in one block. */
    private static final long MIN_HEADER_UNITS = 4;

    private long locationOf(long position) {
        return geometry.blockOffset(Head.block(position)) + (Head.units(position) << 3);
    }

    /** Lays an entry over what is left of the present block and the added ones; -1 if the head moved. Under the head's lock. */
    private long placeAcross(
            Head head, long position, int segment, int[] added, long units, long here, long overhead, long note) {
        long inLast = units - here - (long) (added.length - 1) * geometry.blockUnits;
        boolean own = here == 0;
        for (int i = 0; i < added.length; i++) {
            boolean begins = own && i == 0;
            int taken = (int) (i < added.length - 1 ? geometry.blockUnits : inLast);
            blocks.setFirstUnit(added[i], begins ? 0 : taken);
            blocks.setUsedUnits(added[i], taken);
        }
        int last = added[added.length - 1];
        // the last block's position counts only what follows; its first units are counted with the entry here
        boolean lastBegins = own && added.length == 1;
        long word = Head.word(last, inLast, lastBegins ? overhead : 0);
        long location = own ? geometry.blockOffset(added[0]) : locationOf(position);
        int oldSegment = head.segment();
        long leftAt = Head.block(position) == Head.NO_BLOCK || here == 0 ? position : position + (here << 20);
        if (shared) {
            // before the head moves, which nobody else does: then what is behind it is whole at any moment
            noteUsed(leftAt);
            lay(location, units, note);
            link(head, segment, added);
            CrashPoint.at("large-linked");
        }
        if (!head.move(position, word)) {
            return -1;
        }
        CrashPoint.at("large-head-moved");
        if (!shared) {
            noteUsed(leftAt);
            link(head, segment, added);
        }
        if (Head.block(position) != Head.NO_BLOCK) {
            segments.addAppended(
                    oldSegment, Head.units(position) - blocks.firstUnit(Head.block(position)), Head.overhead(position));
        }
        if (!lastBegins) {
            segments.addAppended(segment, units, overhead);
        }
        if (oldSegment >= 0 && oldSegment != segment) {
            seal(oldSegment);
        }
        head.setSegment(segment, last);
        return location;
    }

    private long reserveOversized(Head head, long units, long overhead, Purpose purpose, long note) {
        long count = (units + geometry.blockUnits - 1) / geometry.blockUnits;
        if (count > pool.budgetBlocks()) {
            return NO_SPACE;
        }
        int[] added = new int[(int) count];
        int segment = openSegment(true);
        if (segment < 0) {
            return NO_SPACE;
        }
        if (!pool.allocate(purpose, head.node, segment, added)) {
            segments.setState(segment, SegmentTable.FREE);
            return NO_SPACE;
        }
        int last = -1;
        for (int block : added) {
            if (last < 0) {
                segments.setFirstBlock(segment, block);
            } else {
                blocks.setNext(last, block);
                blocks.setFirstUnit(block, geometry.blockUnits);
            }
            blocks.setUsedUnits(block, geometry.blockUnits);
            last = block;
        }
        CrashPoint.at("oversized-chained");
        if (shared) {
            lay(geometry.blockOffset(added[0]), units, note);
        }
        segments.setBlockCount(segment, added.length);
        segments.addAppended(segment, units, overhead);
        memory.getAndAddLong(clockAddress, added.length);
        seal(segment);
        return geometry.blockOffset(added[0]);
    }

    // ---- accounting

    /** Gives up a reservation that was not published: it becomes a filler. */
    public void abandon(long location, long units, long overhead) {
        entries.writeFiller(location, units);
        countDead(location, units, overhead);
    }

    /** Counts an entry as live with an expiry; after publishing. */
    public void countExpiring(long location, long units, long expiresAt) {
        segments.addExpiring(blocks.owner(geometry.blockAt(location)), expiresAt, units);
    }

    /** Counts an entry that the index no longer points to. The caller is pinned and holds the lock of the entry's key, or has just released it. */
    public void markDead(long location, long header) {
        long units = entries.units(location, header);
        long expiresAt = entries.expiresAt(location, header);
        if (expiresAt != 0) {
            countExpiring(location, -units, expiresAt);
        }
        countDead(location, units, entries.overhead(location, header));
    }

    private void countDead(long location, long units, long overhead) {
        int segment = blocks.owner(geometry.blockAt(location));
        CrashPoint.at("counting-dead");
        segments.addDead(segment, units, overhead);
        CrashPoint.at("counted-dead");
        retireIfDead(segment);
    }

    /** From now on this process, and no other, retires segments. */
    public void setRetires() {
        retires = true;
    }

    /** Retires what another process, which is gone, has retired or found dead, or was cleaning. Nobody else retires or cleans. */
    public void adopt() {
        for (int segment = 0; segment < segments.slots(); segment++) {
            if (segments.state(segment) == SegmentTable.RETIRED) {
                retire(segment);
            }
            boolean ignored = segments.advance(segment, SegmentTable.CLEANING, SegmentTable.SEALED);
        }
        retires = true; // not before: what this process retires from now on would be retired twice
        retireDead();
    }

    /** Retires what other processes have found dead, if they have since the last call. By one thread. */
    public void retireLeft() {
        long left = memory.getLongAcquire(clockAddress + LEFT);
        if (left != leftBefore) {
            leftBefore = left;
            retireDead();
        }
    }

    /** Retires all segments of one entry that are dead. */
    private void retireDead() {
        for (int segment = 0; segment < segments.slots(); segment++) {
            retireIfDead(segment);
        }
    }

    /**
     * Retires a segment of one entry that is no longer live, unless it is being cleaned: then who cleans it asks again. A process that does not retire leaves it to the one that does. The caller need not
     * be pinned.
     */
    public void retireIfDead(int segment) {
        long seen = segments.incarnation(segment);
        if (!SegmentTable.isSealedOversized(seen) || segments.liveUnits(segment) > 0) {
            return;
        }
        if (!retires) {
            memory.getAndAddLong(clockAddress + LEFT, 1); // if this process dies before, whoever repairs looks at all
        } else if (segments.retire(segment, seen)) {
            reclaimer.retire(() -> free(segment));
        }
    }

    /** An overwrite in place changed a live entry's user bytes by -{@code shrunkBytes}. */
    public void countShrunk(long location, long shrunkBytes) {
        if (shrunkBytes != 0) {
            segments.shiftToOverhead(blocks.owner(geometry.blockAt(location)), shrunkBytes);
        }
    }

    // ---- segments

    /** Closes the heads of dead processes, and of the leader if it is one; the segments that others append to. Nobody writes. */
    BitSet closeHeadsOf(Set<Integer> dead, boolean ledToo) {
        BitSet open = new BitSet();
        for (int i = 0; i < heads.length; i++) {
            int ofNode = i % geometry.headsOfNode();
            if (isSurvivor(ofNode) ? ledToo : dead.contains(ofNode / geometry.headsPerNode)) {
                noteUsed(heads[i].position());
                heads[i].format();
            } else if (heads[i].segment() >= 0) {
                open.set(heads[i].segment());
            }
        }
        return open;
    }

    /** Seals the segments of the writers' heads of this process: all, or those that the leader has asked for. */
    public void sealOwnHeads(boolean all) {
        for (int i = 0; i < heads.length; i++) {
            if (isOwn(i) && !isSurvivor(i % geometry.headsOfNode()) && (all || heads[i].isSealingAsked())) {
                seal(heads[i], all);
            }
        }
    }

    /** Whether the leader has asked for {@link #sealOwnHeads}. */
    public boolean isSealingAsked() {
        for (int i = 0; i < heads.length; i++) {
            if (heads[i].isSealingAsked() && isOwn(i)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Seals the segments of all heads that have at least {@code blocks} blocks, so that they can be cleaned; other processes are asked to seal theirs. Whether one of them has yet to.
     */
    public boolean sealHeads(int minimumBlocks) {
        boolean asked = false;
        for (int i = 0; i < heads.length; i++) {
            int segment = heads[i].segment();
            if (isOwn(i)) {
                seal(heads[i], minimumBlocks);
            } else if (segment >= 0 && segments.blockCount(segment) >= minimumBlocks) {
                heads[i].askSealing(true);
                asked = true;
            }
        }
        return asked;
    }

    /**
     * Seals what this process's head has open, as it was asked to. One who must not wait does it another time if somebody has the head: that may wait for a lock which a dead process holds, and for who takes
     * it away.
     */
    private void seal(Head head, boolean mayWait) {
        if (mayWait) {
            head.lock();
        } else if (!head.tryLock()) {
            return;
        }
        try {
            head.askSealing(false);
            sealLocked(head, 0);
        } finally {
            head.unlock();
        }
    }

    private void seal(Head head, int minimumBlocks) {
        head.lock();
        try {
            sealLocked(head, minimumBlocks);
        } finally {
            head.unlock();
        }
    }

    private void sealLocked(Head head, int minimumBlocks) {
        if (head.segment() >= 0 && segments.blockCount(head.segment()) >= minimumBlocks) {
            noteUsed(head.position()); // if others append without the lock, it is said again
            finish(head, head.leave(), -1);
            head.setSegment(-1, -1);
        }
    }

    /** Retires a cleaned or empty segment in state CLEANING; its blocks are freed after the grace period. */
    public void retire(int segment) {
        segments.setState(segment, SegmentTable.RETIRED);
        CrashPoint.at("segment-retired");
        reclaimer.retire(() -> free(segment));
    }

    private void free(int segment) {
        int[] chain = new int[segments.blockCount(segment)];
        int block = segments.firstBlock(segment);
        int count = 0;
        // a process that died while it freed them may have left some that are another's by now
        while (count < chain.length && block >= 0 && blocks.owner(block) == segment) {
            chain[count++] = block;
            block = blocks.next(block);
        }
        CrashPoint.at("freeing-segment");
        pool.free(segment, Arrays.copyOf(chain, count));
        CrashPoint.at("blocks-freed");
        segments.setState(segment, SegmentTable.FREE);
    }

    /** Sets a survivor's age to that of what it holds. Only while it is the head of {@code survivor}. */
    public void setAge(int survivor, long created, long nanos) {
        int segment = heads[survivor].segment();
        if (segment >= 0) {
            segments.setCreated(segment, created, nanos);
        }
    }

    /** The open segment of a head or -1. */
    public int segmentOf(int head) {
        return heads[head].segment();
    }

    /** Units and overhead in blocks that are still open: not counted in their segments yet. */
    public long openUnits() {
        long sum = 0;
        for (Head head : heads) {
            long word = head.position();
            if (Head.block(word) != Head.NO_BLOCK) {
                sum += Head.units(word) - blocks.firstUnit(Head.block(word));
            }
        }
        return sum;
    }

    public long openOverhead() {
        long sum = 0;
        for (Head head : heads) {
            long word = head.position();
            if (Head.block(word) != Head.NO_BLOCK) {
                sum += Head.overhead(word);
            }
        }
        return sum;
    }

    /** Units of live entries in all segments. */
    public long liveUnits() {
        long live = openUnits();
        for (int segment = 0; segment < segments.slots(); segment++) {
            int state = segments.state(segment);
            if (state != SegmentTable.FREE && state != SegmentTable.RETIRED) {
                live += segments.liveUnits(segment);
            }
        }
        return live;
    }

    /** Bytes of live entries that are neither key nor value. */
    public long liveOverhead() {
        long live = openOverhead();
        for (int segment = 0; segment < segments.slots(); segment++) {
            int state = segments.state(segment);
            if (state != SegmentTable.FREE && state != SegmentTable.RETIRED) {
                // each half by itself: the low halves' difference may be negative for a moment
                live += (segments.appendedWord(segment) >> 32) - (segments.deadWord(segment) >> 32);
            }
        }
        return live;
    }
}
