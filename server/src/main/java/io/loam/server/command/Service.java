package io.loam.server.command;

import io.loam.server.ServerOptions;
import io.loam.server.keyspace.Keyspace;
import io.loam.server.pubsub.Channels;
import io.loam.store.Store;
import io.loam.store.StoreStats;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What all commands of a server share. */
public final class Service implements AutoCloseable {

    private static final Logger LOG = System.getLogger(Service.class.getName());
    /** How long commands under way may take when the server closes. */
    private static final long END_SECONDS = 20;

    private final ServerOptions options;
    private final Store store;
    private final Keyspace keyspace;
    private final CommandTable table = new CommandTable();
    private final InstantSource clock;
    private final long startedAtMillis;
    private final String runId;
    private final ExecutorService executor;
    private final Channels channels = new Channels();
    private final Monitors monitors = new Monitors();
    private final Throttle refusals;
    private final ClientMemory clientMemory = new ClientMemory(this);
    private final CopyOnWriteArrayList<Consumer<Session>> endings = new CopyOnWriteArrayList<>();
    private final ConcurrentSkipListMap<Long, Session> sessions = new ConcurrentSkipListMap<>();
    private final AtomicLong sessionCount = new AtomicLong();
    private final AtomicLong lastSession = new AtomicLong();
    private final LongAdder rejectedConnections = new LongAdder();
    private final Map<String, LongAdder> errors = new ConcurrentHashMap<>();
    private final CopyOnWriteArrayList<CommandCounters> counters = new CopyOnWriteArrayList<>();
    private final CopyOnWriteArrayList<Runnable> secondly = new CopyOnWriteArrayList<>();
    private final LongAdder inputBytes = new LongAdder();
    private final LongAdder outputBytes = new LongAdder();
    private volatile List<Interceptor> interceptors = List.of();
    private volatile CommandObserver observer = CommandObserver.NONE;
    private volatile Authenticator authenticator = Authenticator.OPEN;
    private volatile Runnable shutdown = () -> {};
    private final Object pauseLock = new Object();
    private volatile long pausedUntilMillis;
    private volatile boolean pauseWritesOnly;
    private volatile int port;
    /** What was counted when the counters were set to 0. */
    private volatile long connectionsBefore;

    private volatile long expiredBefore;
    private volatile long evictedBefore;
    /** The most memory seen in use. */
    private volatile long peakMemory;

    /** About a tenth of the bytes that can still be written. */
    private volatile long room;

    private volatile long roomSeenNanos = System.nanoTime() - 1_000_000_000;

    /** @param store closed by {@link #close} */
    public Service(ServerOptions options, Store store, InstantSource clock) {
        this.options = options;
        this.store = store;
        this.clock = clock;
        this.refusals = new Throttle(clock);
        this.keyspace = new Keyspace(store, options.databases());
        this.startedAtMillis = clock.millis();
        byte[] id = new byte[20];
        new SecureRandom().nextBytes(id);
        this.runId = HexFormat.of().formatHex(id);
        this.executor = Executors.newThreadPerTaskExecutor(
                Thread.ofVirtual().name("loam-command-", 0).factory());
    }

    public ServerOptions options() {
        return options;
    }

    public Store store() {
        return store;
    }

    public Keyspace keyspace() {
        return keyspace;
    }

    public CommandTable table() {
        return table;
    }

    /** The clock that commands and expiry go by. */
    public long nowMillis() {
        return clock.millis();
    }

    public InstantSource clock() {
        return clock;
    }

    public long startedAtMillis() {
        return startedAtMillis;
    }

    /** 40 hexadecimal digits, others at each start. */
    public String runId() {
        return runId;
    }

    /** Runs what may wait; each task on a virtual thread of its own. */
    public ExecutorService executor() {
        return executor;
    }

    /**
     * Whether a write of so many bytes may find too little memory, so that it should be one that is made as a whole or not at all. The store is asked at most every 20 ms.
     */
    public boolean isShortOfMemory(long bytes) {
        long now = System.nanoTime();
        if (now - roomSeenNanos > 20_000_000) {
            roomSeenNanos = now;
            StoreStats stats = store.stats();
            room = stats.capacityBytes() / 10 - (long) (stats.utilisation() * stats.capacityBytes() / 10 * 1.05);
        }
        return bytes * 4 > room;
    }

