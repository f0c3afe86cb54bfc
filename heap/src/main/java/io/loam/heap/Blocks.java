package io.loam.heap;

import io.loam.memory.persistence.PersistentMemory;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The runs of a heap by superblock: makes them, ends them, finds them by offset, and loads and saves their slots' states.
 *
 * <pre>
 * a bitmap in the file, valid while the heap is clean:
 * offset size name     order    meaning
 *      0    4 checksum plain    CRC32C of the rest
 *      4    4 used     plain    number of bits set
 *      8    8 epoch    plain    of the heap when it was written
 *     64      bits     plain    bit i: slot i is in use
 * </pre>
 */
final class Blocks {

    private static final VarHandle RUNS = MethodHandles.arrayElementVarHandle(Run[].class);
    private static final int USED = 4;
    private static final int EPOCH = 8;

    private final PersistentMemory memory;
    private final Geometry geometry;
    private final Lines lines;
    private final Space space;
    private final SizeClasses classes;
    private final @Nullable Run[] runs;
    private final int shift;
    /** Bins by type and size class. */
    private final AtomicReferenceArray<@Nullable Bin>[] bins;

    private int binCount;

    private final long epoch;

    @SuppressWarnings({"unchecked", "rawtypes"})
    Blocks(PersistentMemory memory, Geometry geometry, Lines lines, Space space, SizeClasses classes, long epoch) {
        this.memory = memory;
        this.geometry = geometry;
        this.lines = lines;
        this.space = space;
        this.classes = classes;
        this.epoch = epoch;
        this.shift = geometry.shift();
        this.runs = new Run[geometry.superblocks()];
        this.bins = new AtomicReferenceArray[geometry.types() + HeapType.FIRST_ID];
        for (int i = 0; i < bins.length; i++) {
            bins[i] = new AtomicReferenceArray<>(i <= HeapType.BYTES_ID ? classes.count() : 0);
        }
    }

    /**
     * Finds the runs of the file and the free superblocks between them. Internal runs are returned, not kept.
     *
     * @param list whether to list each run with its bin; else see {@link #listAll}
     */
    List<Integer> scan(Types types, boolean list) {
        var internal = new ArrayList<Integer>();
        int limit = space.superblocks();
        Lines.Reader reader = lines.reader(limit);
        int freeFrom = geometry.firstSuperblock();
        int superblock = freeFrom;
        while (superblock < limit) {
            Lines.Header header = reader.read(superblock);
            if (header == null) {
                superblock++;
                continue;
            }
            if (superblock > freeFrom) {
                space.give(freeFrom, superblock - freeFrom);
            }
            if (header.kind() == Lines.INTERNAL) {
                internal.add(superblock);
            } else {
                Run run = run(superblock, header, types);
                place(run);
                if (list && run.bin != null) {
                    run.bin.list(run);
                }
            }
            superblock += header.superblocks();
            freeFrom = superblock;
        }
        if (superblock > freeFrom) {
            space.give(freeFrom, superblock - freeFrom);
        }
        return internal;
    }

    private Run run(int superblock, Lines.Header header, Types types) {
        HeapType type = types.get(header.typeId());
        if (type == null) {
            throw new HeapException(memory.name() + ", superblock " + superblock + ": type " + header.typeId()
                    + " is not in the table of types; restore the heap from a copy");
        }
        Bin bin = null;
        if (header.kind() == Lines.SLOTS) {
            if (header.sizeClass() >= classes.count() || classes.slotBytes(header.sizeClass()) != header.bytes()) {
                throw new HeapException(memory.name() + ", superblock " + superblock + ": slots of " + header.bytes()
                        + " bytes are no size class; restore the heap from a copy");
            }
            bin = bin(type, header.sizeClass());
        } else if (header.bytes() < 1 || header.bytes() > geometry.offset(header.superblocks())) {
            throw new HeapException(memory.name() + ", superblock " + superblock + ": an object of " + header.bytes()
                    + " bytes in " + header.superblocks() + " superblocks; restore the heap from a copy");
        }
        return new Run(superblock, header, geometry, type, bin);
    }

