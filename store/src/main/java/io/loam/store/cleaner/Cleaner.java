package io.loam.store.cleaner;

import io.loam.memory.RawMemory;
import io.loam.store.Eviction;
import io.loam.store.FullPolicy;
import io.loam.store.cleaner.CleaningPolicy.Candidate;
import io.loam.store.epoch.Epochs;
import io.loam.store.epoch.Reclaimer;
import io.loam.store.index.Index;
import io.loam.store.log.BlockPool;
import io.loam.store.log.BlockPool.Emptying;
import io.loam.store.log.BlockTable;
import io.loam.store.log.Entries;
import io.loam.store.log.Geometry;
import io.loam.store.log.Log;
import io.loam.store.log.SegmentTable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Keeps free blocks coming: threads that clean when they run short, and when the store has been idle with much of it dead.
 *
 * <p>All threads work on one pass at a time, block by block; whoever finds no block left of it makes the next. The thread that finishes a segment's last block retires it.
 */
public final class Cleaner {

    /** With EVICT, entries are dropped once this share of the log is live; below, cleaning alone is cheap enough. */
    private static final double EVICT_ABOVE = 0.95;
    /** The share of what it visits that an evicting pass drops. */
    private static final double EVICT_SHARE = 0.3;
    /** An insert is refused when more than this share of what the log can hold is live: what is left keeps overwriting possible. */
    private static final double FULL_ABOVE = 0.975;
    /**
     * Entries keep the spare room that overwrites in place left in them while no more than this share of the log is live, room included. A value that
     * grows back finds it; without, values of changing size would be appended anew after each cleaning, and so cause the next.
     */
    private static final double TRIM_ABOVE = 0.92;
    /** The idle store is compacted while less than this share of its log is live. */
    private static final double IDLE_BELOW = 0.8;

    /** A store of which more than this share is deleted between two looks is not idle. */
    private static final double BUSY_SHARE = 0.002;

    /** A pass of an idle store copies at most so many segments' worth. */
    private static final int IDLE_SEGMENTS = 8;

    private static final long IDLE_NANOS = 100_000_000;
    /** So often, each millisecond, {@link #cleanAll} looks whether other processes have sealed their heads. */
    private static final int SEALING_LOOKS = 50;
    /** So often it waits for pins that keep it from a segment whose counts are doubtful. */
    private static final int LEFT_OUT_LOOKS = 200;

    private static final int NO_EVICTION = 256;
    /** Whatever the eviction's domain holds; what lies outside of it is 0. */
    private static final int ALL_EVICTABLE = 1;

    private final Geometry geometry;
    private final BlockTable blocks;
    private final BlockPool pool;
    private final SegmentTable segments;
    private final Entries entries;
    private final Log log;
    private final Epochs epochs;
    private final Reclaimer reclaimer;
    private final Owners owners;
    private final FullPolicy fullPolicy;
    private final Eviction eviction;
    private final CleaningPolicy policy;
    private final int lowWater;

    private final ReentrantLock passLock = new ReentrantLock();
    private volatile @Nullable CleaningPass pass;
    private volatile boolean stopped;
    /** How many keep new passes from being made. */
    private final AtomicInteger pauses = new AtomicInteger();

    /** Whether whoever pauses does not wait until what has been begun is done. */
    private volatile boolean halted;

    private final List<Thread> threads = new CopyOnWriteArrayList<>();
    private final RawMemory memory;
    private final long fruitlessWord;
    private final boolean alert;
    private final int[] coldnessHistogram = new int[256];
    /** What evicting passes in a row have copied and found nothing in that may be evicted. Under the pass lock. */
    private long barrenUnits;

    private long idleClock;
    private long idleLive;
    private long idleSince;
    /** Blocks that were to be moved when the last pass for that was made. Under the pass lock. */
    private int toMove = Integer.MAX_VALUE;
    /** The log's time when moving blocks together had come to its end. Under the pass lock. */
    private long settledClock = -1;

    private volatile long tightClock = -1;
    private volatile boolean tight;
    /** Threads that sleep because there was nothing to do. */
    private final AtomicInteger asleep = new AtomicInteger();

