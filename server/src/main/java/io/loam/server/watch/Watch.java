package io.loam.server.watch;

import io.loam.server.ServerOptions;
import io.loam.server.command.Command;
import io.loam.server.command.CommandObserver;
import io.loam.server.command.Flag;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.protocol.Arguments;

/** Told of slow commands, and keeps what SLOWLOG and LATENCY tell of them. */
public final class Watch implements CommandObserver {

    private final Service service;
    private final SlowLog slowLog = new SlowLog();
    private final LatencyMonitor latencyMonitor = new LatencyMonitor();
    private final Rates rates;
    private final Figures figures;
    private volatile long fromNanos;

    private Watch(Service service) {
        this.service = service;
        this.rates = new Rates(service);
        this.figures = new Figures(service, rates);
    }

    /** Begins to watch a server that is being made. */
    public static Watch begin(Service service) {
        Watch watch = new Watch(service);
        watch.setThreshold(service.options());
        service.options().onChange("slowlog-log-slower-than", watch::setThreshold);
        service.options().onChange("latency-monitor-threshold", watch::setThreshold);
        service.setObserver(watch);
        service.everySecond(watch.rates);
        return watch;
    }

    private void setThreshold(ServerOptions options) {
        fromNanos = Math.min(slowNanos(options), monitoredNanos(options));
    }

    private static long slowNanos(ServerOptions options) {
        long micros = options.slowLogMicros();
        return micros < 0 || micros > Long.MAX_VALUE / 1000 ? Long.MAX_VALUE : micros * 1000;
    }

    private static long monitoredNanos(ServerOptions options) {
        long millis = options.latencyMonitorMillis();
        return millis == 0 || millis > Long.MAX_VALUE / 1_000_000 ? Long.MAX_VALUE : millis * 1_000_000;
    }

    @Override
    public long fromNanos() {
        return fromNanos;
    }

    @Override
    public void ran(Session session, Command command, Arguments arguments, long nanos) {
        ServerOptions options = service.options();
        if (nanos >= slowNanos(options) && !command.is(Flag.SKIP_SLOWLOG)) {
            slowLog.add(session, command, arguments, nanos / 1000);
            SlowCommandEvent event = new SlowCommandEvent();
            if (event.shouldCommit()) {
                event.command = command.name();
                event.nanos = nanos;
                event.client = session.id();
                event.argumentBytes = arguments.totalBytes();
                event.commit();
            }
        }
        if (nanos >= monitoredNanos(options)) {
            latencyMonitor.add(
                    command.is(Flag.FAST) ? "fast-command" : "command", service.nowMillis() / 1000, nanos / 1_000_000);
        }
    }

    public SlowLog slowLog() {
        return slowLog;
    }

    public LatencyMonitor latencyMonitor() {
        return latencyMonitor;
    }

    public Rates rates() {
        return rates;
    }

    public Figures figures() {
        return figures;
    }
}
