package io.loam.server.family;

import io.loam.memory.ProcessMemory;
import io.loam.server.command.Command;
import io.loam.server.command.CommandTable.Family;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.keyspace.ValueType;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;
import io.loam.server.watch.Figures;
import io.loam.store.Namespace;
import io.loam.store.StoreStats;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** MEMORY: what the memory holds. */
final class MemoryCommands {

    private static final String[] SPECIAL = {
        "nondeterministic_output", "request_policy:all_shards", "response_policy:special"
    };

    private MemoryCommands() {}

    static void register(Service service) {
        Family family = service.table().family("server", null);
        Command memory = family.container("memory", "4.0.0", "Tells what the memory holds.");
        family.subcommand(memory, "usage", -3, "readonly")
                .keys("RO", 2, 0, 1)
                .docs("4.0.0", "O(N) in the number of fields.", "Returns the bytes that a key takes in log and index.")
                .runs(MemoryCommands::usage);
        family.subcommand(memory, "stats", 2, "")
                .slow()
                .tip(SPECIAL)
                .docs("4.0.0", "O(N) in the number of connections.", "Returns how the memory is used.")
                .runs((session, arguments, reply) -> stats(session.service(), reply));
        family.subcommand(memory, "doctor", 2, "")
                .slow()
                .tip(SPECIAL)
                .docs("4.0.0", "O(1)", "Tells people what is to be said of the memory.")
                .runs((session, arguments, reply) -> reply.verbatim("txt", report(session.service())));
        family.subcommand(memory, "malloc-stats", 2, "")
                .slow()
                .tip(SPECIAL)
                .docs("4.0.0", "O(N) in the number of segments.", "Tells people how full the segments of the log are.")
                .runs((session, arguments, reply) -> reply.verbatim("txt", segments(session.service())));
        family.subcommand(memory, "purge", 2, "")
                .slow()
                .tip("request_policy:all_shards", "response_policy:all_succeeded")
                .docs("4.0.0", "O(N) in the bytes of the log.", "Cleans the log until no segment is worth it.")
                .runs((session, arguments, reply) -> {
                    session.service().store().clean();
                    reply.ok();
                });
        family.subcommand(memory, "help", 2, "loading stale")
                .docs("4.0.0", "O(1)", "Returns these lines.")
                .runs((session, arguments, reply) -> Help.write(
                        reply,
                        "MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
                        "DOCTOR",
                        "    Return memory problems reports.",
                        "MALLOC-STATS",
                        "    Return how full the segments of the log are.",
                        "PURGE",
                        "    Clean the log until no segment is worth it.",
                        "STATS",
                        "    Return information about the memory usage of the server.",
                        "USAGE <key> [SAMPLES <count>]",
                        "    Return memory in bytes used by <key> and its value, exactly;",
                        "    <count> makes no difference."));
    }

    private static void usage(Session session, Arguments arguments, Reply reply) {
        for (int i = 3; i < arguments.count(); i += 2) {
            if (!arguments.is(i, "samples") || i + 1 == arguments.count()) {
                throw RedisError.SYNTAX;
            }
            if (arguments.integer(i + 1) < 0) {
                throw RedisError.SYNTAX;
            }
        }
        byte[] key = arguments.key(2);
        ValueType type = session.type(key);
        if (type != null && type.isLarge()) {
            session.mustBeAllowedToWait();
        }
        long bytes = session.database().storedBytes(key);
        if (bytes == Namespace.ABSENT) {
            reply.nothing();
        } else {
            reply.integer(bytes);
        }
    }

    // ---- for programs

