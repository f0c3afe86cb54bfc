package io.loam.server.command;

import io.loam.server.keyspace.KeyLocks;
import io.loam.server.protocol.Arguments;
import java.util.Arrays;

/** The stripes of the keys of one or several commands. Filled, then {@link #sort sorted}, then locked. */
public final class LockSet {

    private static final int USUAL = 8;

    private final KeyLocks locks;
    private int[] stripes = new int[USUAL];
    private long[] words = new long[0];
    private long word;
    private int count;
    private int keys;
    private boolean held;

    LockSet(KeyLocks locks) {
        this.locks = locks;
    }

    /** Begins anew. */
    public void clear() {
        count = 0;
        keys = 0;
        if (stripes.length > 1024) {
            stripes = new int[USUAL];
            words = new long[0];
        }
    }

    /** Adds the keys of a request. */
    public void add(Command command, Arguments arguments) {
        for (KeySpec spec : command.keys()) {
            int end = spec.end(arguments);
            for (int i = spec.first(); i <= end; i += spec.step()) {
                arguments.checkKey(i);
                add(locks.stripe(arguments.hash(i)));
            }
        }
    }

    /** Adds a key by its hash. */
    void addKey(int keyHash) {
        add(locks.stripe(keyHash));
    }

    private void add(int stripe) {
        if (count == stripes.length) {
            stripes = Arrays.copyOf(stripes, 2 * count);
        }
        stripes[count++] = stripe;
        keys++;
    }

    /** Every stripe there is. */
    public void addAll() {
        stripes = new int[locks.stripes()];
        Arrays.setAll(stripes, i -> i);
        count = stripes.length;
        keys = count;
    }

    /** Ascending and different. */
    public void sort() {
        if (count < 2) {
            return;
        }
        Arrays.sort(stripes, 0, count);
        int kept = 1;
        for (int i = 1; i < count; i++) {
            if (stripes[i] != stripes[kept - 1]) {
                stripes[kept++] = stripes[i];
            }
        }
        count = kept;
    }

    /** How many keys were added, the same one several times. */
    public int keys() {
        return keys;
    }

    /** Whether the stripes are locked. */
    public boolean isHeld() {
        return held;
    }

    /** @param many whether the holder makes several operations that must be seen as one */
    public boolean tryLock(boolean many) {
        held = locks.tryLock(stripes, count, many);
        return held;
    }

    /** As {@link #tryLock}, but waits. */
    public void lock(boolean many) {
        locks.lock(stripes, count, many);
        held = true;
    }

    public void unlock() {
        held = false;
        locks.unlock(stripes, count);
    }

    // ---- reading without the locks

    /** Notes the state of the only stripe. */
    void noteOne() {
        word = locks.word(stripes[0]);
    }

    /** Notes the stripes' state; false if one is locked. */
    boolean note() {
        if (words.length < count) {
            words = new long[stripes.length];
        }
        for (int i = 0; i < count; i++) {
            words[i] = locks.word(stripes[i]);
            if (!KeyLocks.isFree(words[i])) {
                return false;
            }
        }
        return true;
    }

    /** Whether nobody has locked any since {@link #note}. */
    boolean isUnchanged() {
        for (int i = 0; i < count; i++) {
            if (!locks.isUnchanged(stripes[i], words[i])) {
                return false;
            }
        }
        return true;
    }

    /** Whether one operation's reading of the only stripe since {@link #noteOne} may be told. */
    boolean isSettled() {
        return locks.isSettled(stripes[0], word);
    }
}
