package io.loam.server.family;

import io.loam.server.command.Command;
import io.loam.server.command.CommandTable.Family;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.command.Session.ReplyMode;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;

/** CLIENT: what connections there are. */
final class ClientCommands {

    private static final Set<String> TYPES = Set.of("normal", "master", "replica", "slave", "pubsub");

    private ClientCommands() {}

    static void register(Service service) {
        Family family = service.table().family("connection", "connection");
        Command client = family.container("client", "2.4.0", "Tells of connections and changes them.");
        String usual = "noscript loading stale";
        String admin = "admin noscript loading stale";
        family.subcommand(client, "id", 2, usual)
                .docs("5.0.0", "O(1)", "Returns this connection's number.")
                .runs((session, arguments, reply) -> reply.integer(session.id()));
        family.subcommand(client, "getname", 2, usual)
                .docs("2.6.9", "O(1)", "Returns this connection's name.")
                .runs(ClientCommands::getName);
        family.subcommand(client, "setname", 3, usual)
                .docs("2.6.9", "O(1)", "Gives this connection a name.")
                .runs((session, arguments, reply) -> {
                    session.setClientName(ConnectionCommands.checkName(arguments.text(2)));
                    reply.ok();
                });
        family.subcommand(client, "setinfo", 4, usual)
                .docs("7.2.0", "O(1)", "Says which library and version the client is.")
                .runs(ClientCommands::setInfo);
        family.subcommand(client, "info", 2, usual)
                .tip("nondeterministic_output")
                .docs("6.2.0", "O(1)", "Describes this connection.")
                .runs((session, arguments, reply) -> reply.verbatim("txt", describe(session) + "\n"));
        family.subcommand(client, "list", -2, admin)
                .slow()
                .tip("nondeterministic_output")
                .docs("2.4.0", "O(N) in the number of connections.", "Describes all connections.")
                .runs(ClientCommands::list);
        family.subcommand(client, "kill", -3, admin)
                .slow()
                .docs("2.4.0", "O(N) in the number of connections.", "Ends connections.")
                .runs(ClientCommands::kill);
        family.subcommand(client, "reply", 3, usual)
                .docs("3.2.0", "O(1)", "Says whether this connection wants replies.")
                .runs(ClientCommands::reply);
        family.subcommand(client, "no-evict", 3, admin)
                .docs("7.0.0", "O(1)", "Says whether this connection may be ended for the memory that clients take.")
                .runs((session, arguments, reply) -> {
                    onOrOff(session, arguments, reply);
                    session.setEvictable(arguments.is(2, "off"));
                });
        family.subcommand(client, "no-touch", 3, usual)
                .docs("7.2.0", "O(1)", "Accepted: reading may mark keys as used nevertheless.")
                .runs(ClientCommands::onOrOff);
        family.subcommand(client, "pause", -3, admin)
                .docs("2.9.50", "O(1)", "Holds back commands for some milliseconds.")
                .runs(ClientCommands::pause);
        family.subcommand(client, "unpause", 2, admin)
                .docs("6.2.0", "O(N) in the number of connections.", "Ends a pause.")
                .runs((session, arguments, reply) -> {
                    session.service().pause(0, false);
                    reply.ok();
                });
        family.subcommand(client, "unblock", -3, admin)
                .docs("5.0.0", "O(1)", "Wakes a connection that waits in a blocking command; there are none.")
                .runs((session, arguments, reply) -> {
                    arguments.integer(2);
                    reply.integer(0);
                });
        family.subcommand(client, "tracking", -3, usual)
                .docs(
                        "6.0.0",
                        "O(1)",
                        "Is refused but for OFF: clients are not told which keys they have cached changed.")
                .runs(ClientCommands::track);
        family.subcommand(client, "trackinginfo", 2, usual)
                .docs("6.2.0", "O(1)", "Returns that keys are not tracked.")
                .runs(ClientCommands::trackingInfo);
        family.subcommand(client, "getredir", 2, usual)
                .docs("6.0.0", "O(1)", "Returns -1: keys are not tracked.")
                .runs((session, arguments, reply) -> reply.integer(-1));
        family.subcommand(client, "help", 2, "loading stale")
                .docs("5.0.0", "O(1)", "Returns these lines.")
                .runs(ClientCommands::help);
    }

