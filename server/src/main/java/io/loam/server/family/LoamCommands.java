package io.loam.server.family;

import io.loam.server.command.Command;
import io.loam.server.command.CommandTable.Family;
import io.loam.server.command.Latencies;
import io.loam.server.command.Service;
import io.loam.server.protocol.Reply;
import io.loam.server.watch.Figures;
import io.loam.server.watch.Figures.Figure;
import io.loam.store.StoreStats.SegmentInfo;
import java.util.ArrayList;
import java.util.List;

/** LOAM: what Redis has no command for. {@code loam top} draws it, and scripts read it; docs/watching.md describes the replies. */
final class LoamCommands {

    private LoamCommands() {}

    static void register(Service service, Figures figures) {
        Family family = service.table().family("server", null);
        Command loam = family.container("loam", "0.1.0", "Tells of the store and of this server.");
        String flags = "noscript loading stale";
        family.subcommand(loam, "stats", 2, flags)
                .category("dangerous")
                .slow()
                .tip("nondeterministic_output")
                .docs("0.1.0", "O(N) in the number of connections and segments.", "Returns every figure by its name.")
                .runs((session, arguments, reply) -> stats(figures, reply));
        family.subcommand(loam, "latencies", 2, flags)
                .category("dangerous")
                .slow()
                .tip("nondeterministic_output")
                .docs(
                        "0.1.0",
                        "O(N) in the number of commands.",
                        "Returns how many commands took how many nanoseconds.")
                .runs((session, arguments, reply) -> latencies(session.service().latencies(), reply));
        family.subcommand(loam, "segments", 2, flags)
                .category("dangerous")
                .slow()
                .tip("nondeterministic_output")
                .docs(
                        "0.1.0",
                        "O(N) in the number of segments.",
                        "Returns each segment's state, blocks, live bytes, bytes used, and age in milliseconds.")
                .runs((session, arguments, reply) ->
                        segments(session.service().store().stats().segments(), reply));
        family.subcommand(loam, "help", 2, "loading stale")
                .docs("0.1.0", "O(1)", "Returns these lines.")
                .runs(
                        (session, arguments, reply) -> Help.write(
                                reply,
                                "LOAM <subcommand>. Subcommands are:",
                                "STATS",
                                "    Every figure of the server and its store, by name.",
                                "LATENCIES",
                                "    Pairs of a duration in nanoseconds and how many commands took so long, or a little less.",
                                "SEGMENTS",
                                "    For each segment of the log its state, blocks, live bytes, bytes used, age in milliseconds."));
    }

    private static void stats(Figures figures, Reply reply) {
        List<Figure> all = figures.read();
        reply.map(all.size());
        for (Figure figure : all) {
            reply.bulk(figure.name());
            if (figure.value() == Math.rint(figure.value())) {
                reply.integer((long) figure.value());
            } else {
                reply.decimal(Double.toString(figure.value()));
            }
        }
    }

    private static void latencies(Latencies latencies, Reply reply) {
        List<Long> pairs = new ArrayList<>();
        latencies.forEach((nanos, count) -> {
            pairs.add(nanos);
            pairs.add(count);
        });
        reply.array(pairs.size());
        pairs.forEach(reply::integer);
    }

    private static void segments(List<SegmentInfo> segments, Reply reply) {
        reply.array(segments.size());
        for (SegmentInfo segment : segments) {
            reply.array(5);
            reply.bulk(segment.state());
            reply.integer(segment.blocks());
            reply.integer(segment.liveBytes());
            reply.integer(segment.usedBytes());
            reply.integer(segment.ageMillis());
        }
    }
}