    private void place(Run run) {
        for (int i = 0; i < run.superblocks; i++) {
            // release: pairs with runAt: whoever finds the run finds its fields
            RUNS.setRelease(runs, run.superblock + i, run);
        }
    }

    Bin bin(HeapType type, int sizeClass) {
        AtomicReferenceArray<@Nullable Bin> ofType = bins[type.id()];
        if (ofType.length() == 0) {
            synchronized (bins) {
                if (bins[type.id()].length() == 0) {
                    bins[type.id()] = new AtomicReferenceArray<>(classes.count());
                }
                ofType = bins[type.id()];
            }
        }
        Bin bin = ofType.get(sizeClass);
        return bin == null ? makeBin(ofType, type, sizeClass) : bin;
    }

    private Bin makeBin(AtomicReferenceArray<@Nullable Bin> ofType, HeapType type, int sizeClass) {
        synchronized (bins) {
            Bin bin = ofType.get(sizeClass);
            if (bin == null) {
                bin = new Bin(binCount++, type, sizeClass, classes, this);
                ofType.set(sizeClass, bin);
            }
            return bin;
        }
    }

    /** The run that covers the offset, or null. */
    @Nullable
    Run runAt(long offset) {
        long superblock = offset >>> shift;
        return superblock < runs.length ? (Run) RUNS.getAcquire(runs, (int) superblock) : null;
    }

    Run runOf(long offset) {
        Run run = runAt(offset);
        if (run == null) {
            throw new AssertionError("no run at offset 0x" + Long.toHexString(offset));
        }
        return run;
    }

    /** All runs, by address. Approximate while others make and end some. */
    List<Run> all() {
        var all = new ArrayList<Run>();
        int limit = space.superblocks();
        for (int superblock = geometry.firstSuperblock(); superblock < limit; ) {
            Run run = (Run) RUNS.getAcquire(runs, superblock);
            if (run == null) {
                superblock++;
            } else {
                all.add(run);
                superblock = run.superblock + run.superblocks;
            }
        }
        return all;
    }

    /** A new run without a used slot; its header is durable. */
    Run carve(Bin bin) {
        int count = classes.superblocks(bin.sizeClass);
        var header = new Lines.Header(Lines.SLOTS, bin.sizeClass, bin.type.id(), count, bin.slotBytes, epoch);
        return carve(header, bin.type, bin);
    }

    /** A new run for one object; its header is durable. */
    Run carveLarge(HeapType type, long bytes, int kind) {
        int count = Math.toIntExact((bytes + geometry.superblockBytes() - 1) >>> geometry.shift());
        return carve(new Lines.Header(kind, 0, type.id(), count, bytes, epoch), type, null);
    }

    private Run carve(Lines.Header header, HeapType type, @Nullable Bin bin) {
        int start = take(header.superblocks());
        lines.publish(start, header);
        Run run = new Run(start, header, geometry, type, bin);
        run.begin();
        place(run);
        return run;
    }

    /** Before the file grows, what bins keep to spare is used. */
    private int take(int count) {
        int start = space.takeFree(count);
        if (start < 0) {
            giveUpSpares();
            start = space.take(count);
        }
        return start;
    }

    private void giveUpSpares() {
        for (AtomicReferenceArray<@Nullable Bin> ofType : bins) {
            for (int i = 0; i < ofType.length(); i++) {
                Bin bin = ofType.get(i);
                if (bin != null) {
                    endAll(bin.giveUpSpares());
                }
            }
        }
    }

    int heapSuperblocks() {
        return space.superblocks();
    }

    /** Gives the superblocks of a run without used slots back; its header is durably cleared before anybody can have them. */
    void end(Run run) {
        lines.clear(run.superblock);
        forget(run);
    }

    /** As {@link #end}, of many. */
    void endAll(List<Run> ended) {
        lines.clear(ended.stream().mapToInt(run -> run.superblock).toArray());
        ended.forEach(this::forget);
    }