    private static void help(Session session, Arguments arguments, Reply reply) {
        Help.write(
                reply,
                "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
                "GETNAME",
                "    This connection's name.",
                "ID",
                "    This connection's number.",
                "INFO",
                "    This connection, described.",
                "KILL <ip:port> | [ID <id>] [ADDR <ip:port>] [LADDR <ip:port>] [TYPE <type>] [USER <name>] [SKIPME (YES|NO)]",
                "    Ends connections.",
                "LIST [TYPE <type>] [ID <id> ...]",
                "    All connections, described.",
                "NO-EVICT (ON|OFF)",
                "    Whether this connection is spared when clients take more memory than maxmemory-clients allows.",
                "PAUSE <milliseconds> [WRITE|ALL]",
                "    Holds back commands.",
                "REPLY (ON|OFF|SKIP)",
                "    Whether this connection wants replies.",
                "SETINFO (LIB-NAME|LIB-VER) <text>",
                "    Which library the client is.",
                "SETNAME <name>",
                "    Names this connection.",
                "UNPAUSE",
                "    Ends a pause.");
    }

    private static void getName(Session session, Arguments arguments, Reply reply) {
        if (session.clientName().isEmpty()) {
            reply.nothing();
        } else {
            reply.bulk(session.clientName());
        }
    }

    private static void setInfo(Session session, Arguments arguments, Reply reply) {
        String value = arguments.text(3);
        boolean name = arguments.is(2, "lib-name");
        if (!name && !arguments.is(2, "lib-ver")) {
            throw new RedisError("ERR Unrecognized option '" + arguments.text(2) + "'");
        }
        if (!ConnectionCommands.isPlain(value)) {
            throw new RedisError(
                    "ERR " + arguments.text(2) + " cannot contain spaces, newlines or special characters.");
        }
        if (name) {
            session.setLibraryName(value);
        } else {
            session.setLibraryVersion(value);
        }
        reply.ok();
    }

    private static void reply(Session session, Arguments arguments, Reply reply) {
        if (arguments.is(2, "on")) {
            session.setReplyMode(ReplyMode.ON);
            reply.ok();
        } else if (arguments.is(2, "off")) {
            session.setReplyMode(ReplyMode.OFF);
        } else if (arguments.is(2, "skip")) {
            if (session.replyMode() != ReplyMode.OFF) {
                session.setReplyMode(ReplyMode.SKIP_NEXT);
            }
        } else {
            throw RedisError.SYNTAX;
        }
    }

    private static void onOrOff(Session session, Arguments arguments, Reply reply) {
        if (!arguments.is(2, "on") && !arguments.is(2, "off")) {
            throw RedisError.SYNTAX;
        }
        reply.ok();
    }

    private static void track(Session session, Arguments arguments, Reply reply) {
        if (arguments.is(2, "on")) {
            throw new RedisError(
                    "ERR CLIENT TRACKING is not supported by this server; use keyspace notifications to learn of changed keys");
        }
        if (!arguments.is(2, "off")) {
            throw RedisError.SYNTAX;
        }
        reply.ok();
    }

    private static void trackingInfo(Session session, Arguments arguments, Reply reply) {
        reply.map(3);
        reply.bulk("flags");
        reply.set(1);
        reply.bulk("off");
        reply.bulk("redirect");
        reply.integer(-1);
        reply.bulk("prefixes");
        reply.array(0);
    }

    private static void pause(Session session, Arguments arguments, Reply reply) {
        if (arguments.count() > 4) {
            throw RedisError.SYNTAX;
        }
        boolean writesOnly = arguments.count() == 4 && arguments.is(3, "write");
        if (arguments.count() == 4 && !writesOnly && !arguments.is(3, "all")) {
            throw new RedisError("ERR CLIENT PAUSE mode must be WRITE or ALL");
        }
        long millis = arguments.integer(2, new RedisError("ERR timeout is not an integer or out of range"));
        if (millis < 0) {
            throw new RedisError("ERR timeout is negative");
        }
        Service service = session.service();
        service.pause(service.nowMillis() + Math.min(millis, Long.MAX_VALUE / 2), writesOnly);
        reply.ok();
    }

    // ---- the list

