package io.loam.server.watch;

import io.loam.server.command.Command;
import io.loam.server.command.CommandCounters.Count;
import io.loam.server.command.Service;
import io.loam.server.keyspace.Keyspace;
import io.loam.server.watch.Figures.Figure;
import io.loam.server.watch.Figures.Kind;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * A server's figures as the meters of one registry. They read what the server counts anyway, when the registry asks: a command costs nothing for them.
 *
 * <p>All figures are read together, and kept for a second for whoever asks next. What has a tag (a command, a code of error, a database) becomes meters when the figures are read after it first showed. A
 * registry of Prometheus gets the durations as histogram and summary ({@link DurationCollector}), any other as timers with percentiles.
 */
public final class ServerMeters implements AutoCloseable {

    private static final long FRESH_NANOS = 1_000_000_000L;
    /** The last words of names that Micrometer wants apart. */
    private static final List<String> UNITS = List.of("bytes", "seconds", "ratio");

    static final double[] QUANTILES = {0.5, 0.99, 0.999};

    private final Service service;
    private final Figures figures;
    private final MeterRegistry registry;
    private final @Nullable DurationCollector durations;
    private final Queue<Meter> meters = new ConcurrentLinkedQueue<>();
    private final Set<String> met = ConcurrentHashMap.newKeySet();
    private volatile Reading reading;
    private boolean closed;

    /** All that needs the store, at one moment. */
    private record Reading(
            long nanos,
            List<Figure> rows,
            Map<String, Double> figures,
            Map<String, Long> errors,
            long[] keys,
            long[] expiring) {}

    private ServerMeters(Service service, Figures figures, MeterRegistry registry) {
        this.service = service;
        this.figures = figures;
        this.registry = registry;
        this.durations = registry instanceof PrometheusMeterRegistry prometheus
                ? new DurationCollector(service, prometheus)
                : null;
        this.reading = read();
    }

    /**
     * Adds a server's meters to a registry, until {@link #close}.
     *
     * @throws IllegalArgumentException if the registry has the meters of a server already
     */
    public static ServerMeters bind(Service service, Figures figures, MeterRegistry registry) {
        if (registry.find("loam.uptime").meter() != null) {
            throw new IllegalArgumentException(
                    "the registry has the meters of a server already; give each server one of its own,"
                            + " with a common tag that tells them apart");
        }
        ServerMeters meters = new ServerMeters(service, figures, registry);
        meters.addFigures();
        meters.renew();
        return meters;
    }

    private Reading read() {
        List<Figure> rows = figures.read();
        Map<String, Double> values = new HashMap<>();
        rows.forEach(figure -> values.put(figure.name(), figure.value()));
        Keyspace keyspace = service.keyspace();
        long[] keys = new long[keyspace.count()];
        long[] expiring = new long[keyspace.count()];
        for (int i = 0; i < keys.length; i++) {
            keys[i] = keyspace.database(i).entries().size();
            expiring[i] = keyspace.database(i).expiring().keys();
        }
        return new Reading(System.nanoTime(), rows, values, service.errors(), keys, expiring);
    }

    /** Reads all figures now; what asks within a second is told these. */
    void renew() {
        Reading now;
        synchronized (this) {
            if (closed) {
                return;
            }
            now = read();
            reading = now;
        }
        // outside of the lock: the registry takes its own, and may ask for a figure under it
        addNewcomers(now);
    }

    private Reading current() {
        if (System.nanoTime() - reading.nanos > FRESH_NANOS) {
            renew();
        }
        return reading;
    }

    // ---- meters

    private void addFigures() {
        for (Figure figure : reading.rows) {
            String name = figure.name();
            ToDoubleFunction<ServerMeters> value =
                    meters -> meters.current().figures.getOrDefault(name, Double.NaN);
            if (figure.kind() == Kind.COUNTER) {
                counter(name, Tags.empty(), figure.meaning(), value);
            } else {
                gauge(name, Tags.empty(), figure.meaning(), value);
            }
        }
        if (durations == null) {
            timer("loam.duration", Tags.empty(), "How long commands took, all of them.", null);
        }
    }