    private final LongAdder copiedUnits = new LongAdder();
    private final LongAdder cleanedSegments = new LongAdder();
    private final LongAdder passes = new LongAdder();
    private final LongAdder evicted = new LongAdder();
    private final LongAdder expired = new LongAdder();

    /**
     * @param fruitlessWord an aligned word that counts looks which found nothing to gain
     * @param alert whether to look often, because writers of other processes can't wake it
     */
    public Cleaner(
            Geometry geometry,
            BlockTable blocks,
            BlockPool pool,
            SegmentTable segments,
            Entries entries,
            Log log,
            Epochs epochs,
            Reclaimer reclaimer,
            Owners owners,
            FullPolicy fullPolicy,
            Eviction eviction,
            RawMemory memory,
            long fruitlessWord,
            boolean alert) {
        this.memory = memory;
        this.fruitlessWord = fruitlessWord;
        this.alert = alert;
        this.geometry = geometry;
        this.blocks = blocks;
        this.pool = pool;
        this.segments = segments;
        this.entries = entries;
        this.log = log;
        this.epochs = epochs;
        this.reclaimer = reclaimer;
        this.owners = owners;
        this.fullPolicy = fullPolicy;
        this.eviction = eviction;
        this.policy = new CleaningPolicy(geometry, segments, blocks, log, epochs);
        int openHeads = geometry.nodes * geometry.headsPerNode;
        this.lowWater = Math.max(openHeads + 2, Math.min(pool.budgetBlocks() / 256, 2 * geometry.segmentBlocks));
    }

    // ---- threads

    /** Starts the threads that do not run yet. */
    public void start() {
        int most = geometry.survivorsPerNode - 1;
        for (int node = 0; node < geometry.nodes; node++) {
            for (int i = threads.size() - node * most; i < most; i++) {
                int survivor = log.survivor(node, i);
                threads.add(Thread.ofPlatform()
                        .daemon()
                        .name("loam-cleaner-" + node + "." + i)
                        .start(() -> run(survivor)));
            }
        }
        log.afterTaking(this::wakeIfShort); // volatile: writers see all threads
    }

    /** Brings the present pass to its end and stops. Whoever pauses and resumes meanwhile starts no new one. */
    public void finish() {
        pause();
        stop();
    }

