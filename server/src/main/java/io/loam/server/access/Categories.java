package io.loam.server.access;

import io.loam.server.command.Command;
import io.loam.server.command.CommandTable;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Redis's groups of commands. The table says which command is in which; some have no command here yet. */
public final class Categories {

    /** In Redis's order. */
    public static final List<String> NAMES = List.of(
            "keyspace",
            "read",
            "write",
            "set",
            "sortedset",
            "list",
            "hash",
            "string",
            "bitmap",
            "hyperloglog",
            "geo",
            "stream",
            "pubsub",
            "admin",
            "fast",
            "slow",
            "blocking",
            "dangerous",
            "connection",
            "transaction",
            "scripting");

    private Categories() {}

    /** Commands and subcommands of a category, or null if there is no such category. */
    public static @Nullable List<Command> commands(CommandTable table, String category) {
        return NAMES.contains(category)
                ? table.all().stream()
                        .filter(command -> command.categories().contains(category))
                        .toList()
                : null;
    }
}