    private void forget(Run run) {
        for (int i = 0; i < run.superblocks; i++) {
            RUNS.setRelease(runs, run.superblock + i, (Run) null);
        }
        space.give(run.superblock, run.superblocks);
    }

    /** The states of the run's slots, at the first look made from the marks of recovery or the file's bitmap. */
    byte[] states(Run run) {
        byte[] states = run.statesOrNull();
        return states != null ? states : load(run);
    }

    private byte[] load(Run run) {
        synchronized (run) {
            byte[] states = run.statesOrNull();
            if (states == null) {
                byte[] marks = run.marksOrNull();
                states = marks != null ? marks : new byte[run.slots];
                if (marks != null) {
                    run.changed = true;
                } else if (run.kind == Lines.SLOTS) {
                    readBitmap(run, states);
                } else {
                    states[0] = Run.OLD;
                }
                run.setStates(states);
            }
            return states;
        }
    }

    private static int bitmapBytes(Run run) {
        return run.slots + 63 >>> 6 << 3;
    }

    private void readBitmap(Run run, byte[] states) {
        long at = geometry.bitmap(run.superblock);
        int bytes = bitmapBytes(run);
        int crc = bitmapChecksum(run, at, bytes);
        if (crc != memory.getInt(at)) {
            throw new HeapException(
                    memory.name() + ", bitmap of superblock " + run.superblock + " at offset 0x"
                            + Long.toHexString(at) + ": checksum " + Integer.toHexString(crc) + ", stored "
                            + Integer.toHexString(memory.getInt(at))
                            + "; open the heap with HeapOptions.withRecovery(true), or loam heap collect --recover, which counts anew");
        }
        for (int slot = 0; slot < run.slots; slot++) {
            states[slot] = (byte) (memory.getLong(at + Geometry.BITMAP_HEADER_BYTES + (slot >>> 6 << 3)) >>> slot & 1);
        }
    }

    private int bitmapChecksum(Run run, long at, int bytes) {
        return Checksum.of(
                memory,
                at + Geometry.BITMAP_HEADER_BYTES,
                bytes,
                memory.getLong(at + EPOCH) << 32 ^ memory.getInt(at + USED) ^ run.superblock);
    }

    /** Writes the states of a run to the file's bitmap if they have changed; true: to be fenced by the caller. */
    boolean saveBitmap(Run run) {
        // what was marked and not looked at since is in no bitmap yet
        byte[] states = run.marksOrNull() != null ? states(run) : run.statesOrNull();
        if (states == null || !run.changed || run.kind != Lines.SLOTS) {
            return false;
        }
        long at = geometry.bitmap(run.superblock);
        int bytes = bitmapBytes(run);
        int used = 0;
        for (int word = 0; word < bytes >>> 3; word++) {
            long bits = 0;
            for (int slot = word << 6; slot < Math.min(run.slots, word + 1 << 6); slot++) {
                int state = states[slot] & ~Run.MARK;
                if (state == Run.OLD || state == Run.NEW) {
                    bits |= 1L << slot;
                    used++;
                }
            }
            memory.putLong(at + Geometry.BITMAP_HEADER_BYTES + 8L * word, bits);
        }
        memory.putInt(at + USED, used);
        memory.putLong(at + EPOCH, epoch);
        memory.putInt(at, bitmapChecksum(run, at, bytes));
        memory.flush(at, Geometry.BITMAP_HEADER_BYTES + bytes);
        run.changed = false;
        return true;
    }

    /** Lists each run with its bin, as one whose slots may be free. */
    void listAll() {
        for (Run run : all()) {
            if (run.bin != null) {
                run.bin.list(run);
            }
        }
    }

    /** The same, after states were changed from outside; the heap is held alone. */
    void relistAll() {
        for (AtomicReferenceArray<@Nullable Bin> ofType : bins) {
            for (int i = 0; i < ofType.length(); i++) {
                Bin bin = ofType.get(i);
                if (bin != null) {
                    bin.clear();
                }
            }
        }
        listAll();
    }
}
