package io.loam.server.watch;

import io.loam.server.command.Command;
import io.loam.server.command.CommandCounters.Count;
import io.loam.server.command.Latencies;
import io.loam.server.command.Service;
import io.loam.server.keyspace.Keyspace;
import io.loam.server.watch.Figures.Figure;
import io.loam.server.watch.Figures.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * The text that Prometheus reads, in its exposition format, version 0.0.4: every name begins with {@code loam_}, a counter's ends in {@code _total}, units are seconds, bytes and ratios.
 */
final class MetricsText {

    /** Powers of two of a nanosecond: 1 µs to 8.6 s, in steps of 4. */
    private static final int FIRST_BOUND = 10;

    private static final int LAST_BOUND = 33;
    private static final double[] QUANTILES = {0.5, 0.99, 0.999};

    private final StringBuilder text = new StringBuilder(16 << 10);

    private MetricsText() {}

    static String of(Service service, Figures figures) {
        MetricsText text = new MetricsText();
        for (Figure figure : figures.read()) {
            String name = text.begin(figure.name(), figure.kind(), figure.meaning());
            text.sample(name, "", figure.value());
        }
        text.databases(service.keyspace());
        text.errors(service.errors());
        text.commands(service);
        text.durations(service.latencies());
        return text.text.toString();
    }

    private String begin(String name, Kind kind, String meaning) {
        String full = "loam_" + name + (kind == Kind.COUNTER ? "_total" : "");
        head(full, kind == Kind.COUNTER ? "counter" : "gauge", meaning);
        return full;
    }

    private void head(String name, String type, String meaning) {
        text.append("# HELP ").append(name).append(' ').append(meaning).append('\n');
        text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    }

    private void sample(String name, String labels, double value) {
        text.append(name);
        if (!labels.isEmpty()) {
            text.append('{').append(labels).append('}');
        }
        text.append(' ');
        if (value == Math.rint(value) && Math.abs(value) < 1L << 53) {
            text.append((long) value);
        } else {
            text.append(value);
        }
        text.append('\n');
    }

    private static String label(String name, String value) {
        return name + "=\"" + value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
    }

    private void databases(Keyspace keyspace) {
        String name = begin("database_keys", Kind.GAUGE, "Keys of a database.");
        for (int i = 0; i < keyspace.count(); i++) {
            long keys = keyspace.database(i).entries().size();
            if (keys > 0 || i == 0) {
                sample(name, label("database", Integer.toString(i)), keys);
            }
        }
    }

    private void errors(Map<String, Long> errors) {
        String name = begin("errors", Kind.COUNTER, "Errors that were replied, by code.");
        errors.forEach((code, count) -> sample(name, label("code", code), count));
    }

    // ---- commands

    private record Ran(String name, Count count, Latencies latencies) {}

    private void commands(Service service) {
        List<Ran> ran = new ArrayList<>();
        for (Command command : service.table().all()) {
            Count count = service.count(command);
            if (count.calls() + count.rejected() > 0) {
                ran.add(new Ran(command.name(), count, service.latencies(command)));
            }
        }
        each(ran, "command_calls", "Times that a command ran.", count -> count.calls());
        each(ran, "command_seconds", "Time that a command took, all its calls together.", count -> count.nanos() / 1e9);
        each(ran, "command_failures", "Calls of a command that replied an error.", count -> count.failed());
        each(
                ran,
                "command_rejections",
                "Calls of a command that were refused before it ran.",
                count -> count.rejected());
        head("loam_command_latency_seconds", "summary", "How long a command's calls took, since the start.");
        for (Ran each : ran) {
            String command = label("command", each.name);
            for (double quantile : QUANTILES) {
                String labels = command + "," + label("quantile", Double.toString(quantile));
                sample("loam_command_latency_seconds", labels, each.latencies.percentileNanos(100 * quantile) / 1e9);
            }
            sample("loam_command_latency_seconds_sum", command, each.count.nanos() / 1e9);
            sample("loam_command_latency_seconds_count", command, each.count.calls());
        }
    }

    private void each(List<Ran> ran, String suffix, String meaning, ToDoubleFunction<Count> value) {
        String name = begin(suffix, Kind.COUNTER, meaning);
        ran.forEach(each -> sample(name, label("command", each.name), value.applyAsDouble(each.count)));
    }

    /** All commands as one histogram, to be added up over servers. */
    private void durations(Latencies latencies) {
        String name = "loam_duration_seconds";
        head(name, "histogram", "How long commands took, all of them; the sum is a little too high.");
        for (int bound = FIRST_BOUND; bound <= LAST_BOUND; bound += 2) {
            String labels = label("le", Double.toString((1L << bound) / 1e9));
            sample(name + "_bucket", labels, latencies.countBelow(1L << bound));
        }
        double[] seconds = {0};
        latencies.forEach((nanos, count) -> seconds[0] += nanos / 1e9 * count);
        sample(name + "_bucket", label("le", "+Inf"), latencies.count());
        sample(name + "_sum", "", seconds[0]);
        sample(name + "_count", "", latencies.count());
    }
}