    private void addNewcomers(Reading now) {
        now.errors.keySet().stream().filter(code -> met.add("error " + code)).forEach(this::addError);
        for (int i = 0; i < now.keys.length; i++) {
            if ((now.keys[i] > 0 || i == 0) && met.add("database " + i)) {
                addDatabase(i);
            }
        }
        for (Command command : service.table().all()) {
            Count count = service.count(command);
            if (count.calls() + count.rejected() > 0 && met.add("command " + command.name())) {
                addCommand(command);
            }
        }
    }

    private void addError(String code) {
        counter(
                "errors",
                Tags.of("code", code),
                "Errors that were replied, by code.",
                meters -> meters.current().errors.getOrDefault(code, 0L));
    }

    private void addDatabase(int number) {
        gauge(
                "database_keys",
                Tags.of("database", Integer.toString(number)),
                "Keys of a database.",
                meters -> meters.current().keys[number]);
        gauge(
                "database_expiring_keys",
                Tags.of("database", Integer.toString(number)),
                "Keys of a database that expire, by a sample.",
                meters -> meters.current().expiring[number]);
    }

    private void addCommand(Command command) {
        command(command, "calls", "Times that a command ran.", Count::calls);
        command(command, "seconds", "Time that a command took, all its calls together.", count -> count.nanos() / 1e9);
        command(command, "failures", "Calls of a command that replied an error.", Count::failed);
        command(command, "rejections", "Calls of a command that were refused before it ran.", Count::rejected);
        if (durations == null) {
            timer(
                    "loam.command.latency",
                    Tags.of("command", command.name()),
                    "How long a command's calls took, since the start.",
                    command);
        }
    }

    private void command(Command command, String what, String meaning, ToDoubleFunction<Count> value) {
        Tags tags = Tags.of("command", command.name());
        counter("command_" + what, tags, meaning, meters -> value.applyAsDouble(meters.service.count(command)));
    }

    private static @Nullable String unit(String name) {
        String last = name.substring(name.lastIndexOf('_') + 1);
        return UNITS.contains(last) && last.length() < name.length() ? last : null;
    }

    /** The words of a figure's name without its unit, in Micrometer's form. */
    private static String meterName(String name, @Nullable String unit) {
        int end = name.length() - (unit == null ? 0 : unit.length() + 1);
        return "loam." + name.substring(0, end).replace('_', '.');
    }

    private void counter(String name, Tags tags, String meaning, ToDoubleFunction<ServerMeters> value) {
        String unit = unit(name);
        meters.add(FunctionCounter.builder(meterName(name, unit), this, value)
                .tags(tags)
                .description(meaning)
                .baseUnit(unit)
                .register(registry));
    }

    private void gauge(String name, Tags tags, String meaning, ToDoubleFunction<ServerMeters> value) {
        String unit = unit(name);
        // counters refer weakly to what they read: these references keep it
        meters.add(Gauge.builder(meterName(name, unit), this, value)
                .tags(tags)
                .description(meaning)
                .baseUnit(unit)
                .strongReference(true)
                .register(registry));
    }

    /** A timer of one command, or of all, and percentiles beside it as Micrometer's registries have them. */
    private void timer(String name, Tags tags, String meaning, @Nullable Command command) {
        meters.add(FunctionTimer.builder(
                        name,
                        this,
                        meters -> meters.count(command),
                        meters -> meters.nanos(command),
                        TimeUnit.NANOSECONDS)
                .tags(tags)
                .description(meaning)
                .register(registry));
        for (double quantile : QUANTILES) {
            meters.add(TimeGauge.builder(
                            name + ".percentile",
                            this,
                            TimeUnit.NANOSECONDS,
                            meters -> meters.percentileNanos(command, 100 * quantile))
                    .tags(tags.and("phi", Double.toString(quantile)))
                    .description(meaning)
                    .strongReference(true)
                    .register(registry));
        }
    }

    private long count(@Nullable Command command) {
        return command == null ? service.calls() : service.count(command).calls();
    }

    private double nanos(@Nullable Command command) {
        return command == null
                ? service.table().all().stream()
                        .mapToLong(each -> service.count(each).nanos())
                        .sum()
                : service.count(command).nanos();
    }

    private double percentileNanos(@Nullable Command command, double percent) {
        return (command == null ? service.latencies() : service.latencies(command)).percentileNanos(percent);
    }

    /** Takes the meters out of the registry. Whoever reads one nevertheless is told what it said last. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        meters.forEach(registry::remove);
        if (durations != null) {
            durations.close();
        }
    }
}
