package io.loam.server.access;

import io.loam.server.command.Command;
import io.loam.server.command.CommandTable;
import io.loam.server.command.Flag;
import io.loam.server.command.KeySpec;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.Glob;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Commands, with the keys and channels that they may be used on. Is changed only by who has made it, before others see it. */
final class Selector {

    /** Commands whose arguments from the first on are channels; of PUBLISH and SPUBLISH the first one only. */
    private static final Set<String> ON_CHANNELS =
            Set.of("publish", "spublish", "subscribe", "ssubscribe", "psubscribe");

    private static final String TOO_LATE =
            "Adding a pattern after the * pattern (or the '%s' flag) is not valid and does not have any effect. Try '%s' to start with an empty list of %s";

    /** By number of the command in the table. */
    private final BitSet commands;
    /** First arguments with which a command is allowed that otherwise is not. */
    private final Map<Command, Set<String>> firstArguments;
    /** The rules on commands in their order, those left out that a later one overrides; the first is +@all or -@all. */
    private final List<String> rules;

    private boolean allCommands;
    private boolean allKeys;
    private final List<KeyPattern> keys;
    private boolean allChannels;
    private final List<String> channels;

    /** Allows nothing. */
    Selector() {
        commands = new BitSet();
        firstArguments = new HashMap<>();
        rules = new ArrayList<>(List.of("-@all"));
        keys = new ArrayList<>();
        channels = new ArrayList<>();
    }

    /** A copy. */
    Selector(Selector other) {
        commands = (BitSet) other.commands.clone();
        firstArguments = new HashMap<>();
        other.firstArguments.forEach((command, words) -> firstArguments.put(command, new TreeSet<>(words)));
        rules = new ArrayList<>(other.rules);
        allCommands = other.allCommands;
        allKeys = other.allKeys;
        keys = new ArrayList<>(other.keys);
        allChannels = other.allChannels;
        channels = new ArrayList<>(other.channels);
    }

    // ---- asking

    boolean allowsEverything() {
        return allCommands && allKeys && allChannels;
    }

    /** Why the request is not allowed, or that it is. */
    Decision decide(Command command, Arguments arguments) {
        if (!allCommands
                && !command.is(Flag.NO_AUTH)
                && !commands.get(command.number())
                && !allowsFirstArgument(command, arguments)) {
            return Decision.COMMAND;
        }
        if (!allKeys) {
            for (KeySpec spec : command.keys()) {
                int refused = refusedKey(spec, command, arguments);
                if (refused > 0) {
                    return new Decision(Decision.Reason.KEY, refused);
                }
            }
        }
        if (!allChannels && ON_CHANNELS.contains(command.name())) {
            int last = command.name().endsWith("publish") ? 1 : arguments.count() - 1;
            boolean isPattern = command.name().equals("psubscribe");
            for (int i = 1; i <= last; i++) {
                if (!allowsChannel(arguments.bytes(i), isPattern)) {
                    return new Decision(Decision.Reason.CHANNEL, i);
                }
            }
        }
        return Decision.ALLOWED;
    }

    private boolean allowsFirstArgument(Command command, Arguments arguments) {
        Set<String> words = firstArguments.get(command);
        return words != null
                && arguments.count() > 1
                && words.contains(arguments.text(1).toLowerCase(Locale.ROOT));
    }

    /** The number of the first key that may not be used so; 0: all may. */
    private int refusedKey(KeySpec spec, Command command, Arguments arguments) {
        List<String> flags = spec.flags();
        if (flags.contains("not_key")) {
            return 0;
        }
        boolean read = flags.contains("access");
        boolean write = flags.contains("insert") || flags.contains("delete") || flags.contains("update");
        if (flags.contains("variable_flags")) {
            boolean readsOnly = command.name().equals("bitfield") && readsOnly(arguments);
            read = command.name().equals("set") ? hasWord(arguments, 3, "get") : read;
            write = !readsOnly;
        }
        for (int i = spec.first(); i <= spec.end(arguments); i += spec.step()) {
            byte[] key = arguments.bytes(i);
            boolean allowed = false;
            for (KeyPattern pattern : keys) {
                if (pattern.allows(key, read, write)) {
                    allowed = true;
                    break;
                }
            }
            if (!allowed) {
                return i;
            }
        }
        return 0;
    }

    private static boolean hasWord(Arguments arguments, int from, String word) {
        for (int i = from; i < arguments.count(); i++) {
            if (arguments.is(i, word)) {
                return true;
            }
        }
        return false;
    }

    /** Whether a BITFIELD has no operation that writes; what can't be read counts as one that does. */
    private static boolean readsOnly(Arguments arguments) {
        int at = 2;
        while (at < arguments.count()) {
            if (arguments.is(at, "get") && at + 2 < arguments.count()) {
                at += 3;
            } else if (arguments.is(at, "overflow") && at + 1 < arguments.count()) {
                at += 2;
            } else {
                return false;
            }
        }
        return true;
    }

    /** Whether a channel may be used; a pattern only if it is literally one of those allowed. */
    boolean allowsChannel(byte[] channel, boolean isPattern) {
        if (allChannels) {
            return true;
        }
        for (String allowed : channels) {
            byte[] pattern = allowed.getBytes(StandardCharsets.ISO_8859_1);
            if (isPattern ? Arrays.equals(pattern, channel) : Glob.matches(pattern, channel)) {
                return true;
            }
        }
        return false;
    }

    /** Whether every channel that {@code other} allows is allowed here by the same rule. */
    boolean hasChannelsOf(Selector other) {
        return allChannels || (!other.allChannels && channels.containsAll(other.channels));
    }

