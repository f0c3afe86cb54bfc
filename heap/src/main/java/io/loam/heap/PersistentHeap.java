package io.loam.heap;

import io.loam.memory.persistence.Durability;
import io.loam.memory.persistence.FileMemory;
import io.loam.memory.persistence.PersistentMemory;
import io.loam.memory.region.Registry;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Memory in a file, allocated and freed like any, that survives a crash. References are offsets in the file; what can be reached from a {@link Root} is kept, the
 * rest is reclaimed after a crash or by {@link #collect}.
 *
 * <pre>{@code
 * try (PersistentHeap heap = PersistentHeap.open(path, HeapOptions.defaults())) {
 *     HeapType node = heap.type(ObjectLayout.of("node", NODE, "next"));
 *     Root list = heap.root("list", node);
 *     long added = heap.allocate(node, memory -> memory.set(JAVA_LONG, 0, list.get()));   // durable
 *     list.set(added);                                                                     // linked: survives
 * }
 * }</pre>
 *
 * <p><b>Durability.</b> Allocating and freeing make nothing durable. Content is durable after {@link #persist}, or at the end of {@link #atomic}. The order that survives every
 * crash: fill an object, persist it, then link it ({@link Root#set}, {@link #setReference} and {@link #persist}); unlink durably, then free.
 *
 * <p>Safe from any thread; what threads do to one object is theirs to order. An offset of 0 is no object. After {@link #close} everything throws {@link IllegalStateException}.
 */
public final class PersistentHeap implements AutoCloseable {

    private static final VarHandle STATES = MethodHandles.arrayElementVarHandle(byte[].class);

    private final PersistentMemory memory;
    private final Geometry geometry;
    private final HeapOptions options;
    private final boolean readOnly;
    private final Types types;
    private final Roots roots;
    private final SizeClasses classes;
    private final int largestSlot;
    /** Offset of the first superblock behind the tables. */
    private final long firstObject;

    private final Space space;
    private final Blocks blocks;
    private final UndoLogs logs;
    private final Gate gate;
    private final long epoch;
    private final RecoveryReport recovery;
    private final Collector collector;
    private final boolean checked;
    private final @Nullable RestQueue resting;
    /** Whether freeing does more than it must. */
    private final boolean careful;

    private final Flusher flusher;
    /** Whether a store is more than a store: windows are opened, or there are none. */
    private final boolean guarded;
    /** Whether an atomic update was ever begun; plain, since each thread asks about its own. */
    private boolean hasAtomics;

    private final ReentrantLock turn = new ReentrantLock();

    private PersistentHeap(PersistentMemory memory, HeapOptions options, boolean readOnly) {
        this.memory = memory;
        this.options = options;
        this.readOnly = readOnly;
        this.checked = options.checked();
        geometry = HeapLayout.read(memory);
        boolean wasClosed = !HeapLayout.isDirty(memory);
        epoch = HeapLayout.epoch(memory) + (wasClosed && !readOnly ? 1 : 0);
        types = new Types(memory, geometry);
        roots = new Roots(memory, geometry, types, this);
        classes = new SizeClasses(geometry.shift());
        largestSlot = classes.largestSlot();
        firstObject = geometry.offset(geometry.firstSuperblock());
        space = new Space(memory, geometry, HeapLayout.superblocks(memory, geometry));
        logs = new UndoLogs(memory, geometry);
        var lines = new Lines(memory, geometry);
        blocks = new Blocks(memory, geometry, lines, space, classes, epoch);
        resting = options.restMillis() > 0 ? new RestQueue(blocks, options.restMillis(), options.restBytes()) : null;
        careful = checked || resting != null || readOnly;
        flusher = new Flusher(memory);
        gate = new Gate(shared -> new Lane(classes, shared));
        collector = new Collector(memory, geometry, blocks, space, roots, gate, markers());
        if (!readOnly && wasClosed) {
            HeapLayout.setState(memory, true, epoch);
        }
        recovery = recover(lines, !wasClosed || options.recover());
        guarded = options.protectMillis() > 0 || readOnly;
        if (options.protectMillis() > 0 && !readOnly) {
            guard(memory, options.protectMillis());
        }
    }

    private void guard(PersistentMemory memory, long millis) {
        if (!(memory instanceof FileMemory file)) {
            throw new IllegalArgumentException(
                    "withProtection: " + memory.name() + " is no file; only files can be protected");
        }
        new WindowCloser(file, gate, millis).start();
    }

    private RecoveryReport recover(Lines lines, boolean dirty) {
        long begin = System.nanoTime();
        int undone = dirty && !readOnly ? logs.recover(geometry.offset(space.superblocks())) : 0;
        List<Integer> internal = blocks.scan(types, !dirty);
        if (!dirty) {
            return RecoveryReport.CLEAN;
        }
        var event = new HeapEvents.Recovery();
        event.begin();
        RecoveryReport report = collector.afterCrash(undone, readOnly);
        if (!readOnly) {
            Lines.Reader reader = lines.reader(space.superblocks());
            internal.forEach(superblock -> {
                int count = java.util.Objects.requireNonNull(reader.read(superblock))
                        .superblocks();
                lines.clear(superblock);
                space.give(superblock, count);
            });
        }
        blocks.listAll();
        event.heap = name();
        event.objects = report.objects();
        event.superblocksFreed = report.superblocksFreed();
        event.commit();
        return new RecoveryReport(
                true,
                report.undone(),
                report.objects(),
                report.dangling(),
                report.superblocksFreed(),
                System.nanoTime() - begin);
    }

    private int markers() {
        int wanted = options.markers() == 0 ? Runtime.getRuntime().availableProcessors() : options.markers();
        return space.superblocks() < 256 ? 1 : wanted;
    }

    /**
     * Makes a new heap in a new file.
     *
     * @throws io.loam.memory.MemoryException if there is such a file, or it can't be made or given this durability
     * @throws HeapFullException if the file system has no room for {@link HeapOptions#initialBytes}
     */
    public static PersistentHeap create(Path file, HeapOptions options) {
        Geometry geometry = Geometry.of(options);
        checkTables(options, geometry);
        return create(
                FileMemory.create(
                        file,
                        geometry.offset(geometry.firstSuperblock()),
                        geometry.maximumBytes(),
                        options.durability()),
                options);
    }

    /** As {@link #create(Path, HeapOptions)}, in memory of zeros that can grow; the heap closes it. */
    public static PersistentHeap create(PersistentMemory memory, HeapOptions options) {
        Geometry geometry = Geometry.of(options);
        checkTables(options, geometry);
        return closingOnFailure(memory, () -> create(memory, options, geometry, options.initialBytes()));
    }

    /**
     * Makes a new heap in a region of zeros, whose size is the heap's first one; it may grow to the region's room, or to {@link HeapOptions#maximumBytes} if that is less. While it is open the region counts as
     * attached; if it is lockable, the heap holds its lock. The region's permissions are the heap's. Close the registry after the heap.
     *
     * @throws io.loam.memory.region.RegionException if there is no such region, or somebody uses it or has it locked
     * @throws io.loam.memory.MemoryException if it can't have this durability
     * @throws HeapException if the region holds something
     * @throws HeapFullException if its room is too small, or there is no space to grow
     */
    public static PersistentHeap create(Registry registry, String region, HeapOptions options) {
        FileMemory memory = FileMemory.open(registry, region, options.durability());
        return closingOnFailure(memory, () -> {
            long maximum = Math.min(options.maximumBytes(), memory.reservedBytes() & -options.superblockBytes());
            HeapOptions fitting = options.withSize(Math.min(options.initialBytes(), maximum), maximum);
            Geometry geometry = Geometry.of(fitting);
            checkTables(fitting, geometry);
            long tables = geometry.offset(geometry.firstSuperblock());
            checkZero(memory, Math.min(tables, memory.bytes()));
            return create(memory, fitting, geometry, (memory.bytes() & -geometry.superblockBytes()) - tables);
        });
    }

    private static PersistentHeap create(
            PersistentMemory memory, HeapOptions options, Geometry geometry, long initialBytes) {
        int superblocks = Math.clamp(
                (initialBytes + geometry.superblockBytes() - 1) >> geometry.shift(),
                1,
                geometry.superblocks() - geometry.firstSuperblock());
        HeapLayout.create(memory, geometry, Space.begin(memory, geometry, superblocks));
        return new PersistentHeap(memory, options, false);
    }

    private static void checkZero(PersistentMemory memory, long bytes) {
        byte[] zeros = new byte[Geometry.HEADER_BYTES];
        for (long at = 0; at < bytes; at += zeros.length) {
            if (!memory.matches(at, zeros)) {
                throw new HeapException(memory.name() + " holds something at offset 0x" + Long.toHexString(at)
                        + "; open it if it is a heap, or make a new region for one");
            }
        }
    }

    private static void checkTables(HeapOptions options, Geometry geometry) {
        if (geometry.firstSuperblock() >= geometry.superblocks()) {
            throw new IllegalArgumentException(
                    "maximumBytes " + options.maximumBytes() + " leaves no room behind the tables' "
                            + geometry.offset(geometry.firstSuperblock())
                            + " bytes; allow more, or fewer roots, types and logs");
        }
    }

    /**
     * Opens a heap for this object alone. If it was not closed, first undoes atomic updates under way and finds what is reachable; {@link #recovery} tells.
     *
     * @param options the sizes in it are those of new heaps, and are ignored
     * @throws io.loam.memory.MemoryException if there is no such file, or it is in use
     * @throws HeapException if it is no heap, damaged, or of another version
     */
    public static PersistentHeap open(Path file, HeapOptions options) {
        long maximum;
        try (FileMemory probe = FileMemory.openReadOnly(file)) {
            maximum = HeapLayout.read(probe).maximumBytes();
        }
        return open(FileMemory.open(file, maximum, options.durability()), options);
    }

    /**
     * As {@link #open(Path, HeapOptions)}, in a region; see {@link #create(Registry, String, HeapOptions)}.
     *
     * @throws io.loam.memory.region.RegionException if there is no such region, or somebody uses it or has it locked
     */
    public static PersistentHeap open(Registry registry, String region, HeapOptions options) {
        return open(FileMemory.open(registry, region, options.durability()), options);
    }

    /** As {@link #open(Path, HeapOptions)}; the heap closes the memory. */
    public static PersistentHeap open(PersistentMemory memory, HeapOptions options) {
        return closingOnFailure(memory, () -> new PersistentHeap(memory, options, false));
    }

    /** Opens a heap to look at, beside others that do so; a heap that was not closed is looked at as it lies there. */
    public static PersistentHeap openReadOnly(Path file) {
        return openReadOnly(FileMemory.openReadOnly(file));
    }

    /** As {@link #openReadOnly(Path)}, in a region. */
    public static PersistentHeap openReadOnly(Registry registry, String region) {
        return openReadOnly(FileMemory.openReadOnly(registry, region));
    }

    private static PersistentHeap openReadOnly(FileMemory memory) {
        return closingOnFailure(
                memory, () -> new PersistentHeap(memory, HeapOptions.defaults().withDurability(Durability.NONE), true));
    }

    private static PersistentHeap closingOnFailure(PersistentMemory memory, Supplier<PersistentHeap> opening) {
        PersistentHeap heap = null;
        try {
            heap = opening.get();
            return heap;
        } finally {
            if (heap == null) {
                memory.close();
            }
        }
    }

    /** For messages: the file's name, or the region's. */
    public String name() {
        return memory.name();
    }

    public Durability durability() {
        return memory.durability();
    }

    /** What was found when the heap was opened. */
    public RecoveryReport recovery() {
        return recovery;
    }

    Roots roots() {
        return roots;
    }

    // ---- types and roots

    /**
     * The type of this name and version in this heap, made durable if it is new.
     *
     * @throws IllegalArgumentException if the heap knows it with another layout
     */
    public HeapType type(ObjectLayout layout) {
        return inside(() -> {
            if (!types.isKnown(layout)) {
                checkWritable();
            }
            return types.register(layout);
        });
    }

    /** Of unknown content; see {@link #allocate(long)}. */
    public HeapType opaque() {
        return HeapType.OPAQUE;
    }

    /** Of content without references. */
    public HeapType bytes() {
        return HeapType.BYTES;
    }

    public Collection<HeapType> types() {
        return types.all();
    }

    /**
     * The root of this name, made durable if it is new.
     *
     * @throws IllegalArgumentException if it has another type
     * @throws HeapFullException if there are too many
     */
    public Root root(String name, HeapType type) {
        checkType(type);
        return inside(() -> {
            synchronized (roots) {
                Root known = roots.find(name);
                if (known == null) {
                    checkWritable();
                    return roots.create(name, type, this);
                }
                if (known.type() != type) {
                    throw new IllegalArgumentException(
                            name() + ": " + known + " exists, " + type + " is asked for; use its type or another name");
                }
                return known;
            }
        });
    }

    /** The root of this name, or null. */
    public @Nullable Root findRoot(String name) {
        return roots.find(name);
    }

    /** All roots, in no order. */
    public List<Root> allRoots() {
        return roots.all();
    }

    /** Removes the name; what only it led to is garbage then. Durable when it returns. */
    public void removeRoot(Root root) {
        checkWritable();
        inside(() -> {
            roots.remove(root);
            return true;
        });
    }

    void setRoot(Root root, long offset) {
        checkWritable();
        Lane lane = enter();
        try {
            if (offset != 0) {
                HeapType found = typeOf(offset);
                if (found != root.type() && !root.type().isOpaque()) {
                    throw new IllegalArgumentException(name() + ": " + root + " can't refer to offset 0x"
                            + Long.toHexString(offset) + ", an object of type " + found
                            + "; allocate one of type " + root.type() + ", or make a root of another name and type");
                }
            }
            long at = roots.valueOffset(root.index());
            Atomic atomic = lane.atomic;
            if (atomic != null) {
                atomic.save(at, Long.BYTES);
                roots.set(root.index(), offset);
            } else {
                roots.set(root.index(), offset);
                memory.persist(at, Long.BYTES);
            }
        } finally {
            gate.exit(lane);
        }
    }

    // ---- allocation

    /**
     * An object of one prefix of the type, all zero. Nothing of it is durable.
     *
     * @throws HeapFullException if there is no room
     */
    public long allocate(HeapType type) {
        return allocate(type, type.leastBytes);
    }

    /** {@code bytes} bytes of unknown content, which the collector searches for references. Their content is undefined. */
    public long allocate(long bytes) {
        return allocate(HeapType.OPAQUE, bytes);
    }

    /**
     * An object of {@code bytes} bytes. All zero if its type has references, else its content is undefined. Nothing of it is durable.
     *
     * @param bytes at least the type's prefix; {@link #sizeOf} tells how many may really be used
     * @throws HeapFullException if there is no room
     */
    public long allocate(HeapType type, long bytes) {
        if (bytes < type.leastBytes) {
            throw new IllegalArgumentException(name() + ": an object of type " + type + " of " + bytes
                    + " bytes; allowed: " + type.leastBytes + " or more");
        }
        Lane lane = enter();
        try {
            return allocate(lane, type, bytes);
        } catch (HeapFullException e) {
            if (resting == null || !resting.releaseAll()) {
                throw e;
            }
            return allocate(lane, type, bytes);
        } finally {
            gate.exit(lane);
        }
    }

    private long allocate(Lane lane, HeapType type, long bytes) {
        return bytes <= largestSlot ? allocateSlot(lane, type, bytes) : allocateLarge(lane, type, bytes);
    }

    private long allocateSlot(Lane lane, HeapType type, long bytes) {
        int sizeClass = SizeClasses.index(bytes);
        Lane.Cache cache = lane.cacheOrNull(type, sizeClass);
        if (cache == null) {
            checkType(type);
            cache = lane.cache(blocks.bin(type, sizeClass));
        }
        if (cache.count == 0) {
            checkWritable();
            lane.refill(cache);
        }
        long place = cache.places[--cache.count];
        long offset = Run.offsetOf(place);
        Run run = blocks.runOf(offset);
        if (type.beginsAsZeros) {
            zero(offset, run.slotBytes);
        }
        if (lane.atomic == null && lane.session == null) {
            blocks.states(run)[Run.slotOf(place)] = Run.NEW;
        } else {
            blocks.states(run)[Run.slotOf(place)] = firstState(lane);
            note(lane, offset, run);
        }
        return offset;
    }

    /** A session's objects are kept by its list of them, for as long as it is open. */
    private static byte firstState(Lane lane) {
        return lane.session == null ? Run.NEW : Run.OLD;
    }

    private void zero(long offset, long bytes) {
        if (bytes <= 256) {
            for (long at = offset; at < offset + bytes; at += Long.BYTES) {
                memory.putLong(at, 0);
            }
        } else {
            memory.fill(offset, bytes, (byte) 0);
        }
    }

    private long allocateLarge(Lane lane, HeapType type, long bytes) {
        checkType(type);
        checkWritable();
        Run run = blocks.carveLarge(type, bytes, Lines.LARGE);
        blocks.states(run)[0] = firstState(lane);
        if (type.beginsAsZeros) {
            memory.fill(run.start, run.objectBytes, (byte) 0);
        }
        note(lane, run.start, run);
        return run.start;
    }

    private static void note(Lane lane, long offset, Run run) {
        Atomic atomic = lane.atomic;
        if (atomic != null) {
            atomic.allocated(offset, run.objectBytes);
        }
        HeapSession session = lane.session;
        if (session != null) {
            session.allocated(offset);
        }
    }

    /** As {@link #allocate(HeapType)}, filled by {@code initialiser} and then durable: ready to be linked. */
    public long allocate(HeapType type, Consumer<MemorySegment> initialiser) {
        return allocate(type, type.leastBytes, initialiser);
    }

    /** As {@link #allocate(HeapType, long)}, filled by {@code initialiser} and then durable: ready to be linked. Freed again if it throws. */
    public long allocate(HeapType type, long bytes, Consumer<MemorySegment> initialiser) {
        long offset = allocate(type, bytes);
        boolean done = false;
        Lane window = window();
        try {
            initialiser.accept(view(offset).asSlice(0, bytes));
            done = true;
        } finally {
            closeWindow(window);
            if (!done && !isAtomic()) {
                free(offset);
            }
        }
        if (!isAtomic()) {
            // the collector looks at all elements that the slot has room for
            memory.persist(offset, type.elementReferences.length > 0 ? usedRun(offset).objectBytes : bytes);
        }
        return offset;
    }

    /**
     * Frees an object; inside of {@link #atomic}, when that has succeeded. Nothing durable may lead to it any more.
     *
     * @throws IllegalArgumentException if no object in use begins there: it was freed before, or never was one
     */
    public void free(long offset) {
        Lane lane = enter();
        try {
            Atomic atomic = lane.atomic;
            if (atomic != null) {
                usedRun(offset);
                atomic.free(offset);
            } else {
                free(lane, offset);
            }
        } finally {
            gate.exit(lane);
        }
    }

    private void free(Lane lane, long offset) {
        Run run = blocks.runAt(offset);
        int slot = run == null ? -1 : run.slot(offset);
        if (run == null || slot < 0) {
            throw noObject(offset, run);
        }
        byte[] states = blocks.states(run);
        byte state = states[slot];
        if (state != Run.NEW && state != Run.OLD) {
            throw notInUse(offset, run);
        }
        if (careful) {
            freeCarefully(lane, run, offset, slot, states, state);
        } else {
            states[slot] = Run.FREE;
            letGo(lane, run, offset, slot);
        }
    }

    private void letGo(Lane lane, Run run, long offset, int slot) {
        if (run.binNumber < 0) {
            blocks.end(run);
            return;
        }
        Lane.Cache cache = lane.cache(run);
        if (cache.count == cache.places.length) {
            lane.spill(cache);
        }
        cache.places[cache.count++] = Run.place(offset, slot);
    }

    private void freeCarefully(Lane lane, Run run, long offset, int slot, byte[] states, byte state) {
        checkWritable();
        // two threads that free one object at once: one of them is told
        if (!STATES.compareAndSet(states, slot, state, resting == null ? Run.FREE : Run.RESTING)) {
            throw notInUse(offset, run);
        }
        if (resting == null) {
            letGo(lane, run, offset, slot);
        } else {
            resting.add(run, slot);
        }
    }

    /**
     * Moves an object to another size, when its slot does not do: copies it, makes the copy durable, lets {@code relink} store the new offset durably
     * wherever the old one was, and frees the old object. The offset that holds now.
     */
    public long reallocate(long offset, long bytes, LongConsumer relink) {
        Run run = usedRun(offset);
        if (bytes < run.type.leastBytes) {
            throw new IllegalArgumentException(name() + ": an object of type " + run.type + " of " + bytes
                    + " bytes; allowed: " + run.type.leastBytes + " or more");
        }
        boolean fits = bytes <= run.objectBytes
                && (run.bin == null
                        ? bytes > run.slotBytes - geometry.superblockBytes()
                        : bytes <= largestSlot && SizeClasses.index(bytes) == run.bin.sizeClass);
        if (fits) {
            return offset;
        }
        long moved = allocate(run.type, bytes);
        Lane window = window();
        memory.copy(offset, moved, Math.min(bytes, run.objectBytes));
        closeWindow(window);
        if (!isAtomic()) {
            memory.persist(moved, run.type.elementReferences.length > 0 ? usedRun(moved).objectBytes : bytes);
        }
        relink.accept(moved);
        free(offset);
        return moved;
    }

    /** How many bytes of the object may be used: at least what was asked for. */
    public long sizeOf(long offset) {
        return usedRun(offset).objectBytes;
    }

    public HeapType typeOf(long offset) {
        return usedRun(offset).type;
    }

    /** Whether an object in use begins there. */
    public boolean isObject(long offset) {
        Run run = blocks.runAt(offset);
        int slot = run == null ? -1 : run.slot(offset);
        return run != null && slot >= 0 && isUsed(blocks.states(run)[slot]);
    }

    private static boolean isUsed(byte state) {
        int plain = state & ~Run.MARK;
        return plain == Run.NEW || plain == Run.OLD;
    }

    private Run usedRun(long offset) {
        checkOpen();
        Run run = blocks.runAt(offset);
        int slot = run == null ? -1 : run.slot(offset);
        if (run == null || slot < 0) {
            throw noObject(offset, run);
        }
        if (!isUsed(blocks.states(run)[slot])) {
            throw notInUse(offset, run);
        }
        return run;
    }

    private IllegalArgumentException noObject(long offset, @Nullable Run run) {
        return new IllegalArgumentException(name() + ": no object begins at offset 0x" + Long.toHexString(offset)
                + (run == null
                        ? ", which is in no run of this heap: it is another heap's, or its whole run was freed; give what allocate gave"
                        : ", which is inside of a slot of " + run.slotBytes + " bytes at 0x"
                                + Long.toHexString(run.offset((int) ((offset - run.start) / run.slotBytes)))
                                + "; give the offset that allocate gave"));
    }

    private IllegalArgumentException notInUse(long offset, Run run) {
        return new IllegalArgumentException(
                name() + ": the slot of " + run.slotBytes + " bytes at offset 0x" + Long.toHexString(offset)
                        + " is not in use: it was freed before; free each object once and drop its references");
    }

    private void checkType(HeapType type) {
        if (types.get(type.id()) != type) {
            throw new IllegalArgumentException(
                    name() + ": type " + type + " is another heap's; register its layout with this heap's type()");
        }
    }

    // ---- content

    void checkAccess(long offset, long length) {
        if (offset < firstObject || length < 0 || offset > memory.bytes() - length) {
            throw new IllegalArgumentException(name() + ": " + length + " bytes at offset 0x" + Long.toHexString(offset)
                    + " are outside of its objects, which lie from 0x"
                    + Long.toHexString(firstObject) + " to 0x"
                    + Long.toHexString(memory.bytes())
                    + "; give an offset that allocate, a root or a reference of this heap gave");
        }
        if (checked) {
            checkInObject(offset, length);
        }
    }

    private void checkInObject(long offset, long length) {
        Run run = blocks.runAt(offset);
        int slot = run == null ? -1 : (int) ((offset - run.start) / run.slotBytes);
        if (run == null || slot >= run.slots) {
            throw noObject(offset, run);
        }
        if (!isUsed(blocks.states(run)[slot])) {
            throw notInUse(run.offset(slot), run);
        }
        if (offset + length > run.offset(slot) + run.objectBytes) {
            throw new IllegalArgumentException(name() + ": " + length + " bytes at offset 0x" + Long.toHexString(offset)
                    + " go beyond the end of the object at 0x" + Long.toHexString(run.offset(slot)) + ", which has "
                    + run.objectBytes + " bytes; allocate a larger one, or see sizeOf");
        }
    }

    /** In a protected heap, keeps windows open until {@link #closeWindow} gets what this gave. */
    private @Nullable Lane window() {
        if (!guarded) {
            return null;
        }
        checkWritable();
        return enter();
    }

    private void closeWindow(@Nullable Lane window) {
        if (window != null) {
            gate.exit(window);
        }
    }

    private @Nullable Lane beforeStore(long offset, long length) {
        checkAccess(offset, length);
        if (hasAtomics) {
            Lane lane = gate.current();
            if (lane != null && lane.atomic instanceof Atomic atomic) {
                checkWritable();
                atomic.save(offset, length);
            }
        }
        return window();
    }

    public byte getByte(long offset) {
        checkAccess(offset, 1);
        return memory.getByte(offset);
    }

    public int getInt(long offset) {
        checkAccess(offset, Integer.BYTES);
        return memory.getInt(offset);
    }

    public long getLong(long offset) {
        checkAccess(offset, Long.BYTES);
        return memory.getLong(offset);
    }

    /** The offset stored there, 0 if none. Acquire: what {@link #setReference} published before is seen. */
    public long getReference(long offset) {
        checkAccess(offset, Long.BYTES);
        return memory.getLongAcquire(offset);
    }

    public void putByte(long offset, byte value) {
        Lane window = beforeStore(offset, 1);
        memory.putByte(offset, value);
        closeWindow(window);
    }

    public void putInt(long offset, int value) {
        Lane window = beforeStore(offset, Integer.BYTES);
        memory.putInt(offset, value);
        closeWindow(window);
    }

    public void putLong(long offset, long value) {
        Lane window = beforeStore(offset, Long.BYTES);
        memory.putLong(offset, value);
        closeWindow(window);
    }

    /** Stores an offset, 0 for none. Release: whoever finds it by {@link #getReference} finds the object's content. Not durable by itself. */
    public void setReference(long offset, long object) {
        if (checked && object != 0) {
            Run ignored = usedRun(object);
        }
        Lane window = beforeStore(offset, Long.BYTES);
        memory.putLongRelease(offset, object);
        closeWindow(window);
    }

    public void get(long offset, byte[] destination) {
        checkAccess(offset, destination.length);
        memory.copyOut(offset, destination, 0, destination.length);
    }

    public void put(long offset, byte[] source) {
        Lane window = beforeStore(offset, source.length);
        memory.copyIn(source, 0, offset, source.length);
        closeWindow(window);
    }

    /** Whether the bytes there are these. */
    public boolean matches(long offset, byte[] bytes) {
        checkAccess(offset, bytes.length);
        return memory.matches(offset, bytes);
    }

    /** The object's bytes and nothing else; dies with the heap, not with the object. Stores are logged by no one: in {@link #atomic} use {@link #modify}. See {@link HeapOptions#withProtection}, too. */
    public MemorySegment view(long offset) {
        return memory.writableView(offset, usedRun(offset).objectBytes);
    }

    /** As {@link #view}, to read. */
    public MemorySegment readOnlyView(long offset) {
        return memory.readOnlyView(offset, usedRun(offset).objectBytes);
    }

    /** Saves a range, so that it is restored if the atomic update that this is inside of does not succeed, and gives it to be stored to. */
    public MemorySegment modify(long offset, long length) {
        checkWritable();
        checkAccess(offset, length);
        running().save(offset, length);
        return memory.writableView(offset, length);
    }

    /** What was stored to the range becomes durable by this thread's next {@link #fence}. */
    public void flush(long offset, long length) {
        checkAccess(offset, length);
        memory.flush(offset, length);
    }

    public void fence() {
        memory.fence();
    }

    /** {@link #flush} and {@link #fence}; nothing inside of {@link #atomic}, whose end does it. */
    public void persist(long offset, long length) {
        checkAccess(offset, length);
        if (!isAtomic()) {
            memory.persist(offset, length);
        }
    }

    /** A group of ranges to be made durable in the background. */
    public HeapGroup group() {
        checkWritable();
        return new HeapGroup(this);
    }

    void submit(HeapGroup group) {
        flusher.submit(group);
    }

    // ---- atomic updates

    /** Whether the calling thread is inside of an atomic update. */
    public boolean isAtomic() {
        if (!hasAtomics) {
            return false;
        }
        Lane lane = gate.current();
        return lane != null && lane.atomic != null;
    }

    private Atomic running() {
        Lane lane = gate.current();
        if (lane == null || !(lane.atomic instanceof Atomic atomic)) {
            throw new IllegalStateException(name() + ": this needs an atomic() around it");
        }
        return atomic;
    }

    /**
     * Runs the action when the outermost atomic update that this is inside of has ended; the last one given first.
     *
     * @param action told whether all has succeeded, the updates inside of it included
     */
    public void afterAtomic(Consumer<Boolean> action) {
        running().atEnd(action);
    }

    /** Waits until no other atomic update has the turn, and keeps it to the end of this: for those that keep several locks. */
    public void takeTurn() {
        Atomic atomic = running();
        if (!turn.isHeldByCurrentThread()) {
            // before the turn: those who have the logs may wait for it
            UndoLog claimed = atomic.claimLog();
            turn.lock();
            atomic.atEnd(ignored -> turn.unlock());
        }
    }

    /** As {@link #atomic(Supplier)}. */
    public void atomic(Runnable body) {
        atomic(() -> {
            body.run();
            return true;
        });
    }

    /**
     * All of the stores of {@code body} by {@code put…}, {@link #setReference}, {@link Root#set} and {@link #modify} survive a crash, or none; durable when it returns. If the body throws,
     * they are undone, and what it allocated is freed. All freeing is done at the end of the outermost. Inside of another it is a part of that, undone alone if it throws alone.
     *
     * <p>It keeps nobody from seeing what is not durable yet: use locks. Its first store waits for one of the heap's logs ({@link HeapOptions#logs}) while as many updates run: so a lock that others
     * take inside of theirs is to be taken inside of this one too, after a store or {@link #takeTurn}. The collector waits for it, and keeps others from entering the heap meanwhile: so nobody may keep such a lock
     * and call the heap from outside of an update.
     */
    public <T extends @Nullable Object> T atomic(Supplier<T> body) {
        Lane lane = enter();
        try {
            Atomic running = lane.atomic;
            return running != null ? inner(running, body) : outer(lane, body);
        } finally {
            gate.exit(lane);
        }
    }

    private <T extends @Nullable Object> T outer(Lane lane, Supplier<T> body) {
        hasAtomics = true;
        var atomic = new Atomic(memory, blocks, logs);
        lane.atomic = atomic;
        boolean done = false;
        try {
            T result = body.get();
            done = true;
            return result;
        } finally {
            try {
                long[] freed = done ? atomic.commit() : atomic.fail();
                lane.atomic = null;
                for (long offset : freed) {
                    free(lane, offset);
                }
            } finally {
                lane.atomic = null;
                atomic.runAtEnd(done);
            }
        }
    }

    private <T extends @Nullable Object> T inner(Atomic running, Supplier<T> body) {
        Atomic.Mark mark = running.mark();
        boolean done = false;
        try {
            T result = body.get();
            done = true;
            return result;
        } finally {
            if (done) {
                running.merge(mark);
            } else {
                running.undo(mark);
            }
        }
    }

    // ---- sessions and collection

    /**
     * Begins a session of the calling thread; see {@link HeapSession}.
     *
     * @throws IllegalStateException if it has one
     */
    public HeapSession session() {
        Lane lane = enter();
        try {
            if (lane.session != null) {
                throw new IllegalStateException("this thread has a session already; close it first");
            }
            var session = new HeapSession(this);
            collector.begin(session);
            lane.session = session;
            return session;
        } finally {
            gate.exit(lane);
        }
    }

    void end(HeapSession session) {
        Lane lane = enter();
        try {
            if (lane.session == session) {
                lane.session = null;
            }
            collector.end(session);
        } finally {
            gate.exit(lane);
        }
    }

    /**
     * Frees what no root, no object allocated since the heap was opened outside of a session, and no open session leads to. Nobody else can use the heap meanwhile; references that a thread
     * holds in variables only must be kept by its session, or the thread be inside of {@link #atomic}.
     */
    public CollectionReport collect() {
        checkWritable();
        return gate.alone(collector::collect);
    }

    /**
     * Collects, then moves objects of types out of sparse runs into fuller ones, and rewrites every reference to them. What stays: opaque objects and what they may refer to; what a root refers
     * to; what sessions keep; and what was allocated since the heap was opened, until its session is closed or it is {@linkplain #settle settled}. No thread may hold offsets of other objects in variables meanwhile, except inside of
     * {@link #operate} and {@link #atomic}.
     */
    public CompactionReport compact() {
        checkWritable();
        return gate.alone(collector::compact);
    }

    /** Gives the space of free superblocks back to the file system, as far as it can; they take it again when they are used. How many bytes. */
    public long trim() {
        checkWritable();
        return gate.alone(space::trim);
    }

    /** The object is linked: what has allocated it does not count any more, only what leads to it. */
    public void settle(long offset) {
        Run run = usedRun(offset);
        byte[] states = blocks.states(run);
        int slot = run.slot(offset);
        if (states[slot] == Run.NEW) {
            states[slot] = Run.OLD;
        }
    }

    /** Runs the action while no collection, compaction or close begins: offsets that it reads stay good. May be nested; keep it short. */
    public <T extends @Nullable Object> T operate(Supplier<T> action) {
        return inside(action);
    }

    /** Runs the action while no other thread can use the heap. */
    public <T> T exclusive(Supplier<T> action) {
        return gate.alone(action);
    }

    /** Audits the heap: lines, free space, roots, and every reference that can be reached. Nobody else can use it meanwhile. */
    public CheckReport check() {
        checkOpen();
        return gate.alone(() -> new HeapChecker(memory, geometry, blocks, space, roots).check());
    }

    /** How the heap's memory is used. */
    public HeapStats stats() {
        return inside(() -> new StatsReader(memory, geometry, blocks, space).read());
    }

    /** How full each superblock is: percent of its run's slots that are in use; −1: of no run; −2: tables. */
    public byte[] occupancy() {
        return inside(() -> {
            byte[] occupancy = new byte[space.superblocks()];
            Arrays.fill(occupancy, 0, geometry.firstSuperblock(), (byte) -2);
            Arrays.fill(occupancy, geometry.firstSuperblock(), occupancy.length, (byte) -1);
            for (Run run : blocks.all()) {
                blocks.states(run);
                byte percent = (byte) (100L * run.used() / run.slots);
                int end = Math.min(occupancy.length, run.superblock + run.superblocks);
                Arrays.fill(occupancy, Math.min(run.superblock, end), end, percent);
            }
            return occupancy;
        });
    }

    /** Offsets of the objects that the object refers to; of an opaque one, of those that it may refer to. */
    public long[] references(long offset) {
        return inside(() -> {
            Run run = usedRun(offset);
            var found = LongStream.builder();
            References.each(memory, run.type, offset, 0, run.objectBytes, (at, value) -> {
                if (isObject(value)) {
                    found.add(value);
                }
            });
            return found.build().toArray();
        });
    }

    // ---- lifetime

    private Lane enter() {
        return gate.enter();
    }

    private <T extends @Nullable Object> T inside(Supplier<T> action) {
        Lane lane = enter();
        try {
            return action.get();
        } finally {
            gate.exit(lane);
        }
    }

    private void checkOpen() {
        if (gate.isEnded()) {
            throw new IllegalStateException(name() + " is closed; open it again");
        }
    }

    private void checkWritable() {
        checkOpen();
        if (readOnly) {
            throw new IllegalStateException(name() + " is open to be read only; open it for writing");
        }
    }

    /**
     * Writes down which slots are in use, marks the heap clean and gives the file up. Waits for running operations. Objects that nothing leads to stay in use until a collection.
     */
    @Override
    public void close() {
        if (gate.isEnded()) {
            return;
        }
        flusher.stop();
        gate.alone(() -> {
            if (!gate.isEnded()) {
                if (!readOnly) {
                    save();
                }
                gate.end();
                memory.close();
            }
            return true;
        });
    }

    private void save() {
        gate.lanes().forEach(Lane::spillAll);
        boolean any = false;
        for (Run run : blocks.all()) {
            any |= blocks.saveBitmap(run);
        }
        if (any) {
            memory.fence();
        }
        HeapLayout.setState(memory, false, epoch);
    }

    /** Gives the file up as a crash of the process would; for tests. */
    void abandon() {
        gate.alone(() -> {
            gate.end();
            memory.close();
            return true;
        });
    }
}
