package io.loam.server.family;

import io.loam.server.access.AccessLog;
import io.loam.server.access.Categories;
import io.loam.server.access.Users;
import io.loam.server.command.Command;
import io.loam.server.command.CommandTable;
import io.loam.server.command.CommandTable.Family;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/** ACL: users and what they may do. */
final class AccessCommands {

    private static final Logger LOG = System.getLogger(AccessCommands.class.getName());
    private static final RedisError NO_FILE = new RedisError(
            "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.");

    private final Service service;
    private final CommandTable table;
    private final Users users;
    private final SecureRandom random = new SecureRandom();

    private AccessCommands(Service service, Users users) {
        this.service = service;
        this.table = service.table();
        this.users = users;
    }

    /** Declares the commands, and sees to it that from now on every request is checked. */
    static Users register(Service service) {
        Users users = new Users(service, ClientCommands::describe);
        service.setAuthenticator(users);
        service.addInterceptor(users);
        new AccessCommands(service, users).declare(service.table().family("server", null));
        return users;
    }

    private void declare(Family family) {
        Command acl = family.container("acl", "6.0.0", "Tells of users and changes them.");
        String usual = "noscript loading stale";
        String admin = "admin noscript loading stale";
        family.subcommand(acl, "whoami", 2, usual)
                .docs("6.0.0", "O(1)", "Returns the name of this connection's user.")
                .runs((session, arguments, reply) -> reply.bulk(session.user()));
        family.subcommand(acl, "users", 2, admin)
                .docs("6.0.0", "O(N) in the number of users.", "Names all users.")
                .runs((session, arguments, reply) -> bulks(users.names(), reply));
        family.subcommand(acl, "list", 2, admin)
                .docs("6.0.0", "O(N) in the number of users.", "Lists users and their rules.")
                .runs((session, arguments, reply) -> bulks(users.lines(), reply));
        family.subcommand(acl, "getuser", 3, admin)
                .docs("6.0.0", "O(N) in the number of the user's rules.", "Describes a user.")
                .runs((session, arguments, reply) -> users.describe(arguments.text(2), reply));
        family.subcommand(acl, "setuser", -3, admin)
                .docs("6.0.0", "O(N) in the number of rules.", "Makes a user, or adds rules to one.")
                .runs(this::setUser);
        family.subcommand(acl, "deluser", -3, admin)
                .docs("6.0.0", "O(1) for each user.", "Removes users and ends their connections.")
                .runs((session, arguments, reply) -> reply.integer(users.remove(arguments.texts(2), session)));
        family.subcommand(acl, "cat", -2, usual)
                .docs("6.0.0", "O(1)", "Names the categories, or the commands in one.")
                .runs(this::category);
        family.subcommand(acl, "dryrun", -4, admin)
                .docs("7.0.0", "O(1)", "Says whether a user may make a request.")
                .runs(this::dryRun);
        family.subcommand(acl, "genpass", -2, usual)
                .docs("6.0.0", "O(1)", "Makes a password up.")
                .runs(this::makePassword);
        family.subcommand(acl, "log", -2, admin)
                .docs("6.0.0", "O(N) in the number of entries.", "Tells what was refused lately.")
                .runs(this::log);
        family.subcommand(acl, "load", 2, admin)
                .slow()
                .docs("6.0.0", "O(N) in the number of users.", "Replaces all users by those of the file.")
                .runs(this::load);
        family.subcommand(acl, "save", 2, admin)
                .slow()
                .docs("6.0.0", "O(N) in the number of users.", "Writes all users to the file.")
                .runs(this::save);
        family.subcommand(acl, "help", 2, "loading stale")
                .docs("6.0.0", "O(1)", "Returns these lines.")
                .runs(AccessCommands::help);
    }

    private static void help(Session session, Arguments arguments, Reply reply) {
        Help.write(
                reply,
                "ACL <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
                "CAT [<category>]",
                "    The categories, or the commands in one.",
                "DELUSER <username> [<username> ...]",
                "    Removes users.",
                "DRYRUN <username> <command> [<arg> ...]",
                "    Whether the user may do it; it is not done.",
                "GENPASS [<bits>]",
                "    A password of 256 bits, or as many as you say.",
                "GETUSER <username>",
                "    A user, described.",
                "LIST",
                "    All users, as lines of a file.",
                "LOAD",
                "    Reads the file of users.",
                "LOG [<count> | RESET]",
                "    What was refused lately.",
                "SAVE",
                "    Writes the file of users.",
                "SETUSER <username> <attribute> [<attribute> ...]",
                "    Makes or changes a user.",
                "USERS",
                "    The names of all users.",
                "WHOAMI",
                "    The name of this connection's user.");
    }

