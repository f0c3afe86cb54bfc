package io.loam.server.family;

import io.loam.server.command.CommandTable.Family;
import io.loam.server.command.Dispatcher;
import io.loam.server.command.Isolation;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.command.Transaction;
import io.loam.server.command.Transaction.Queued;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;

/** MULTI and what belongs to it; {@link Transaction} and the dispatcher do the work. */
final class TransactionCommands {

    private static final RedisError ABORTED =
            new RedisError("EXECABORT Transaction discarded because of previous errors.");

    /** What an event loop may have written when it begins the next command. */
    private static final long QUICK_REPLY_BYTES = 256 << 10;

    private final Dispatcher dispatcher;

    private TransactionCommands(Dispatcher dispatcher) {
        this.dispatcher = dispatcher;
    }

    static void register(Service service) {
        Family family = service.table().family("transactions", "transaction");
        TransactionCommands commands = new TransactionCommands(new Dispatcher(service));
        String quick = "noscript loading stale fast allow_busy";
        family.command("multi", 1, quick)
                .docs("1.2.0", "O(1)", "Begins a transaction: the commands up to EXEC are queued.")
                .runs(TransactionCommands::multi);
        family.command("exec", 1, "noscript loading stale skip_slowlog")
                .isolated(Isolation.TRANSACTION)
                .docs("1.2.0", "That of the commands in the transaction.", "Executes the queued commands as one.")
                .runs(commands::exec);
        family.command("discard", 1, quick)
                .docs("2.0.0", "O(N) in the number of queued commands.", "Forgets the queued commands.")
                .runs(TransactionCommands::discard);
        family.command("watch", -2, quick)
                .keys("RO", 1, -1, 1)
                .isolated(Isolation.LOCKED)
                .docs(
                        "2.2.0",
                        "O(N) in the number of keys.",
                        "Lets the next EXEC do nothing if a key has changed by then.")
                .runs(TransactionCommands::watch);
        family.command("unwatch", 1, quick)
                .docs("2.2.0", "O(N) in the number of watched keys.", "Watches no key any more.")
                .runs((session, arguments, reply) -> {
                    mayForget(session);
                    session.transaction().unwatch();
                    reply.ok();
                });
    }

    private static void multi(Session session, Arguments arguments, Reply reply) {
        if (session.transaction().isOpen()) {
            throw new RedisError("ERR MULTI calls can not be nested");
        }
        session.transaction().open();
        reply.ok();
    }

    private static void discard(Session session, Arguments arguments, Reply reply) {
        if (!session.transaction().isOpen()) {
            throw new RedisError("ERR DISCARD without MULTI");
        }
        mayForget(session);
        session.transaction().discard();
        reply.ok();
    }

    private static void mayForget(Session session) {
        if (session.transaction().isLarge()) {
            session.mustBeAllowedToWait();
        }
    }

    private static void watch(Session session, Arguments arguments, Reply reply) {
        if (session.transaction().isOpen()) {
            throw new RedisError("ERR WATCH inside MULTI is not allowed");
        }
        for (int i = 1; i < arguments.count(); i++) {
            session.transaction().watch(arguments, i);
        }
        reply.ok();
    }

    /** Runs again after a pause, on a thread that may wait. */
    private void exec(Session session, Arguments arguments, Reply reply) {
        Transaction transaction = session.transaction();
        if (transaction.isRunning()) {
            execute(session, transaction, reply);
            return;
        }
        if (!transaction.isOpen()) {
            throw new RedisError("ERR EXEC without MULTI");
        }
        if (transaction.isFlagged()) {
            transaction.discard();
            throw ABORTED;
        }
        if (transaction.isStale()) {
            transaction.discard();
            reply.nothingOfArray();
            return;
        }
        transaction.run();
        execute(session, transaction, reply);
    }

    private void execute(Session session, Transaction transaction, Reply reply) {
        long mark = reply.mark();
        Reply before = transaction.takeWritten();
        if (before == null) {
            reply.array(transaction.queue().size());
        } else {
            reply.setVersion(before.version());
            reply.append(before);
        }
        boolean paused = false;
        try {
            for (int i = transaction.position(); i < transaction.queue().size(); i++) {
                Queued queued = transaction.queue().get(i);
                session.pace(i);
                if ((!session.mayWait() && reply.size() > QUICK_REPLY_BYTES)
                        || !dispatcher.executeNested(session, queued.command(), queued.arguments(), reply)) {
                    paused = true;
                    transaction.pause(i, reply.cut(mark));
                    session.mustBeAllowedToWait();
                }
            }
        } finally {
            if (!paused) {
                transaction.discard();
            }
        }
    }
}
