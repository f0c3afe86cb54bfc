package io.loam.stress;

/** An index whose keys stay while it grows and shrinks, shared by all states of a test. */
final class ResizedIndex {

    private static final int ENTRY_BYTES = 64;
    private static final int BLOCK_BYTES = 4096;

    private final Parts parts = Parts.inProcess(BLOCK_BYTES, 512, 16);
    private final byte[][] keys;
    private final long[] hashes;
    private final long[] locations;
    private int next;

    ResizedIndex(int count) {
        keys = new byte[count][];
        hashes = new long[count];
        locations = new long[count];
        long block = 0;
        for (int i = 0; i < count; i++) {
            int at = i % (BLOCK_BYTES / ENTRY_BYTES) * ENTRY_BYTES;
            block = at == 0 ? parts.newBlock() : block;
            keys[i] = Parts.key(i);
            hashes[i] = parts.hash(keys[i]);
            parts.write(block + at, keys[i], 1, 7);
            locations[i] = block + at;
            parts.insert(keys[i], hashes[i], locations[i]);
        }
        for (int i = 0; i < 16 && !cycle(); i++) {
            Thread.onSpinWait(); // the first cycles only grow, until the load is one that a larger index would shrink
            // at
        }
    }

    /** Makes the index larger by one step and lets it shrink again; whether both happened. */
    synchronized boolean cycle() {
        while (parts.reclaimer.pending() > 4) {
            // a reader that lost its CPU has a pin
            parts.reclaimer.reclaim();
            Thread.yield();
        }
        long before = parts.index.resizes();
        long hash = hashes[0];
        boolean grown = parts.index.growNow(hash, parts.index.descriptor(hash)) == 0;
        parts.reclaimer.reclaim();
        parts.index.resize(hash);
        parts.reclaimer.reclaim();
        return grown && parts.index.resizes() >= before + 2;
    }

    /** Does what {@link #cycle} does while another thread resizes too, so that they share the pieces. */
    void resizeAlong() {
        parts.reclaimer.reclaim();
        long hash = hashes[0];
        if (parts.pool.freeBlocks() > parts.pool.budgetBlocks() / 2) {
            parts.index.growNow(hash, parts.index.descriptor(hash));
        }
        parts.index.resize(hash);
        parts.resizeIfAsked();
    }

    /**
     * Removes the next keys and inserts them again, and helps with the resizing under way in between; whether one was absent before, or present while it was removed.
     * One thread at a time.
     */
    synchronized boolean revives(int count) {
        boolean wrong = false;
        for (int turn = 0; turn < count; turn++) {
            next = next + 1 < keys.length ? next + 1 : 0;
            long hash = hashes[next];
            if (parts.pool.freeBlocks() > parts.pool.budgetBlocks() / 2) {
                parts.index.growNow(hash, parts.index.descriptor(hash));
            }
            wrong |= !parts.remove(keys[next], hash);
            for (int i = 0; i < 64; i++) {
                wrong |= parts.read(keys[next], hash) != Parts.ABSENT;
            }
            wrong |= !parts.insert(keys[next], hash, locations[next]);
            wrong |= parts.read(keys[next], hash) != 7;
            parts.resizeIfAsked();
        }
        return wrong;
    }

    /** Whether one of the next keys is not found whole. Races of readers for the next key do no harm. */
    boolean misses(int reads) {
        boolean missing = false;
        int i = next;
        for (int read = 0; read < reads; read++) {
            i = i + 1 < keys.length ? i + 1 : 0;
            missing |= parts.read(keys[i], hashes[i]) != 7;
        }
        next = i;
        return missing;
    }
}
