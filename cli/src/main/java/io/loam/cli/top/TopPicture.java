package io.loam.cli.top;

import io.loam.cli.ByteSize;
import io.loam.cli.Screen;
import io.loam.cli.picture.MemoryPicture;
import io.loam.cli.picture.Paint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Two readings of a server as lines of text, none wider than the screen. Pure: the same readings give the same lines. */
final class TopPicture {

    /** Lines above the segments, and the two that belong to them. */
    private static final int OTHER_LINES = 21;

    private static final int MOST_ROWS = 12;

    private final Screen screen;
    private final Paint paint;
    private final int rows;

    /** @param rows of the screen */
    TopPicture(Screen screen, int rows) {
        this.screen = screen;
        this.paint = new Paint(screen.colour());
        this.rows = rows;
    }

    List<String> draw(String address, Reading before, Reading now) {
        Since since = new Since(before, now);
        List<String> lines = new ArrayList<>();
        lines.add(paint.in(Paint.BOLD, "loam top  " + address)
                + text(
                        "  up %s  %.0f clients  %.0f loops",
                        time(now.figure("uptime_seconds")), now.figure("clients"), now.figure("event_loops")));
        lines.add("");
        lines.add(label("commands")
                + text(
                        "%,.0f/s  in %s/s  out %s/s",
                        since.rate("commands"), since.bytes("input_bytes"), since.bytes("output_bytes")));
        lines.add(label("latency") + latency(before.latencies(), now.latencies()));
        lines.add("");
        MemoryPicture memory = new MemoryPicture(screen);
        memory.capacity(now.stats())
                .lines()
                .filter(line -> !line.contains("overhead"))
                .forEach(lines::add);
        lines.add(label("process")
                + text(
                        "%s resident  %s heap  %s in buffers",
                        size(now, "memory_resident_bytes"), size(now, "java_heap_bytes"), ByteSize.format((long)
                                (now.figure("client_input_bytes") + now.figure("client_output_bytes")))));
        lines.add(label("cleaner")
                + text(
                        "%,.0f segments/s  %s/s copied  write cost %.2f",
                        since.rate("cleaner_segments"), since.bytes("cleaner_copied_bytes"), since.writeCost()));
        lines.add(label("writes")
                + text(
                        "%s/s appended  %s/s in place  %,.0f waited  %,.0f refused",
                        since.bytes("appended_bytes"),
                        since.bytes("overwritten_bytes"),
                        since.count("writer_stalls"),
                        since.count("refused_writes")));
        lines.add(label("removed")
                + text("%,.0f/s expired  %,.0f/s evicted", since.rate("expired_keys"), since.rate("evicted_keys")));
        lines.add("");
        memory.segmentMap(now.stats(), Math.clamp(rows - OTHER_LINES, 1, MOST_ROWS))
                .lines()
                .forEach(lines::add);
        return lines.stream().map(this::cut).limit(rows).toList();
    }

    private String label(String name) {
        return paint.in(Paint.BOLD, String.format(Locale.ROOT, "%-9s ", name));
    }

    private static String text(String form, Object... values) {
        return String.format(Locale.ROOT, form, values);
    }

    private static String size(Reading reading, String name) {
        return ByteSize.format((long) reading.figure(name));
    }

    private static String time(double seconds) {
        Duration up = Duration.ofSeconds((long) seconds);
        return up.toHours() > 0
                ? text("%d h %02d min", up.toHours(), up.toMinutesPart())
                : text("%d min %02d s", up.toMinutes(), up.toSecondsPart());
    }

    /** What happened between two readings. Counters may have been set to 0. */
    private record Since(Reading before, Reading now) {

        private double count(String name) {
            double difference = now.figure(name) - before.figure(name);
            return difference < 0 ? now.figure(name) : difference;
        }

        private double rate(String name) {
            return count(name) * 1e9 / Math.max(1, now.nanos() - before.nanos());
        }

        private String bytes(String name) {
            return ByteSize.format((long) rate(name));
        }

        private double writeCost() {
            double appended = count("appended_bytes");
            return appended == 0
                    ? now.figure("write_cost_ratio")
                    : (appended + count("cleaner_copied_bytes")) / appended;
        }
    }

    // ---- latencies

    static String latency(Map<Long, Long> before, Map<Long, Long> now) {
        TreeMap<Long, Long> between = new TreeMap<>();
        long total = 0;
        for (Map.Entry<Long, Long> each : now.entrySet()) {
            long count = each.getValue() - before.getOrDefault(each.getKey(), 0L);
            if (count > 0) {
                between.put(each.getKey(), count);
                total += count;
            }
        }
        if (total == 0) {
            return "no commands";
        }
        return text(
                "p50 %s  p99 %s  p99.9 %s  longest %s  in the server",
                duration(percentile(between, total, 0.5)),
                duration(percentile(between, total, 0.99)),
                duration(percentile(between, total, 0.999)),
                duration(between.lastKey()));
    }

    private static long percentile(TreeMap<Long, Long> counts, long total, double share) {
        long wanted = Math.max(1, (long) Math.ceil(share * total));
        long seen = 0;
        for (Map.Entry<Long, Long> each : counts.entrySet()) {
            seen += each.getValue();
            if (seen >= wanted) {
                return each.getKey();
            }
        }
        return counts.lastKey();
    }

    private static String duration(long nanos) {
        return nanos < 1_000_000 ? text("%.1f us", nanos / 1e3) : text("%.1f ms", nanos / 1e6);
    }

    // ---- width

    /** As much of a line as the screen is wide; colours take no room and are ended. */
    private String cut(String line) {
        StringBuilder text = new StringBuilder();
        int columns = 0;
        boolean coloured = false;
        for (int i = 0; i < line.length(); i++) {
            char next = line.charAt(i);
            if (next == '\033') {
                int end = line.indexOf('m', i);
                text.append(line, i, end + 1);
                coloured = line.charAt(end - 1) != '0' || line.charAt(end - 2) != '[';
                i = end;
            } else if (columns < screen.width()) {
                text.append(next);
                columns++;
            }
        }
        return coloured ? text.append("\033[0m").toString() : text.toString();
    }
}
