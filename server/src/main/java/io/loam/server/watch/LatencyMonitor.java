package io.loam.server.watch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The longest that things took, a sample for each second in which one took too long; the last {@value #SAMPLES} of each kind of event. */
public final class LatencyMonitor {

    static final int SAMPLES = 160;

    private final Map<String, Series> series = new TreeMap<>();

    /** The longest within one second. */
    public record Sample(long atSeconds, long millis) {}

    /** A kind of event; samples oldest first, at least one. */
    public record Event(String name, List<Sample> samples, long longestMillis) {
        public Sample latest() {
            return samples.getLast();
        }
    }

    private static final class Series {
        private final ArrayDeque<Sample> samples = new ArrayDeque<>();
        private long longestMillis;
    }

    synchronized void add(String event, long nowSeconds, long millis) {
        Series of = series.computeIfAbsent(event, ignored -> new Series());
        of.longestMillis = Math.max(of.longestMillis, millis);
        Sample last = of.samples.peekLast();
        if (last != null && last.atSeconds == nowSeconds) {
            if (millis <= last.millis) {
                return;
            }
            of.samples.removeLast();
        }
        of.samples.addLast(new Sample(nowSeconds, millis));
        if (of.samples.size() > SAMPLES) {
            of.samples.removeFirst();
        }
    }

    /** All kinds of which there are samples, by name. */
    public synchronized List<Event> events() {
        List<Event> events = new ArrayList<>();
        series.forEach((name, of) -> events.add(new Event(name, List.copyOf(of.samples), of.longestMillis)));
        return events;
    }

    /** One kind, or null if there are no samples of it. */
    public synchronized @Nullable Event event(String name) {
        Series of = series.get(name);
        return of == null ? null : new Event(name, List.copyOf(of.samples), of.longestMillis);
    }

    /** Forgets one kind; whether there was any. */
    public synchronized boolean reset(String name) {
        return series.remove(name) != null;
    }

    /** Forgets all; how many kinds there were. */
    public synchronized int reset() {
        int count = series.size();
        series.clear();
        return count;
    }
}
