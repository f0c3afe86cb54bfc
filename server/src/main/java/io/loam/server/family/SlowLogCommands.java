package io.loam.server.family;

import io.loam.server.command.Command;
import io.loam.server.command.CommandTable.Family;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;
import io.loam.server.watch.SlowLog;
import java.util.List;

/** SLOWLOG: the commands that took longest lately. */
final class SlowLogCommands {

    private static final RedisError NO_COUNT = new RedisError("ERR count should be greater than or equal to -1");
    private static final int USUAL_COUNT = 10;

    private final SlowLog log;

    private SlowLogCommands(SlowLog log) {
        this.log = log;
    }

    static void register(Service service, SlowLog log) {
        SlowLogCommands commands = new SlowLogCommands(log);
        Family family = service.table().family("server", null);
        Command slowlog = family.container("slowlog", "2.2.12", "Tells of commands that took long.");
        String admin = "admin loading stale";
        family.subcommand(slowlog, "get", -2, admin)
                .tip("request_policy:all_nodes", "nondeterministic_output")
                .docs("2.2.12", "O(N) in the number of entries returned.", "Returns the newest slow commands.")
                .runs(commands::get);
        family.subcommand(slowlog, "len", 2, admin)
                .tip("request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output")
                .docs("2.2.12", "O(1)", "Counts the slow commands that are kept.")
                .runs((session, arguments, reply) -> reply.integer(log.size()));
        family.subcommand(slowlog, "reset", 2, admin)
                .tip("request_policy:all_nodes", "response_policy:all_succeeded")
                .docs("2.2.12", "O(N) in the number of entries kept.", "Forgets the slow commands.")
                .runs((session, arguments, reply) -> {
                    log.clear();
                    reply.ok();
                });
        family.subcommand(slowlog, "help", 2, "loading stale")
                .docs("6.2.0", "O(1)", "Returns these lines.")
                .runs((session, arguments, reply) -> Help.write(
                        reply,
                        "SLOWLOG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
                        "GET [<count>]",
                        "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
                        "    Entries are made of:",
                        "    id, timestamp, time in microseconds, arguments array, client IP and port,",
                        "    client name",
                        "LEN",
                        "    Return the length of the slowlog.",
                        "RESET",
                        "    Reset the slowlog."));
    }

    private void get(Session session, Arguments arguments, Reply reply) {
        if (arguments.count() > 3) {
            throw RedisError.SYNTAX;
        }
        long count = arguments.count() == 2 ? USUAL_COUNT : arguments.integer(2, NO_COUNT);
        if (count < -1) {
            throw NO_COUNT;
        }
        List<SlowLog.Entry> entries = log.newest(count < 0 ? Long.MAX_VALUE : count);
        reply.array(entries.size());
        for (SlowLog.Entry entry : entries) {
            reply.array(6);
            reply.integer(entry.id());
            reply.integer(entry.atSeconds());
            reply.integer(entry.micros());
            reply.array(entry.arguments().size());
            entry.arguments().forEach(reply::bulk);
            reply.bulk(entry.client());
            reply.bulk(entry.clientName());
        }
    }
}
