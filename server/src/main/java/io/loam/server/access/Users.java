package io.loam.server.access;

import io.loam.server.ConfigFile;
import io.loam.server.ServerOptions;
import io.loam.server.command.Authenticator;
import io.loam.server.command.Command;
import io.loam.server.command.CommandTable;
import io.loam.server.command.Flag;
import io.loam.server.command.Identity;
import io.loam.server.command.Interceptor;
import io.loam.server.command.Link;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.command.Throttle;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;
import io.loam.server.pubsub.Channels.Kind;
import io.loam.server.pubsub.Subscriber;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** All users of a server. Changes are made by one thread at a time, checks by any. */
public final class Users implements Authenticator, Interceptor {

    private static final Logger LOG = System.getLogger(Users.class.getName());

    private static final String DEFAULT = "default";
    private static final RedisError NOT_AUTHENTICATED = new RedisError("NOAUTH Authentication required.");

    private final Service service;
    private final CommandTable table;
    private final ServerOptions options;
    private final Function<Session, String> describe;
    private final AccessLog log = new AccessLog();
    private final Throttle failures;
    private final ConcurrentSkipListMap<String, User> users = new ConcurrentSkipListMap<>();
    /** Exists always. */
    private final User defaultUser;

    /** @param describe a client in one line, for the log of refusals */
    public Users(Service service, Function<Session, String> describe) {
        this.service = service;
        this.table = service.table();
        this.options = service.options();
        this.describe = describe;
        this.failures = new Throttle(service.clock());
        this.defaultUser = new User(DEFAULT, new Permissions(false, table));
        users.put(DEFAULT, defaultUser);
    }

    /**
     * Makes the users that the options name, once the table of commands is complete.
     *
     * @throws IllegalArgumentException if a rule is none, or the file can't be read
     */
    public void begin() {
        change(defaultUser, List.of("allcommands", "allkeys", "allchannels", "on", "nopass"));
        setDefaultPassword(options.requirePass());
        options.onChange("requirepass", changed -> setDefaultPassword(changed.requirePass()));
        if (!options.users().isEmpty() && !options.aclFile().isEmpty()) {
            throw new IllegalArgumentException("users are named in the configuration and in the file "
                    + options.aclFile() + "; name them in one of the two");
        }
        if (!options.aclFile().isEmpty()) {
            List<String> errors = load();
            if (!errors.isEmpty()) {
                throw new IllegalArgumentException(String.join("\n", errors));
            }
        }
        Map<String, Permissions> named = new LinkedHashMap<>();
        for (String line : options.users()) {
            String error = parse("user " + line, named, "user " + line.split(" ")[0], "");
            if (error != null) {
                throw new IllegalArgumentException(error);
            }
        }
        named.forEach((name, permissions) -> users.computeIfAbsent(name, ignored -> new User(name, permissions))
                .setPermissions(permissions));
    }

    private synchronized void setDefaultPassword(String password) {
        change(defaultUser, password.isEmpty() ? List.of("nopass") : List.of("resetpass", ">" + password));
    }

    // ---- who

    @Override
    public Identity initial() {
        return defaultUser;
    }

    @Override
    public boolean isRequired() {
        Permissions permissions = defaultUser.permissions();
        return !permissions.needsNoPassword() || !permissions.isOn();
    }

    @Override
    public boolean hasPassword() {
        return !defaultUser.permissions().needsNoPassword();
    }

    @Override
    public @Nullable Identity authenticate(Session session, String name, byte[] password, String asked) {
        User user = users.get(name);
        if (Permissions.accept(user == null ? null : user.permissions(), password)) {
            return user;
        }
        record(session, "auth", asked, name);
        // who mixes up name and password gives the password as a name that nobody has
        failures.tell(more -> LOG.log(
                Level.WARNING,
                "client {0} at {1} fails to authenticate as {2}{3}",
                Long.toString(session.id()),
                session.link().remoteAddress(),
                user == null ? "a user that does not exist" : "user " + name,
                more));
        return null;
    }