    private static void bulks(List<String> texts, Reply reply) {
        reply.array(texts.size());
        texts.forEach(reply::bulk);
    }

    private void setUser(Session session, Arguments arguments, Reply reply) {
        String name = arguments.text(2);
        if (name.chars().anyMatch(c -> c == 0 || Character.isWhitespace(c))) {
            throw new RedisError("ERR Usernames can't contain spaces or null characters");
        }
        try {
            users.set(name, Users.merged(arguments.texts(3)));
        } catch (Users.RuleError e) {
            throw new RedisError("ERR Error in ACL SETUSER modifier '" + e.rule() + "': " + e.getMessage());
        }
        reply.ok();
    }

    private void category(Session session, Arguments arguments, Reply reply) {
        if (arguments.count() > 3) {
            throw wrongCount(arguments);
        }
        if (arguments.count() == 2) {
            bulks(Categories.NAMES, reply);
            return;
        }
        List<Command> commands = Categories.commands(table, arguments.text(2).toLowerCase(Locale.ROOT));
        if (commands == null) {
            throw new RedisError("ERR Unknown category '" + arguments.text(2) + "'");
        }
        bulks(commands.stream().map(Command::name).toList(), reply);
    }

    private static RedisError wrongCount(Arguments arguments) {
        return new RedisError(
                "ERR unknown subcommand or wrong number of arguments for '" + arguments.text(1) + "'. Try ACL HELP.");
    }

    private void dryRun(Session session, Arguments arguments, Reply reply) {
        byte[][] words = new byte[arguments.count() - 3][];
        for (int i = 0; i < words.length; i++) {
            words[i] = arguments.bytes(i + 3);
        }
        Arguments request = Arguments.of(words);
        users.check(arguments.text(2));
        Command command = table.find(request);
        if (command == null || (command.isContainer() && request.count() > 1)) {
            throw new RedisError("ERR Command '" + arguments.text(3) + "' not found");
        }
        if (!command.accepts(request.count())) {
            throw new RedisError("ERR wrong number of arguments for '" + command.name() + "' command");
        }
        String refusal = users.refusal(arguments.text(2), command, request);
        if (refusal == null) {
            reply.ok();
        } else {
            reply.bulk(refusal);
        }
    }

    private void makePassword(Session session, Arguments arguments, Reply reply) {
        if (arguments.count() > 3) {
            throw wrongCount(arguments);
        }
        long bits = arguments.count() == 3 ? arguments.integer(2) : 256;
        if (bits <= 0 || bits > 4096) {
            throw new RedisError(
                    "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096");
        }
        int digits = (int) (bits + 3) / 4;
        byte[] bytes = new byte[(digits + 1) / 2];
        random.nextBytes(bytes);
        reply.bulk(HexFormat.of().formatHex(bytes).substring(0, digits));
    }

    private void log(Session session, Arguments arguments, Reply reply) {
        if (arguments.count() > 3) {
            throw wrongCount(arguments);
        }
        if (arguments.count() == 3 && arguments.is(2, "reset")) {
            users.log().clear();
            reply.ok();
            return;
        }
        long most = arguments.count() == 3 ? arguments.integer(2) : 10;
        List<AccessLog.Entry> entries = users.log().newest(Math.max(0, most));
        long now = service.nowMillis();
        reply.array(entries.size());
        for (AccessLog.Entry entry : entries) {
            reply.map(7);
            reply.bulk("count");
            reply.integer(entry.count());
            reply.bulk("reason");
            reply.bulk(entry.reason());
            reply.bulk("context");
            reply.bulk(entry.context());
            reply.bulk("object");
            reply.bulk(entry.object());
            reply.bulk("username");
            reply.bulk(entry.user());
            reply.bulk("age-seconds");
            reply.decimal(String.format(Locale.ROOT, "%.3f", (now - entry.atMillis()) / 1000.0));
            reply.bulk("client-info");
            reply.bulk(entry.client());
        }
    }

    private void load(Session session, Arguments arguments, Reply reply) {
        checkFile();
        List<String> errors = users.load();
        if (!errors.isEmpty()) {
            throw new RedisError("ERR " + String.join(" ", errors));
        }
        reply.ok();
    }

    private void save(Session session, Arguments arguments, Reply reply) {
        checkFile();
        try {
            users.save();
        } catch (IOException e) {
            LOG.log(
                    Level.WARNING,
                    "the users can't be written to " + service.options().aclFile(),
                    e);
            throw new RedisError(
                    "ERR There was an error trying to save the ACLs. Please check the server logs for more information");
        }
        reply.ok();
    }

    private void checkFile() {
        if (!users.hasFile()) {
            throw NO_FILE;
        }
    }
}