    /** Stops the threads and waits for them. */
    public void stop() {
        stopped = true;
        threads.forEach(LockSupport::unpark);
        for (Thread thread : threads) {
            boolean interrupted = false;
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Looks at the pool again, now. */
    public void wake() {
        threads.forEach(LockSupport::unpark);
    }

    /** A writer has taken a block. That a thread falls asleep just now may go unseen: then the next block wakes it. */
    private void wakeIfShort() {
        if (asleep.get() > 0 && isShort()) {
            wake();
        }
    }

    private void run(int survivor) {
        Relocator relocator = relocator();
        while (!stopped) {
            try {
                if (reclaimer.reclaim()) {
                    owners.spaceChanged();
                }
                if (isPaused() || !step(relocator, survivor)) {
                    asleep.incrementAndGet();
                    LockSupport.parkNanos(alert || reclaimer.pending() > 0 ? 1_000_000 : 20_000_000);
                    asleep.decrementAndGet();
                }
            } catch (Index.PausedException e) {
                LockSupport.parkNanos(1_000_000); // what it was about is looked for again
            } catch (RuntimeException | Error e) {
                System.getLogger("io.loam.store").log(System.Logger.Level.ERROR, "the cleaner failed and goes on", e);
                LockSupport.parkNanos(100_000_000);
            }
        }
    }

    private Relocator relocator() {
        return new Relocator(geometry, blocks, segments, entries, log, owners, epochs);
    }

    private boolean isShort() {
        return pool.stock() < lowWater;
    }

    /** One pass or one's share of it if cleaning is due; false if there was nothing to do. */
    private boolean step(Relocator relocator, int survivor) {
        if (pass != null) {
            return work(relocator, survivor);
        }
        if (isShort()) {
            return begin(false) && work(relocator, survivor);
        }
        return isIdle() && begin(true) && work(relocator, survivor);
    }

    private boolean isIdle() {
        long clock = log.now();
        long live = log.liveUnits();
        long nanos = System.nanoTime();
        synchronized (coldnessHistogram) {
            // where much is being deleted, what is copied now may be dead the next moment
            boolean deleting = idleLive - live > BUSY_SHARE * availableUnits();
            if (clock != idleClock || deleting) {
                idleClock = clock;
                idleLive = live;
                idleSince = nanos;
                return false;
            }
            return nanos - idleSince > IDLE_NANOS;
        }
    }

    // ---- passes

    /** Makes a pass if there is none; whether there is one now. */
    private boolean begin(boolean idle) {
        passLock.lock();
        try {
            if (pass != null) {
                return true;
            }
            if (isPaused()) {
                return false;
            }
            if (!idle) {
                pool.keepGroups();
            }
            CleaningPass made = idle ? idlePass() : duePass();
            if (made == null) {
                return false;
            }
            if (idle) {
                // survivors open blocks; that must not look like traffic
                synchronized (coldnessHistogram) {
                    idleSince -= IDLE_NANOS;
                }
            }
            start(made);
            return true;
        } finally {
            passLock.unlock();
        }
    }

    /** Under the pass lock. */
    private void start(CleaningPass made) {
        if (made.segments.length == 0) {
            return; // nobody would end it
        }
        long live = 0;
        for (int segment : made.segments) {
            live += Math.max(0, segments.liveUnits(segment));
        }
        pool.lend(policy.blocksFor(live));
        made.trims = liveShare() > TRIM_ABOVE;
        passes.increment();
        pass = made;
    }

    private @Nullable CleaningPass duePass() {
        // before the look: what is freed after it would make the look's verdict wrong
        boolean settled = reclaimer.pending() == 0 && !owners.isSweeping();
        List<Candidate> candidates = policy.candidates(owners.nowMillis());
        long free = Math.max(0, pool.freeBlocks());
        // few at a time: what is being cleaned is not free, and less free space means more copying
        long mostLive = 2L * geometry.segmentBlocks * geometry.blockUnits;
        CleaningPass evicting =
                fullPolicy == FullPolicy.EVICT && isCrowded() ? evictingPass(candidates, free, settled) : null;
        if (evicting != null) {
            return evicting;
        }
        List<Candidate> chosen = policy.choose(candidates, free, mostLive);
        if (chosen.isEmpty() && free == 0) {
            // entries did not fit the blocks' ends as well as they should have: use the room that open blocks have left
            chosen = CleaningPolicy.emptiest(candidates, log.openRoom() / 2);
        }
        if (!chosen.isEmpty()) {
            return new CleaningPass(claim(chosen), segments, blocks, NO_EVICTION);
        }
        if (settled && !policy.hasLeftOut()) {
            if (log.sealHeads(1)) {
                return null; // others have yet to seal theirs
            }
            // nothing to gain by cleaning, though less is live than makes a store crowded: what is left is too
            // scattered
            CleaningPass last = fullPolicy == FullPolicy.EVICT ? evictingPass(candidates, free, true) : null;
            if (last != null) {
                return last;
            }
            countFruitless();
            owners.spaceChanged();
        }
        return null;
    }

    /** Whether so much is live that cleaning alone would be dear, or could not fill the blocks that are kept free. */
    private boolean isCrowded() {
        long available = availableUnits();
        long heads = log.openHeads();
        long kept = (heads + lowWater + 2L * geometry.segmentBlocks) * geometry.blockUnits;
        return log.liveUnits() > Math.min(EVICT_ABOVE * available, available - kept);
    }

    private @Nullable CleaningPass idlePass() {
        List<Candidate> chosen = sparseSegments();
        if (chosen.isEmpty()) {
            chosen = doubtfulSegments();
        }
        if (chosen.isEmpty()) {
            chosen = scatteredSegments();
        } else {
            toMove = Integer.MAX_VALUE;
        }
        return chosen.isEmpty() ? null : new CleaningPass(claim(chosen), segments, blocks, NO_EVICTION);
    }

    private List<Candidate> sparseSegments() {
        if (log.liveUnits() > IDLE_BELOW * pool.usedBlocks() * geometry.blockUnits) {
            return List.of();
        }
        List<Candidate> sparse = policy.candidates(owners.nowMillis()).stream()
                .filter(candidate -> candidate.live() < IDLE_BELOW * candidate.blocks() * geometry.blockUnits)
                .toList();
        List<Candidate> chosen = policy.choose(sparse, Math.max(0, pool.freeBlocks()), idleUnits());
        if (chosen.isEmpty()) {
            log.sealHeads(2);
        }
        return chosen;
    }

    private List<Candidate> doubtfulSegments() {
        return policy.doubtful(pool.freeBlocks() / 2, idleUnits(), owners.nowMillis());
    }

    private long idleUnits() {
        return (long) IDLE_SEGMENTS * geometry.segmentBlocks * geometry.blockUnits;
    }

    /**
     * Segments of which the most lies in groups of blocks that are used little: copied to the others, they leave whole groups to be given back. Cleaning alone leaves few blocks in
     * many groups, for its first survivors take what is free, and that is scattered. Moves such parts of indexes, too. Goes on while each pass leaves less to move than the one
     * before, then waits for a write.
     */
    private List<Candidate> scatteredSegments() {
        long clock = log.now();
        if (reclaimer.pending() > 0 || clock == settledClock) {
            return List.of();
        }
        Emptying emptying = pool.emptyGroups(geometry.segmentBlocks);
        List<Candidate> chosen = List.of();
        if (emptying.blocks() > 0 && emptying.blocks() < toMove) {
            log.sealHeads(2);
            chosen = policy.mostlyIn(pool::isToMove, emptying.room() / 2, idleUnits(), owners.nowMillis());
            if (owners.moveIndexes(pool::isToMove, IDLE_SEGMENTS) > 0 || !chosen.isEmpty()) {
                toMove = emptying.blocks();
                return chosen;
            }
        }
        if (emptying.blocks() > 0) {
            settledClock = clock;
        }
        toMove = Integer.MAX_VALUE;
        pool.keepGroups();
        return List.of();
    }

    /**
     * The segments that were opened the longest ago, and from which coldness their entries are dropped. As survivors count from when they were copied, passes go round the whole
     * log; by the entries' own age they would come back to the old ones that stay in use, and find nothing cold there.
     *
     * @param settled whether all that was given up has been freed; if not, and there are too few blocks to copy to, more are on their way
     */
    private @Nullable CleaningPass evictingPass(List<Candidate> candidates, long free, boolean settled) {
        List<Candidate> longestUnseen = new ArrayList<>(candidates);
        long now = log.now();
        longestUnseen.sort(Comparator.comparingLong(candidate -> -segments.lived(candidate.segment(), now)));
        List<Candidate> chosen = new ArrayList<>();
        long live = 0;
        for (Candidate candidate : longestUnseen) {
            if (policy.blocksFor(live + candidate.live()) > free || chosen.size() == 4) {
                break;
            }
            chosen.add(candidate);
            live += candidate.live();
        }
        if (chosen.isEmpty() && !candidates.isEmpty()) {
            if (!settled) {
                return null;
            }
            CleaningPass fitting = fittingPass(longestUnseen, free);
            if (fitting != null) {
                return fitting;
            }
        }
        chosen.addAll(policy.oversized(4));
        if (chosen.isEmpty()) {
            return null;
        }
        List<Candidate> claimed = claim(chosen);
        if (claimed.isEmpty()) {
            return null;
        }
        int evictFrom = coldnessThreshold(claimed);
        if (evictFrom == NO_EVICTION) {
            // nothing here may be evicted, but further on something may: copied, these come last in the round
            barrenUnits += live;
            if (live == 0 || barrenUnits > log.liveUnits()) {
                barrenUnits = 0;
                claimed.forEach(candidate -> giveBack(candidate.segment()));
                return null;
            }
        } else {
            barrenUnits = 0;
        }
        return new CleaningPass(claimed, segments, blocks, evictFrom);
    }

    /**
     * The first segment of which so few entries stay that they fit, when its coldest are dropped; if there is none, the one of which the most may be evicted, all of it: what stays
     * goes to the room that open blocks have left, or where it is. Null if nothing may be evicted.
     */
    private @Nullable CleaningPass fittingPass(List<Candidate> candidates, long free) {
        Candidate most = null;
        long mostUnits = 0;
        for (Candidate candidate : candidates) {
            List<Candidate> claimed = claim(List.of(candidate));
            if (claimed.isEmpty()) {
                continue;
            }
            int[] units = survey(claimed);
            long evictable = IntStream.range(1, 256).mapToLong(i -> units[i]).sum();
            if (evictable > mostUnits) {
                most = candidate;
                mostUnits = evictable;
            }
            long stay = Math.min(units[0], candidate.live()); // dead ones are counted, too
            long kept = stay;
            int evictFrom = 1;
            while (evictFrom < 256 && policy.blocksFor(kept + units[evictFrom]) <= free) {
                kept += units[evictFrom++];
            }
            evictFrom = Math.min(evictFrom, threshold(units, EVICT_SHARE / 3));
            if (evictFrom != NO_EVICTION && policy.blocksFor(stay) <= free) {
                return new CleaningPass(claimed, segments, blocks, evictFrom);
            }
            giveBack(candidate.segment());
        }
        List<Candidate> last = most == null ? List.of() : claim(List.of(most));
        return last.isEmpty() ? null : new CleaningPass(last, segments, blocks, ALL_EVICTABLE);
    }

    /** Takes sealed segments for cleaning; without those that were retired meanwhile, as a segment of one entry may be. */
    private List<Candidate> claim(List<Candidate> chosen) {
        return chosen.stream()
                .filter(candidate -> segments.advance(candidate.segment(), SegmentTable.SEALED, SegmentTable.CLEANING))
                .toList();
    }

    private void giveBack(int segment) {
        segments.advance(segment, SegmentTable.CLEANING, SegmentTable.SEALED);
        log.retireIfDead(segment);
    }

    /** The coldness that a share of recently visited entries has or exceeds. */
    private int coldnessThreshold(List<Candidate> chosen) {
        int[] here = survey(chosen);
        for (int i = 0; i < 256; i++) {
            coldnessHistogram[i] = coldnessHistogram[i] / 2 + here[i];
        }
        int overall = threshold(coldnessHistogram, EVICT_SHARE);
        // what is here must shrink too, or the pass gains nothing
        return Math.min(overall, threshold(here, EVICT_SHARE / 3));
    }

    /** How many units of these segments are of each coldness; none when the cleaner is being stopped. If that fails, they are given back. */
    private int[] survey(List<Candidate> chosen) {
        int[] units = new int[256];
        boolean done = false;
        long pin = epochs.pin();
        try {
            // looked at under the pin: who closes the store waits for pins from before, and takes the memory away then
            for (int next = 0; next < chosen.size() && !stopped; next++) {
                Candidate candidate = chosen.get(next);
                int block = segments.firstBlock(candidate.segment());
                for (int i = 0; i < candidate.blocks(); i++, block = blocks.next(block)) {
                    survey(block, units);
                }
            }
            done = true;
        } finally {
            epochs.unpin(pin);
            if (!done) {
                chosen.forEach(candidate -> giveBack(candidate.segment()));
            }
        }
        return units;
    }

    private void survey(int block, int[] histogram) {
        long start = geometry.blockOffset(block);
        long used = blocks.usedUnits(block);
        for (long position = blocks.firstUnit(block); position < used; ) {
            long location = start + (position << 3);
            long header = entries.stableHeader(location);
            long units = entries.units(location, header);
            if (units <= 0) {
                throw new IllegalStateException(
                        "no entry at unit " + position + " of block " + block + "; the store is damaged");
            }
            if (!entries.isFiller(header)) {
                histogram[owners.coldness(location, header)] += (int) Math.min(units, 1 << 20);
            }
            position += units;
        }
    }

    private static int threshold(int[] histogram, double share) {
        long total = 0;
        for (int count : histogram) {
            total += count;
        }
        long wanted = (long) (total * share);
        long sum = 0;
        for (int coldness = 255; coldness > 0; coldness--) {
            sum += histogram[coldness];
            if (sum > 0 && sum >= wanted) {
                return coldness;
            }
        }
        return sum > 0 ? 1 : NO_EVICTION;
    }

    /** Works on the present pass until none of its blocks is left to take. */
    private boolean work(Relocator relocator, int survivor) {
        CleaningPass current = pass;
        if (current == null) {
            return false;
        }
        CleaningEvent event = new CleaningEvent();
        event.begin();
        int unit;
        int done = 0;
        while ((unit = current.take()) >= 0) {
            clean(current, unit, relocator, survivor);
            done++;
        }
        if (event.shouldCommit()) {
            event.blocks = done;
            event.segments = current.segments.length;
            event.commit();
        }
        return done > 0;
    }

    private void clean(CleaningPass current, int unit, Relocator relocator, int survivor) {
        boolean ok = false;
        long pin = epochs.pin();
        try {
            // looked at under the pin: who closes the store waits for pins from before, and takes the memory away then
            ok = !stopped
                    && !halted
                    && relocator.clean(current.block(unit), survivor, current.evictFrom, current.trims, pin);
        } catch (Index.PausedException e) {
            ok = false; // what was moved is counted, the rest stays where it is
        } finally {
            epochs.endWriting(pin);
            epochs.unpin(pin);
            if (ok || stopped || relocator.deadUnits + relocator.evicted + relocator.expired > 0) {
                current.gained = true;
            }
            copiedUnits.add(relocator.copiedUnits);
            evicted.add(relocator.evicted);
            expired.add(relocator.expired);
            relocator.clearCounts(); // the next block may not be looked at
            finish(current, unit, ok);
            // not before: a listener may write, and so wait for a repair, which waits for this writer and for the pass
            owners.tell(relocator.takeUntold());
        }
    }

    private void finish(CleaningPass current, int unit, boolean ok) {
        int index = current.done(unit, ok);
        if (index < 0) {
            return;
        }
        int segment = current.segments[index];
        if (current.hasFailed(index)) {
            if (!halted) { // whoever halts ends it, and must not wait here for a lock that a dead process may hold
                pool.endLoan();
            }
            giveBack(segment);
        } else {
            log.retire(segment);
            cleanedSegments.increment();
        }
        if (current.segmentsLeft.decrementAndGet() == 0) {
            if (!current.gained && !halted) {
                countFruitless();
            }
            pass = null;
        }
        // who looks for pins interrupts the writers: only if they need blocks now, else when the next pass is due
        if (!halted && pool.stock() < lowWater / 2 && reclaimer.reclaim()) {
            owners.spaceChanged();
        }
    }

    /** Does one block of the present pass for a writer that waits; false if there is none to do. The caller is not pinned. */
    public boolean help(int node) {
        if (pass == null && threads.contains(Thread.currentThread())) {
            // a listener, told by the thread that makes the passes, waits for one
            boolean ignored = begin(false);
        }
        CleaningPass current = pass;
        int unit = current == null ? -1 : current.take();
        if (current == null || unit < 0) {
            return false;
        }
        clean(current, unit, relocator(), log.survivor(node, geometry.survivorsPerNode - 1));
        return true;
    }

    // ---- what others ask

    /** Counts looks at the whole log that found nothing to gain. A writer that has seen two since it began to wait is refused. */
    public long fruitless() {
        return memory.getLongVolatile(fruitlessWord);
    }

    private void countFruitless() {
        memory.getAndAddLong(fruitlessWord, 1);
    }

    /** Live share of the log bytes there are without the reserve. */
    public double liveShare() {
        return (double) log.liveUnits() / availableUnits();
    }

    /** Units that log entries could take, without the reserve and the index. */
    public long availableUnits() {
        long index = pool.usedBlocks() - logBlocks();
        return Math.max(1, (pool.budgetBlocks() - index - pool.reserveBlocks()) * (long) geometry.blockUnits);
    }

    /** Blocks that segments own. */
    public long logBlocks() {
        long sum = 0;
        for (int segment = 0; segment < segments.slots(); segment++) {
            if (segments.state(segment) != SegmentTable.FREE) {
                sum += segments.blockCount(segment);
            }
        }
        return sum;
    }

    /**
     * Whether an insert must be refused, because the log holds about as much as it can and still be cleaned. Looks again each time a block has been opened.
     */
    public boolean isTight() {
        if (fullPolicy == FullPolicy.EVICT
                || pool.freeBlocks() - pool.reserveBlocks() > pool.budgetBlocks() / 16 + lowWater) {
            return false;
        }
        long clock = log.now();
        if (tight || tightClock != clock) {
            tight = log.liveUnits() > FULL_ABOVE * reachableUnits();
            tightClock = clock;
        }
        return tight;
    }

    /** As {@link #availableUnits}, less what blocks lose at their ends and open heads hold. */
    private long reachableUnits() {
        long appended = 0;
        long room = 0;
        for (int segment = 0; segment < segments.slots(); segment++) {
            int state = segments.state(segment);
            if (state == SegmentTable.SEALED || state == SegmentTable.CLEANING) {
                appended += segments.appendedUnits(segment);
                room += (long) segments.blockCount(segment) * geometry.blockUnits;
            }
        }
        // at most half a small entry is lost at a block's end; what is lost more is in segments sealed early, which
        // cleaning gets back
        double least = 1 - geometry.smallEntryBytes / (2.0 * geometry.blockBytes);
        double fill = room == 0 ? 1 : Math.max(least, (double) appended / room);
        long heads = (long) log.openHeads() * geometry.blockUnits;
        return (long) ((availableUnits() - heads) * fill);
    }

    /** Keeps new passes from being made and waits for the present one; until {@link #resume}. */
    public void pause() {
        pause(() -> {});
    }

    private void pause(Runnable meanwhile) {
        pauses.incrementAndGet();
        // whoever was making a pass and has not seen that has published it by the time the lock is free
        while (!passLock.tryLock()) {
            meanwhile.run();
            LockSupport.parkNanos(50_000);
        }
        passLock.unlock();
        while (pass != null) {
            if (!help(0)) {
                meanwhile.run();
                LockSupport.parkNanos(50_000);
            }
        }
    }

    /** As {@link #pause}, at once: what the present pass has not moved yet stays where it is. {@code meanwhile} is run again and again. */
    public void halt(Runnable meanwhile) {
        halted = true;
        pause(meanwhile);
        halted = false;
    }

    /** Whether a pass is under way. */
    public boolean isCleaning() {
        return pass != null;
    }

    /** Takes back one {@link #pause} or {@link #halt}; passes are made again when all are taken back. */
    public void resume() {
        pauses.decrementAndGet();
        wake();
    }

    private boolean isPaused() {
        return pauses.get() > 0;
    }

    /** Cleans until no pass would gain a block, or make doubtful counts right; false if it has to be called again because cleaning is paused. */
    public boolean cleanAll() {
        return cleanAll(Long.MAX_VALUE);
    }

    /** As {@link #cleanAll()}, for no longer than about {@code nanos}: false, too, if there may be more to do. */
    public boolean cleanAll(long nanos) {
        long since = System.nanoTime();
        Relocator relocator = relocator();
        int survivor = log.survivor(0, geometry.survivorsPerNode - 1);
        for (int looks = 0; log.sealHeads(1) && looks < SEALING_LOOKS && !isPaused() && !stopped; looks++) {
            LockSupport.parkNanos(1_000_000);
        }
        int waits = 0;
        for (int rounds = 0; rounds < 10_000 && !stopped; rounds++) {
            if (System.nanoTime() - since > nanos) {
                return false;
            }
            reclaimer.reclaim();
            if (pass == null) {
                passLock.lock();
                try {
                    if (isPaused()) {
                        return false;
                    }
                    if (pass == null) {
                        List<Candidate> chosen = policy.choose(
                                policy.candidates(owners.nowMillis()),
                                Math.max(0, pool.freeBlocks()),
                                4L * geometry.segmentBlocks * geometry.blockUnits);
                        chosen = chosen.isEmpty() ? doubtfulSegments() : chosen;
                        if (!chosen.isEmpty()) {
                            start(new CleaningPass(claim(chosen), segments, blocks, NO_EVICTION));
                        } else if (++waits > LEFT_OUT_LOOKS || !policy.hasLeftOut() || !policy.hasDoubtful()) {
                            return true;
                        }
                    }
                } finally {
                    passLock.unlock();
                }
            }
            if (!work(relocator, survivor)) {
                LockSupport.parkNanos(1_000_000); // others do the rest of the pass, or somebody is still pinned
            }
        }
        return true;
    }

    public long copiedBytes() {
        return copiedUnits.sum() << 3;
    }

    public long cleanedSegments() {
        return cleanedSegments.sum();
    }

    public long passes() {
        return passes.sum();
    }

    public long evicted() {
        return evicted.sum();
    }

    public long expired() {
        return expired.sum();
    }

    Eviction eviction() {
        return eviction;
    }
}