    // ---- changing

    /** Adds a rule on commands, keys or channels. */
    void add(String rule, CommandTable table) throws RuleException {
        switch (rule.toLowerCase(Locale.ROOT)) {
            case "allkeys", "~*" -> {
                allKeys = true;
                keys.clear();
            }
            case "resetkeys" -> {
                allKeys = false;
                keys.clear();
            }
            case "allchannels", "&*" -> {
                allChannels = true;
                channels.clear();
            }
            case "resetchannels" -> {
                allChannels = false;
                channels.clear();
            }
            case "allcommands", "+@all" -> setAll(true, table);
            case "nocommands", "-@all" -> setAll(false, table);
            default -> addPattern(rule, table);
        }
    }

    private void setAll(boolean allowed, CommandTable table) {
        allCommands = allowed;
        commands.clear();
        commands.set(0, allowed ? table.all().size() : 0);
        firstArguments.clear();
        rules.clear();
        rules.add(allowed ? "+@all" : "-@all");
    }

    private void addPattern(String rule, CommandTable table) throws RuleException {
        char kind = rule.isEmpty() ? 0 : rule.charAt(0);
        switch (kind) {
            case '~', '%' -> addKeys(rule);
            case '&' -> {
                if (allChannels) {
                    throw new RuleException(TOO_LATE.formatted("allchannels", "resetchannels", "channels"));
                }
                String channel = withoutBlanks(rule.substring(1));
                if (!channels.contains(channel)) {
                    channels.add(channel);
                }
            }
            case '+', '-' -> addCommands(rule.substring(1).toLowerCase(Locale.ROOT), kind == '+', table);
            default -> throw new RuleException("Syntax error");
        }
    }

    private static String withoutBlanks(String pattern) throws RuleException {
        if (pattern.chars().anyMatch(c -> c == 0 || Character.isWhitespace(c))) {
            throw new RuleException("Syntax error");
        }
        return pattern;
    }

    /** {@code ~pattern}, or {@code %}, R, W or both, {@code ~pattern}. */
    private void addKeys(String rule) throws RuleException {
        if (allKeys) {
            throw new RuleException(TOO_LATE.formatted("allkeys", "resetkeys", "patterns"));
        }
        int tilde = rule.indexOf('~');
        String modes = tilde < 0
                ? ""
                : rule.substring(rule.charAt(0) == '%' ? 1 : 0, tilde).toUpperCase(Locale.ROOT);
        boolean known = rule.charAt(0) == '~' || Set.of("R", "W", "RW", "WR").contains(modes);
        if (tilde < 0 || !known) {
            throw new RuleException("Syntax error");
        }
        String text = withoutBlanks(rule.substring(tilde + 1));
        boolean read = modes.isEmpty() || modes.contains("R");
        boolean write = modes.isEmpty() || modes.contains("W");
        for (int i = 0; i < keys.size(); i++) {
            KeyPattern old = keys.get(i);
            if (old.text.equals(text)) {
                keys.set(i, new KeyPattern(text, old.read || read, old.write || write));
                return;
            }
        }
        keys.add(new KeyPattern(text, read, write));
    }

    /** @param what a command, a subcommand after a bar, a command's first argument after a bar, or a category after @ */
    private void addCommands(String what, boolean allowed, CommandTable table) throws RuleException {
        if (what.startsWith("@")) {
            List<Command> chosen = Categories.commands(table, what.substring(1));
            if (chosen == null) {
                throw RuleException.unknownName();
            }
            chosen.forEach(command -> set(command, allowed));
        } else {
            Command command = table.find(what);
            int bar = what.lastIndexOf('|');
            if (command == null && allowed && bar > 0) {
                addFirstArgument(table.find(what.substring(0, bar)), what.substring(bar + 1));
            } else if (command == null) {
                throw RuleException.unknownName();
            } else {
                set(command, allowed);
            }
        }
        rules.removeIf(rule -> rule.substring(1).equals(what) || rule.startsWith(what + "|", 1));
        rules.add((allowed ? "+" : "-") + what);
    }

    private void addFirstArgument(@Nullable Command command, String word) throws RuleException {
        if (command == null || (command.isContainer() && !word.isEmpty())) {
            throw RuleException.unknownName();
        } else if (command.parent() != null) {
            throw new RuleException("Allowing first-arg of a subcommand is not supported");
        } else if (word.isEmpty()) {
            throw new RuleException("Syntax error");
        }
        firstArguments.computeIfAbsent(command, ignored -> new TreeSet<>()).add(word);
    }

    private void set(Command command, boolean allowed) {
        commands.set(command.number(), allowed);
        firstArguments.remove(command);
        command.subcommands().forEach(subcommand -> set(subcommand, allowed));
        allCommands &= allowed;
    }

    // ---- as text

    /** The rules on commands. */
    String commandRules() {
        return String.join(" ", rules);
    }

    /** The rules on keys. */
    String keyRules() {
        return allKeys ? "~*" : keys.stream().map(KeyPattern::toString).collect(Collectors.joining(" "));
    }

    /** The rules on channels, without the one that begins them. */
    String channelRules() {
        return allChannels
                ? "&*"
                : channels.stream().map(channel -> "&" + channel).collect(Collectors.joining(" "));
    }

    /** Rules that make such a selector from an empty one. */
    @Override
    public String toString() {
        List<String> words = new ArrayList<>();
        words.add(keyRules());
        words.add(allChannels ? "" : "resetchannels");
        words.add(channelRules());
        words.add(commandRules());
        return words.stream().filter(word -> !word.isEmpty()).collect(Collectors.joining(" "));
    }
}