    /** Who listens to which channel. */
    public Channels channels() {
        return channels;
    }

    public Monitors monitors() {
        return monitors;
    }

    /** What clients take besides the store. */
    public ClientMemory clientMemory() {
        return clientMemory;
    }

    // ---- sessions

    public Collection<Session> sessions() {
        return sessions.values();
    }

    public @Nullable Session session(long id) {
        return sessions.get(id);
    }

    public long sessionCount() {
        return sessionCount.get();
    }

    /** Connections made since the counters were set to 0. */
    public long connections() {
        return lastSession.get() - connectionsBefore;
    }

    /** Makes a session for a connection, or none if there are as many as allowed. */
    public @Nullable Session open(Link link) {
        if (sessionCount.incrementAndGet() > options.maxClients()) {
            sessionCount.decrementAndGet();
            return null;
        }
        Session session = new Session(this, lastSession.incrementAndGet(), link);
        sessions.put(session.id(), session);
        return session;
    }

    public void closed(Session session) {
        if (sessions.remove(session.id()) != null) {
            sessionCount.decrementAndGet();
        }
    }

    /** Adds what is done when a client's state ends: with its connection, or by RESET. The session runs no command then, or that one. */
    public void onEnd(Consumer<Session> ending) {
        endings.add(ending);
    }

    /** Ends a client's state. */
    public void reset(Session session) {
        endings.forEach(ending -> ending.accept(session));
        session.transaction().discard();
    }

    // ---- pausing

    /** Holds back commands, all or those that write, until a time; 0: until no time any more. */
    public void pause(long untilMillis, boolean writesOnly) {
        synchronized (pauseLock) {
            pauseWritesOnly = writesOnly;
            pausedUntilMillis = untilMillis;
            pauseLock.notifyAll();
        }
    }

    boolean isPaused(Session session, Command command) {
        return pausedUntilMillis != 0
                && nowMillis() < pausedUntilMillis
                && (!pauseWritesOnly || isWriting(session, command))
                && !command.name().startsWith("client|");
    }

    private static boolean isWriting(Session session, Command command) {
        return command.is(Flag.WRITE)
                || command.is(Flag.MAY_REPLICATE)
                || (command.isolation() == Isolation.TRANSACTION
                        && session.transaction().isWriting());
    }

    void awaitUnpaused(Session session, Command command) {
        if (pausedUntilMillis == 0) {
            return;
        }
        synchronized (pauseLock) {
            while (isPaused(session, command) && !executor.isShutdown()) {
                try {
                    pauseLock.wait(Math.max(1, pausedUntilMillis - nowMillis()));
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return; // the server closes
                }
            }
        }
    }

    // ---- what extends the server

    /** Adds an interceptor, asked after those that are there. */
    public synchronized void addInterceptor(Interceptor interceptor) {
        interceptors =
                Stream.concat(interceptors.stream(), Stream.of(interceptor)).toList();
    }

    List<Interceptor> interceptors() {
        return interceptors;
    }

    public void setObserver(CommandObserver observer) {
        this.observer = observer;
    }

    public CommandObserver observer() {
        return observer;
    }

    public Authenticator authenticator() {
        return authenticator;
    }

    public void setAuthenticator(Authenticator authenticator) {
        this.authenticator = authenticator;
    }

    /** What SHUTDOWN does. */
    public void setShutdown(Runnable shutdown) {
        this.shutdown = shutdown;
    }

    public void shutDown() {
        shutdown.run();
    }

    /** The port that the server listens at. */
    public int port() {
        return port;
    }

    public void setPort(int port) {
        this.port = port;
    }

    // ---- counters

    /** Counters for one event loop. The table is frozen. */
    public CommandCounters newCounters() {
        CommandCounters made = new CommandCounters(table.all().size(), options);
        counters.add(made);
        return made;
    }

    /** What all event loops counted of a command. */
    public CommandCounters.Count count(Command command) {
        CommandCounters.Count sum = new CommandCounters.Count(0, 0, 0, 0);
        for (CommandCounters each : counters) {
            sum = sum.plus(each.count(command));
        }
        return sum;
    }

