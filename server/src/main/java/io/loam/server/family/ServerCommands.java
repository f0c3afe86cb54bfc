package io.loam.server.family;

import io.loam.server.ConfigFile;
import io.loam.server.Parameter;
import io.loam.server.ServerOptions;
import io.loam.server.command.Command;
import io.loam.server.command.CommandTable.Family;
import io.loam.server.command.Isolation;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.keyspace.Keyspace;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.Glob;
import io.loam.server.protocol.Numbers;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;
import io.loam.server.watch.Rates;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The server as a whole: its databases, its settings, its end. */
final class ServerCommands {

    private static final Logger LOG = System.getLogger(ServerCommands.class.getName());

    private ServerCommands() {}

    static void register(Service service, Rates rates) {
        Family plain = service.table().family("server", null);
        Family keys = service.table().family("server", "keyspace");
        plain.command("time", 1, "loading stale fast")
                .tip("nondeterministic_output")
                .docs("2.6.0", "O(1)", "Returns the server's time.")
                .runs(ServerCommands::time);
        keys.command("dbsize", 1, "readonly fast")
                .tip("request_policy:all_shards", "response_policy:agg_sum")
                .docs("1.0.0", "O(1)", "Counts the keys of the database.")
                .runs((session, arguments, reply) ->
                        reply.integer(session.entries().size()));
        keys.command("flushdb", -1, "write")
                .category("dangerous")
                .slow()
                .isolated(Isolation.EXCLUSIVE)
                .tip("request_policy:all_shards", "response_policy:all_succeeded")
                .docs("1.0.0", "O(1)", "Removes every key of the database; the memory is reclaimed in the background.")
                .runs(ServerCommands::flush);
        keys.command("flushall", -1, "write")
                .category("dangerous")
                .slow()
                .isolated(Isolation.EXCLUSIVE)
                .tip("request_policy:all_shards", "response_policy:all_succeeded")
                .docs(
                        "1.0.0",
                        "O(1)",
                        "Removes every key of every database; the memory is reclaimed in the background.")
                .runs(ServerCommands::flushAll);
        keys.command("swapdb", 3, "write fast")
                .category("dangerous")
                .slow()
                .isolated(Isolation.EXCLUSIVE)
                .docs("4.0.0", "O(1)", "Exchanges two databases.")
                .runs(ServerCommands::swap);
        plain.command("info", -1, "loading stale")
                .slow()
                .category("dangerous")
                .tip("nondeterministic_output", "request_policy:all_shards", "response_policy:special")
                .docs("1.0.0", "O(1)", "Tells how the server does.")
                .runs((session, arguments, reply) ->
                        reply.verbatim("txt", new InfoReport(service, rates.latest()).text(arguments.texts(1))));
        plain.command("shutdown", -1, "admin noscript loading stale no_multi allow_busy")
                .docs("1.0.0", "O(1)", "Ends the server.")
                .runs(ServerCommands::shutDown);
        plain.command("debug", -2, "admin noscript loading stale")
                .docs("1.0.0", "Depends on subcommand.", "For tests of clients.")
                .runs(ServerCommands::debug);
        registerConfig(plain);
    }

    private static void registerConfig(Family family) {
        String admin = "admin noscript loading stale";
        Command config = family.container("config", "2.0.0", "Tells and changes settings.");
        family.subcommand(config, "get", -3, admin)
                .docs("2.0.0", "O(N) in the number of settings.", "Returns settings that match patterns.")
                .runs(ServerCommands::getConfig);
        family.subcommand(config, "set", -4, admin)
                .slow()
                .tip("request_policy:all_nodes", "response_policy:all_succeeded")
                .docs("2.0.0", "O(N) in the number of settings.", "Changes settings, all or none.")
                .runs(ServerCommands::setConfig);
        family.subcommand(config, "resetstat", 2, admin)
                .docs("2.0.0", "O(1)", "Sets counters to 0.")
                .runs((session, arguments, reply) -> {
                    session.service().resetCounters();
                    reply.ok();
                });
        family.subcommand(config, "rewrite", 2, admin)
                .slow()
                .docs("2.8.0", "O(N) in the size of the file.", "Writes the settings to the configuration file.")
                .runs(ServerCommands::rewriteConfig);
        family.subcommand(config, "help", 2, "loading stale")
                .docs("5.0.0", "O(1)", "Returns these lines.")
                .runs((session, arguments, reply) -> Help.write(
                        reply,
                        "CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
                        "GET <pattern>",
                        "    Settings that match.",
                        "SET <directive> <value>",
                        "    Changes a setting.",
                        "RESETSTAT",
                        "    Sets counters to 0.",
                        "REWRITE",
                        "    Writes the settings to the configuration file."));
    }

    private static void time(Session session, Arguments arguments, Reply reply) {
        Instant now = session.service().clock().instant();
        reply.array(2);
        reply.bulk(Long.toString(now.getEpochSecond()));
        reply.bulk(Integer.toString(now.getNano() / 1000));
    }

    // ---- databases

    private static void checkFlush(Arguments arguments) {
        boolean known = arguments.count() == 1
                || (arguments.count() == 2 && (arguments.is(1, "async") || arguments.is(1, "sync")));
        if (!known) {
            throw RedisError.SYNTAX;
        }
    }

    private static void flush(Session session, Arguments arguments, Reply reply) {
        checkFlush(arguments);
        session.database().clear();
        reply.ok();
    }

