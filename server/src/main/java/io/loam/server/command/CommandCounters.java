package io.loam.server.command;

import io.loam.server.ServerOptions;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/** How often commands ran and how long, and how often they found their keys, on one event loop: it alone writes, anyone reads. By {@link Command#number}. */
public final class CommandCounters {

    private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int FIELDS = 4;
    /** After the commands' counts: keys that were looked for, and were or were not there. */
    private static final int LOOKUPS = 2;

    private final ServerOptions options;
    private final long[] counts;
    /** Made when a command first runs; their fields are final, so a reader sees none or a whole one. */
    private final @Nullable Latencies[] latencies;

    CommandCounters(int commands, ServerOptions options) {
        this.options = options;
        counts = new long[FIELDS * commands + LOOKUPS];
        latencies = new Latencies[commands];
    }

    /** What an event loop counted of one command. */
    public record Count(long calls, long nanos, long failed, long rejected) {
        public Count plus(Count other) {
            return new Count(
                    calls + other.calls, nanos + other.nanos, failed + other.failed, rejected + other.rejected);
        }
    }

    /** By the event loop. */
    public void ran(Command command, long nanos, boolean failed) {
        int at = FIELDS * command.number();
        add(at, 1);
        add(at + 1, nanos);
        if (failed) {
            add(at + 2, 1);
        }
        if (options.latencyTracking()) {
            Latencies known = latencies[command.number()];
            (known == null ? first(command) : known).record(nanos);
        }
    }

    private Latencies first(Command command) {
        Latencies made = new Latencies();
        latencies[command.number()] = made;
        return made;
    }

    /** Adds the durations of a command to {@code sum}. */
    void addLatencies(Command command, Latencies sum) {
        Latencies known = latencies[command.number()];
        if (known != null) {
            known.addTo(sum);
        }
    }

    /** By the event loop: the command was refused before it ran. */
    public void rejected(Command command) {
        add(FIELDS * command.number() + 3, 1);
    }

    /** By the event loop: a command has looked for keys to read. */
    void looked(long hits, long misses) {
        add(counts.length - 2, hits);
        add(counts.length - 1, misses);
    }

    long hits() {
        return get(counts.length - 2);
    }

    long misses() {
        return get(counts.length - 1);
    }

    private void add(int at, long delta) {
        LONGS.setOpaque(counts, at, counts[at] + delta);
    }

    public Count count(Command command) {
        int at = FIELDS * command.number();
        return new Count(get(at), get(at + 1), get(at + 2), get(at + 3));
    }

    private long get(int at) {
        return (long) LONGS.getOpaque(counts, at);
    }

    /** By the event loop. */
    public void reset() {
        for (int i = 0; i < counts.length; i++) {
            LONGS.setOpaque(counts, i, 0L);
        }
        for (Latencies each : latencies) {
            if (each != null) {
                each.reset();
            }
        }
    }
}
