package io.loam.stress;

import io.loam.memory.HeapMemory;
import io.loam.memory.RawMemory;
import io.loam.store.epoch.Epochs;
import io.loam.store.epoch.Reclaimer;
import io.loam.store.index.DescriptorSlab;
import io.loam.store.index.Index;
import io.loam.store.index.KeyHash;
import io.loam.store.log.BlockPool;
import io.loam.store.log.BlockTable;
import io.loam.store.log.Entries;
import io.loam.store.log.EntryShape;
import io.loam.store.log.Geometry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * An index and what it needs over a small memory of its own, without log and cleaner: whoever uses it places the entries by hand.
 *
 * <p>Keys have 8 bytes. An entry's value is {@link #VALUE_BYTES} times one byte, its mark, so that a mixture of two values shows.
 */
public final class Parts {

    public static final int VALUE_BYTES = 40;
    /** What {@link #read} returns for an absent key. */
    public static final int ABSENT = 0;
    /** What {@link #read} returns for a value that is no mark repeated. */
    public static final int TORN = -1;

    private static final int EPOCH_WORD = 64;
    private static final int SLOTS = 128;

    public final RawMemory memory;
    public final Geometry geometry;
    public final long base;
    public final Epochs epochs;
    public final Reclaimer reclaimer;
    public final BlockPool pool;
    public final Entries entries;
    public final Index index;

    private volatile boolean resizeAsked;
    private volatile long askedHash;

    private Parts(RawMemory memory, long start, Geometry geometry) {
        this.memory = memory;
        this.geometry = geometry;
        long poolAddress = start + SLOTS + (long) geometry.epochSlots * Epochs.SLOT_BYTES;
        long tableAddress = poolAddress + geometry.segmentOffset - geometry.poolOffset;
        base = start + tables(geometry) - geometry.dataOffset;
        epochs = new Epochs(memory, start + EPOCH_WORD, start + SLOTS, geometry.epochSlots, false);
        reclaimer = new Reclaimer(epochs, memory, start + EPOCH_WORD + 8);
        BlockTable blocks = new BlockTable(memory, tableAddress);
        pool = new BlockPool(memory, geometry, blocks, poolAddress, 1);
        pool.format(geometry.maximumBlocks);
        entries = new Entries(memory, base, geometry, blocks, MemorySegment.NULL);
        KeyHash keyHash = new KeyHash(memory, false, 0x1234_5678_9ABC_DEFL, 42);
        DescriptorSlab slab = new DescriptorSlab(memory, base, geometry, pool);
        index = new Index(memory, base, geometry, pool, entries, keyHash, epochs, reclaimer, slab, hash -> {
            askedHash = hash;
            resizeAsked = true;
        });
    }

    /** Over the process's memory, which stays allocated. */
    public static Parts inProcess(int blockBytes, int blocks, int epochSlots) {
        Geometry geometry = geometry(blockBytes, blocks, epochSlots);
        MemorySegment memory = Arena.global().allocate(bytes(geometry), 4096);
        return new Parts(RawMemory.ofProcess(), memory.address(), geometry);
    }

    /** Over an array, whose accesses a model checker sees. */
    public static Parts onHeap(int blockBytes, int blocks, int epochSlots) {
        Geometry geometry = geometry(blockBytes, blocks, epochSlots);
        return new Parts(new HeapMemory(bytes(geometry)), 0, geometry);
    }

    private static Geometry geometry(int blockBytes, int blocks, int epochSlots) {
        return new Geometry((long) blocks * blockBytes, blockBytes, blockBytes, epochSlots, 1, 1, 1, false);
    }

    private static long tables(Geometry geometry) {
        long bytes = SLOTS
                + (long) geometry.epochSlots * Epochs.SLOT_BYTES
                + (geometry.segmentOffset - geometry.poolOffset)
                + (geometry.markOffset - geometry.blockTableOffset);
        return (bytes + 4095) / 4096 * 4096;
    }

    private static long bytes(Geometry geometry) {
        // a line more, since a lookup loads the second line of an entry
        return tables(geometry) + (long) geometry.maximumBlocks * geometry.blockBytes + 128;
    }

    /** Location of the first of {@code bytes} contiguous bytes in blocks of their own; at most a block. */
    public long newBlock() {
        int[] block = pool.allocateIndex(1);
        if (block.length == 0) {
            throw new IllegalStateException("the memory has only " + geometry.maximumBlocks + " blocks");
        }
        return geometry.blockOffset(block[0]);
    }

    public static byte[] key(long number) {
        byte[] key = new byte[8];
        for (int i = 0; i < 8; i++) {
            key[i] = (byte) (number >>> 8 * i);
        }
        return key;
    }