    /** One line, as CLIENT LIST has it. */
    static String describe(Session session) {
        long now = session.service().nowMillis();
        Session.Activity activity = session.activity();
        Command last = session.lastCommand();
        String flags = session.service().monitors().contains(session) ? "O" : "";
        if (activity.queued() >= 0) {
            flags += "x";
        }
        if (activity.isSubscribed()) {
            flags += "P";
        }
        if (!session.isEvictable()) {
            flags += "e";
        }
        return "id=" + session.id()
                + " addr=" + session.link().remoteAddress()
                + " laddr=" + session.link().localAddress()
                + " fd=-1"
                + " name=" + session.clientName()
                + " age=" + (now - session.connectedAtMillis()) / 1000
                + " idle=" + (now - session.lastActiveMillis()) / 1000
                + " flags=" + (flags.isEmpty() ? "N" : flags)
                + " db=" + session.databaseNumber()
                + " sub=" + activity.channels()
                + " psub=" + activity.patterns()
                + " ssub=" + activity.shardChannels()
                + " multi=" + activity.queued()
                + " qbuf=" + session.link().inputBytes()
                + " qbuf-free=0 argv-mem=0 multi-mem=" + activity.queuedBytes() + " rbs=0 rbp=0 obl=0 oll=0"
                + " omem=" + session.link().outputBytes()
                + " tot-mem=" + session.memoryBytes()
                + " events=r"
                + " cmd=" + (last == null ? "NULL" : last.name())
                + " user=" + session.user()
                + " redir=-1"
                + " resp=" + session.protocol()
                + " lib-name=" + session.libraryName()
                + " lib-ver=" + session.libraryVersion();
    }

    private static Predicate<Session> ofType(Arguments arguments, int index) {
        String type = arguments.text(index).toLowerCase(Locale.ROOT);
        if (!TYPES.contains(type)) {
            throw new RedisError("ERR Unknown client type '" + arguments.text(index) + "'");
        }
        return switch (type) {
            case "normal" -> session -> !session.activity().isSubscribed();
            case "pubsub" -> session -> session.activity().isSubscribed();
            default -> session -> false;
        };
    }

    private static void list(Session session, Arguments arguments, Reply reply) {
        Predicate<Session> wanted = any -> true;
        if (arguments.count() == 4 && arguments.is(2, "type")) {
            wanted = ofType(arguments, 3);
        } else if (arguments.count() > 3 && arguments.is(2, "id")) {
            List<Long> ids = new ArrayList<>();
            for (int i = 3; i < arguments.count(); i++) {
                ids.add(arguments.integer(i, new RedisError("ERR Invalid client ID")));
            }
            wanted = any -> ids.contains(any.id());
        } else if (arguments.count() != 2) {
            throw RedisError.SYNTAX;
        }
        StringBuilder text = new StringBuilder();
        session.service().sessions().stream()
                .filter(wanted)
                .forEach(any -> text.append(describe(any)).append('\n'));
        reply.verbatim("txt", text.toString());
    }

    private static void kill(Session session, Arguments arguments, Reply reply) {
        if (arguments.count() == 3) {
            String address = arguments.text(2);
            if (end(session, any -> any.link().remoteAddress().equals(address)) == 0) {
                throw new RedisError("ERR No such client");
            }
            reply.ok();
            return;
        }
        if (arguments.count() % 2 != 0) {
            throw RedisError.SYNTAX;
        }
        Predicate<Session> wanted = any -> true;
        boolean skipMe = true;
        for (int i = 2; i < arguments.count(); i += 2) {
            String value = arguments.text(i + 1);
            if (arguments.is(i, "skipme")) {
                if (!arguments.is(i + 1, "yes") && !arguments.is(i + 1, "no")) {
                    throw RedisError.SYNTAX;
                }
                skipMe = arguments.is(i + 1, "yes");
            } else {
                wanted = wanted.and(filter(arguments, i, value));
            }
        }
        Predicate<Session> chosen = skipMe ? wanted.and(any -> any != session) : wanted;
        reply.integer(end(session, chosen));
    }

    private static Predicate<Session> filter(Arguments arguments, int index, String value) {
        if (arguments.is(index, "id")) {
            long id = arguments.integer(index + 1, new RedisError("ERR client-id should be greater than 0"));
            if (id < 1) {
                throw new RedisError("ERR client-id should be greater than 0");
            }
            return any -> any.id() == id;
        } else if (arguments.is(index, "addr")) {
            return any -> any.link().remoteAddress().equals(value);
        } else if (arguments.is(index, "laddr")) {
            return any -> any.link().localAddress().equals(value);
        } else if (arguments.is(index, "user")) {
            return any -> any.user().equals(value);
        } else if (arguments.is(index, "type")) {
            return ofType(arguments, index + 1);
        }
        throw RedisError.SYNTAX;
    }

    private static int end(Session session, Predicate<Session> wanted) {
        int ended = 0;
        for (Session any : session.service().sessions()) {
            if (wanted.test(any)) {
                ended++;
                if (any == session) {
                    session.closeAfterReply();
                } else {
                    any.link().close();
                }
            }
        }
        return ended;
    }
}
