package io.loam.cli.top;

import io.loam.store.StoreStats;
import io.loam.store.StoreStats.SegmentInfo;
import java.util.List;
import java.util.Map;

/**
 * A server at one moment.
 *
 * @param nanos when, by this process's clock
 * @param figures what LOAM STATS says, by name
 * @param latencies how many commands took at most so many nanoseconds, and more than the number before
 * @param segments of the log
 */
record Reading(long nanos, Map<String, Double> figures, Map<Long, Long> latencies, List<Segment> segments) {

    record Segment(String state, int blocks, long liveBytes, long usedBytes, long ageMillis) {}

    /** A figure; 0 if the server does not know it. */
    double figure(String name) {
        return figures.getOrDefault(name, 0.0);
    }

    private long bytes(String name) {
        return (long) figure(name);
    }

    /** What the pictures of a store's memory need. */
    StoreStats stats() {
        long used = bytes("memory_used_bytes");
        long log = used - bytes("memory_index_bytes") - bytes("memory_table_bytes");
        return new StoreStats(
                bytes("memory_limit_bytes"),
                bytes("keys"),
                bytes("memory_live_user_bytes"),
                bytes("memory_live_bytes"),
                bytes("memory_dead_bytes"),
                log,
                bytes("memory_index_bytes"),
                bytes("memory_table_bytes"),
                bytes("memory_free_bytes"),
                bytes("memory_reserve_bytes"),
                bytes("memory_retired_bytes"),
                bytes("memory_released_bytes"),
                0,
                figure("memory_utilisation_ratio"),
                List.of(),
                (int) figure("block_bytes"),
                0,
                bytes("appended_bytes"),
                bytes("overwritten_bytes"),
                bytes("cleaner_copied_bytes"),
                bytes("cleaner_segments"),
                bytes("cleaner_passes"),
                bytes("evicted_keys"),
                bytes("expired_keys"),
                bytes("index_resizes"),
                bytes("writer_stalls"),
                (long) (figure("longest_stall_seconds") * 1e9),
                bytes("refused_writes"),
                segments.stream()
                        .map(each -> new SegmentInfo(
                                each.state, each.blocks, each.liveBytes, each.usedBytes, each.ageMillis))
                        .toList(),
                null,
                StoreStats.Opening.PRIVATE,
                List.of());
    }
}