    // ---- what

    @Override
    public boolean intercepts(Session session, Command command, Arguments arguments, Reply reply) {
        if (!session.isAuthenticated() && !command.is(Flag.NO_AUTH)) {
            throw NOT_AUTHENTICATED;
        }
        if (session.identity() instanceof User user && !user.isUnrestricted()) {
            Decision decision = user.permissions().decide(command, arguments);
            if (!decision.isAllowed()) {
                record(session, decision, command, arguments);
                throw new RedisError("NOPERM this user has no permissions to "
                        + switch (decision.reason()) {
                            case KEY -> "access one of the keys used as arguments";
                            case CHANNEL -> "access one of the channels used as arguments";
                            default -> "run the '" + command.name() + "' command";
                        });
            }
        }
        return false;
    }

    @Override
    public void checkQueued(Session session, Command command, Arguments arguments) {
        if (session.identity() instanceof User user && !user.isUnrestricted()) {
            Decision decision = user.permissions().decide(command, arguments);
            if (!decision.isAllowed()) {
                record(session, decision, command, arguments);
                throw new RedisError(
                        "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: "
                                + switch (decision.reason()) {
                                    case KEY -> "no permission to touch the specified keys";
                                    case CHANNEL -> "no permission to access one of the channels used as arguments";
                                    default -> "no permission to execute the command or subcommand";
                                });
            }
        }
    }

    @Override
    public boolean allowsChannel(Session session, byte[] name, boolean isPattern) {
        return !(session.identity() instanceof User user)
                || user.isUnrestricted()
                || user.permissions().allowChannel(name, isPattern);
    }

    /** @throws RedisError if there is no such user */
    public void check(String name) {
        known(name);
    }

    private User known(String name) {
        User user = users.get(name);
        if (user == null) {
            throw new RedisError("ERR User '" + name + "' not found");
        }
        return user;
    }

    /** Why a user may not make such a request, in words; null if he may. */
    public @Nullable String refusal(String name, Command command, Arguments arguments) {
        User user = known(name);
        Decision decision = user.permissions().decide(command, arguments);
        String at = decision.argument() == 0 ? command.name() : arguments.text(decision.argument());
        return switch (decision.reason()) {
            case NONE -> null;
            case COMMAND -> "This user has no permissions to run the '" + at + "' command";
            case KEY -> "This user has no permissions to access the '" + at + "' key";
            case CHANNEL -> "This user has no permissions to access the '" + at + "' channel";
        };
    }

    private void record(Session session, Decision decision, Command command, Arguments arguments) {
        String object = decision.argument() == 0 ? command.name() : arguments.text(decision.argument());
        record(session, decision.reason().name().toLowerCase(Locale.ROOT), object, session.user());
    }

    private void record(Session session, String reason, String object, String user) {
        String context = session.activity().queued() >= 0 ? "multi" : "toplevel";
        log.add(
                new AccessLog.Entry(1, reason, context, object, user, describe.apply(session), service.nowMillis()),
                options.aclLogLength());
    }

    public AccessLog log() {
        return log;
    }

    // ---- changing

    /** A rule that is not taken. */
    public static final class RuleError extends RuntimeException {
        private static final long serialVersionUID = 1;

        private final String rule;
        private final boolean showable;

        private RuleError(String rule, RuleException cause) {
            super(cause.reason(), null, false, false);
            this.rule = rule;
            this.showable = cause.isUnknownName();
        }

        public String rule() {
            return rule;
        }

        /** What is wrong, for others than who has given the rule: it may be a password. */
        private String publicText() {
            return (showable ? "Error in applying operation '" + rule + "': " : "") + getMessage() + ".";
        }
    }

