package io.loam.server.family;

import io.loam.memory.ProcessMemory;
import io.loam.memory.ProcessTime;
import io.loam.server.ServerOptions;
import io.loam.server.command.Command;
import io.loam.server.command.CommandCounters.Count;
import io.loam.server.command.Latencies;
import io.loam.server.command.Service;
import io.loam.server.keyspace.Database.Expiring;
import io.loam.server.keyspace.Keyspace;
import io.loam.server.pubsub.Channels;
import io.loam.server.watch.Figures;
import io.loam.server.watch.Rates;
import io.loam.store.StoreStats;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * The text of INFO. A section is a method and a line in {@link #sections}; those of {@link #EXTRA} are in {@code INFO all} only.
 */
final class InfoReport {

    private static final Set<String> EXTRA = Set.of("commandstats", "latencystats");

    private final Service service;
    private final Rates.Sample rates;
    private final StringBuilder text = new StringBuilder();

    InfoReport(Service service, Rates.Sample rates) {
        this.service = service;
        this.rates = rates;
    }

    private Map<String, Runnable> sections() {
        Map<String, Runnable> sections = new LinkedHashMap<>();
        sections.put("server", this::server);
        sections.put("clients", this::clients);
        sections.put("memory", this::memory);
        sections.put("persistence", this::persistence);
        sections.put("stats", this::stats);
        sections.put("replication", this::replication);
        sections.put("cpu", this::cpu);
        sections.put("commandstats", this::commands);
        sections.put("latencystats", this::latencies);
        sections.put("errorstats", this::errors);
        sections.put("cluster", () -> line("cluster_enabled", 0));
        sections.put("keyspace", this::keyspace);
        return sections;
    }

    /** The sections asked for; without any the usual ones. */
    String text(List<String> wanted) {
        Set<String> names = new TreeSet<>();
        wanted.forEach(name -> names.add(name.toLowerCase(Locale.ROOT)));
        boolean all = names.contains("all") || names.contains("everything");
        boolean usual = names.isEmpty() || names.contains("default");
        sections().forEach((name, section) -> {
            if (all || names.contains(name) || (usual && !EXTRA.contains(name))) {
                if (!text.isEmpty()) {
                    text.append("\r\n");
                }
                text.append("# ").append(title(name)).append("\r\n");
                section.run();
            }
        });
        return text.toString();
    }

    private static String title(String name) {
        return name.equals("cpu") ? "CPU" : Character.toUpperCase(name.charAt(0)) + name.substring(1);
    }

    private void line(String name, Object value) {
        text.append(name).append(':').append(value).append("\r\n");
    }

    private void bytes(String name, long bytes) {
        line(name, bytes);
        line(name + "_human", human(bytes));
    }

    private static String human(long bytes) {
        double amount = bytes;
        int unit = 0;
        while (amount >= 1024 && unit < 4) {
            amount /= 1024;
            unit++;
        }
        return unit == 0 ? bytes + "B" : String.format(Locale.ROOT, "%.2f%c", amount, "BKMGT".charAt(unit));
    }

    private void server() {
        long uptime = (service.nowMillis() - service.startedAtMillis()) / 1000;
        line("redis_version", ConnectionCommands.REDIS_VERSION);
        line("redis_mode", "standalone");
        line("server_name", "loam");
        line(
                "os",
                System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                        + System.getProperty("os.arch"));
        line("arch_bits", 64);
        line("java_version", Runtime.version());
        line("process_id", ProcessHandle.current().pid());
        line("run_id", service.runId());
        line("tcp_port", service.port());
        line("server_time_usec", service.nowMillis() * 1000);
        line("uptime_in_seconds", uptime);
        line("uptime_in_days", uptime / 86_400);
        line("io_threads_active", service.options().eventLoops() > 1 ? 1 : 0);
    }

    private void clients() {
        line("connected_clients", service.sessionCount());
        line("maxclients", service.options().maxClients());
        line("client_input_bytes", service.heldInputBytes());
        line("client_output_bytes", service.heldOutputBytes());
        line(
                "client_transaction_bytes",
                service.sessions().stream()
                        .mapToLong(session -> session.activity().queuedBytes())
                        .sum());
        line("blocked_clients", 0);
        line("tracking_clients", 0);
    }

    private void memory() {
        StoreStats stats = service.store().stats();
        long inputs = service.heldInputBytes();
        long outputs = service.heldOutputBytes();
        long store = stats.capacityBytes() - stats.freeBytes();
        long clients = service.clientMemory().bytes();
        long used = store + clients;
        long peak = Math.max(used, service.peakMemory()); // which looks again
        long rss = ProcessMemory.rssBytes();
        long dead = stats.logBytes() - stats.liveLogBytes();
        bytes("used_memory", used);
        bytes("used_memory_rss", rss);
        bytes("used_memory_peak", peak);
        line("used_memory_peak_perc", decimals(100.0 * used / Math.max(1, peak)) + "%");
        bytes("used_memory_rss_peak", ProcessMemory.peakRssBytes());
        line("used_memory_startup", stats.tableBytes());
        line("used_memory_overhead", stats.tableBytes() + stats.indexBytes() + clients);
        line("used_memory_dataset", stats.liveLogBytes());
        line("used_memory_dataset_perc", decimals(100.0 * stats.liveLogBytes() / Math.max(1, used)) + "%");
        bytes("total_system_memory", ProcessMemory.physicalBytes());
        line("live_user_bytes", stats.liveUserBytes());
        line("live_log_bytes", stats.liveLogBytes());
        line("dead_log_bytes", dead);
        line("index_bytes", stats.indexBytes());
        line("table_bytes", stats.tableBytes());
        line("free_bytes", stats.freeBytes());
        line("reserve_bytes", stats.reserveBytes());
        line("released_bytes", stats.releasedBytes());
        line("log_utilisation", String.format(Locale.ROOT, "%.3f", stats.utilisation()));
        line("java_heap_bytes", Runtime.getRuntime().totalMemory());
        bytes("maxmemory", stats.capacityBytes());
        line("maxmemory_policy", service.options().maxMemoryPolicy());
        line("allocator_allocated", stats.liveLogBytes() + stats.indexBytes() + stats.tableBytes());
        line("allocator_active", store);
        line("allocator_frag_ratio", decimals((double) stats.logBytes() / Math.max(1, stats.liveLogBytes())));
        line("allocator_frag_bytes", dead);
        line("mem_fragmentation_ratio", decimals((double) rss / Math.max(1, used)));
        line("mem_fragmentation_bytes", rss - used);
        line("mem_clients_normal", clients);
        line("mem_clients_slaves", 0);
        line("mem_clients_input", inputs);
        line("mem_clients_output", outputs);
        line("mem_allocator", "loam");
        line("active_defrag_running", 0);
        line("lazyfree_pending_objects", 0);
    }

    private static String decimals(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }

    private void persistence() {
        line("loading", 0);
        line("rdb_changes_since_last_save", 0);
        line("rdb_bgsave_in_progress", 0);
        line("rdb_last_save_time", service.startedAtMillis() / 1000);
        line("rdb_last_bgsave_status", "ok");
        line("aof_enabled", 0);
        line("aof_rewrite_in_progress", 0);
    }

    private void stats() {
        StoreStats stats = service.store().stats();
        line("total_connections_received", service.connections());
        line("total_commands_processed", service.calls());
        line("total_net_input_bytes", service.inputBytes().sum());
        line("instantaneous_ops_per_sec", Math.round(rates.commands()));
        line("total_net_output_bytes", service.outputBytes().sum());
        line("instantaneous_input_kbps", decimals(rates.inputBytes() / 1024));
        line("instantaneous_output_kbps", decimals(rates.outputBytes() / 1024));
        line("rejected_connections", service.rejectedConnections().sum());
        line("expired_keys", service.expiredKeys());
        line("evicted_keys", service.evictedKeys());
        line("evicted_clients", service.clientMemory().evicted().sum());
        line("keyspace_hits", service.hits());
        line("keyspace_misses", service.misses());
        line(
                "total_error_replies",
                service.errors().values().stream().mapToLong(Long::longValue).sum());
        line("cleaner_passes", stats.cleaningPasses());
        line("cleaner_segments", stats.cleanedSegments());
        line("cleaner_copied_bytes", stats.cleanerCopiedBytes());
        line("write_cost", decimals(Figures.writeCost(stats)));
        line("appended_bytes", stats.appendedBytes());
        line("overwritten_bytes", stats.overwrittenBytes());
        line("writer_stalls", stats.writerStalls());
        line("longest_stall_usec", stats.longestStallNanos() / 1000);
        line("refused_writes", stats.refusedWrites());
        line("pubsub_channels", service.channels().count(Channels.Kind.CHANNEL));
        line("pubsub_patterns", service.channels().count(Channels.Kind.PATTERN));
        line("pubsubshard_channels", service.channels().count(Channels.Kind.SHARD_CHANNEL));
    }

    private void replication() {
        line("role", "master");
        line("connected_slaves", 0);
        line("master_replid", service.runId());
        line("master_repl_offset", 0);
    }

    private void cpu() {
        ProcessTime time = ProcessTime.now();
        line("used_cpu_sys", String.format(Locale.ROOT, "%.6f", time.systemSeconds()));
        line("used_cpu_user", String.format(Locale.ROOT, "%.6f", time.userSeconds()));
    }

    private void commands() {
        forEachCounted((command, count) -> line(
                "cmdstat_" + command.name(),
                "calls=" + count.calls() + ",usec=" + count.nanos() / 1000 + ",usec_per_call="
                        + String.format(Locale.ROOT, "%.2f", count.nanos() / 1000.0 / Math.max(1, count.calls()))
                        + ",rejected_calls=" + count.rejected() + ",failed_calls=" + count.failed()));
    }

    private void latencies() {
        forEachCounted((command, count) -> {
            Latencies latencies = service.latencies(command);
            if (latencies.count() > 0) {
                String percentiles = service.options().latencyPercentiles().stream()
                        .map(percent -> "p" + ServerOptions.percent(percent) + "="
                                + String.format(Locale.ROOT, "%.3f", latencies.percentileNanos(percent) / 1000.0))
                        .collect(Collectors.joining(","));
                line("latency_percentiles_usec_" + command.name(), percentiles);
            }
        });
    }

    private void forEachCounted(BiConsumer<Command, Count> action) {
        Consumer<Command> each = command -> {
            Count count = service.count(command);
            if (count.calls() + count.rejected() > 0) {
                action.accept(command, count);
            }
        };
        service.table().all().forEach(each);
    }

    private void errors() {
        service.errors().forEach((code, count) -> line("errorstat_" + code, "count=" + count));
    }

    private void keyspace() {
        Keyspace keyspace = service.keyspace();
        for (int i = 0; i < keyspace.count(); i++) {
            long keys = keyspace.database(i).entries().size();
            if (keys > 0) {
                Expiring expiring = keyspace.database(i).expiring();
                long ttl = Math.max(0, expiring.averageExpiryMillis() - service.nowMillis());
                line("db" + i, "keys=" + keys + ",expires=" + expiring.keys() + ",avg_ttl=" + ttl);
            }
        }
    }
}
