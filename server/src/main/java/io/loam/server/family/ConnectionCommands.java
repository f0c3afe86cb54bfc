package io.loam.server.family;

import io.loam.server.command.Authenticator;
import io.loam.server.command.CommandTable.Family;
import io.loam.server.command.Identity;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;

/** Who the client is, and what it has selected. */
final class ConnectionCommands {

    /** The version of Redis whose commands these are. */
    static final String REDIS_VERSION = "7.0.15";

    private static final RedisError WRONG_PASSWORD =
            new RedisError("WRONGPASS invalid username-password pair or user is disabled.");

    private ConnectionCommands() {}

    static void register(Service service) {
        Family family = service.table().family("connection", "connection");
        String early = "noscript loading stale fast no_auth allow_busy";
        family.command("hello", -1, early)
                .docs("6.0.0", "O(1)", "Chooses the protocol's version, and says what the server is.")
                .runs(ConnectionCommands::hello);
        family.command("auth", -2, early)
                .docs("1.0.0", "O(1)", "Authenticates the connection.")
                .runs(ConnectionCommands::auth);
        family.command("ping", -1, "fast")
                .tip("request_policy:all_shards", "response_policy:all_succeeded")
                .docs("1.0.0", "O(1)", "Returns PONG, or the text given.")
                .runs(ConnectionCommands::ping);
        family.command("echo", 2, "loading stale fast")
                .docs("1.0.0", "O(1)", "Returns the text given.")
                .runs((session, arguments, reply) -> reply.bulk(arguments.segment(1)));
        family.command("select", 2, "loading stale fast")
                .docs("1.0.0", "O(1)", "Chooses a database.")
                .runs(ConnectionCommands::select);
        family.command("reset", 1, early)
                .docs("6.2.0", "O(1)", "Makes the connection as if it were new.")
                .runs((session, arguments, reply) -> {
                    if (session.isLarge()) {
                        session.mustBeAllowedToWait();
                    }
                    session.reset();
                    reply.status("RESET");
                });
        family.command("quit", -1, early)
                .docs("1.0.0", "O(1)", "Ends the connection.")
                .runs((session, arguments, reply) -> {
                    session.closeAfterReply();
                    reply.ok();
                });
    }

    private static void hello(Session session, Arguments arguments, Reply reply) {
        long version = session.protocol();
        int at = 1;
        if (arguments.count() > 1) {
            version = arguments.integer(1, new RedisError("ERR Protocol version is not an integer or out of range"));
            if (version < 2 || version > 3) {
                throw new RedisError("NOPROTO unsupported protocol version");
            }
            at = 2;
        }
        String name = null;
        int user = 0;
        while (at < arguments.count()) {
            int left = arguments.count() - at - 1;
            if (arguments.is(at, "auth") && left >= 2) {
                user = at + 1;
                at += 3;
            } else if (arguments.is(at, "setname") && left >= 1) {
                name = checkName(arguments.text(at + 1));
                at += 2;
            } else {
                throw new RedisError("ERR Syntax error in HELLO option '" + arguments.text(at) + "'");
            }
        }
        if (user != 0) {
            authenticate(session, arguments.text(user), arguments.bytes(user + 1), arguments.text(0));
        }
        if (!session.isAuthenticated()) {
            throw new RedisError(
                    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time");
        }
        if (name != null) {
            session.setClientName(name);
        }
        session.setProtocol((int) version);
        reply.setVersion((int) version);
        describe(session, reply);
    }

    private static void describe(Session session, Reply reply) {
        reply.map(7);
        reply.bulk("server");
        reply.bulk("redis");
        reply.bulk("version");
        reply.bulk(REDIS_VERSION);
        reply.bulk("proto");
        reply.integer(session.protocol());
        reply.bulk("id");
        reply.integer(session.id());
        reply.bulk("mode");
        reply.bulk("standalone");
        reply.bulk("role");
        reply.bulk("master");
        reply.bulk("modules");
        reply.array(0);
    }

    private static void authenticate(Session session, String user, byte[] password, String asked) {
        Identity known = session.service().authenticator().authenticate(session, user, password, asked);
        if (known == null) {
            throw WRONG_PASSWORD;
        }
        session.authenticate(known);
    }

    private static void auth(Session session, Arguments arguments, Reply reply) {
        if (arguments.count() > 3) {
            throw RedisError.SYNTAX;
        }
        Authenticator authenticator = session.service().authenticator();
        if (arguments.count() == 2 && !authenticator.hasPassword()) {
            throw new RedisError(
                    "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?");
        }
        int last = arguments.count() - 1;
        authenticate(session, last == 2 ? arguments.text(1) : "default", arguments.bytes(last), arguments.text(0));
        reply.ok();
    }

    private static void ping(Session session, Arguments arguments, Reply reply) {
        if (arguments.count() > 2) {
            throw new RedisError("ERR wrong number of arguments for 'ping' command");
        }
        if (session.protocol() == 2 && session.activity().isSubscribed()) {
            reply.array(2);
            reply.bulk("pong");
            reply.bulk(arguments.count() == 2 ? arguments.bytes(1) : Strings.EMPTY);
        } else if (arguments.count() == 2) {
            reply.bulk(arguments.segment(1));
        } else {
            reply.status("PONG");
        }
    }

    private static void select(Session session, Arguments arguments, Reply reply) {
        int number = arguments.integer32(1);
        if (number < 0 || number >= session.service().keyspace().count()) {
            throw RedisError.DATABASE_OUT_OF_RANGE;
        }
        session.select(number);
        reply.ok();
    }

    /** A client's name, if it is allowed. */
    static String checkName(String name) {
        if (!isPlain(name)) {
            throw new RedisError("ERR Client names cannot contain spaces, newlines or special characters.");
        }
        return name;
    }

    static boolean isPlain(String text) {
        return text.chars().allMatch(c -> c >= '!' && c <= '~');
    }
}
