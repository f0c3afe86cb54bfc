package io.loam.server.family;

import io.loam.server.command.Command;
import io.loam.server.command.CommandTable;
import io.loam.server.command.CommandTable.Family;
import io.loam.server.command.Flag;
import io.loam.server.command.KeySpec;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.Glob;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** COMMAND: the table of commands, for clients. */
final class CommandCommands {

    private CommandCommands() {}

    static void register(Service service) {
        CommandTable table = service.table();
        Family family = table.family("server", "connection");
        Command command = family.command("command", -1, "loading stale")
                .tip("nondeterministic_output_order")
                .docs("2.8.13", "O(N) in the number of commands.", "Describes all commands.")
                .runs((session, arguments, reply) -> all(table, reply));
        String usual = "loading stale";
        family.subcommand(command, "count", 2, usual)
                .docs("2.8.13", "O(1)", "Counts the commands.")
                .runs((session, arguments, reply) ->
                        reply.integer(table.commands().size()));
        family.subcommand(command, "info", -2, usual)
                .tip("nondeterministic_output_order")
                .docs("2.8.13", "O(N) in the number of commands.", "Describes commands.")
                .runs((session, arguments, reply) -> info(table, arguments, reply));
        family.subcommand(command, "docs", -2, usual)
                .tip("nondeterministic_output_order")
                .docs("7.0.0", "O(N) in the number of commands.", "Describes commands in words.")
                .runs((session, arguments, reply) -> docs(table, arguments, reply));
        family.subcommand(command, "list", -2, usual)
                .tip("nondeterministic_output_order")
                .docs("7.0.0", "O(N) in the number of commands.", "Names commands.")
                .runs((session, arguments, reply) -> list(table, arguments, reply));
        family.subcommand(command, "getkeys", -4, usual)
                .docs("2.8.13", "O(N) in the number of arguments.", "Finds the keys of a request.")
                .runs((session, arguments, reply) -> keys(table, arguments, reply, false));
        family.subcommand(command, "getkeysandflags", -4, usual)
                .docs(
                        "7.0.0",
                        "O(N) in the number of arguments.",
                        "Finds the keys of a request, and what is done to them.")
                .runs((session, arguments, reply) -> keys(table, arguments, reply, true));
        family.subcommand(command, "help", 2, usual)
                .docs("5.0.0", "O(1)", "Returns these lines.")
                .runs(CommandCommands::help);
    }

    private static void help(Session session, Arguments arguments, Reply reply) {
        Help.write(
                reply,
                "COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
                "(no subcommand)",
                "    All commands, described.",
                "COUNT",
                "    How many there are.",
                "DOCS [<command-name> ...]",
                "    Commands in words.",
                "GETKEYS <full-command>",
                "    The keys of a request.",
                "GETKEYSANDFLAGS <full-command>",
                "    The keys of a request, and what is done to them.",
                "INFO [<command-name> ...]",
                "    Commands, described.",
                "LIST [FILTERBY (MODULE <name>|ACLCAT <category>|PATTERN <pattern>)]",
                "    Names of commands.");
    }

    private static void all(CommandTable table, Reply reply) {
        Collection<Command> commands = table.commands();
        reply.array(commands.size());
        commands.forEach(command -> describe(command, reply));
    }

    private static void info(CommandTable table, Arguments arguments, Reply reply) {
        if (arguments.count() == 2) {
            all(table, reply);
            return;
        }
        reply.array(arguments.count() - 2L);
        for (int i = 2; i < arguments.count(); i++) {
            Command command = table.find(arguments.text(i));
            if (command == null) {
                reply.nothingOfArray();
            } else {
                describe(command, reply);
            }
        }
    }

    private static void describe(Command command, Reply reply) {
        reply.array(10);
        reply.bulk(command.name());
        reply.integer(command.arity());
        List<Flag> flags = command.flags().stream()
                .filter(flag -> flag != Flag.MAY_REPLICATE) // Redis keeps it to itself
                .toList();
        reply.set(flags.size());
        flags.stream().map(Flag::redisName).forEach(reply::status);
        reply.integer(command.firstKey());
        reply.integer(command.lastKey());
        reply.integer(command.keyStep());
        Collection<String> categories = command.categories();
        reply.set(categories.size());
        categories.forEach(category -> reply.status("@" + category));
        reply.set(command.tips().size());
        command.tips().forEach(reply::bulk);
        reply.set(command.keys().size());
        command.keys().forEach(spec -> describe(spec, reply));
        reply.set(command.subcommands().size());
        command.subcommands().forEach(subcommand -> describe(subcommand, reply));
    }

