package io.loam.server.command;

import io.loam.server.protocol.Arguments;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** All commands, by name. Families fill it while the server is made; from {@link #freeze} on it is only read. */
public final class CommandTable {

    private final Map<String, Command> byName = new LinkedHashMap<>();
    private final List<Command> numbered = new ArrayList<>();
    /** Open addressing by {@link Arguments#nameHash}; frozen. */
    private @Nullable Command[] slots = new Command[0];

    /** Declares the commands of one group. */
    public final class Family {
        private final String group;
        private final @Nullable String category;

        private Family(String group, @Nullable String category) {
            this.group = group;
            this.category = category;
        }

        /** A command; {@code flags} as COMMAND says them, with blanks between. */
        public Command command(String name, int arity, String flags) {
            Command made = make(name, arity, flags, group, null);
            if (category != null) {
                made.category(category);
            }
            byName.put(name, made);
            return made;
        }

        /** A command that has subcommands: declare them with {@link #subcommand}. */
        public Command container(String name, String since, String summary) {
            Command made = make(name, -2, "", group, null).docs(since, "Depends on subcommand.", summary);
            byName.put(name, made);
            return made;
        }

        /** A subcommand, in this family's category. */
        public Command subcommand(Command container, String name, int arity, String flags) {
            Command made = container.subcommand(name, arity, flags, CommandTable.this);
            if (category != null) {
                made.category(category);
            }
            return made;
        }
    }

    /** @param category without the sign; null: none follows from the group */
    public Family family(String group, @Nullable String category) {
        return new Family(group, category);
    }

    Command make(String name, int arity, String flags, String group, @Nullable Command parent) {
        Command made = new Command(name, arity, flags, group, parent, numbered.size());
        numbered.add(made);
        return made;
    }

    /**
     * Has clients call a command by another name, or not at all if that is empty. In users' rules it keeps its own.
     *
     * @throws IllegalArgumentException if there is no such command, or the name is another's
     */
    public void rename(String name, String called) {
        Command command = byName.get(name.toLowerCase(Locale.ROOT));
        if (command == null) {
            throw new IllegalArgumentException("rename-command " + name + ": there is no command of this name");
        }
        String lower = called.toLowerCase(Locale.ROOT);
        if (!lower.isEmpty()
                && byName.values().stream().anyMatch(other -> other.calledAs().equals(lower))) {
            throw new IllegalArgumentException("rename-command " + name + ": another command is called " + called);
        }
        command.call(lower);
    }

    /**
     * Ends the declaring.
     *
     * @throws IllegalStateException if a command does nothing
     */
    public void freeze() {
        int capacity = Integer.highestOneBit(Math.max(8, byName.size())) * 4;
        @Nullable Command[] table = new Command[capacity];
        for (Command command : numbered) {
            if (!command.isContainer()) {
                command.execution();
            }
        }
        for (Command command : commands()) {
            int slot = slot(hash(command.calledAs()), capacity);
            while (table[slot] != null) {
                slot = slot + 1 & capacity - 1;
            }
            table[slot] = command;
        }
        slots = table;
    }

    private static int hash(String name) {
        int hash = 0;
        for (int i = 0; i < name.length(); i++) {
            hash = 31 * hash + (name.charAt(i) | 0x20);
        }
        return hash;
    }

    private static int slot(int hash, int capacity) {
        return (hash ^ hash >>> 15) & capacity - 1;
    }

    /** The command, or subcommand, that a request names; the container for an unknown subcommand; null for an unknown command. */
    public @Nullable Command find(Arguments arguments) {
        @Nullable Command[] table = slots;
        int slot = slot(arguments.nameHash(0), table.length);
        while (true) {
            Command command = table[slot];
            if (command == null) {
                return null;
            }
            if (arguments.is(0, command.calledAs())) {
                return command.isContainer() ? subcommand(command, arguments) : command;
            }
            slot = slot + 1 & table.length - 1;
        }
    }

    private static Command subcommand(Command container, Arguments arguments) {
        if (arguments.count() < 2) {
            return container;
        }
        Command found = container.subcommand(arguments.text(1).toLowerCase(Locale.ROOT));
        return found == null ? container : found;
    }

    /** By full name, a subcommand's with a bar, in any case; null if there is none. */
    public @Nullable Command find(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        int bar = lower.indexOf('|');
        Command command = byName.get(bar < 0 ? lower : lower.substring(0, bar));
        return command == null || bar < 0 ? command : command.subcommand(lower.substring(bar + 1));
    }

    /** Commands that clients may call, without their subcommands. */
    public Collection<Command> commands() {
        return byName.values().stream()
                .filter(command -> !command.calledAs().isEmpty())
                .toList();
    }

    /** Commands and subcommands, each at its {@link Command#number}. */
    public List<Command> all() {
        return numbered;
    }
}
