package io.loam.server.command;

import io.loam.server.keyspace.Keyspace;
import io.loam.server.keyspace.Watch;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a client has between MULTI and EXEC, and the keys that it watches. Belongs to the thread that runs the client's command.
 *
 * <p>EXEC locks the stripes of all keys of its commands and of the watched ones, in ascending order, then looks whether a watched key has changed, then executes. If a command turns out to have to wait, EXEC is
 * carried, with the locks, to a thread that may, and goes on where it was: {@link #pause}. What must wait, or touches all keys, is known before: then EXEC begins on such a thread.
 */
public final class Transaction {

    /** What is done at once between MULTI and EXEC too. */
    private static final Set<String> NOT_QUEUED = Set.of("exec", "discard", "multi", "watch", "quit", "reset");
    /** What a queued command takes besides the bytes of its arguments, or a watch besides its key. */
    private static final int OVERHEAD_BYTES = 200;
    /** A transaction of more arguments, all commands together, or more bytes is not for an event loop. */
    private static final int QUICK_ARGUMENTS = 1_000;

    private static final int QUICK_BYTES = 256 << 10;
    /** So many watched keys are forgotten quickly. */
    private static final int QUICK_WATCHES = 1_000;

    private final Session session;
    private final List<Queued> queue = new ArrayList<>(0);
    private final List<Watch> watches = new ArrayList<>(0);
    private boolean open;
    private boolean flagged;
    private boolean running;
    private boolean slow;
    private boolean exclusive;
    private boolean writing;
    private long bytes;
    private long arguments;
    private long watchedBytes;
    private int position;
    private @Nullable Reply written;

    /** A command and its arguments, which last. */
    public record Queued(Command command, Arguments arguments) {}

    Transaction(Session session) {
        this.session = session;
    }

    // ---- queueing

    /** Whether MULTI has begun it. */
    public boolean isOpen() {
        return open;
    }

    public void open() {
        open = true;
        session.activity().setQueued(0, 0);
    }

    /** Whether a command is put into the queue instead of being run. */
    boolean takes(Command command) {
        return open && !NOT_QUEUED.contains(command.name());
    }

    /**
     * Queues a command.
     *
     * @throws RedisError if it is not allowed in a transaction, or too large with those that are there
     */
    void queue(Command command, Arguments arguments) {
        if (command.is(Flag.NO_MULTI)) {
            throw new RedisError("ERR Command not allowed inside a transaction");
        }
        LockSet keys = session.locks();
        keys.clear();
        keys.add(command, arguments); // so that a key that can't be one is refused now
        keys.clear();
        long more = bytes + arguments.totalBytes() + OVERHEAD_BYTES;
        long most = Math.max(
                session.service().options().queryBufferLimit(),
                session.service().options().maxBulkBytes());
        if (more > most) {
            throw new RedisError("ERR the commands of the transaction take " + more + " bytes, more than " + most
                    + "; raise client-query-buffer-limit or make the transaction smaller");
        }
        bytes = more;
        queue.add(new Queued(command, arguments.detach()));
        exclusive |= command.isolation() == Isolation.EXCLUSIVE || isOfAllKeys(command);
        this.arguments += arguments.count();
        slow |= exclusive || command.isSlow() || bytes > QUICK_BYTES || this.arguments > QUICK_ARGUMENTS;
        writing |= command.is(Flag.WRITE) || command.is(Flag.MAY_REPLICATE);
        session.activity().setQueued(queue.size(), bytes);
    }

    /** A command that names no keys and reads or writes them nevertheless: KEYS, DBSIZE. */
    private static boolean isOfAllKeys(Command command) {
        return command.keys().isEmpty() && (command.is(Flag.WRITE) || command.is(Flag.READONLY));
    }

    /** A command was refused: EXEC will refuse the whole. */
    void flag() {
        flagged = open;
    }

    public boolean isFlagged() {
        return flagged;
    }

    /** Ends it, and the watching. */
    public void discard() {
        queue.forEach(queued -> queued.arguments().release());
        queue.clear();
        if (written != null) {
            written.release();
            written = null;
        }
        open = false;
        flagged = false;
        running = false;
        slow = false;
        exclusive = false;
        writing = false;
        bytes = 0;
        arguments = 0;
        position = 0;
        session.activity().setQueued(-1, 0);
        unwatch();
    }

    // ---- watching

    /** Watches a key, argument {@code index}, whose stripe is locked. */
    public void watch(Arguments arguments, int index) {
        byte[] key = arguments.key(index);
        watches.add(keyspace().watch(session.databaseNumber(), key, arguments.hash(index)));
        watchedBytes += key.length + OVERHEAD_BYTES;
        session.activity().setWatched(watchedBytes);
    }

    /** Whether it takes long to forget what is queued and watched. */
    public boolean isLarge() {
        return queue.size() > QUICK_ARGUMENTS || watches.size() > QUICK_WATCHES;
    }

    public void unwatch() {
        watches.forEach(keyspace()::unwatch);
        watches.clear();
        watchedBytes = 0;
        session.activity().setWatched(0);
    }

    private Keyspace keyspace() {
        return session.service().keyspace();
    }

    // ---- executing

    /** Whether it has to begin on a thread that may wait. */
    boolean isSlow() {
        return (slow && !flagged) || isLarge();
    }

    /** Whether a command in it may change something. */
    boolean isWriting() {
        return writing;
    }

    /** Adds what has to be locked. */
    void addTo(LockSet locks) {
        if (flagged) {
            return;
        }
        if (exclusive) {
            locks.addAll();
            return;
        }
        queue.forEach(queued -> locks.add(queued.command(), queued.arguments()));
        watches.forEach(watch -> locks.addKey(watch.keyHash()));
    }

    /** Whether a watched key has changed. The locks are held. */
    public boolean isStale() {
        return watches.stream().anyMatch(keyspace()::hasChanged);
    }

    /** Whether its commands are being executed. */
    public boolean isRunning() {
        return running;
    }

    /** Begins to execute the commands. */
    public void run() {
        running = true;
    }

    public List<Queued> queue() {
        return queue;
    }

    /** The next command's place in the queue, when it goes on after {@link #pause}. */
    public int position() {
        return position;
    }

    /** Keeps what has been written until another thread goes on from {@code position}. */
    public void pause(int position, Reply written) {
        this.position = position;
        this.written = written;
    }

    /** What was written before the pause; null if there was none. */
    public @Nullable Reply takeWritten() {
        Reply taken = written;
        written = null;
        return taken;
    }
}
