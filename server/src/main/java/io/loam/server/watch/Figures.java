package io.loam.server.watch;

import io.loam.memory.ProcessMemory;
import io.loam.server.command.Service;
import io.loam.store.StoreStats;
import java.util.ArrayList;
import java.util.List;

/** What there is to know of a running server in single numbers: one table for LOAM STATS and for /metrics. */
public final class Figures {

    private final Service service;
    private final Rates rates;

    /** Whether a number may fall. */
    public enum Kind {
        GAUGE,
        COUNTER
    }

    /**
     * A number at one moment.
     *
     * @param name words of lower case with underscores, the unit last; a counter's has no ending that says so
     * @param meaning a sentence
     */
    public record Figure(String name, Kind kind, String meaning, double value) {}

    Figures(Service service, Rates rates) {
        this.service = service;
        this.rates = rates;
    }

    /** All of them, always in the same order. Takes some time with many connections or segments: not for an event loop. */
    public List<Figure> read() {
        Table table = new Table(new ArrayList<>());
        server(table);
        memory(table, service.store().stats());
        work(table, service.store().stats());
        return table.rows;
    }

    private record Table(List<Figure> rows) {
        private void gauge(String name, double value, String meaning) {
            rows.add(new Figure(name, Kind.GAUGE, meaning, value));
        }

        private void counter(String name, double value, String meaning) {
            rows.add(new Figure(name, Kind.COUNTER, meaning, value));
        }
    }

    private void server(Table table) {
        Rates.Sample rate = rates.latest();
        table.gauge(
                "uptime_seconds",
                (service.nowMillis() - service.startedAtMillis()) / 1000.0,
                "Time since the server started.");
        table.gauge("event_loops", service.options().eventLoops(), "Threads that run commands.");
        table.gauge("clients", service.sessionCount(), "Connections that are open.");
        table.gauge("clients_limit", service.options().maxClients(), "Connections that may be open at most.");
        table.counter("connections", service.connections(), "Connections that were made.");
        table.counter("refused_connections", service.rejectedConnections().sum(), "Connections beyond the limit.");
        table.counter("commands", service.calls(), "Commands that ran.");
        table.gauge("commands_per_second", rate.commands(), "Commands that ran in the last second.");
        table.counter("keyspace_hits", service.hits(), "Keys that commands looked for to read, and found.");
        table.counter("keyspace_misses", service.misses(), "Keys that commands looked for to read, and did not find.");
        table.counter("expired_keys", service.expiredKeys(), "Keys removed because their time was over.");
        table.counter("evicted_keys", service.evictedKeys(), "Keys removed to make room.");
        table.counter("input_bytes", service.inputBytes().sum(), "Bytes that came from clients.");
        table.counter("output_bytes", service.outputBytes().sum(), "Bytes that went to clients.");
        table.gauge("input_bytes_per_second", rate.inputBytes(), "Bytes that came in the last second.");
        table.gauge("output_bytes_per_second", rate.outputBytes(), "Bytes that went in the last second.");
        table.gauge("client_input_bytes", service.heldInputBytes(), "Buffers with requests that are not complete.");
        table.gauge("client_output_bytes", service.heldOutputBytes(), "Replies that wait to be sent.");
        table.gauge(
                "client_memory_bytes",
                service.clientMemory().bytes(),
                "What clients take besides the store: requests, replies, queues of MULTI, watched keys, names of channels.");
        table.counter(
                "evicted_clients",
                service.clientMemory().evicted().sum(),
                "Connections ended for the memory that clients took.");
    }

    private void memory(Table table, StoreStats stats) {
        table.gauge(
                "memory_peak_bytes",
                service.peakMemory(),
                "The most that blocks of the store and buffers of clients took, looked at each second.");
        table.gauge("keys", stats.keys(), "Keys of all databases, with what the server keeps for itself.");
        table.gauge("memory_limit_bytes", stats.capacityBytes(), "The budget, maxmemory.");
        table.gauge(
                "memory_used_bytes",
                stats.capacityBytes() - stats.freeBytes(),
                "Blocks of the store that are not free.");
        table.gauge("memory_live_bytes", stats.liveLogBytes(), "Entries that can be read, with headers and padding.");
        table.gauge("memory_live_user_bytes", stats.liveUserBytes(), "Keys and values that can be read.");
        table.gauge(
                "memory_dead_bytes",
                stats.logBytes() - stats.liveLogBytes(),
                "What the cleaner can reclaim of the log.");
        table.gauge("memory_index_bytes", stats.indexBytes(), "Blocks of the index.");
        table.gauge("memory_table_bytes", stats.tableBytes(), "Fixed tables of the store.");
        table.gauge("memory_free_bytes", stats.freeBytes(), "Blocks that nothing is in.");
        table.gauge("memory_reserve_bytes", stats.reserveBytes(), "Free blocks that only the cleaner may take.");
        table.gauge("memory_retired_bytes", stats.retiredBytes(), "Blocks that wait for readers before they are free.");
        table.gauge("memory_released_bytes", stats.releasedBytes(), "Free blocks that were given back to the kernel.");
        table.gauge("memory_utilisation_ratio", stats.utilisation(), "Live bytes of what the log can hold.");
        table.gauge(
                "memory_resident_bytes",
                ProcessMemory.rssBytes(),
                "Memory of the process that is present, the JVM's included.");
        table.gauge("java_heap_bytes", Runtime.getRuntime().totalMemory(), "The JVM's heap.");
    }

    private static void work(Table table, StoreStats stats) {
        table.gauge("block_bytes", stats.blockBytes(), "Size of a block.");
        table.gauge("segments", stats.segments().size(), "Segments of the log.");
        table.counter("appended_bytes", stats.appendedBytes(), "Bytes that writes appended to the log.");
        table.counter("overwritten_bytes", stats.overwrittenBytes(), "Bytes that writes overwrote in place.");
        table.counter("cleaner_copied_bytes", stats.cleanerCopiedBytes(), "Bytes that the cleaner copied.");
        table.counter("cleaner_segments", stats.cleanedSegments(), "Segments that the cleaner reclaimed.");
        table.counter("cleaner_passes", stats.cleaningPasses(), "Passes of the cleaner.");
        table.gauge(
                "write_cost_ratio", writeCost(stats), "Bytes written to the log for each byte that writes appended.");
        table.counter("index_resizes", stats.indexResizes(), "Steps by which the index grew or shrank.");
        table.counter("writer_stalls", stats.writerStalls(), "Writes that waited for memory.");
        table.gauge("longest_stall_seconds", stats.longestStallNanos() / 1e9, "The longest such wait.");
        table.counter("refused_writes", stats.refusedWrites(), "Writes refused because memory was full.");
    }

    /** Bytes written to the log, by writers and the cleaner, for each byte that writers appended; 1 if there are none. */
    public static double writeCost(StoreStats stats) {
        return stats.appendedBytes() == 0
                ? 1
                : (double) (stats.appendedBytes() + stats.cleanerCopiedBytes()) / stats.appendedBytes();
    }
}
