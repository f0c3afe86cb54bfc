package io.loam.store.engine;

import io.loam.memory.Membarrier;
import io.loam.memory.MemoryException;
import io.loam.memory.RawMemory;
import io.loam.memory.Topology;
import io.loam.store.Eviction;
import io.loam.store.FullPolicy;
import io.loam.store.LoamException;
import io.loam.store.RemovalListener;
import io.loam.store.RemovalListener.Cause;
import io.loam.store.StoreClosedException;
import io.loam.store.StoreFullException;
import io.loam.store.cleaner.Cleaner;
import io.loam.store.cleaner.Owners;
import io.loam.store.epoch.Epochs;
import io.loam.store.epoch.Reclaimer;
import io.loam.store.index.DescriptorSlab;
import io.loam.store.index.Index;
import io.loam.store.index.KeyHash;
import io.loam.store.log.BlockPool;
import io.loam.store.log.BlockPool.Purpose;
import io.loam.store.log.BlockTable;
import io.loam.store.log.Entries;
import io.loam.store.log.EntryLayout;
import io.loam.store.log.Geometry;
import io.loam.store.log.Log;
import io.loam.store.log.SegmentTable;
import io.loam.store.log.SpinLock;
import java.lang.foreign.Arena;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** The memory of one store and the parts that work on it. */
final class Engine implements Owners {

    private static final java.lang.ref.Cleaner UNMAPPER = java.lang.ref.Cleaner.create();

    private static final boolean MEMBARRIER = Membarrier.register();

    private static final int OPEN = 0;
    private static final int PAUSED = 1;
    /** Open, but not for writers. */
    private static final int READ_ONLY = 2;
    /** Open, but another process may keep writers out. */
    private static final int SHARED = 3;

    private static final int CLOSED = 4;
    /** Closed, and the memory is gone: what is read from now on is zeros. */
    private static final int DISCARDED = 5;

    private static final Index[] NONE = {};
    private static final long CLOSE_WAIT_NANOS = TimeUnit.SECONDS.toNanos(2);

    final EngineOptions options;
    final RawMemory memory;
    final Geometry geometry;
    final StoreMemory store;
    final long base;
    /** The life of the segments that readers are handed, which keep the memory mapped as long as they are reachable. */
    private final Arena views = Arena.ofShared();

    final Epochs epochs;
    final Reclaimer reclaimer;
    final BlockTable blocks;
    final BlockPool pool;
    final SegmentTable segments;
    final Entries entries;
    final Log log;
    final KeyHash keyHash;
    final DescriptorSlab slab;
    final Cleaner cleaner;
    final Maintenance maintenance;
    final boolean inPlace;
    private final boolean marks;
    private final Topology topology;
    private final boolean oneNode;
    private final int heads;
    private final int firstHead;
    /** What {@link #state} is as long as nothing is wrong. */
    private final int open;

    private volatile int state;
    /** What ties it to the other processes of a shared store. */
    final @Nullable Sharing sharing;

    private final ConcurrentHashMap<Integer, KeySpace> keySpaces = new ConcurrentHashMap<>();
    final CopyOnWriteArrayList<RemovalListener> listeners = new CopyOnWriteArrayList<>();

    /** Held while the state is changed, and while it is PAUSED. */
    private final ReentrantLock exclusive = new ReentrantLock();

    private final ReentrantLock turn = new ReentrantLock(true);
    private final ReentrantLock spaceLock = new ReentrantLock();
    private final Condition spaceFreed = spaceLock.newCondition();
    private final AtomicLong waiters = new AtomicLong();
    private final ConcurrentLinkedQueue<Runnable> hooks = new ConcurrentLinkedQueue<>();

    final LongAdder writerStalls = new LongAdder();
    final AtomicLong longestStall = new AtomicLong();
    final LongAdder refusedWrites = new LongAdder();
    final LongAdder overwrittenBytes = new LongAdder();
    final LongAdder expiredEntries = new LongAdder();

    /** The engine of a private store. */
    static Engine open(EngineOptions options) {
        Geometry geometry = geometry(options);
        StoreMemory store;
        try {
            store = new PrivateMemory(geometry);
        } catch (MemoryException e) {
            throw noMemory(options, e);
        }
        return new Engine(options, geometry, store, true, null);
    }