    private static void describe(KeySpec spec, Reply reply) {
        reply.map(3);
        reply.bulk("flags");
        reply.set(spec.flags().size());
        spec.flags().forEach(reply::status);
        reply.bulk("begin_search");
        reply.map(2);
        reply.bulk("type");
        reply.bulk("index");
        reply.bulk("spec");
        reply.map(1);
        reply.bulk("index");
        reply.integer(spec.first());
        reply.bulk("find_keys");
        reply.map(2);
        reply.bulk("type");
        reply.bulk("range");
        reply.bulk("spec");
        reply.map(3);
        reply.bulk("lastkey");
        reply.integer(spec.last());
        reply.bulk("keystep");
        reply.integer(spec.step());
        reply.bulk("limit");
        reply.integer(0);
    }

    // ---- in words

    private static void docs(CommandTable table, Arguments arguments, Reply reply) {
        List<Command> chosen = new ArrayList<>();
        if (arguments.count() == 2) {
            chosen.addAll(table.commands());
        } else {
            for (String name : arguments.texts(2)) {
                Command command = table.find(name);
                if (command != null) {
                    chosen.add(command);
                }
            }
        }
        reply.map(chosen.size());
        for (Command command : chosen) {
            reply.bulk(command.name());
            words(command, reply);
        }
    }

    private static void words(Command command, Reply reply) {
        boolean container = !command.subcommands().isEmpty();
        reply.map(container ? 5 : 4);
        reply.bulk("summary");
        reply.bulk(command.summary());
        reply.bulk("since");
        reply.bulk(command.since());
        reply.bulk("group");
        reply.bulk(command.group());
        reply.bulk("complexity");
        reply.bulk(command.complexity());
        if (container) {
            reply.bulk("subcommands");
            reply.map(command.subcommands().size());
            for (Command subcommand : command.subcommands()) {
                reply.bulk(subcommand.name());
                words(subcommand, reply);
            }
        }
    }

    private static void list(CommandTable table, Arguments arguments, Reply reply) {
        List<String> names = new ArrayList<>();
        if (arguments.count() == 2) {
            table.commands().forEach(command -> names.add(command.name()));
        } else if (arguments.count() == 5 && arguments.is(2, "filterby")) {
            String value = arguments.text(4);
            byte[] pattern = arguments.bytes(4);
            for (Command command : table.all()) {
                if (matches(arguments, command, value, pattern)) {
                    names.add(command.name());
                }
            }
        } else {
            throw RedisError.SYNTAX;
        }
        reply.set(names.size());
        names.forEach(reply::bulk);
    }

    private static boolean matches(Arguments arguments, Command command, String value, byte[] pattern) {
        if (arguments.is(3, "module")) {
            return false;
        } else if (arguments.is(3, "aclcat")) {
            return command.categories().contains(value.toLowerCase(Locale.ROOT));
        } else if (arguments.is(3, "pattern")) {
            return Glob.matches(pattern, command.name().getBytes(StandardCharsets.ISO_8859_1), true);
        }
        throw RedisError.SYNTAX;
    }

    // ---- keys

    private static void keys(CommandTable table, Arguments arguments, Reply reply, boolean withFlags) {
        byte[][] request = new byte[arguments.count() - 2][];
        for (int i = 0; i < request.length; i++) {
            request[i] = arguments.bytes(i + 2);
        }
        Arguments inner = Arguments.of(request);
        Command command = table.find(inner);
        if (command == null || (command.isContainer() && inner.count() > 1)) {
            throw new RedisError("ERR Invalid command specified");
        }
        if (command.keys().isEmpty()) {
            throw new RedisError("ERR The command has no key arguments");
        }
        if (command.arity() < 0 ? inner.count() < -command.arity() : inner.count() != command.arity()) {
            throw new RedisError("ERR Invalid number of arguments specified for command");
        }
        Map<Integer, KeySpec> found = new TreeMap<>();
        for (KeySpec spec : command.keys()) {
            for (int i = spec.first(); i <= spec.end(inner); i += spec.step()) {
                found.put(i, spec);
            }
        }
        reply.array(found.size());
        found.forEach((index, spec) -> key(inner.bytes(index), withFlags ? spec : null, reply));
    }

    private static void key(byte[] key, @Nullable KeySpec spec, Reply reply) {
        if (spec == null) {
            reply.bulk(key);
            return;
        }
        reply.array(2);
        reply.bulk(key);
        reply.set(spec.flags().size());
        spec.flags().forEach(reply::status);
    }
}
