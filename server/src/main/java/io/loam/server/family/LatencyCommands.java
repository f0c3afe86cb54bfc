package io.loam.server.family;

import io.loam.server.command.Command;
import io.loam.server.command.CommandTable.Family;
import io.loam.server.command.Latencies;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.Reply;
import io.loam.server.watch.LatencyMonitor;
import io.loam.server.watch.LatencyMonitor.Event;
import io.loam.server.watch.LatencyMonitor.Sample;
import io.loam.store.StoreStats;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** LATENCY: how long commands take, all of them as histograms, the long ones each second. */
final class LatencyCommands {

    /** Redis's bounds are the powers of two of a microsecond that has 1024 ns, at the upper end of a bucket of its own histogram. */
    private static final long FIRST_BOUND_NANOS = 1024;

    private static final long BUCKETS_BELOW_BOUND = 129;

    private final LatencyMonitor monitor;

    private LatencyCommands(LatencyMonitor monitor) {
        this.monitor = monitor;
    }

    static void register(Service service, LatencyMonitor monitor) {
        LatencyCommands commands = new LatencyCommands(monitor);
        Family family = service.table().family("server", null);
        Command latency = family.container("latency", "2.8.13", "Tells how long commands took.");
        String admin = "admin noscript loading stale";
        String[] special = {"nondeterministic_output", "request_policy:all_nodes", "response_policy:special"};
        family.subcommand(latency, "doctor", 2, admin)
                .tip(special)
                .docs("2.8.13", "O(1)", "Tells people what took long, and what may help.")
                .runs(commands::doctor);
        family.subcommand(latency, "latest", 2, admin)
                .tip(special)
                .docs("2.8.13", "O(1)", "Returns the latest and the longest time of each kind of event.")
                .runs(commands::latest);
        family.subcommand(latency, "history", 3, admin)
                .tip(special)
                .docs("2.8.13", "O(1)", "Returns the times of one kind of event.")
                .runs(commands::history);
        family.subcommand(latency, "reset", -2, admin)
                .tip("request_policy:all_nodes", "response_policy:all_succeeded")
                .docs("2.8.13", "O(1)", "Forgets the times of some kinds of events, or of all.")
                .runs(commands::reset);
        family.subcommand(latency, "histogram", -2, admin)
                .slow()
                .tip(special)
                .docs(
                        "7.0.0",
                        "O(N) in the number of commands.",
                        "Returns how many calls of commands took at most how long.")
                .runs(LatencyCommands::histogram);
        family.subcommand(latency, "help", 2, "loading stale")
                .docs("2.8.13", "O(1)", "Returns these lines.")
                .runs((session, arguments, reply) -> Help.write(
                        reply,
                        "LATENCY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
                        "DOCTOR",
                        "    Return a human readable latency analysis report.",
                        "HISTORY <event>",
                        "    Return time-latency samples for the <event> class.",
                        "LATEST",
                        "    Return the latest latency samples for all events.",
                        "RESET [<event> ...]",
                        "    Reset latency data of one or more <event> classes.",
                        "    (default: reset all data for all event classes)",
                        "HISTOGRAM [COMMAND ...]",
                        "    Return a cumulative distribution of latencies in the format of a histogram for the specified command names.",
                        "    If no commands are specified then all histograms are replied."));
    }

    private void latest(Session session, Arguments arguments, Reply reply) {
        List<Event> events = monitor.events();
        reply.array(events.size());
        for (Event event : events) {
            reply.array(4);
            reply.bulk(event.name());
            reply.integer(event.latest().atSeconds());
            reply.integer(event.latest().millis());
            reply.integer(event.longestMillis());
        }
    }

    private void history(Session session, Arguments arguments, Reply reply) {
        Event event = monitor.event(arguments.text(2));
        List<Sample> samples = event == null ? List.of() : event.samples();
        reply.array(samples.size());
        for (Sample sample : samples) {
            reply.array(2);
            reply.integer(sample.atSeconds());
            reply.integer(sample.millis());
        }
    }

