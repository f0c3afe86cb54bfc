package io.loam.store.engine;

import io.loam.memory.region.Participants;
import io.loam.store.epoch.Epochs;

/**
 * The control region of a shared store, which every participant writes to, readers too.
 *
 * <pre>
 * offset size name         order    meaning
 *      0    8 ready        release  1 once the store is complete
 *      8    8 id           plain    of the store, as its data has it: {@link StoreHeader}
 *     64    8 epoch        opaque
 *    136    8 fence        opaque   1: some participant has no membarrier, so that every pin fences
 *    144    8 leader       opaque   number of the participant that leads, or led last, plus 1
 *    152    8 pause        volatile 1 while a death is being repaired: writers stay out
 *    160    8 resizes      volatile number of the participant that changes the capacity, plus 1, or 0
 *    168   16 boot         opaque   which start of the machine it was when the store was open last; {@link Settlement}
 *    184    8 settled      opaque   1: everybody has left in order, and all of it is on its medium
 *   4096      participants          {@link Participants}
 *      +      requests              {@link Requests}, {@link #PARTICIPANTS} of them
 *      +      epoch slots           {@link #SLOTS} for each participant
 *      +      journals              {@link Journals}, one for each epoch slot
 * </pre>
 *
 * <p>Bytes of the control region's file are locked: one of {@link #ALIVE} by each participant as long as it lives, and one after these while it joins, {@link #LEADER} by the one that leads, {@link #DOOR} by who is entering,
 * leaving or changing the capacity, {@link #SOLE} by a participant that lets nobody else in.
 */
final class SharedLayout {

    /** Store objects that may have a store attached at a time. */
    static final int PARTICIPANTS = 32;

    /** Epoch slots of each: half of them are owned by threads, half are for whoever comes. */
    static final int SLOTS = 32;

    static final long READY = 0;
    static final long ID = 8;
    static final long EPOCH = 64;
    static final long FENCE = 136;
    static final long LEADER_NUMBER = 144;
    static final long PAUSE = 152;
    static final long RESIZES = 160;
    static final long BOOT = 168;
    static final long SETTLED = 184;
    static final long TABLE = 4096;
    static final long REQUESTS = (TABLE + Participants.BYTES + 4095) / 4096 * 4096;
    static final long EPOCH_SLOTS = REQUESTS + (long) PARTICIPANTS * Requests.BYTES;
    static final long JOURNALS = EPOCH_SLOTS + (long) PARTICIPANTS * SLOTS * Epochs.SLOT_BYTES;
    static final long BYTES = JOURNALS + (long) PARTICIPANTS * SLOTS * Journals.BYTES;

    static final long ALIVE = 1L << 40;
    static final long LEADER = 1L << 41;
    static final long DOOR = LEADER + 1;
    static final long SOLE = DOOR + 1;

    private SharedLayout() {}
}
