package io.loam.store.engine;

import io.loam.memory.RawMemory;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * What one participant asks of the leader: one request at a time that it waits for, and hints where the index should be resized.
 *
 * <pre>
 * offset size name      order    meaning
 *      0    8 state     CAS      bits 0–1 {@link #IDLE}, {@link #POSTED}, {@link #TAKEN} or {@link #DONE}; above, the number of the request, never used twice in this place
 *      8    8 kind      plain
 *     16    8 id        plain    of the namespace
 *     24    8 a         plain
 *     32    8 b         plain
 *     40    8 result    plain
 *     48    4 length    plain    of the name
 *     52  236 name      plain    UTF-8
 *    512  256 hints     release  16 times: 8 id of the namespace plus 1, 0 free, -1 being written; 8 hash
 *    960    8 attached  release  from before the first pin until leaving in order: twice the identity of the participant, plus 1 if it only reads. If that one is dead, there is something to
 *                              repair, and who has its number now waits for it
 * </pre>
 *
 * <p>The participant writes while the state is IDLE or DONE. The leader reads all of it, takes it by compare-and-set, does it, and answers by compare-and-set. The number is what it compares: if the participant died, or gave
 * up, meanwhile, and the place has been used for another request, what was read of two requests is not done, and the answer to one is not the other's. A leader that dies leaves the request taken, and the next one does it,
 * perhaps for a second time, and is told so.
 */
final class Requests {

    static final int BYTES = 1024;

    static final long IDLE = 0;
    static final long POSTED = 1;
    static final long TAKEN = 2;
    static final long DONE = 3;
    private static final long STATE = 3;

    static final long CREATE = 1;
    static final long DROP = 2;
    static final long CLEAR = 3;
    static final long GROW = 4;
    static final long CLEAN = 5;
    static final long EVICTABLE = 6;

    private static final long ATTACHED_AT = 960;
    private static final int HINTS = 16;
    private static final long HINT = 512;

    /** What is asked; parameters by kind. */
    record Request(long kind, long id, long a, long b, String name) {}

    /**
     * A request that the leader does.
     *
     * @param number for {@link #answer}
     * @param again whether somebody had begun to do it, and may have done it
     */
    record Taken(long number, Request request, boolean again) {}

    private final RawMemory memory;
    private final long at;

    Requests(RawMemory memory, long at) {
        this.memory = memory;
        this.at = at;
    }

    // ---- the participant

    /** Asks; the number of the request. */
    long post(Request request) {
        byte[] bytes = request.name().getBytes(StandardCharsets.UTF_8);
        long number = begin();
        memory.putLong(at + 8, request.kind());
        memory.putLong(at + 16, request.id());
        memory.putLong(at + 24, request.a());
        memory.putLong(at + 32, request.b());
        memory.putInt(at + 48, bytes.length);
        memory.copyIn(bytes, 0, at + 52, bytes.length);
        memory.putLongRelease(at, number | POSTED); // release: pairs with take
        return number;
    }

    /** Ends what was asked before, answered or not, and gives out the next number. */
    private long begin() {
        long number = (memory.getLong(at) | STATE) + 1;
        memory.putLongOpaque(at, number);
        VarHandle.storeStoreFence(); // what is written next comes after: a leader who has read some of that fails to
        // take the last request
        return number;
    }

    boolean isDone(long number) {
        return memory.getLongAcquire(at) == (number | DONE);
    }

    long result() {
        return memory.getLong(at + 40);
    }

    /** Lets the leader know where an index should be resized; forgotten if many hints wait: then a key that finds no slot asks again. */
    void hint(long id, long hash) {
        for (int i = 0; i < HINTS; i++) {
            long hint = at + HINT + 16L * i;
            if (memory.getLongOpaque(hint) == 0 && memory.compareAndSetLong(hint, 0, -1)) {
                memory.putLong(hint + 8, hash);
                memory.putLongRelease(hint, id + 1);
                return;
            }
        }
    }

    /** Forgets what a predecessor asked. */
    void reset() {
        long ignored = begin();
        memory.fill(at + 8, ATTACHED_AT - 8, (byte) 0);
    }

    /** Identity of the participant, or 0. */
    long attached() {
        return memory.getLongAcquire(at + ATTACHED_AT) >>> 1;
    }

    /** Whether who is attached can leave nothing but pins. */
    boolean isReader() {
        return (memory.getLongAcquire(at + ATTACHED_AT) & 1) != 0;
    }

    /** 0: nobody. */
    void setAttached(long identity, boolean reader) {
        memory.putLongRelease(at + ATTACHED_AT, identity << 1 | (reader ? 1 : 0));
    }

    // ---- the leader

    /** Begins to do what is asked; null: nothing is. */
    @Nullable
    Taken take() {
        long word = memory.getLongAcquire(at);
        long state = word & STATE;
        if (state != POSTED && state != TAKEN) {
            return null;
        }
        long number = word & ~STATE;
        Request request = new Request(
                memory.getLong(at + 8),
                memory.getLong(at + 16),
                memory.getLong(at + 24),
                memory.getLong(at + 32),
                name());
        return memory.compareAndSetLong(at, word, number | TAKEN) ? new Taken(number, request, state == TAKEN) : null;
    }

    private String name() {
        int length = Math.clamp(memory.getInt(at + 48), 0, Namespaces.MAX_NAME_BYTES);
        byte[] bytes = new byte[length];
        memory.copyOut(at + 52, bytes, 0, length);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Answers what was taken by that number, if it is still asked. */
    void answer(long number, long result) {
        memory.putLong(at + 40, result);
        boolean ignored = memory.compareAndSetLong(at, number | TAKEN, number | DONE); // pairs with isDone
    }

    interface Hint {
        void take(long id, long hash);
    }

    /** Takes the hints that wait; whether there were any. */
    boolean takeHints(Hint taker) {
        boolean any = false;
        for (int i = 0; i < HINTS; i++) {
            long hint = at + HINT + 16L * i;
            long id = memory.getLongAcquire(hint);
            if (id > 0) {
                long hash = memory.getLong(hint + 8);
                memory.putLongRelease(hint, 0);
                taker.take(id - 1, hash);
                any = true;
            }
        }
        return any;
    }
}