    private void reset(Session session, Arguments arguments, Reply reply) {
        int count = 0;
        if (arguments.count() == 2) {
            count = monitor.reset();
        }
        for (int i = 2; i < arguments.count(); i++) {
            count += monitor.reset(arguments.text(i)) ? 1 : 0;
        }
        reply.integer(count);
    }

    // ---- histograms

    private static void histogram(Session session, Arguments arguments, Reply reply) {
        Service service = session.service();
        Map<String, Latencies> found = new LinkedHashMap<>();
        for (Command command : arguments.count() == 2 ? service.table().commands() : named(service, arguments)) {
            add(service, command, found);
            command.subcommands().forEach(each -> add(service, each, found));
        }
        reply.map(found.size());
        found.forEach((name, latencies) -> {
            reply.bulk(name);
            write(latencies, reply);
        });
    }

    private static List<Command> named(Service service, Arguments arguments) {
        List<Command> commands = new ArrayList<>();
        for (int i = 2; i < arguments.count(); i++) {
            Command command = service.table().find(arguments.text(i));
            if (command != null) {
                commands.add(command);
            }
        }
        return commands;
    }

    private static void add(Service service, Command command, Map<String, Latencies> found) {
        if (!command.isContainer()) {
            Latencies latencies = service.latencies(command);
            if (latencies.count() > 0) {
                found.put(command.name(), latencies);
            }
        }
    }

    /** How many calls took less than each power of two, as long as that makes a difference. */
    private static void write(Latencies latencies, Reply reply) {
        Map<Long, Long> cumulative = new LinkedHashMap<>();
        long total = latencies.count();
        long told = 0;
        for (long bound = FIRST_BOUND_NANOS; told < total; bound *= 2) {
            long below = latencies.countBelow(bound);
            if (below > told) {
                cumulative.put((bound / (BUCKETS_BELOW_BOUND - 1) * BUCKETS_BELOW_BOUND - 1) / 1000, below);
                told = below;
            }
        }
        reply.map(2);
        reply.bulk("calls");
        reply.integer(total);
        reply.bulk("histogram_usec");
        reply.map(cumulative.size());
        cumulative.forEach((micros, count) -> {
            reply.integer(micros);
            reply.integer(count);
        });
    }

    // ---- for people

    private void doctor(Session session, Arguments arguments, Reply reply) {
        reply.verbatim("txt", report(session.service()));
    }

    private String report(Service service) {
        long threshold = service.options().latencyMonitorMillis();
        if (threshold == 0) {
            return "Latency monitoring is off. CONFIG SET latency-monitor-threshold <milliseconds> turns it on."
                    + " LATENCY HISTOGRAM tells of all commands without it.\n";
        }
        StringBuilder text = new StringBuilder();
        for (Event event : monitor.events()) {
            long sum = event.samples().stream().mapToLong(Sample::millis).sum();
            text.append(String.format(
                    Locale.ROOT,
                    "%s: %d seconds with a time of %d ms or more; mean of their longest %d ms, longest of all %d ms, the last %d s ago.\n",
                    event.name(),
                    event.samples().size(),
                    threshold,
                    sum / event.samples().size(),
                    event.longestMillis(),
                    service.nowMillis() / 1000 - event.latest().atSeconds()));
        }
        if (text.isEmpty()) {
            return "No command took " + threshold + " ms or longer.\n";
        }
        text.append("SLOWLOG GET names the commands.");
        StoreStats stats = service.store().stats();
        if (stats.writerStalls() > 0) {
            text.append(String.format(
                    Locale.ROOT,
                    " %d writes waited for memory, the longest %.1f ms: more maxmemory, or a maxmemory-policy that evicts, would help.",
                    stats.writerStalls(),
                    stats.longestStallNanos() / 1e6));
        }
        return text.append("\n").toString();
    }
}