    /**
     * Adds rules to a user, who is made if there is none: all or none.
     *
     * @throws RuleError if one is not taken
     */
    public synchronized void set(String name, List<String> rules) {
        User user = users.get(name);
        if (user != null) {
            change(user, rules);
        } else {
            users.put(name, new User(name, changed(newPermissions(), rules)));
        }
    }

    private Permissions newPermissions() {
        return new Permissions(options.usersBeginWithAllChannels(), table);
    }

    private Permissions changed(Permissions permissions, List<String> rules) {
        for (String rule : rules) {
            try {
                permissions.add(rule, options.usersBeginWithAllChannels(), table);
            } catch (RuleException e) {
                throw new RuleError(rule, e);
            }
        }
        return permissions;
    }

    private void change(User user, List<String> rules) {
        replace(user, changed(new Permissions(user.permissions()), rules));
    }

    private void replace(User user, Permissions changed) {
        Permissions before = user.permissions();
        user.setPermissions(changed);
        if (!changed.haveChannelsOf(before)) {
            endSubscribers(user);
        }
    }

    /** Ends the connections of a user's clients that listen to what he may listen to no more. */
    private void endSubscribers(User user) {
        Set<Link> links = new HashSet<>();
        for (Session session : service.sessions()) {
            if (session.activity().isSubscribed() && session.identity() == user) {
                links.add(session.link());
            }
        }
        if (!links.isEmpty()) {
            Permissions permissions = user.permissions();
            for (Subscriber subscriber : service.channels()
                    .subscribers((kind, name) -> !permissions.allowChannel(name, kind == Kind.PATTERN))) {
                if (subscriber instanceof Link link && links.contains(link)) {
                    link.close();
                }
            }
        }
    }

    /** Removes users and ends their connections; how many there were. */
    public synchronized int remove(List<String> names, Session asking) {
        if (names.contains(DEFAULT)) {
            throw new RedisError("ERR The 'default' user cannot be removed");
        }
        int removed = 0;
        for (String name : names) {
            User user = users.remove(name);
            if (user != null) {
                end(user, asking);
                removed++;
            }
        }
        return removed;
    }

    /** Takes all permissions away before the connections end, so that none of their requests is run meanwhile. */
    private void end(User user, @Nullable Session asking) {
        user.setPermissions(new Permissions(false, table));
        for (Session session : service.sessions()) {
            if (session.identity() == user) {
                if (session == asking) {
                    session.closeAfterReply();
                } else {
                    session.link().close();
                }
            }
        }
    }

    // ---- telling

    /** All names in their order. */
    public List<String> names() {
        return List.copyOf(users.keySet());
    }

    @Override
    public List<String> lines() {
        return users.values().stream()
                .map(user -> "user " + user.name() + " " + user.permissions())
                .toList();
    }

    /** Writes a user as GETUSER has it. */
    public void describe(String name, Reply reply) {
        User user = users.get(name);
        if (user == null) {
            reply.nothing();
            return;
        }
        Permissions permissions = user.permissions();
        reply.map(6);
        reply.bulk("flags");
        reply.set(permissions.flags().size());
        permissions.flags().forEach(reply::bulk);
        reply.bulk("passwords");
        reply.array(permissions.passwords().size());
        permissions.passwords().forEach(reply::bulk);
        describe(permissions.selectors().getFirst(), reply);
        reply.bulk("selectors");
        reply.array(permissions.selectors().size() - 1L);
        permissions.selectors().stream().skip(1).forEach(selector -> {
            reply.map(3);
            describe(selector, reply);
        });
    }

    private static void describe(Selector selector, Reply reply) {
        reply.bulk("commands");
        reply.bulk(selector.commandRules());
        reply.bulk("keys");
        reply.bulk(selector.keyRules());
        reply.bulk("channels");
        reply.bulk(selector.channelRules());
    }

    // ---- the file

    /** Whether users are kept in a file of their own. */
    public boolean hasFile() {
        return !options.aclFile().isEmpty();
    }

