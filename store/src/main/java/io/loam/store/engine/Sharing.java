package io.loam.store.engine;

import io.loam.memory.Membarrier;
import io.loam.memory.RawMemory;
import io.loam.memory.SharedFile;
import io.loam.memory.region.Liveness;
import io.loam.memory.region.Participants;
import io.loam.memory.region.RegionException;
import io.loam.store.LoamException;
import io.loam.store.StoreStats.Opening;
import io.loam.store.StoreStats.ParticipantInfo;
import io.loam.store.crash.CrashPoint;
import io.loam.store.engine.Requests.Request;
import io.loam.store.engine.Requests.Taken;
import io.loam.store.epoch.Epochs;
import io.loam.store.index.Index;
import io.loam.store.log.BlockTable;
import io.loam.store.log.Entries;
import io.loam.store.log.LogRepair;
import io.loam.store.log.SpinLock;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What ties a store object to the other participants of its store: who takes part, who leads, and what is asked of the leader.
 *
 * <p>The leader holds a byte of the control region's file, which the kernel gives back when it dies; a watcher in every other writer tries for it. Who gets it makes of what the store's
 * memory says all that only a leader has ({@link #lead}).
 */
final class Sharing {

    /** Request results besides a namespace's id, or blocks. */
    static final long NO_ROOM = -1;

    static final long TOO_MANY = -2;
    private static final long LATER = -3;
    /** So often, each 10 ms, it is looked whether a closed store object has been collected: 5 s, since not every collector has done with all of them in one round. */
    private static final int COLLECTING_LOOKS = 500;

    /** Each time after so many looks the garbage is collected. */
    private static final int LOOKS_PER_COLLECTION = 20;

    private static final long WATCH_NANOS = 10_000_000;
    private static final long SETTLE_NANOS = 10_000_000_000L;
    /** So often a reader looks whether an update has ended that somebody was stopped in, or died. */
    private static final int MOST_LOOKS = 1 << 17;

    /** So long the leader cleans before it looks whether others have asked for something. */
    private static final long CLEANING_NANOS = 1_000_000_000;
    /** So long {@link #clean} goes on at most, for there may be no end to it while others write. */
    private static final long MOST_CLEANING_NANOS = 600_000_000_000L;

    /** So long the leader may keep this process waiting for an answer, or as long as a write may wait, if that is longer. */
    long patienceNanos = 10_000_000_000L;

    private final RawMemory memory = RawMemory.ofProcess();
    private final SharedMemory store;
    private final long control;
    private final String name;
    final SharedFile lives;
    private final Participants table;
    private final int participant;
    private final boolean readOnly;
    private final Requests[] requests = new Requests[SharedLayout.PARTICIPANTS];
    private final ReentrantLock asking = new ReentrantLock();
    private Opening opening = Opening.ATTACHED;
    private @Nullable Engine engine;
    private @Nullable Namespaces namespaces;
    private @Nullable Journals journals;
    /** Set when all that only a leader has is made. */
    private volatile boolean leader;
    /** Whether that has been begun and is not made yet. */
    private volatile boolean adopting;

    private volatile boolean stopped;
    private @Nullable Thread watcher;

    /** Joins. The door is the caller's, by {@code lives}, which is this object's from now on. */
    Sharing(SharedMemory store, SharedFile lives, String name, boolean readOnly) {
        this.store = store;
        this.control = store.control().address();
        this.lives = lives;
        this.name = name;
        this.readOnly = readOnly;
        for (int i = 0; i < requests.length; i++) {
            requests[i] = new Requests(memory, this.control + SharedLayout.REQUESTS + (long) i * Requests.BYTES);
        }
        this.table = join();
        this.participant = Liveness.slot(table.self());
    }

    /** Takes a number. A closed store object keeps its own until it is collected, so that nothing which comes late to it meets another's: if there is none, this process's are collected. */
    private Participants join() {
        for (int tries = 0; ; tries++) {
            Participants joined = Participants.join(lives, SharedLayout.ALIVE, control + SharedLayout.TABLE);
            if (Liveness.slot(joined.self()) < SharedLayout.PARTICIPANTS) {
                return joined;
            }
            joined.leave();
            if (tries == COLLECTING_LOOKS) {
                throw new RegionException(
                        RegionException.Reason.NO_SPACE,
                        "store " + name + " is attached " + SharedLayout.PARTICIPANTS
                                + " times, the most there can be; close it somewhere, and let go of closed store objects, which count until they are collected");
            }
            if (tries % LOOKS_PER_COLLECTION == 0) {
                System.gc();
            }
            LockSupport.parkNanos(10_000_000);
        }
    }

    /** What is to be done when nobody in this process can look at the store's memory any more. It does not refer to this object. */
    Runnable unmapping(StoreMemory store) {
        SharedFile file = lives;
        return () -> {
            store.close();
            file.close(); // gives back the number
        };
    }

    int participant() {
        return participant;
    }

    boolean isReadOnly() {
        return readOnly;
    }

    Opening opening() {
        return opening;
    }

    void setOpening(Opening how) {
        opening = how;
    }

    /** Before the first pin: makes this process one whose threads a look at the pins can order. */
    static boolean canBarrier() {
        return Membarrier.registerGlobal();
    }

    Epochs epochs(RawMemory memory, StoreMemory store) {
        boolean fence = memory.getLongOpaque(control + SharedLayout.FENCE) != 0;
        if (!fence && !canBarrier()) {
            throw new LoamException(
                    "store " + name
                            + " relies on membarrier(2), which this process may not use; create the store where it is forbidden too, or allow it");
        }
        return new Epochs(
                memory,
                store.epochWord(),
                store.epochSlots() + (long) participant * SharedLayout.SLOTS * Epochs.SLOT_BYTES,
                SharedLayout.SLOTS,
                store.epochSlots(),
                SharedLayout.PARTICIPANTS * SharedLayout.SLOTS,
                fence ? Epochs.Barrier.FENCE : Epochs.Barrier.PROCESSES);
    }

    /** Whether no other participant is alive. The caller is at the door. */
    boolean isAlone() {
        return table.list().size() == 1;
    }

    /** Whether somebody died and left something to repair. */
    boolean hasDead() {
        return !dead().isEmpty();
    }

    /** The number is taken; from now on a death leaves something to repair. */
    void setAttached() {
        // what threads of a predecessor owned must not be taken for what threads with the same ids own now
        memory.fill(slot(participant, 0), (long) SharedLayout.SLOTS * Epochs.SLOT_BYTES, (byte) 0);
        requests[participant].reset();
        requests[participant].setAttached(table.self(), readOnly);
    }

    void bind(Engine engine) {
        this.engine = engine;
        patienceNanos = Math.max(patienceNanos, TimeUnit.MILLISECONDS.toNanos(engine.options.writeTimeoutMillis()));
        this.namespaces = new Namespaces(memory, engine.base + engine.geometry.namespaceOffset);
        this.journals = new Journals(
                memory,
                control + SharedLayout.JOURNALS,
                control + SharedLayout.EPOCH_SLOTS,
                engine.base,
                engine.geometry,
                engine.pool);
    }

    private Engine engine() {
        return Objects.requireNonNull(engine);
    }

    Namespaces namespaces() {
        return Objects.requireNonNull(namespaces);
    }

    List<ParticipantInfo> participants() {
        long leads = memory.getLongOpaque(control + SharedLayout.LEADER_NUMBER) - 1;
        return table.list().stream()
                .map(found -> new ParticipantInfo(found.pid(), found.joinedMillis(), found.slot() == leads))
                .toList();
    }

    /** Whose an epoch slot is, for messages. */
    String processOf(long epochSlot) {
        int number = (int) ((epochSlot - slot(0, 0)) / Epochs.SLOT_BYTES / SharedLayout.SLOTS);
        return table.find(number).map(found -> "pid " + found.pid()).orElse("a process that died");
    }

    // ---- indexes

    /** An index that the table of namespaces names, as this process is to use it. */
    Index viewOf(KeySpace owner, long root) {
        Engine e = engine();
        return new Index(
                e.memory,
                e.base,
                e.geometry,
                e.pool,
                e.entries,
                e.keyHash,
                e.epochs,
                e.reclaimer,
                e.slab,
                hash -> resizeAsked(owner, hash),
                root,
                new Index.Resizer() {
                    @Override
                    public int growNow(long hash, long full) {
                        return (int) ask(Requests.GROW, owner.id, hash, full, "");
                    }

                    @Override
                    public boolean isPaused() {
                        return Sharing.this.isPaused();
                    }
                });
    }

    /** Whether writers are to stay out, because what a dead process left is being repaired. */
    boolean isPaused() {
        return memory.getLongAcquire(control + SharedLayout.PAUSE) != 0;
    }

    // ---- journals

    Journals journals() {
        return Objects.requireNonNull(journals);
    }

    /** Before an entry is overwritten. Parameters as {@link Entries#overwrite}. */
    void beginOverwrite(
            Entries entries,
            long pin,
            long location,
            long header,
            long version,
            long expiresAt,
            int type,
            MemorySegment value) {
        long image = journals().beginOverwrite(pin, location, entries.units(location, header));
        long ignored = entries.overwrite(image, header, version, expiresAt, type, value);
        journals().overwriting(pin);
    }

    void checkKeys(int keys) {
        long most = engine().options.exclusive() ? journals().mostKeys() : Journals.MAX_KEYS;
        if (keys > most) {
            throw new IllegalArgumentException(
                    "a transaction of " + keys + " keys; in a shared store it has at most " + most);
        }
    }

    private void resizeAsked(KeySpace owner, long hash) {
        if (leader) {
            engine().maintenance.resize(owner, hash);
        } else {
            requests[participant].hint(owner.id, hash);
        }
    }

    private long nextRoot(Index made) {
        long generation = memory.getAndAddLong(engine().base + StoreHeader.GENERATION, 1) + 1;
        return generation << 32 | made.directoryBlock();
    }

    /** The namespace of a name, or null. */
    @Nullable
    KeySpace find(String wanted) {
        Namespaces.Entry entry = namespaces().find(wanted);
        return entry == null ? null : register(entry);
    }

    private synchronized KeySpace register(Namespaces.Entry entry) {
        KeySpace present = engine().keySpace(entry.id());
        return present != null ? present : new KeySpace(engine(), this, entry);
    }

    /** Makes this process know all namespaces there are, and forget those there were. */
    void refresh() {
        for (KeySpace space : engine().keySpaces()) {
            space.refresh();
            if (space.isDropped()) {
                forget(space);
            }
        }
        namespaces().list().forEach(this::register);
    }

    private synchronized void forget(KeySpace dropped) {
        if (!leader && !adopting) {
            engine().unregister(dropped);
        }
    }

    boolean isSweeping() {
        return namespaces().hasCondemned();
    }

    void condemn(int id, Index old) {
        namespaces().condemn(id, old.root());
    }

    void absolve(int id, Index old) {
        namespaces().absolve(old.root());
    }

    // ---- asking the leader

    /** Asks and waits for the answer, whoever leads, and be it this process later. */
    private long ask(long kind, long id, long a, long b, String wanted) {
        Request request = new Request(kind, id, a, b, wanted);
        while (true) {
            long result = askOnce(request);
            if (result != LATER) {
                return result;
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    private long askOnce(Request request) {
        Maintenance maintenance = engine().maintenance;
        if (maintenance.isHere()) {
            return maintenance.answerHere(() -> answer(request, false), LATER);
        }
        asking.lock();
        try {
            Requests own = requests[participant];
            long number = own.post(request);
            engine().maintenance.wake();
            long since = System.nanoTime();
            for (int spins = 0; !own.isDone(number); spins++) {
                engine().checkOpen();
                if (System.nanoTime() - since > patienceNanos) {
                    throw noAnswer();
                }
                SpinLock.backOff(spins);
            }
            return own.result();
        } finally {
            asking.unlock();
        }
    }

    private RegionException noAnswer() {
        String leads = participants().stream()
                .filter(ParticipantInfo::leader)
                .map(info -> "pid " + info.pid() + ", which leads,")
                .findFirst()
                .orElse("whoever leads");
        return new RegionException(
                RegionException.Reason.TIMEOUT,
                "store " + name + ": " + leads + " has not done what was asked of it within "
                        + patienceNanos / 1_000_000
                        + " ms; it is stopped, or a listener holds it up: let it go on, or end it, then another process takes over; and try again");
    }

    /**
     * Asked by who waits for the end of an update and has looked so often.
     *
     * @throws RegionException if it is not to be expected
     */
    void checkRepairable(int looks) {
        boolean repairable = false;
        for (Requests other : requests) {
            long attached = other.attached();
            repairable |= attached != 0 && !other.isReader() && table.isAlive(attached);
        }
        if (!repairable || looks > MOST_LOOKS) {
            throw new RegionException(
                    RegionException.Reason.TIMEOUT,
                    "store " + name + ": what is read is being updated by a process that "
                            + (repairable
                                    ? "does not come to an end; it is stopped, or whoever should repair what it left is: let it go on, or end it"
                                    : "died, and nobody who may write has the store attached to repair that: attach it for writing"));
        }
    }

    void checkWritable() {
        if (readOnly) {
            throw new UnsupportedOperationException("the store was attached for reading; attach it for writing");
        }
    }

    /** Makes a namespace if there is none of that name: its id, {@link #NO_ROOM} or {@link #TOO_MANY}. */
    long create(String wanted) {
        checkWritable();
        return ask(Requests.CREATE, 0, 0, 0, wanted);
    }

    boolean drop(String wanted) {
        checkWritable();
        // by its id: done again by another leader, it must not drop one of that name that has been made since
        KeySpace space = find(wanted);
        boolean dropped = space != null && ask(Requests.DROP, space.id, 0, 0, "") == 1;
        refresh();
        return dropped;
    }

    void clear(KeySpace space) {
        checkWritable();
        Engine e = engine();
        long since = System.nanoTime();
        long fruitless = e.cleaner.fruitless();
        // it is cleared if this is no longer its root, whoever did it: a leader that died before it answered, perhaps
        long root = space.root();
        while (ask(Requests.CLEAR, space.id, root, 0, "") == NO_ROOM) {
            e.awaitSpace(4L * e.geometry.blockUnits, since, fruitless);
        }
    }

    void setEvictable(KeySpace space, boolean evictable) {
        checkWritable();
        long ignored = ask(Requests.EVICTABLE, space.id, evictable ? 1 : 0, 0, "");
    }

    void clean() {
        checkWritable();
        Request request = new Request(Requests.CLEAN, 0, 0, 0, "");
        long since = System.nanoTime();
        while (askOnce(request) == LATER && System.nanoTime() - since < MOST_CLEANING_NANOS) {
            LockSupport.parkNanos(1_000_000);
        }
    }

    // ---- leading

    /** Does what others have asked for; whether there was anything. By the leader's maintenance thread. */
    boolean serve() {
        boolean any = false;
        for (int i = 0; i < Math.min(requests.length, table.usedSlots()); i++) {
            any |= requests[i].takeHints((id, hash) -> {
                KeySpace space = engine().keySpace((int) id);
                if (space != null && !space.isDropped()) {
                    engine().maintenance.resize(space, hash);
                }
            });
            Taken taken = requests[i].take();
            if (taken != null) {
                requests[i].answer(taken.number(), answer(taken.request(), taken.again()));
                any = true;
            }
        }
        engine().log.retireLeft();
        return any;
    }

    /** Does what is asked. {@code again}: somebody may have done it, and died before the answer. */
    private long answer(Request request, boolean again) {
        try {
            KeySpace space = engine().keySpace((int) request.id());
            boolean there = space != null && !space.isDropped();
            return switch ((int) request.kind()) {
                case (int) Requests.CREATE -> createHere(request.name());
                case (int) Requests.DROP -> space != null && there ? dropHere(space) : again ? 1 : 0;
                case (int) Requests.CLEAR -> space == null || !there ? 0 : clearHere(space, request.a());
                case (int) Requests.GROW ->
                    space == null || !there ? 0 : space.index.growHere(request.a(), engine().base + request.b());
                case (int) Requests.EVICTABLE -> {
                    if (space != null && there) {
                        space.setEvictable(request.a() != 0);
                    }
                    yield 0;
                }
                case (int) Requests.CLEAN -> engine().cleaner.cleanAll(CLEANING_NANOS) ? 0 : LATER;
                default -> 0;
            };
        } catch (Index.NoRoomException e) {
            return NO_ROOM;
        }
    }

    private long createHere(String wanted) {
        Namespaces.Entry present = namespaces().find(wanted);
        if (present != null) {
            return present.id();
        }
        Index made = engine().newIndex();
        int id = (int) memory.getAndAddLong(engine().base + StoreHeader.LAST_ID, 1) + 1;
        Namespaces.Entry entry = namespaces().add(wanted, id, nextRoot(made));
        if (entry == null) {
            made.destroy();
            return TOO_MANY;
        }
        register(entry);
        return id;
    }

    private long dropHere(KeySpace space) {
        if (!namespaces().hasRoomForCondemned()) {
            return LATER;
        }
        space.drop();
        CrashPoint.at("dropped");
        return 1;
    }

    private long clearHere(KeySpace space, long root) {
        if (space.root() != root) {
            return 0;
        }
        if (!namespaces().hasRoomForCondemned()) {
            return LATER;
        }
        Index made = engine().newIndex();
        space.swap(viewOf(space, nextRoot(made)));
        CrashPoint.at("cleared");
        return 0;
    }

    /** Makes the default namespace of a new store. Nobody else has it yet. */
    void createDefault() {
        Namespaces.Entry ignored = namespaces().add("", 0, nextRoot(engine().newIndex()));
    }

    /** Takes the lead if nobody has it; whether this process leads now. If it fails, it has the leader's byte and leads not; to be called again. */
    boolean tryLead() {
        if (leader || readOnly || !lives.tryLockByte(SharedLayout.LEADER, true)) {
            return leader;
        }
        if (!repair()) {
            adopt();
        }
        memory.putLongVolatile(control + SharedLayout.LEADER_NUMBER, participant + 1);
        engine().lead();
        leader = true;
        adopting = false;
        return true;
    }

    /** Makes of what the memory says all that only the leader has. Whoever led before is gone, or paused, if it was this process. */
    private void adopt() {
        Engine e = engine();
        beginAdopting();
        e.reclaimer.forget();
        e.pool.endLoan(this::inherit);
        CrashPoint.at("adopting");
        Set<Integer> marked = new HashSet<>();
        Set<Long> descriptors = new HashSet<>();
        Map<Integer, List<Index>> cleared = new HashMap<>();
        for (Namespaces.Entry entry : namespaces().list()) {
            namespaces().absolve(entry.root()); // whoever cleared or dropped it died before the root was changed
        }
        e.keySpaces().forEach(KeySpace::refresh);
        // before their old indexes: of a namespace that is not known by now, these would be those of a dropped one
        namespaces().list().forEach(this::register);
        for (Namespaces.Condemned old : namespaces().condemned()) {
            KeySpace owner = ownerOf(old);
            Index index = viewOf(owner, old.root());
            index.mark(marked, descriptors);
            cleared.computeIfAbsent(old.id(), id -> new ArrayList<>()).add(index);
        }
        Map<KeySpace, Index> own = new HashMap<>();
        for (Namespaces.Entry entry : namespaces().list()) {
            KeySpace space = register(entry);
            Index index = viewOf(space, entry.root());
            index.mark(marked, descriptors);
            own.put(space, index);
        }
        marked.addAll(e.slab.adopt(descriptors, e.reclaimer::retire));
        for (KeySpace space : e.keySpaces()) {
            List<Index> old = cleared.getOrDefault(space.id, List.of());
            space.lead(own.getOrDefault(space, space.index), old.toArray(Index[]::new));
            if (space.isDropped() && old.isEmpty()) {
                e.unregister(space); // its index is gone
            }
        }
        freeStrays(marked);
        e.log.adopt();
        // before anybody can ask for a resizing of what is being resized
        for (KeySpace space : e.keySpaces()) {
            if (!space.isDropped()) {
                space.index.adoptResizes();
            }
            for (Index old : space.condemned) {
                old.adoptResizes();
            }
        }
    }

    /** From now on this process forgets no dropped namespace: whoever leads counts its entries dead. */
    private synchronized void beginAdopting() {
        adopting = true;
    }

    /** While the pool's lock is waited for: takes it from whoever died with it. The rest of what that one left is repaired next. */
    private void inherit() {
        dead().forEach(engine().pool::inherit);
    }

    private synchronized KeySpace ownerOf(Namespaces.Condemned old) {
        KeySpace present = engine().keySpace(old.id());
        return present != null ? present : new KeySpace(engine(), this, old.id(), old.root());
    }

    // ---- repair

    /** Numbers of participants that died and left something. */
    private Set<Integer> dead() {
        Set<Integer> dead = new TreeSet<>();
        for (int i = 0; i < requests.length; i++) {
            long attached = requests[i].attached();
            if (attached != 0 && !table.isAlive(attached)) {
                dead.add(i);
            }
        }
        return dead;
    }

    /** As {@link #setAttached}, once; not while this participant's number is still that of one who died, whose repair has to be waited for. The caller is at the door. */
    void noteAttached() {
        if (requests[participant].attached() == 0) {
            setAttached();
        }
    }

    /** Waits until nothing is left to repair, or does it; whether there was anything. The caller is at the door. */
    boolean settle() {
        boolean any = false;
        long deadline = System.nanoTime() + SETTLE_NANOS;
        while (!dead().isEmpty()) {
            any = true;
            noteAttached(); // who leads has to be known for alive, or others would not repair what it leaves
            if (tryLead()) {
                boolean ignored = repair(); // of who died since it began to lead
            } else {
                if (System.nanoTime() > deadline) {
                    throw new RegionException(
                            RegionException.Reason.TIMEOUT,
                            "store " + name
                                    + " was left by a process that died, and nobody who has it attached repairs it within "
                                    + SETTLE_NANOS / 1_000_000_000 + " s; attach it for writing");
                }
                LockSupport.parkNanos(1_000_000);
            }
        }
        return any;
    }

    /**
     * Repairs what the dead have left. This participant has the leader's byte, so that nobody else repairs; if it dies meanwhile, the next leader does it all again. Writers of all processes stay out and
     * let go of what they hold, readers go on.
     *
     * @return whether there was anything to repair; then this participant has {@link #adopt}ed, too
     */
    private boolean repair() {
        Set<Integer> dead = dead();
        List<Integer> readers =
                dead.stream().filter(i -> requests[i].isReader()).toList();
        readers.forEach(this::clear);
        dead.removeAll(readers);
        if (dead.isEmpty() && !adopting) {
            if (isPaused()) {
                resume(); // a repairer died at the very end
            }
            return false;
        }
        Engine e = engine();
        memory.putLongVolatile(control + SharedLayout.PAUSE, 1);
        dead.forEach(this::release);
        boolean leads = leader;
        if (leads) {
            Runnable meanwhile = () -> releaseMore(dead);
            e.cleaner.halt(meanwhile);
            e.maintenance.pause(meanwhile);
            e.reclaimer.pause(meanwhile);
        }
        try {
            awaitWriters(dead);
            dead.forEach(this::release); // again, should it have been released by a leader that died
            repair(dead);
            beginAdopting(); // before anything is forgotten of the dead: it is made good if this fails
            settleCapacity(dead);
            dead.forEach(this::clear);
            adopt();
            adopting = !leads; // who does not lead yet has more to do
            resume(); // before those threads go on: one that saw the pause would let go of what it was at, and nobody
            // would make that good
        } finally {
            if (leads) {
                e.reclaimer.resume();
                e.maintenance.resume();
                e.cleaner.resume();
            }
        }
        e.spaceChanged();
        return true;
    }

    private void resume() {
        memory.putLongVolatile(control + SharedLayout.PAUSE, 0);
    }

    private long slot(int of, int number) {
        return control + SharedLayout.EPOCH_SLOTS + ((long) of * SharedLayout.SLOTS + number) * Epochs.SLOT_BYTES;
    }

    /** Waits until every writer that lives has let go. Who dies meanwhile is added to the dead. */
    private void awaitWriters(Set<Integer> dead) {
        Epochs epochs = engine().epochs;
        long ignored = epochs.oldestPin(); // a barrier: who has not seen the pause is seen to be writing
        for (int spins = 0; isWritten(epochs, dead); spins++) {
            if (spins % 100 == 99) {
                releaseMore(dead);
            }
            SpinLock.backOff(spins);
        }
    }

    /** Adds who died meanwhile. */
    private void releaseMore(Set<Integer> dead) {
        for (int more : dead()) {
            if (dead.add(more)) {
                release(more);
            }
        }
    }

    /** Ends what keeps others waiting who do not look at the pause word: the pool's lock, and what readers wait for. */
    private void release(int dead) {
        engine().pool.inherit(dead);
        Index any = engine().indexAt(namespaces().list().getFirst().root());
        for (int number = 0; number < SharedLayout.SLOTS; number++) {
            if (engine().epochs.changeOf(slot(dead, number)) != null) {
                journals().finish(slot(dead, number), engine().entries, any);
            }
        }
    }

    private boolean isWritten(Epochs epochs, Set<Integer> dead) {
        for (int i = 0; i < SharedLayout.PARTICIPANTS; i++) {
            for (int number = 0; number < SharedLayout.SLOTS && !dead.contains(i); number++) {
                if (epochs.isWriting(slot(i, number))) {
                    return true;
                }
            }
        }
        return false;
    }

    /** One of the changes that a dead process was at. Of a transaction there are several. */
    private interface ChangeVisitor {
        void visit(int namespaceId, long hash, long mine, long old);
    }

    private void changesOf(Set<Integer> dead, ChangeVisitor visitor) {
        for (int i : dead) {
            for (int number = 0; number < SharedLayout.SLOTS; number++) {
                long slot = slot(i, number);
                Epochs.Change change = engine().epochs.changeOf(slot);
                if (change != null) {
                    visitor.visit(change.namespaceId(), change.hash(), change.mine(), change.old());
                    journals().touched(slot, (hash, mine, old) -> visitor.visit(change.namespaceId(), hash, mine, old));
                }
            }
        }
    }

    private void repair(Set<Integer> dead) {
        Engine e = engine();
        Map<Integer, List<Index>> indexes = new HashMap<>();
        namespaces().list().forEach(entry -> addIndex(indexes, entry.id(), entry.root()));
        namespaces().condemned().forEach(old -> addIndex(indexes, old.id(), old.root()));
        CrashPoint.at("repairing-indexes");
        Map<Index, Set<Long>> tables = new IdentityHashMap<>();
        indexes.values().forEach(all -> all.forEach(index -> tables.put(index, index.resizedTables())));
        changesOf(
                dead,
                (id, hash, mine, old) -> indexes.getOrDefault(id, List.of())
                        .forEach(index -> index.addTablesOf(hash, Objects.requireNonNull(tables.get(index)))));
        tables.forEach(Index::repair);
        CrashPoint.at("repairing-segments");
        LogRepair log = new LogRepair(e.geometry, e.blocks, e.pool, e.segments, e.entries, e.log);
        changesOf(dead, (id, hash, mine, old) -> {
            doubt(log, indexes, mine);
            doubt(log, indexes, old);
        });
        int leads = (int) memory.getLongOpaque(control + SharedLayout.LEADER_NUMBER) - 1;
        log.run(dead, dead.contains(leads), this::inherit);
        CrashPoint.at("repaired");
    }

    /** Makes budget and capacity agree if one died while it changed them; either of the two capacities is right. */
    private void settleCapacity(Set<Integer> dead) {
        long by = memory.getLongVolatile(control + SharedLayout.RESIZES) - 1;
        if (by >= 0 && dead.contains((int) by)) {
            Engine e = engine();
            int budget = e.pool.budgetBlocks();
            int before = e.budgetBlocks(e.capacityBytes());
            if (budget < before) {
                e.pool.setBudgetBlocks(before, this::inherit);
            } else if (budget > before) {
                e.setCapacityBytes(e.capacityOf(budget));
            }
            e.setReserve(e.pool.budgetBlocks());
            memory.putLongVolatile(control + SharedLayout.RESIZES, 0);
        }
    }

    private void addIndex(Map<Integer, List<Index>> indexes, int id, long root) {
        indexes.computeIfAbsent(id, any -> new ArrayList<>()).add(engine().indexAt(root));
    }

    /** A dead process was about to publish the entry at a location, or to say that it is dead. */
    private void doubt(LogRepair log, Map<Integer, List<Index>> indexes, long location) {
        log.doubt(location);
        long only = log.oversizedAt(location);
        if (only >= 0 && !isPointedTo(indexes, only)) {
            log.bury(only);
        }
    }

    private boolean isPointedTo(Map<Integer, List<Index>> indexes, long location) {
        Entries entries = engine().entries;
        long header = entries.headerAcquire(location);
        return !entries.isFiller(header)
                && indexes.getOrDefault(entries.namespaceId(location, header), List.of()).stream()
                        .anyMatch(index -> index.pointsTo(index.hashAt(location, header), location));
    }

    private void clear(int dead) {
        for (int number = 0; number < SharedLayout.SLOTS; number++) {
            journals().forget(slot(dead, number));
            engine().epochs.clear(slot(dead, number));
        }
        requests[dead].reset();
        requests[dead].setAttached(dead == participant ? table.self() : 0, false);
    }

    /** Blocks of the index that nothing leads to: the last leader had retired them, or not yet linked. */
    private void freeStrays(Set<Integer> marked) {
        Engine e = engine();
        int[] strays = new int[16];
        int count = 0;
        for (int block = 0; block < e.geometry.maximumBlocks; block++) {
            if (e.blocks.owner(block) == BlockTable.INDEX && !marked.contains(block)) {
                if (count == strays.length) {
                    strays = Arrays.copyOf(strays, 2 * count);
                }
                strays[count++] = block;
            }
        }
        if (count > 0) {
            int[] found = Arrays.copyOf(strays, count);
            e.reclaimer.retire(() -> e.pool.free(BlockTable.INDEX, found)); // readers may still be in what was retired
        }
    }

    // ---- watching

    void start() {
        watcher = Thread.ofPlatform().daemon().name("loam-watcher").start(this::watch);
    }

    private void watch() {
        while (!stopped) {
            try {
                if (tryLead()) {
                    boolean ignored = repair();
                }
                engine().poll();
            } catch (RuntimeException | Error e) {
                System.getLogger("io.loam.store").log(System.Logger.Level.ERROR, "the watcher failed and goes on", e);
            }
            LockSupport.parkNanos(WATCH_NANOS);
        }
    }

    void stop() {
        stopped = true;
        Thread running = watcher;
        boolean interrupted = false;
        while (running != null && running.isAlive()) {
            LockSupport.unpark(running);
            try {
                running.join(100);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    // ---- the door

    void openDoor() {
        lives.unlockByte(SharedLayout.DOOR);
    }

    /** Runs what changes the capacity, at the door; if this process dies meanwhile, whoever repairs that makes budget and capacity agree. */
    void changeCapacity(Runnable change) {
        lives.lockByte(SharedLayout.DOOR, true);
        try {
            memory.putLongVolatile(control + SharedLayout.RESIZES, participant + 1);
            change.run();
        } finally {
            memory.putLongVolatile(control + SharedLayout.RESIZES, 0);
            openDoor();
        }
    }

    /**
     * Leaves.
     *
     * @param quiet whether no thread of this process will touch the store any more; else the process stays a participant until it ends
     */
    void leave(boolean quiet) {
        if (leader) {
            // before the door, where somebody may wait for whoever leads, and nobody here does it any more
            memory.putLongVolatile(control + SharedLayout.LEADER_NUMBER, 0);
        }
        lives.unlockByte(SharedLayout.LEADER);
        lives.lockByte(SharedLayout.DOOR, true);
        if (quiet) {
            boolean last = isLast();
            requests[participant].setAttached(0, false);
            table.retire(); // not leave: who comes late to this object must not meet a successor's slots
            if (last) {
                new Settlement(store).end();
            }
            lives.unlockByte(SharedLayout.SOLE);
        }
        openDoor();
    }

    /** Whether nobody else has the store, and nothing has to be repaired. */
    private boolean isLast() {
        return isAlone() && dead().isEmpty() && !isPaused();
    }

    /** Gives up joining. Nobody has the store object. */
    void giveUp() {
        if (engine != null) { // else the memory may be gone
            if (requests[participant].attached() == table.self()) {
                requests[participant].setAttached(0, false);
            }
            boolean last = isLast();
            table.leave();
            if (last) {
                new Settlement(store).end();
            }
        }
        lives.close();
    }
}
