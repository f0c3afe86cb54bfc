package io.loam.store.engine;

import io.loam.memory.region.Participants;
import io.loam.store.epoch.Epochs;

/**
 * The control region of a shared store, which every participant writes to, readers too.
 *
 * <pre>
 * offset size name         order    meaning
 *      0    8 ready        release  1 once the store is complete
 *     64    8 epoch        opaque
 *    136    8 fence        opaque   1: some participant has no membarrier, so that every pin fences
 *    144    8 leader       opaque   number of the participant that leads, or led last, plus 1
 *    152    8 pause        volatile 1 while a death is being repaired: writers stay out
 *   4096      participants          {@link Participants}
 *      +      requests              {@link Requests}, {@link #PARTICIPANTS} of them
 *      +      epoch slots           {@link #SLOTS} for each participant
 *      +      journals              {@link Journals}, one for each epoch slot
 * </pre>
 *
 * <p>Bytes of the control region's file are locked: one of {@link #ALIVE} by each participant as long as it lives, {@link #LEADER} by the one that leads, {@link #DOOR} by who is entering,
 * leaving or changing the capacity.
 */
final class SharedLayout {

    /** Store objects that may have a store attached at a time. */
    static final int PARTICIPANTS = 32;

    /** Epoch slots of each: half of them are owned by threads, half are for whoever comes. */
    static final int SLOTS = 32;

    static final long READY = 0;
    static final long EPOCH = 64;
    static final long FENCE = 136;
    static final long LEADER_NUMBER = 144;
    static final long PAUSE = 152;
    static final long TABLE = 4096;
    static final long REQUESTS = (TABLE + Participants.BYTES + 4095) / 4096 * 4096;
    static final long EPOCH_SLOTS = REQUESTS + (long) PARTICIPANTS * Requests.BYTES;
    static final long JOURNALS = EPOCH_SLOTS + (long) PARTICIPANTS * SLOTS * Epochs.SLOT_BYTES;
    static final long BYTES = JOURNALS + (long) PARTICIPANTS * SLOTS * Journals.BYTES;

    static final long ALIVE = 1L << 40;
    static final long LEADER = 1L << 41;
    static final long DOOR = LEADER + 1;

    private SharedLayout() {}
}
