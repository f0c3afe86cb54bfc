package io.loam.server.command;

import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One command, as its family declares it:
 *
 * <pre>{@code
 * family.command("getset", 3, "write denyoom fast").key("RW access update")
 *         .docs("1.0.0", "O(1)", "Sets a value and returns the one before.").runs(this::getSet);
 * }</pre>
 */
public final class Command {

    private final String name;
    /** How clients call it; empty: they can't. */
    private String called;

    private final int arity;
    private final Set<Flag> flags = EnumSet.noneOf(Flag.class);
    private final Set<String> categories = new LinkedHashSet<>();
    private final String group;
    private final @Nullable Command parent;
    private final Map<String, Command> subcommands = new LinkedHashMap<>();
    private final List<String> tips = new ArrayList<>();
    private List<KeySpec> keys = List.of();
    private String since = "1.0.0";
    private String complexity = "O(1)";
    private String summary = "";
    private @Nullable Isolation isolation;
    private boolean slow;
    private @Nullable Execution execution;
    private final int number;

    Command(String name, int arity, String flags, String group, @Nullable Command parent, int number) {
        this.name = name;
        this.called = name;
        this.arity = arity;
        this.group = group;
        this.parent = parent;
        this.number = number;
        for (String flag : flags.split(" ")) {
            if (!flag.isEmpty()) {
                this.flags.add(Flag.valueOf(flag.toUpperCase(Locale.ROOT)));
            }
        }
    }

    // ---- declaring

    /** One key, argument 1. */
    public Command key(String keyFlags) {
        return keys(keyFlags, 1, 0, 1);
    }

    /** Keys from argument {@code first} to {@code last}, as {@link KeySpec} has it. */
    public Command keys(String keyFlags, int first, int last, int step) {
        List<KeySpec> more = new ArrayList<>(keys);
        more.add(KeySpec.of(keyFlags, first, last, step));
        keys = List.copyOf(more);
        return this;
    }

    /** Each key is read by one operation of the store. */
    public Command oneRead() {
        return isolated(Isolation.ONE_READ);
    }

    /** Other than follows from flags and keys. */
    public Command isolated(Isolation isolation) {
        this.isolation = isolation;
        return this;
    }

    /** Always runs on a thread that may wait. */
    public Command slow() {
        slow = true;
        return this;
    }

    /** A category besides those that follow from group and flags; without the sign. */
    public Command category(String category) {
        categories.add(category);
        return this;
    }

    /** A hint for clients, as COMMAND says it. */
    public Command tip(String... hints) {
        tips.addAll(List.of(hints));
        return this;
    }

    /** For COMMAND DOCS. */
    public Command docs(String since, String complexity, String summary) {
        this.since = since;
        this.complexity = complexity;
        this.summary = summary;
        return this;
    }

    public Command runs(Execution execution) {
        this.execution = execution;
        return this;
    }

    /** Declares a subcommand; its name is one word. */
    public Command subcommand(String subcommand, int arity, String flags, CommandTable table) {
        Command made = table.make(name + "|" + subcommand, arity, flags, group, this);
        categories.forEach(made::category);
        subcommands.put(subcommand, made);
        return made;
    }

    // ---- what it is

    /** In lower case; a subcommand's after its container's and a bar. */
    public String name() {
        return name;
    }

    String calledAs() {
        return called;
    }

    void call(String other) {
        called = other;
    }

    /** How many arguments with the name, at least so many if negative. */
    public int arity() {
        return arity;
    }

    /** Whether so many arguments, the name included, are in form. */
    public boolean accepts(int count) {
        return arity < 0 ? count >= -arity : count == arity;
    }

    public Set<Flag> flags() {
        return flags;
    }

    public boolean is(Flag flag) {
        return flags.contains(flag);
    }

    /** Category names without the sign, those that follow from flags included. */
    public Set<String> categories() {
        Set<String> all = new LinkedHashSet<>(categories);
        if (is(Flag.WRITE)) {
            all.add("write");
        }
        if (is(Flag.READONLY)) {
            all.add("read");
        }
        if (is(Flag.ADMIN)) {
            all.add("admin");
            all.add("dangerous");
        }
        if (is(Flag.PUBSUB)) {
            all.add("pubsub");
        }
        if (is(Flag.BLOCKING)) {
            all.add("blocking");
        }
        all.add(is(Flag.FAST) ? "fast" : "slow");
        return all;
    }

    public List<KeySpec> keys() {
        return keys;
    }

    /** First key's number, 0: it has none. */
    public int firstKey() {
        return keys.stream().mapToInt(KeySpec::first).min().orElse(0);
    }

    /** Last key's number; below 0 from the end. */
    public int lastKey() {
        return keys.stream().anyMatch(spec -> spec.last() < 0)
                ? keys.stream().mapToInt(KeySpec::last).min().orElse(0)
                : keys.stream()
                        .mapToInt(spec -> spec.first() + spec.last())
                        .max()
                        .orElse(0);
    }

    public int keyStep() {
        return keys.isEmpty() ? 0 : keys.getFirst().step();
    }

    public List<String> tips() {
        return tips;
    }

    /** The family, as COMMAND DOCS says it. */
    public String group() {
        return group;
    }

    public String since() {
        return since;
    }

    public String complexity() {
        return complexity;
    }

    public String summary() {
        return summary;
    }

    public Collection<Command> subcommands() {
        return subcommands.values();
    }

    @Nullable
    Command subcommand(String subcommand) {
        return subcommands.get(subcommand);
    }

    public boolean isContainer() {
        return !subcommands.isEmpty();
    }

    public @Nullable Command parent() {
        return parent;
    }

    /** Its place in arrays of counters. */
    public int number() {
        return number;
    }

    public Isolation isolation() {
        Isolation said = isolation;
        if (said != null) {
            return said;
        }
        return keys.isEmpty() ? Isolation.NONE : is(Flag.WRITE) ? Isolation.LOCKED : Isolation.READ;
    }

    public boolean isSlow() {
        return slow;
    }

    Execution execution() {
        Execution run = execution;
        if (run == null) {
            throw new IllegalStateException("the command " + name + " was declared without runs(…)");
        }
        return run;
    }

    boolean runs() {
        return execution != null;
    }
}