    /**
     * Replaces all users by those of the file, or none if there is an error in it. Users who are in both keep their connections.
     *
     * @return the errors
     */
    public synchronized List<String> load() {
        Path file = ConfigFile.path(options.aclFile());
        List<String> errors = new ArrayList<>();
        Map<String, Permissions> loaded = new LinkedHashMap<>();
        try {
            List<String> lines = Files.readAllLines(file, StandardCharsets.ISO_8859_1);
            for (int i = 0; i < lines.size(); i++) {
                String line = lines.get(i).strip();
                if (!line.isEmpty()) {
                    String error = parse(line, loaded, file + ":" + (i + 1), " on line " + (i + 1));
                    if (error != null) {
                        errors.add(error);
                    }
                }
            }
            if (!errors.isEmpty()) {
                errors.add("WARNING: ACL errors detected, no change to the previously active ACL rules was performed");
            }
        } catch (IOException e) {
            errors.add("Error loading ACLs, opening file '" + file + "': " + reason(e));
        }
        if (errors.isEmpty()) {
            for (User user : List.copyOf(users.values())) {
                Permissions permissions = loaded.remove(user.name());
                if (permissions != null) {
                    replace(user, permissions);
                } else if (user != defaultUser) {
                    users.remove(user.name());
                    end(user, null);
                }
            }
            loaded.forEach((name, permissions) -> users.put(name, new User(name, permissions)));
        }
        return errors;
    }

    private static String reason(IOException e) {
        return switch (e) {
            case NoSuchFileException missing -> "No such file or directory";
            case AccessDeniedException denied -> "Permission denied";
            default -> String.valueOf(e.getMessage());
        };
    }

    /**
     * Reads a line that makes a user.
     *
     * @param at where it is, for messages
     * @param on the same in words, or nothing
     * @return what is wrong with it, or null
     */
    private @Nullable String parse(String line, Map<String, Permissions> loaded, String at, String on) {
        List<String> words = List.of(line.split("[ \t]+"));
        if (words.size() < 2 || !words.getFirst().equals("user")) {
            return at + " should start with user keyword followed by the username.";
        }
        String name = words.get(1);
        if (loaded.containsKey(name)) {
            return "WARNING: Duplicate user '" + name + "' found" + on + ".";
        }
        try {
            loaded.put(name, changed(newPermissions(), merged(words.subList(2, words.size()))));
            return null;
        } catch (RuleError e) {
            return at + ": " + e.publicText();
        } catch (RedisError e) {
            return at + ": Unmatched parenthesis in selector definition.";
        }
    }

    /**
     * Joins the words of a rule in parentheses.
     *
     * @throws RedisError if one is not closed
     */
    public static List<String> merged(List<String> words) {
        List<String> rules = new ArrayList<>();
        String open = null;
        StringBuilder selector = new StringBuilder();
        for (String word : words) {
            if (open == null && word.startsWith("(") && !word.endsWith(")")) {
                open = word;
                selector.append(word);
            } else if (open != null) {
                selector.append(' ').append(word);
                if (word.endsWith(")")) {
                    rules.add(selector.toString());
                    selector.setLength(0);
                    open = null;
                }
            } else {
                rules.add(word);
            }
        }
        if (open != null) {
            throw new RedisError("ERR Unmatched parenthesis in acl selector starting at '" + open + "'.");
        }
        return rules;
    }

    /** Writes all users to the file: to another first, which then takes its place. */
    public synchronized void save() throws IOException {
        Path file = ConfigFile.path(options.aclFile()).toAbsolutePath();
        Path next = Files.createTempFile(Objects.requireNonNull(file.getParent()), file.getFileName() + ".", ".tmp");
        try {
            String text = lines().stream().map(line -> line + "\n").collect(Collectors.joining());
            Files.writeString(next, text, StandardCharsets.ISO_8859_1);
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(next);
        }
    }
}
