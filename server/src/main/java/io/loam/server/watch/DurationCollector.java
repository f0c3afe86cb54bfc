package io.loam.server.watch;

import io.loam.server.command.Command;
import io.loam.server.command.CommandCounters.Count;
import io.loam.server.command.Latencies;
import io.loam.server.command.Service;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.Quantile;
import io.prometheus.metrics.model.snapshots.Quantiles;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import io.prometheus.metrics.model.snapshots.SummarySnapshot.SummaryDataPointSnapshot;
import java.util.List;

/**
 * How long commands took, in the forms that only Prometheus has: all together as one histogram, to be added up over servers, and each command as a summary. Micrometer has no meter that makes a histogram of what
 * was counted elsewhere.
 */
final class DurationCollector implements MultiCollector {

    private static final String ALL = "loam_duration_seconds";
    private static final String EACH = "loam_command_latency_seconds";
    /** Powers of two of a nanosecond: 1 µs to 8.6 s, in steps of 4. */
    private static final int FIRST_BOUND = 10;

    private static final int LAST_BOUND = 33;

    private final Service service;
    private final PrometheusRegistry registry;

    DurationCollector(Service service, PrometheusMeterRegistry registry) {
        this.service = service;
        this.registry = registry.getPrometheusRegistry();
        this.registry.register(this);
    }

    @Override
    public List<String> getPrometheusNames() {
        return List.of(ALL, EACH);
    }

    @Override
    public MetricSnapshots collect() {
        return new MetricSnapshots(all(service.latencies()), each());
    }

    private static HistogramSnapshot all(Latencies latencies) {
        var buckets = ClassicHistogramBuckets.builder();
        long below = 0;
        for (int bound = FIRST_BOUND; bound <= LAST_BOUND; bound += 2) {
            long count = latencies.countBelow(1L << bound);
            buckets.bucket((1L << bound) / 1e9, count - below);
            below = count;
        }
        double[] seconds = {0};
        latencies.forEach((nanos, count) -> seconds[0] += nanos / 1e9 * count);
        return HistogramSnapshot.builder()
                .name(ALL)
                .help("How long commands took, all of them; the sum is a little too high.")
                .dataPoint(HistogramDataPointSnapshot.builder()
                        .classicHistogramBuckets(buckets.bucket(Double.POSITIVE_INFINITY, latencies.count() - below)
                                .build())
                        .sum(seconds[0])
                        .build())
                .build();
    }

    private SummarySnapshot each() {
        var summary = SummarySnapshot.builder().name(EACH).help("How long a command's calls took, since the start.");
        for (Command command : service.table().all()) {
            Count count = service.count(command);
            if (count.calls() + count.rejected() > 0) {
                Latencies latencies = service.latencies(command);
                var quantiles = Quantiles.builder();
                for (double quantile : ServerMeters.QUANTILES) {
                    quantiles.quantile(new Quantile(quantile, latencies.percentileNanos(100 * quantile) / 1e9));
                }
                summary.dataPoint(SummaryDataPointSnapshot.builder()
                        .labels(Labels.of("command", command.name()))
                        .quantiles(quantiles.build())
                        .count(count.calls())
                        .sum(count.nanos() / 1e9)
                        .build());
            }
        }
        return summary.build();
    }

    void close() {
        registry.unregister(this);
    }
}
