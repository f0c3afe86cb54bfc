package io.loam.server.command;

import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;
import io.loam.store.StoreClosedException;
import io.loam.store.StoreFullException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Runs requests. {@link #tryRun} on the event loop does all that needs no waiting; when it returns a command, that goes on by {@link #complete} on a thread that may wait.
 *
 * <p>The way of a request: find the command; check its form; ask the interceptors; see to its isolation; execute. What fails leaves an error as the whole reply.
 */
public final class Dispatcher {

    private static final Logger LOG = System.getLogger(Dispatcher.class.getName());
    private static final int ECHOED = 128;
    /** The longest reply that an event loop makes; much longer than what any request that is not heavy is answered when it has changed something. */
    private static final long QUICK_REPLY_BYTES = 1 << 20;

    private final Service service;
    private final CommandTable table;

    public Dispatcher(Service service) {
        this.service = service;
        this.table = service.table();
    }

    /**
     * Runs a request as far as it goes without waiting.
     *
     * @return the command if it is to be continued by {@link #complete}, null if it is done
     */
    public @Nullable Command tryRun(Session session, Arguments arguments, Reply reply) {
        long mark = reply.mark();
        Command command = null;
        try {
            command = table.find(arguments);
            if (command == null) {
                throw unknown(session, arguments);
            }
            session.setLastCommand(command);
            check(command, arguments);
            session.setMayWait(false);
            session.locks().clear();
            if (arguments.isHeavy()) {
                return command;
            }
            if (!admits(session, command, arguments, reply)) {
                return null;
            }
            if (service.isPaused(session, command)
                    || command.isSlow()
                    || (command.isolation() == Isolation.TRANSACTION
                            && session.transaction().isSlow())) {
                return command;
            }
            reply.limit(QUICK_REPLY_BYTES);
            try {
                if (!perform(session, command, arguments, reply, mark)) {
                    return command;
                }
            } finally {
                reply.limit(Long.MAX_VALUE);
            }
            service.monitors().tell(session, command, arguments);
        } catch (RedisError e) {
            refuse(session, command, reply, mark, e);
        }
        return null;
    }

    /** Whether the command is to be performed: nobody takes it for himself, nor is it queued. */
    private boolean admits(Session session, Command command, Arguments arguments, Reply reply) {
        for (Interceptor interceptor : service.interceptors()) {
            if (interceptor.intercepts(session, command, arguments, reply)) {
                return false;
            }
        }
        Transaction transaction = session.transaction();
        if (transaction.takes(command)) {
            transaction.queue(command, arguments);
            reply.status("QUEUED");
            return false;
        }
        Misses.tell(session, command, arguments);
        return true;
    }

    private void refuse(Session session, @Nullable Command command, Reply reply, long mark, RedisError error) {
        session.refused();
        fail(reply, mark, command == null ? error : abortIfExec(session, command, error));
    }

    /** A refused EXEC ends the transaction. */
    private static RedisError abortIfExec(Session session, Command command, RedisError e) {
        if (command.isolation() != Isolation.TRANSACTION) {
            return e;
        }
        session.transaction().discard();
        String why = e.text().startsWith("ERR ") ? e.text().substring(4) : e.text();
        return new RedisError("EXECABORT Transaction discarded because of: " + why);
    }

    /** Continues what {@link #tryRun} could not finish, with arguments that last. Waits. */
    public void complete(Session session, Command command, Arguments arguments, Reply reply) {
        long mark = reply.mark();
        session.setMayWait(true);
        try {
            if (arguments.isHeavy() && !admits(session, command, arguments, reply)) {
                return;
            }
            service.awaitUnpaused(session, command);
            if (session.locks().isHeld()) {
                executeLocked(session, command, arguments, reply, mark);
            } else {
                session.locks().clear();
                perform(session, command, arguments, reply, mark);
            }
        } catch (RedisError e) {
            refuse(session, command, reply, mark, e);
            return;
        }
        service.monitors().tell(session, command, arguments);
    }

    private void check(Command command, Arguments arguments) {
        if (command.isContainer() && arguments.count() > 1) {
            throw new RedisError("ERR unknown subcommand '" + shortened(arguments, 1) + "'. Try "
                    + command.name().toUpperCase(Locale.ROOT) + " HELP.");
        }
        if (!command.accepts(arguments.count())) {
            throw new RedisError("ERR wrong number of arguments for '" + command.name() + "' command");
        }
    }

    private RedisError unknown(Session session, Arguments arguments) {
        if (arguments.is(0, "post") || arguments.is(0, "host:")) {
            LOG.log(
                    Level.WARNING,
                    "closed a connection from {0}: it speaks HTTP, maybe a web page that attacks this server",
                    session.link().remoteAddress());
            session.link().close();
        }
        StringBuilder rest = new StringBuilder();
        for (int i = 1; i < arguments.count() && rest.length() < ECHOED; i++) {
            String text = shortened(arguments, i);
            rest.append('\'')
                    .append(text, 0, Math.min(text.length(), ECHOED - rest.length()))
                    .append("' ");
        }
        return new RedisError(
                "ERR unknown command '" + shortened(arguments, 0) + "', with args beginning with: " + rest);
    }

    /** As C sees a text. */
    private static String untilNull(String text) {
        int end = text.indexOf(0);
        return end < 0 ? text : text.substring(0, end);
    }

    private static String shortened(Arguments arguments, int index) {
        return untilNull(arguments.text(index, ECHOED));
    }

    /** Executes under the command's isolation; false if that needs a thread that may wait, which this is not. */
    private boolean perform(Session session, Command command, Arguments arguments, Reply reply, long mark) {
        session.bindDatabase();
        long lookups = session.lookups();
        switch (command.isolation()) {
            case NONE -> {
                return execute(session, command, arguments, reply, mark);
            }
            case ONE_READ, READ -> {
                LockSet locks = session.locks();
                locks.add(command, arguments);
                boolean one = locks.keys() == 1 && command.isolation() == Isolation.ONE_READ;
                if (one) {
                    locks.noteOne();
                }
                if (one || noteSorted(locks)) {
                    if (!execute(session, command, arguments, reply, mark)) {
                        return false;
                    }
                    if ((one ? locks.isSettled() : locks.isUnchanged()) && session.isBound()) {
                        return true;
                    }
                    reply.rewind(mark);
                    session.setLookups(lookups);
                }
                locks.sort();
                return lockAndExecute(session, command, arguments, reply, mark);
            }
            case LOCKED -> {
                session.locks().add(command, arguments);
                session.locks().sort();
                return lockAndExecute(session, command, arguments, reply, mark);
            }
            case EXCLUSIVE -> {
                session.locks().addAll();
                return lockAndExecute(session, command, arguments, reply, mark);
            }
            case TRANSACTION -> {
                session.transaction().addTo(session.locks());
                session.locks().sort();
                return lockAndExecute(session, command, arguments, reply, mark);
            }
        }
        throw new AssertionError(command.isolation());
    }

    private static boolean noteSorted(LockSet locks) {
        locks.sort();
        return locks.note();
    }

    private boolean lockAndExecute(Session session, Command command, Arguments arguments, Reply reply, long mark) {
        LockSet locks = session.locks();
        boolean many = locks.keys() > 1 || command.isolation() == Isolation.TRANSACTION;
        if (session.mayWait()) {
            locks.lock(many);
        } else if (!locks.tryLock(many)) {
            return false;
        }
        return executeLocked(session, command, arguments, reply, mark);
    }

    /** Executes with the locks held, and unlocks unless the command has to be carried on. */
    private boolean executeLocked(Session session, Command command, Arguments arguments, Reply reply, long mark) {
        boolean carried = false;
        try {
            session.bindDatabase();
            carried = !execute(session, command, arguments, reply, mark);
            return !carried;
        } finally {
            if (!carried) {
                session.locks().unlock();
            }
        }
    }

    /** Executes a command whose isolation is seen to; false if it has to be done again by a thread that may wait. */
    private boolean execute(Session session, Command command, Arguments arguments, Reply reply, long mark) {
        long lookups = session.lookups();
        try {
            command.execution().execute(session, arguments, reply);
            return true;
        } catch (Offload | Reply.TooLongException e) {
            reply.rewind(mark);
            if (command.isolation() != Isolation.TRANSACTION) { // that goes on where it was
                session.setLookups(lookups);
            }
            return false;
        } catch (RedisError e) {
            fail(reply, mark, e);
            return true;
        } catch (StoreFullException e) {
            fail(reply, mark, RedisError.OUT_OF_MEMORY);
            return true;
        } catch (StoreClosedException e) {
            fail(reply, mark, new RedisError("ERR the server is shutting down"));
            return true;
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
            LOG.log(Level.ERROR, "command " + command.name() + " of client " + session.id() + " failed", e);
            fail(reply, mark, new RedisError("ERR internal error; the server's log says more"));
            return true;
        }
    }

    /**
     * Executes a command inside of another that has seen to its isolation: as EXEC does.
     *
     * @return false if it has to be executed again by a thread that may wait; nothing is changed then
     */
    public boolean executeNested(Session session, Command command, Arguments arguments, Reply reply) {
        try {
            service.authenticator().checkQueued(session, command, arguments);
        } catch (RedisError e) {
            fail(reply, reply.mark(), e);
            return true;
        }
        session.bindDatabase(); // the command before it may have selected another, or exchanged two
        if (!session.mayWait()) {
            Misses.tell(session, command, arguments);
        }
        if (!execute(session, command, arguments, reply, reply.mark())) {
            return false;
        }
        service.monitors().tell(session, command, arguments);
        return true;
    }

    private void fail(Reply reply, long mark, RedisError error) {
        reply.rewind(mark);
        reply.error(error.text());
        service.countError(error.text());
    }
}