    public static MemorySegment value(int mark, int length) {
        byte[] value = new byte[length];
        Arrays.fill(value, (byte) mark);
        return MemorySegment.ofArray(value);
    }

    public long hash(byte[] key) {
        return index.hash(key, 0, key.length);
    }

    /** Writes an entry that is not published. */
    public void write(long location, byte[] key, long version, int mark) {
        EntryShape shape = EntryShape.of(geometry, key.length, VALUE_BYTES, false, false, 0, false);
        entries.write(location, shape, 0, 0, key, value(mark, VALUE_BYTES));
        entries.setHeader(location, shape.header(version));
    }

    /** The mark in the entry at a location, {@link #TORN} if it holds several. The caller is pinned. */
    public int mark(long location) {
        byte[] value = new byte[VALUE_BYTES];
        int length;
        do {
            length = entries.copyValue(location, entries.stableHeader(location), value, 0);
        } while (length == Entries.CHANGED);
        return markOf(value, length);
    }

    public static int markOf(byte[] value, int length) {
        if (length <= 0 || length > value.length) {
            return TORN;
        }
        for (int i = 1; i < length; i++) {
            if (value[i] != value[0]) {
                return TORN;
            }
        }
        return value[0];
    }

    /** The mark of a key's value, {@link #ABSENT} or {@link #TORN}. */
    public int read(byte[] key, long hash) {
        long pin = epochs.pin();
        try {
            long location = index.lookup(hash, key, 0, key.length);
            return location == 0 ? ABSENT : mark(location);
        } finally {
            epochs.unpin(pin);
        }
    }

    /** Inserts a key that points to an entry; false if it is there already. */
    public boolean insert(byte[] key, long hash, long location) {
        while (true) {
            Index.Insert outcome;
            long descriptor;
            long pin = epochs.pin();
            try {
                descriptor = index.descriptor(hash);
                long bucket = index.tryLock(descriptor, hash);
                while (bucket == 0) {
                    descriptor = index.successor(descriptor, hash);
                    bucket = index.tryLock(descriptor, hash);
                }
                try {
                    if (index.findLocked(descriptor, bucket, hash, key, 0, key.length) != 0) {
                        return false;
                    }
                    outcome = index.insertLocked(descriptor, bucket, hash, location, null);
                } finally {
                    index.unlock(bucket);
                }
            } finally {
                epochs.unpin(pin);
            }
            if (outcome == Index.Insert.DONE) {
                resizeIfAsked();
                return true;
            }
            if (outcome == Index.Insert.FULL) {
                if (index.growNow(hash, descriptor) != 0) {
                    throw new IllegalStateException("no memory to grow in");
                }
                reclaimer.reclaim();
            }
        }
    }

    /** Points a key to another entry, for which {@code to} is written from the present one; false if the key is absent. */
    public boolean relocate(byte[] key, long hash, long to, long bytes) {
        long pin = epochs.pin();
        try {
            long descriptor = index.descriptor(hash);
            long bucket = index.tryLock(descriptor, hash);
            while (bucket == 0) {
                descriptor = index.successor(descriptor, hash);
                bucket = index.tryLock(descriptor, hash);
            }
            try {
                long slot = index.findLocked(descriptor, bucket, hash, key, 0, key.length);
                if (slot == 0) {
                    return false;
                }
                entries.copyEntry(index.location(slot), to, bytes);
                index.setLocation(slot, to);
                return true;
            } finally {
                index.unlock(bucket);
            }
        } finally {
            epochs.unpin(pin);
        }
    }

    /** Removes a key; false if it is absent. */
    public boolean remove(byte[] key, long hash) {
        while (true) {
            long pin = epochs.pin();
            try {
                long descriptor = index.descriptor(hash);
                long bucket = index.tryLock(descriptor, hash);
                while (bucket == 0) {
                    descriptor = index.successor(descriptor, hash);
                    bucket = index.tryLock(descriptor, hash);
                }
                try {
                    long slot = index.findLocked(descriptor, bucket, hash, key, 0, key.length);
                    if (slot == 0) {
                        return false;
                    }
                    if (index.removeLocked(descriptor, bucket, slot, 1, null)) {
                        return true;
                    }
                } finally {
                    index.unlock(bucket);
                }
            } finally {
                epochs.unpin(pin);
            }
        }
    }

    /** Resizes if an insertion or removal asked for it. The caller is not pinned. */
    public void resizeIfAsked() {
        if (resizeAsked) {
            resizeAsked = false;
            index.resize(askedHash);
            reclaimer.reclaim();
        }
    }
}