    /** Keys that commands looked for to read, and found. */
    public long hits() {
        return counters.stream().mapToLong(CommandCounters::hits).sum();
    }

    /** Keys that commands looked for to read, and did not find. */
    public long misses() {
        return counters.stream().mapToLong(CommandCounters::misses).sum();
    }

    /** Keys removed because their time was over, since the counters were set to 0. */
    public long expiredKeys() {
        return store.stats().expiredEntries() - expiredBefore;
    }

    /** Keys removed to make room, since the counters were set to 0. */
    public long evictedKeys() {
        return store.stats().evictedEntries() - evictedBefore;
    }

    /** How long a command took on all event loops. */
    public Latencies latencies(Command command) {
        Latencies sum = new Latencies();
        for (CommandCounters each : counters) {
            each.addLatencies(command, sum);
        }
        return sum;
    }

    /** How long all commands took on all event loops. */
    public Latencies latencies() {
        Latencies sum = new Latencies();
        for (CommandCounters each : counters) {
            table.all().forEach(command -> each.addLatencies(command, sum));
        }
        return sum;
    }

    /** Commands that ran. */
    public long calls() {
        return table.all().stream().mapToLong(command -> count(command).calls()).sum();
    }

    /** Bytes held of requests that are not complete. */
    public long heldInputBytes() {
        return sessions.values().stream()
                .mapToLong(session -> session.link().inputBytes())
                .sum();
    }

    /** Bytes of replies that wait to be sent. */
    public long heldOutputBytes() {
        return sessions.values().stream()
                .mapToLong(session -> session.link().outputBytes())
                .sum();
    }

    /** Bytes in use: blocks of the store that are not free, and what clients take. Takes some time with many connections. */
    public long usedMemory() {
        StoreStats stats = store.stats();
        long used = stats.capacityBytes() - stats.freeBytes() + clientMemory.bytes();
        notePeak(used);
        return used;
    }

    /** The most that {@link #usedMemory} was, looked at each second and when asked. */
    public long peakMemory() {
        return Math.max(peakMemory, usedMemory());
    }

    private synchronized void notePeak(long used) {
        peakMemory = Math.max(peakMemory, used);
    }

    /** Runs {@code task} about every second, on an event loop: it must not wait. */
    public void everySecond(Runnable task) {
        secondly.add(task);
    }

    /** By the transport, about every second. */
    public void second() {
        usedMemory();
        secondly.forEach(Runnable::run);
    }

    /** Counts a refusal by its code, the text's first word. */
    public void countError(String text) {
        int blank = text.indexOf(' ');
        String code = blank < 0 ? text : text.substring(0, blank);
        if (errors.size() < 128 || errors.containsKey(code)) {
            errors.computeIfAbsent(code, ignored -> new LongAdder()).increment();
        }
    }

    /** Refusals by code. */
    public Map<String, Long> errors() {
        Map<String, Long> sums = new TreeMap<>();
        errors.forEach((code, count) -> sums.put(code, count.sum()));
        return sums;
    }

    /** Of messages on connections that are refused. */
    public Throttle refusals() {
        return refusals;
    }

    public LongAdder rejectedConnections() {
        return rejectedConnections;
    }

    /** Bytes that came from clients. */
    public LongAdder inputBytes() {
        return inputBytes;
    }

    /** Bytes that went to clients. */
    public LongAdder outputBytes() {
        return outputBytes;
    }

    /** CONFIG RESETSTAT; an event loop may count one command to the old sums. */
    public void resetCounters() {
        counters.forEach(CommandCounters::reset);
        connectionsBefore = lastSession.get();
        StoreStats stats = store.stats();
        expiredBefore = stats.expiredEntries();
        evictedBefore = stats.evictedEntries();
        errors.clear();
        rejectedConnections.reset();
        clientMemory.evicted().reset();
        inputBytes.reset();
        outputBytes.reset();
    }

    /** Waits for what {@link #executor} runs, then closes the store. */
    @Override
    public void close() {
        executor.shutdownNow();
        try {
            if (!executor.awaitTermination(END_SECONDS, TimeUnit.SECONDS)) {
                LOG.log(Level.WARNING, "commands still run after {0} s; the store is closed under them", END_SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // whoever closes does not want to wait
        }
        store.close();
    }
}