    private static void flushAll(Session session, Arguments arguments, Reply reply) {
        checkFlush(arguments);
        session.service().keyspace().clearAll();
        reply.ok();
    }

    private static void swap(Session session, Arguments arguments, Reply reply) {
        Keyspace keyspace = session.service().keyspace();
        int first = arguments.integer32(1, new RedisError("ERR invalid first DB index"));
        int second = arguments.integer32(2, new RedisError("ERR invalid second DB index"));
        if (first < 0 || first >= keyspace.count() || second < 0 || second >= keyspace.count()) {
            throw RedisError.DATABASE_OUT_OF_RANGE;
        }
        if (first != second) {
            keyspace.swap(first, second);
        }
        reply.ok();
    }

    // ---- the server

    private static void shutDown(Session session, Arguments arguments, Reply reply) {
        for (int i = 1; i < arguments.count(); i++) {
            if (arguments.is(i, "abort")) {
                throw new RedisError("ERR No shutdown in progress.");
            }
            if (!arguments.is(i, "nosave") && !arguments.is(i, "now") && !arguments.is(i, "force")) {
                throw RedisError.SYNTAX;
            }
        }
        LOG.log(
                Level.INFO,
                "client {0} at {1}, user {2}, ends the server by SHUTDOWN",
                Long.toString(session.id()),
                session.link().remoteAddress(),
                session.user());
        session.closeAfterReply();
        session.service().shutDown();
    }

    private static void debug(Session session, Arguments arguments, Reply reply) {
        if (!session.service().options().debugCommand()) {
            throw new RedisError(
                    "ERR DEBUG command not allowed. Start the server with enable-debug-command yes to allow it.");
        }
        if (arguments.is(1, "sleep") && arguments.count() == 3) {
            Double seconds = Numbers.parseDouble(arguments.text(2));
            session.mustBeAllowedToWait();
            try {
                Thread.sleep((long) (1000 * Math.clamp(seconds == null ? 0 : seconds, 0, 86_400)));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // the server closes
            }
            reply.ok();
        } else if (arguments.is(1, "object") && arguments.count() == 3) {
            String text = session.entries()
                    .read(
                            arguments.key(2),
                            view -> "Value at:0x0 refcount:1 encoding:" + KeyCommands.encoding(view)
                                    + " serializedlength:" + view.length() + " lru:0 lru_seconds_idle:0");
            if (text == null) {
                throw RedisError.NO_SUCH_KEY;
            }
            reply.status(text);
        } else {
            throw new RedisError("ERR unknown subcommand or wrong number of arguments for '" + arguments.text(1)
                    + "'. Try DEBUG SLEEP or DEBUG OBJECT.");
        }
    }

    // ---- settings

    private static void getConfig(Session session, Arguments arguments, Reply reply) {
        ServerOptions options = session.service().options();
        Map<String, String> found = new LinkedHashMap<>();
        for (int i = 2; i < arguments.count(); i++) {
            byte[] pattern = arguments.bytes(i);
            Parameter named = ServerOptions.parameter(arguments.text(i));
            if (named != null) {
                found.put(arguments.text(i), named.get().apply(options));
                continue;
            }
            for (Parameter parameter : ServerOptions.all()) {
                if (Glob.matches(pattern, parameter.name().getBytes(StandardCharsets.ISO_8859_1), true)) {
                    found.put(parameter.name(), parameter.get().apply(options));
                }
            }
        }
        reply.map(found.size());
        found.forEach((name, text) -> {
            reply.bulk(name);
            reply.bulk(text);
        });
    }

    private static void setConfig(Session session, Arguments arguments, Reply reply) {
        if (arguments.count() % 2 != 0) {
            throw new RedisError("ERR wrong number of arguments for 'config|set' command");
        }
        ServerOptions options = session.service().options();
        List<String> names = new ArrayList<>();
        for (int i = 2; i < arguments.count(); i += 2) {
            String name = arguments.text(i).toLowerCase(Locale.ROOT);
            Parameter parameter = ServerOptions.parameter(name);
            if (parameter == null) {
                throw new RedisError(
                        "ERR Unknown option or number of arguments for CONFIG SET - '" + arguments.text(i) + "'");
            }
            if (!parameter.modifiable()) {
                throw failed(name, "can't set immutable config");
            }
            if (names.contains(name)) {
                throw failed(name, "duplicate parameter");
            }
            names.add(name);
        }
        Map<String, String> texts = new LinkedHashMap<>();
        for (int i = 2; i < arguments.count(); i += 2) {
            texts.put(names.get(i / 2 - 1), arguments.text(i + 1));
        }
        try {
            options.setAll(texts);
        } catch (Parameter.Refusal e) {
            throw failed(e.name(), String.valueOf(e.getMessage()));
        }
        reply.ok();
    }

    private static void rewriteConfig(Session session, Arguments arguments, Reply reply) {
        Service service = session.service();
        ServerOptions options = service.options();
        if (options.file() == null) {
            throw new RedisError("ERR The server is running without a config file");
        }
        try {
            boolean usersElsewhere = !options.aclFile().isEmpty();
            ConfigFile.rewrite(
                    options,
                    usersElsewhere ? List.of() : service.authenticator().lines());
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the settings can't be written to " + options.file(), e);
            throw new RedisError("ERR Rewriting config file: " + e.getMessage());
        }
        reply.ok();
    }

    private static RedisError failed(String name, String why) {
        return new RedisError("ERR CONFIG SET failed (possibly related to argument '" + name + "') - " + why);
    }
}