    private static LoamException noMemory(EngineOptions options, MemoryException e) {
        return new LoamException(
                "no memory for a store of " + options.capacityBytes() + " bytes: " + e.getMessage(), e);
    }

    /**
     * @param store closed by this engine, also when it fails
     * @param create whether the memory is to become a store; else it is one
     * @param sharing null for a private store
     */
    Engine(EngineOptions options, Geometry geometry, StoreMemory store, boolean create, @Nullable Sharing sharing) {
        this.options = options;
        this.memory = RawMemory.ofProcess();
        this.store = store;
        this.sharing = sharing;
        this.open = sharing == null ? OPEN : sharing.isReadOnly() ? READ_ONLY : SHARED;
        this.state = open;
        this.topology = options.topology();
        this.marks = options.fullPolicy() == FullPolicy.EVICT && open != READ_ONLY;
        this.inPlace = options.updatePolicy() == io.loam.store.UpdatePolicy.IN_PLACE;
        this.geometry = geometry;
        this.oneNode = geometry.nodes == 1;
        this.heads = geometry.headsPerNode;
        int participant = sharing == null ? 0 : sharing.participant();
        this.firstHead = participant * geometry.headsPerNode;
        this.base = store.address();
        try {
            epochs = sharing == null
                    ? new Epochs(memory, store.epochWord(), store.epochSlots(), geometry.epochSlots, MEMBARRIER)
                    : sharing.epochs(memory, store);
            reclaimer = new Reclaimer(epochs, memory, base + StoreHeader.PENDING);
            blocks = new BlockTable(memory, base + geometry.blockTableOffset);
            pool = new BlockPool(memory, geometry, blocks, base + geometry.poolOffset, participant + 1);
            segments = new SegmentTable(memory, base + geometry.segmentOffset, geometry.segmentSlots);
            entries = sharing == null
                    ? new Entries(memory, base, geometry, blocks, store.view(views))
                    : new Entries(memory, base, geometry, blocks, store.view(views), sharing::checkRepairable);
            log = new Log(
                    memory,
                    base,
                    geometry,
                    blocks,
                    pool,
                    segments,
                    entries,
                    epochs,
                    reclaimer,
                    options.clock(),
                    base + StoreHeader.CLOCK,
                    participant);
            keyHash = new KeyHash(
                    memory,
                    options.floodResistant(),
                    options.hashSeed(),
                    Long.rotateLeft(options.hashSeed(), 32) * 0x9E3779B97F4A7C15L);
            slab = new DescriptorSlab(memory, base, geometry, pool);
            if (create) {
                format();
            }
            cleaner = new Cleaner(
                    geometry,
                    blocks,
                    pool,
                    segments,
                    entries,
                    log,
                    epochs,
                    reclaimer,
                    this,
                    options.fullPolicy(),
                    options.eviction(),
                    memory,
                    base + StoreHeader.FRUITLESS,
                    sharing != null);
            maintenance = new Maintenance(this);
            UNMAPPER.register(views.scope(), sharing == null ? store::close : sharing.unmapping(store));
        } catch (MemoryException e) {
            store.close();
            throw new LoamException("no memory for the store's tables: " + e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            store.close();
            throw e;
        }
    }

    private void format() {
        store.prepare(options, geometry);
        int budget = budgetBlocks(options.capacityBytes());
        pool.format(budget);
        setReserve(budget);
        log.format();
        setCapacityBytes(options.capacityBytes());
    }

    static Geometry geometry(EngineOptions options) {
        return new Geometry(
                options.maximumCapacityBytes(),
                options.blockBytes(),
                options.segmentBytes(),
                options.epochSlots(),
                options.topology().nodeCount(),
                options.headsPerNode(),
                options.cleanersPerNode(),
                options.marks());
    }

    /** Blocks that a capacity leaves for log and index. */
    int budgetBlocks(long capacityBytes) {
        return (int) Math.min(geometry.maximumBlocks, (capacityBytes - geometry.tableBytes) >>> geometry.blockShift);
    }

    /** The least capacity that leaves so many blocks for log and index. */
    long capacityOf(int budgetBlocks) {
        return geometry.tableBytes + ((long) budgetBlocks << geometry.blockShift);
    }

    /** The reserve: a segment and a block for each survivor head, one step of the index, and at least 1/100. */
    void setReserve(int budget) {
        int survivors = geometry.nodes * geometry.survivorsPerNode;
        int forIndex = Math.clamp(budget / 64, 2, 18);
        int forCleaning = Math.max(budget / 100, Math.min(budget / 8, geometry.segmentBlocks + 1) + survivors);
        pool.setReserve(forCleaning + forIndex, forIndex);
    }

    /** Begins to do what one process does for all: cleaning, resizing, freeing. */
    void lead() {
        log.setRetires();
        exclusive.lock(); // who closes either finds the threads or has none begin
        try {
            if (state < CLOSED) {
                cleaner.start();
                maintenance.start();
            }
        } finally {
            exclusive.unlock();
        }
    }

    /** The budget, in bytes. */
    long capacityBytes() {
        return memory.getLongOpaque(base + StoreHeader.CAPACITY);
    }

    void setCapacityBytes(long bytes) {
        memory.putLongOpaque(base + StoreHeader.CAPACITY, bytes);
    }

    /** Whether any entry was ever written with an expiry. */
    boolean mayExpire() {
        return memory.getLongOpaque(base + StoreHeader.EXPIRES) != 0;
    }

    /** An entry is about to be written with an expiry. */
    void noteExpiry() {
        if (open != READ_ONLY && !mayExpire()) {
            memory.putLongVolatile(base + StoreHeader.EXPIRES, 1);
        }
    }

    /** A new index; waits for memory like a write if {@code mayWait}. */
    Index newIndex(KeySpace owner, boolean mayWait) {
        long since = System.nanoTime();
        long fruitless = cleaner.fruitless();
        while (true) {
            try {
                return newIndex(owner);
            } catch (Index.NoRoomException e) {
                if (!mayWait) {
                    throw e;
                }
                awaitSpace(4L * geometry.blockUnits, since, fruitless);
            }
        }
    }

    /** An index that is there, to be looked over; nobody sees to its resizing. */
    Index indexAt(long root) {
        return new Index(
                memory, base, geometry, pool, entries, keyHash, epochs, reclaimer, slab, hash -> {}, root, null);
    }

    /** A new index whose resizing nobody sees to. */
    Index newIndex() {
        return new Index(memory, base, geometry, pool, entries, keyHash, epochs, reclaimer, slab, hash -> {});
    }

    private Index newIndex(KeySpace owner) {
        return new Index(
                memory,
                base,
                geometry,
                pool,
                entries,
                keyHash,
                epochs,
                reclaimer,
                slab,
                hash -> maintenance.resize(owner, hash));
    }

    /** There is one for each id: it knows which resizings of its index are under way, and another one would begin them again. */
    void register(KeySpace keySpace) {
        if (keySpaces.putIfAbsent(keySpace.id, keySpace) != null) {
            throw new IllegalStateException("namespace " + keySpace.id + " is there already");
        }
    }

    @Nullable
    KeySpace keySpace(int id) {
        return keySpaces.get(id);
    }

    void unregister(KeySpace keySpace) {
        keySpaces.remove(keySpace.id, keySpace);
    }

    Iterable<KeySpace> keySpaces() {
        return keySpaces.values();
    }

    // ---- entering and leaving

    /** Pins for a reader. */
    long enter() {
        long pin = epochs.pin();
        if (state >= CLOSED) {
            epochs.unpin(pin);
            throw new StoreClosedException();
        }
        return pin;
    }

    /** Pins for a writer that changes the key of this hash; waits while writers are kept out. */
    long enterWriter(int namespaceId, long hash) {
        for (int spins = 0; ; spins++) {
            long pin = epochs.pin();
            if (state == OPEN || (state == SHARED && admits(pin, namespaceId, hash))) {
                return pin;
            }
            epochs.unpin(pin);
            waitToWrite(spins);
        }
    }

    private void waitToWrite(int spins) {
        checkOpen();
        checkWritable();
        if (state == PAUSED && epochs.isPinnedByCurrentThread()) {
            throw new StoreFullException(
                    "the store is being cleared and waits for this thread's own guard or read; close it before writing");
        }
        if (open == SHARED && epochs.isWritingByCurrentThread()) {
            throw new IllegalStateException(
                    "this thread is inside of a write, which the repair of what a dead process left waits for, so it can't wait for the repair; write when the outer write is over");
        }
        SpinLock.backOff(spins);
    }

    /** Whether no process repairs what another one has left. */
    private boolean admits(long pin, int namespaceId, long hash) {
        epochs.setWriting(pin, namespaceId, hash);
        if (Objects.requireNonNull(sharing).isPaused()) {
            epochs.endWriting(pin);
            return false;
        }
        return true;
    }

    private void checkWritable() {
        if (open == READ_ONLY) {
            throw new UnsupportedOperationException("the store was attached for reading; attach it for writing");
        }
    }

    /** Ends what {@link #enterWriter} began. */
    void exitWriter(long pin) {
        endWriting(pin);
        exit(pin);
    }

    /** What follows under a writer's pin only reads, so that nobody who repairs waits for it. */
    void endWriting(long pin) {
        if (open == SHARED) {
            epochs.endWriting(pin);
        }
    }

    /**
     * Ends what {@link #enter} or {@link #enterWriter} began.
     *
     * @throws StoreClosedException if what was done under the pin may have met discarded memory
     */
    void exit(long pin) {
        checkNotDiscarded();
        epochs.unpin(pin);
        Reference.reachabilityFence(this);
    }

    /**
     * Says that what was read before is the store's bytes, not what is left of them.
     *
     * @throws StoreClosedException if the memory may have been discarded under the reader, who outlasted the wait of {@link #close}
     */
    void checkNotDiscarded() {
        VarHandle.acquireFence(); // the reads come before the look; pairs with state's volatile store before discarding
        if (state == DISCARDED) {
            throw new StoreClosedException();
        }
    }

    void checkOpen() {
        if (state >= CLOSED) {
            throw new StoreClosedException();
        }
    }

    boolean isClosed() {
        return state >= CLOSED;
    }

    /** The head for the calling thread. */
    int head() {
        if (oneNode) {
            return firstHead + (int) (Thread.currentThread().threadId() % heads);
        }
        int node = topology.currentNode();
        return log.head(node, firstHead + topology.currentCpuOfNode() % heads);
    }

    // ---- space

    /**
     * Waits until a write of {@code units} can be tried again. The caller is not pinned by this operation.
     *
     * @param since when the operation first found no space, {@link System#nanoTime}
     * @param fruitlessBefore {@link Cleaner#fruitless} then
     * @throws StoreFullException when that is not to be expected, or the thread must not wait, or the time is over
     */
    void awaitSpace(long units, long since, long fruitlessBefore) {
        awaitSpace(units, since, fruitlessBefore, true);
    }

    /** @param late whether memory that is found when the time is over is of no use any more */
    private void awaitSpace(long units, long since, long fruitlessBefore, boolean late) {
        if (epochs.isPinnedByCurrentThread()) {
            throw refused(
                    units,
                    "this thread holds a guard or is inside a read, so it can't wait for memory; close the guard and try again");
        }
        int wanted = blocksFor(units);
        long pause = 500_000;
        boolean swept = false;
        long fruitlessSince = fruitlessBefore;
        long deadline = since + TimeUnit.MILLISECONDS.toNanos(options.writeTimeoutMillis());
        waiters.incrementAndGet();
        writerStalls.increment();
        StallEvent event = new StallEvent();
        event.begin();
        try {
            while (true) {
                checkOpen();
                if (reclaimer.reclaim()) {
                    signal();
                }
                long left = deadline - System.nanoTime();
                // before the look at the pool: what is freed between the two is seen
                boolean hopeless = cleaner.fruitless() >= fruitlessSince + 2 && reclaimer.pending() == 0;
                if ((left > 0 || !late) && pool.hasSpaceFor(Purpose.WRITE_IN_TURN, wanted)) {
                    return;
                }
                if (hopeless && left > 0) {
                    if (swept || (!awaitSweep(deadline) && System.nanoTime() - deadline < 0)) {
                        throw refused(units, "cleaning can free nothing more");
                    }
                    swept = true;
                    fruitlessSince = cleaner.fruitless();
                }
                if (left <= 0) {
                    throw refused(
                            units, "no memory was freed within " + options.writeTimeoutMillis() + " ms" + blockedBy());
                }
                cleaner.wake();
                if (!cleaner.help(oneNode ? 0 : topology.currentNode())) {
                    parkForSpace(Math.min(left, pause));
                    pause = Math.min(2 * pause, 8_000_000);
                }
            }
        } finally {
            waiters.decrementAndGet();
            long waited = System.nanoTime() - since;
            longestStall.accumulateAndGet(waited, Math::max);
            event.units = units;
            event.commit();
        }
    }

    /** The largest entry there can ever be room for. */
    long maximumUnits() {
        return Math.min(0xFFFF_FFFFL, (long) geometry.maximumBlocks * geometry.blockUnits);
    }

    /** Waits until no writer that came before waits for memory any more. The caller is not pinned by this operation. */
    private void takeTurn(long units, long since) {
        if (epochs.isPinnedByCurrentThread()) {
            throw refused(
                    units,
                    "this thread holds a guard or is inside a read, so it can't wait for memory; close the guard and try again");
        }
        long deadline = since + TimeUnit.MILLISECONDS.toNanos(options.writeTimeoutMillis());
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    if (turn.tryLock(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS)) {
                        return;
                    }
                    throw refused(
                            units,
                            "after " + options.writeTimeoutMillis() + " ms writers that came before still waited"
                                    + blockedBy());
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /**
     * Waits for its turn and for memory for {@code units}, and tries with a claim on the blocks it waited for, until the attempt finds enough. Turns are first come, first
     * served, so that nobody starves. Parameters and errors as {@link #awaitSpace}.
     *
     * @param attempt whether it found the memory it needs
     */
    void inTurn(long units, long since, long fruitlessBefore, BooleanSupplier attempt) {
        takeTurn(units, since);
        int wanted = Math.max(1, blocksFor(units));
        pool.claim(wanted);
        try {
            long deadline = since + TimeUnit.MILLISECONDS.toNanos(options.writeTimeoutMillis());
            boolean late = false; // who had no CPU while its time ran out looks once all the same
            do {
                awaitSpace(units, since, fruitlessBefore, late);
                late = System.nanoTime() - deadline >= 0;
            } while (!attempt.getAsBoolean());
        } finally {
            pool.unclaim(wanted);
            turn.unlock();
        }
    }

    /** Grows an index in which a key found no slot; waits for memory if it must. Parameters and errors as {@link #awaitSpace}. */
    void growIndex(Index index, long hash, long full, long since, long fruitlessBefore) {
        int blocksWanted = index.growNow(hash, full);
        if (blocksWanted > 0) {
            // the index shares the blocks with the log: what frees a block for a writer frees one for it
            inTurn(
                    (long) blocksWanted * geometry.blockUnits,
                    since,
                    fruitlessBefore,
                    () -> index.growNow(hash, full) == 0);
        }
    }

    /**
     * Waits until the index is not being resized, what was retired is free, and what has expired or was cleared is known to be dead; false if there is nothing of the kind or the
     * time is over. The caller is not pinned.
     */
    boolean awaitSweep(long deadlineNanos) {
        boolean waited = awaitResizes(deadlineNanos) | awaitRetired(deadlineNanos);
        if (!mayExpire() && !isSweeping()) {
            return waited;
        }
        long cycle = maintenance.askToExpire() + 2;
        while (isSweeping() || (mayExpire() && maintenance.expiryCycles() < cycle)) {
            checkOpen();
            if (System.nanoTime() - deadlineNanos > 0) {
                return false;
            }
            maintenance.askToExpire();
            LockSupport.parkNanos(200_000);
        }
        return true;
    }

    /** Waits until no index has its larger or smaller successors beside it, or the time is over; false if none had. Not if the calling thread is pinned itself, or does the resizing. */
    private boolean awaitResizes(long deadlineNanos) {
        boolean waited = false;
        while (!epochs.isPinnedByCurrentThread()
                && !maintenance.isHere()
                && keySpaces.values().stream().anyMatch(keySpace -> keySpace.index.isResizing())
                && System.nanoTime() - deadlineNanos < 0) {
            checkOpen();
            waited = true;
            LockSupport.parkNanos(100_000);
        }
        return waited;
    }

    /**
     * Waits until what was retired before now, such as the smaller of two indexes after growth, is free, or the time is over; false if there was nothing. Not if the calling thread is
     * pinned itself.
     */
    private boolean awaitRetired(long deadlineNanos) {
        if (reclaimer.pending() == 0 || epochs.isPinnedByCurrentThread()) {
            return false;
        }
        long tag = epochs.retireTag();
        boolean safe = false;
        while (!safe && reclaimer.pending() > 0 && System.nanoTime() - deadlineNanos < 0) {
            checkOpen();
            safe = epochs.isSafe(tag);
            if (!reclaimer.reclaim() && !safe) {
                LockSupport.parkNanos(100_000);
            }
        }
        return true;
    }

    int blocksFor(long units) {
        return (int) Math.min(Integer.MAX_VALUE, (units + geometry.blockUnits - 1) / geometry.blockUnits);
    }

    private void parkForSpace(long nanos) {
        spaceLock.lock();
        try {
            boolean interrupted = Thread.interrupted();
            try {
                spaceFreed.awaitNanos(nanos);
            } catch (InterruptedException e) {
                interrupted = true;
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        } finally {
            spaceLock.unlock();
        }
    }

    private void signal() {
        if (waiters.get() > 0) {
            spaceLock.lock();
            try {
                spaceFreed.signalAll();
            } finally {
                spaceLock.unlock();
            }
        }
        for (Runnable hook = hooks.poll(); hook != null; hook = hooks.poll()) {
            // never on the cleaner's or a caller's thread: it may write, wait or close the store
            Runnable due = hook;
            Thread.ofVirtual().name("loam-hook").start(() -> runHook(due));
        }
    }

    private void runHook(Runnable hook) {
        try {
            hook.run();
        } catch (RuntimeException e) {
            System.getLogger("io.loam.store").log(System.Logger.Level.WARNING, "a tryPut hook failed", e);
        }
    }

    /** Runs the hook when memory may have been freed. */
    void onSpace(Runnable hook) {
        hooks.add(hook);
        cleaner.wake();
        if (pool.hasSpaceFor(Purpose.WRITE, 1) || isClosed()) {
            signal();
        }
    }

    /** Does what other processes can't tell this one to do: runs hooks that wait for memory, seals heads. */
    void poll() {
        if (!hooks.isEmpty() && pool.hasSpaceFor(Purpose.WRITE, 1)) {
            signal();
        }
        if (log.isSealingAsked()) {
            boolean ignored = sealOwnHeads(false);
        }
    }

    private String blockedBy() {
        Epochs.Pin oldest = epochs.oldest();
        // what was sealed after a guard pinned is not cleaned, nor what was cleaned freed
        return oldest != null && (reclaimer.pending() > 0 || oldest.nanos() != 0)
                ? "; reclamation is blocked by " + (sharing == null ? "" : sharing.processOf(oldest.slot()) + ", ")
                        + "thread "
                        + oldest.threadId()
                        + (oldest.nanos() == 0
                                ? ""
                                : ", whose guard is " + (System.nanoTime() - oldest.nanos()) / 1_000_000 + " ms old")
                : "";
    }

    /** The refusal of a write; says what is live and what would help. */
    StoreFullException refused(long units, String why) {
        refusedWrites.increment();
        long liveBytes = log.liveUnits() << 3;
        return new StoreFullException("the store is full: an entry of " + (units << 3) + " bytes found no memory ("
                + why + "); live: " + liveBytes + " of "
                + (cleaner.availableUnits() << 3) + " log bytes, capacity "
                + ((long) pool.budgetBlocks() << geometry.blockShift)
                + ". Delete entries, raise the capacity, let entries expire, or open the store with FullPolicy.EVICT");
    }

    // ---- Owners

    @Override
    public @Nullable Index index(int namespaceId) {
        KeySpace keySpace = keySpaces.get(namespaceId);
        return keySpace == null || keySpace.isDropped() ? null : keySpace.index;
    }

    @Override
    public Index[] condemned(int namespaceId) {
        KeySpace keySpace = keySpaces.get(namespaceId);
        return keySpace == null ? NONE : keySpace.condemned;
    }

    @Override
    public long nowMillis() {
        return options.clock().millis();
    }

    private long markAddress(long location) {
        return base + geometry.markOffset + (location - geometry.dataOffset >>> geometry.markShift);
    }

    /** The log's time as reference marks count it. */
    private int period() {
        return (int) (log.now() * Marks.PERIODS_PER_LOG / Math.max(Marks.PERIODS_PER_LOG, pool.budgetBlocks()))
                & Marks.PERIOD_MASK;
    }

    /** Remembers that an entry was used now; only writes when that is news. */
    void mark(long location) {
        if (marks) {
            long address = markAddress(location);
            byte mark = memory.getByteOpaque(address);
            int period = period();
            if (!Marks.isOf(mark, period)) {
                memory.putByteOpaque(address, Marks.used(mark, period));
            }
        }
    }

    /** Marks an appended entry that takes the place of {@code old}, or of none: 0. */
    void markAppended(long location, long old) {
        if (marks) {
            int period = period();
            byte mark = old == 0 ? Marks.fresh(period) : Marks.used(memory.getByteOpaque(markAddress(old)), period);
            memory.putByteOpaque(markAddress(location), mark);
        }
    }

    @Override
    public int coldness(long location, long header) {
        Eviction eviction = options.eviction();
        KeySpace keySpace = keySpaces.get(entries.namespaceId(location, header));
        if (keySpace != null && !keySpace.isEvictable()) {
            return 0;
        }
        long expiresAt = entries.expiresAt(location, header);
        if (eviction.domain() == Eviction.Domain.EXPIRING && expiresAt == 0) {
            return 0;
        }
        return switch (eviction.order()) {
            case COLDEST -> Marks.coldness(memory.getByteOpaque(markAddress(location)), period());
            case RANDOM ->
                1
                        + (int) ((location * 0x9E3779B97F4A7C15L + log.now() * 0xD6E8FEB86659FD93L) >>> 33 & 0xFF)
                                * 254
                                / 255;
            case SOONEST_EXPIRY ->
                expiresAt == 0
                        ? 1
                        : 2
                                + 4
                                        * (63
                                                - Math.max(
                                                        1,
                                                        64
                                                                - Long.numberOfLeadingZeros(
                                                                        Math.max(0, expiresAt - nowMillis()))));
        };
    }

    @Override
    public void moved(long from, long to) {
        if (marks) {
            memory.putByteOpaque(markAddress(to), memory.getByteOpaque(markAddress(from)));
        }
    }

    @Override
    public @Nullable Runnable removed(int namespaceId, long location, long header, Cause cause) {
        KeySpace keySpace = keySpaces.get(namespaceId);
        int type = EntryLayout.type(header);
        if (keySpace == null || !isTold(cause, type)) {
            return null;
        }
        byte[] key = entries.key(location, header);
        byte[] value = valueForListeners(location, header);
        return () -> tell(keySpace.name(), key, value, cause, type);
    }

    @Override
    public void tell(List<Runnable> removals) {
        if (!removals.isEmpty() && !maintenance.tellsLater(removals)) {
            removals.forEach(Runnable::run);
        }
    }

    /** Whether a listener wants values of this type that leave for this reason. */
    boolean isTold(Cause cause, int type) {
        for (RemovalListener listener : listeners) {
            if (listener.wants(cause, type)) {
                return true;
            }
        }
        return false;
    }

    /** The value of an entry that nobody overwrites any more; empty when it is longer than an array can be. */
    byte[] valueForListeners(long location, long header) {
        long length = entries.valueLength(location, header);
        byte[] value = new byte[length > Integer.MAX_VALUE - 8 ? 0 : (int) length];
        if (value.length == length) {
            entries.copyValue(location, header, value, 0);
        }
        return value;
    }

    void tell(String namespace, byte[] key, byte[] value, Cause cause, int type) {
        checkNotDiscarded();
        for (RemovalListener listener : listeners) {
            try {
                if (listener.wants(cause, type)) {
                    listener.removed(namespace, key, value, cause);
                }
            } catch (RuntimeException e) {
                System.getLogger("io.loam.store").log(System.Logger.Level.WARNING, "a removal listener failed", e);
            }
        }
    }

    @Override
    public boolean isSweeping() {
        if (sharing != null) {
            return sharing.isSweeping();
        }
        for (KeySpace keySpace : keySpaces.values()) {
            if (keySpace.condemned.length > 0) {
                return true;
            }
        }
        return false;
    }

    @Override
    public int moveIndexes(IntPredicate leave, int most) {
        int moved = 0;
        for (KeySpace keySpace : keySpaces.values()) {
            if (moved < most && !keySpace.isDropped()) {
                moved += keySpace.index.move(leave, most - moved);
            }
        }
        return moved;
    }

    @Override
    public void spaceChanged() {
        signal();
    }

    // ---- clearing and closing

    /** Runs {@code action} while no writer is inside and no pass under way; false if guards kept it waiting too long. */
    boolean exclusively(Runnable action) {
        exclusive.lock();
        try {
            checkOpen();
            checkWritable();
            cleaner.pause();
            maintenance.pause();
            try {
                state = PAUSED;
                if (!awaitPins(epochs.retireTag())) {
                    return false;
                }
                action.run();
                return true;
            } finally {
                state = open;
                maintenance.resume();
                cleaner.resume();
            }
        } finally {
            exclusive.unlock();
        }
    }

    private boolean awaitPins(long tag) {
        long deadline = System.nanoTime() + CLOSE_WAIT_NANOS;
        for (int spins = 0; !epochs.isSafe(tag); spins++) {
            if (System.nanoTime() > deadline) {
                return false;
            }
            SpinLock.backOff(spins);
        }
        return true;
    }

    /** Frees every segment. Only inside {@link #exclusively}, after the indexes have been replaced. */
    void freeAllSegments() {
        log.sealHeads(0);
        for (int segment = 0; segment < segments.slots(); segment++) {
            if (segments.advance(segment, SegmentTable.SEALED, SegmentTable.CLEANING)) {
                log.retire(segment);
            }
        }
        reclaimer.reclaim();
    }

    void close() {
        exclusive.lock(); // a clearAll under way ends first
        try {
            if (state >= CLOSED) {
                return;
            }
            state = CLOSED;
        } finally {
            exclusive.unlock();
        }
        if (sharing != null) {
            closeShared(sharing);
            return;
        }
        maintenance.stop();
        cleaner.stop();
        reclaimer.close();
        signal();
        awaitPins(epochs.retireTag());
        // The pages go back now. The addresses stay until nobody can call any more: who comes late finds zeros, never
        // faults, and learns it from checkNotDiscarded; who still holds a view, from the view.
        state = DISCARDED;
        if (closeViews()) {
            store.discard();
        }
    }

    /** Leaves the other processes. The memory stays mapped as long as anybody here may look at it. */
    private void closeShared(Sharing others) {
        // what is waited for here may be a dead process's: as long as this one leads nobody else can repair it
        maintenance.stop();
        cleaner.finish();
        reclaimer.close(); // what is retired is the next leader's
        signal();
        boolean quiet = awaitQuiet();
        if (quiet && !others.isReadOnly()) {
            for (int spins = 0; !sealOwnHeads(true); spins++) {
                SpinLock.backOff(spins);
            }
        }
        others.stop();
        // a thread that outlasts the wait may still write: then this process stays one whose death is to be repaired
        others.leave(quiet);
        state = DISCARDED;
        boolean ignored = closeViews();
    }

    /** Seals the heads of this process, all or those that it was asked to; false if that can't be now, because somebody repairs. */
    private boolean sealOwnHeads(boolean all) {
        long pin = epochs.pin();
        boolean admitted = admits(pin, 0, 0);
        if (admitted) {
            log.sealOwnHeads(all);
            epochs.endWriting(pin);
        }
        epochs.unpin(pin);
        return admitted;
    }

    private boolean awaitQuiet() {
        long deadline = System.nanoTime() + CLOSE_WAIT_NANOS;
        for (int spins = 0; !epochs.isQuiet(); spins++) {
            if (System.nanoTime() > deadline) {
                return false;
            }
            SpinLock.backOff(spins);
        }
        return true;
    }

    /** Whether nobody can read through a view any more; false while a call of the kernel does, say a channel's. */
    private boolean closeViews() {
        try {
            views.close();
            return true;
        } catch (IllegalStateException e) {
            return false; // then the pages stay until the last view is unreachable
        }
    }
}