    private static void stats(Service service, Reply reply) {
        StoreStats stats = service.store().stats();
        long buffers = service.clientMemory().bytes();
        long store = stats.capacityBytes() - stats.freeBytes();
        long rss = ProcessMemory.rssBytes();
        long overhead = stats.tableBytes() + stats.indexBytes() + buffers;
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("peak.allocated", service.peakMemory());
        values.put("total.allocated", store + buffers);
        values.put("startup.allocated", stats.tableBytes());
        values.put("replication.backlog", 0L);
        values.put("clients.slaves", 0L);
        values.put("clients.normal", buffers);
        values.put("cluster.links", 0L);
        values.put("aof.buffer", 0L);
        values.put("overhead.total", overhead);
        values.put("keys.count", service.keyspace().keys());
        values.put(
                "keys.bytes-per-key",
                stats.keys() == 0 ? 0L : (stats.liveLogBytes() + stats.indexBytes()) / stats.keys());
        values.put("dataset.bytes", stats.liveLogBytes());
        values.put("dataset.percentage", 100.0 * stats.liveLogBytes() / Math.max(1, store + buffers));
        values.put("allocator.allocated", stats.liveLogBytes() + stats.indexBytes() + stats.tableBytes());
        values.put("allocator.active", store);
        values.put("allocator.resident", stats.capacityBytes() - stats.releasedBytes());
        values.put("allocator-fragmentation.ratio", ratio(stats.logBytes(), stats.liveLogBytes()));
        values.put("allocator-fragmentation.bytes", stats.logBytes() - stats.liveLogBytes());
        values.put("fragmentation", ratio(rss, store + buffers));
        values.put("fragmentation.bytes", rss - store - buffers);
        values.put("live.user.bytes", stats.liveUserBytes());
        values.put("live.bytes", stats.liveLogBytes());
        values.put("dead.bytes", stats.logBytes() - stats.liveLogBytes());
        values.put("index.bytes", stats.indexBytes());
        values.put("table.bytes", stats.tableBytes());
        values.put("free.bytes", stats.freeBytes());
        values.put("released.bytes", stats.releasedBytes());
        values.put("java-heap.bytes", Runtime.getRuntime().totalMemory());
        values.put("write-cost", Figures.writeCost(stats));
        reply.map(values.size());
        values.forEach((name, value) -> {
            reply.bulk(name);
            if (value instanceof Long number) {
                reply.integer(number);
            } else {
                reply.decimal(value.toString());
            }
        });
    }

    private static double ratio(long part, long of) {
        return (double) part / Math.max(1, of);
    }

    // ---- for people

    private static String report(Service service) {
        StoreStats stats = service.store().stats();
        StringBuilder text = new StringBuilder();
        if (stats.refusedWrites() > 0) {
            line(
                    text,
                    "%,d writes were refused because memory was full: raise maxmemory, delete keys, or choose a maxmemory-policy that evicts.",
                    stats.refusedWrites());
        }
        if (stats.utilisation() > 0.95) {
            line(
                    text,
                    "%.1f %% of what the log can hold is live: the cleaner copies much for little room. Raise maxmemory.",
                    100 * stats.utilisation());
        }
        if (Figures.writeCost(stats) > 4) {
            line(
                    text,
                    "For each byte written the cleaner copied %.1f: more memory would spare that.",
                    Figures.writeCost(stats) - 1);
        }
        if (stats.writerStalls() > 0) {
            line(
                    text,
                    "%,d writes waited for memory, the longest %.1f ms.",
                    stats.writerStalls(),
                    stats.longestStallNanos() / 1e6);
        }
        long buffers = service.clientMemory().bytes();
        if (buffers > stats.capacityBytes() / 10) {
            line(text, "Buffers of clients take %,d bytes: CLIENT LIST shows whose.", buffers);
        }
        long available = ProcessMemory.availableBytes();
        if (available < stats.freeBytes() && stats.opening() == StoreStats.Opening.PRIVATE) {
            line(
                    text,
                    "The machine can give %,d bytes more, but maxmemory leaves %,d to be used: lower maxmemory, or the kernel may end this process.",
                    available,
                    stats.freeBytes());
        }
        return text.isEmpty() ? "Nothing to worry about: memory is neither short nor wasted.\n" : text.toString();
    }

    private static void line(StringBuilder text, String form, Object... values) {
        text.append(String.format(Locale.ROOT, form, values)).append('\n');
    }

    private static String segments(Service service) {
        StoreStats stats = service.store().stats();
        StringBuilder text = new StringBuilder();
        line(
                text,
                "blocks of %,d bytes, segments of %,d; %,d segments now",
                stats.blockBytes(),
                stats.segmentBytes(),
                stats.segments().size());
        line(
                text,
                "log %,d bytes, live %,d, dead %,d; index %,d; tables %,d; free %,d",
                stats.logBytes(),
                stats.liveLogBytes(),
                stats.logBytes() - stats.liveLogBytes(),
                stats.indexBytes(),
                stats.tableBytes(),
                stats.freeBytes());
        List<Integer> histogram = stats.utilisationHistogram();
        for (int i = 0; i < histogram.size(); i++) {
            line(text, "sealed segments with %3d to %3d %% live: %,d", 10 * i, 10 * i + 10, histogram.get(i));
        }
        return text.toString();
    }
}
