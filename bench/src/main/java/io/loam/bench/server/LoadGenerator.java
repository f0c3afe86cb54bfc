package io.loam.bench.server;

import io.loam.bench.KeyChooser;
import io.loam.bench.LatencyHistogram;
import io.loam.bench.WorkerFailure;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A client of many connections in one thread. Without a rate it waits for replies in the kernel and answers each batch of replies by the next batch of
 * requests; with one it polls, so that what is due is sent at once, and takes a core for itself. Nothing is allocated while it runs.
 */
final class LoadGenerator {

    private static final int LARGEST_READ = 64 << 10;
    private static final int ALL_READS = 64 << 20;
    private static final long SELECT_MILLIS = 100;

    private final LongSupplier clock;
    private final long patienceNanos;

    /**
     * @param clock the time, in nanoseconds, by which requests are due and latencies are told
     * @param patienceNanos how long to wait for any reply, in real time
     */
    LoadGenerator(LongSupplier clock, long patienceNanos) {
        this.clock = clock;
        this.patienceNanos = patienceNanos;
    }

    /**
     * Sends what the plan says and waits for all replies.
     *
     * @return figures: counts, times in nanoseconds
     * @throws WorkerFailure if a reply does not come, or is none
     */
    Map<String, Object> run(LoadPlan plan) {
        try (Selector selector = Selector.open()) {
            return new Run(plan, selector).run();
        } catch (IOException e) {
            throw new WorkerFailure("connection to port " + plan.port() + ": " + e.getMessage());
        }
    }

    private final class Run {

        private final Selector selector;
        private final Stream load;
        private final Stream pings;
        private final List<Stream> streams;
        private final Consumer<SelectionKey> whenReady = this::ready;
        private long begin;
        private long lastReply;
        private long lastHeard = System.nanoTime();

        Run(LoadPlan plan, Selector selector) throws IOException {
            this.selector = selector;
            Protocol protocol = Protocol.valueOf(plan.protocol());
            boolean paced = plan.rate() > 0;
            load = new Stream(
                    Requests.of(plan, protocol),
                    plan.pipeline(),
                    paced ? 1e9 * plan.pipeline() / plan.rate() : 0,
                    plan.isSequence() ? Double.POSITIVE_INFINITY : plan.seconds() * 1e9);
            pings = new Stream(
                    new Requests(protocol.request(Protocol.Command.PING, 0), null, 0, () -> 0, plan.seed()),
                    1,
                    plan.pingsPerSecond() > 0 ? 1e9 / plan.pingsPerSecond() : 0,
                    plan.seconds() * 1e9);
            streams = List.of(load, pings);
            load.connect(plan, protocol, plan.command().equals("none") ? 0 : plan.connections());
            pings.connect(plan, protocol, plan.pingsPerSecond() > 0 ? 1 : 0);
        }

        Map<String, Object> run() throws IOException {
            try {
                begin = clock.getAsLong();
                lastReply = begin;
                boolean polls = false;
                for (Stream stream : streams) {
                    polls |= stream.isPaced() && !stream.connections.isEmpty();
                    stream.begin();
                }
                while (!load.isOver() || !pings.isOver()) {
                    if (polls) {
                        load.sendDue();
                        pings.sendDue();
                        selector.selectNow(whenReady);
                    } else {
                        selector.select(whenReady, SELECT_MILLIS);
                    }
                    checkPatience();
                }
            } finally {
                for (Stream stream : streams) {
                    for (Connection connection : stream.connections) {
                        connection.channel.close();
                    }
                }
            }
            return figures();
        }

        private void ready(SelectionKey key) {
            Connection connection = (Connection) key.attachment();
            try {
                if (key.isWritable()) {
                    connection.flush();
                }
                if (key.isReadable()) {
                    connection.receive();
                }
            } catch (IOException e) {
                throw new WorkerFailure("a connection broke: " + e.getMessage());
            }
        }

        private void checkPatience() {
            if (System.nanoTime() - lastHeard > patienceNanos) {
                long missing = load.outstanding + pings.outstanding;
                throw new WorkerFailure("nothing came from the server for " + patienceNanos / 1_000_000_000 + " s; "
                        + missing + " replies are missing");
            }
        }

        private Map<String, Object> figures() {
            Map<String, Object> figures = new LinkedHashMap<>();
            if (!load.connections.isEmpty()) {
                double seconds = Math.max(1, lastReply - begin) * 1e-9;
                figures.put("operations", load.latencies.total());
                figures.put("seconds", seconds);
                figures.put("opsPerSecond", load.latencies.total() / seconds);
                figures.put("misses", load.sum(ReplyReader::misses));
                figures.put("errors", load.sum(ReplyReader::errors));
                String error = load.firstError();
                if (error != null) {
                    figures.put("firstError", error);
                }
                figures.put("p50Nanos", load.latencies.quantile(0.5));
                figures.put("p99Nanos", load.latencies.quantile(0.99));
                figures.put("p999Nanos", load.latencies.quantile(0.999));
                figures.put("longestNanos", load.latencies.maximum());
                if (load.isPaced()) {
                    figures.put("lateP99Nanos", load.lateness.quantile(0.99));
                    figures.put("longestLateNanos", load.lateness.maximum());
                }
            }
            if (!pings.connections.isEmpty()) {
                figures.put("pings", pings.latencies.total());
                figures.put("pingP99Nanos", pings.latencies.quantile(0.99));
                figures.put("longestPingNanos", pings.latencies.maximum());
                figures.put("longestPingLateNanos", pings.lateness.maximum());
            }
            return figures;
        }

        /** Connections that share a choice of requests and a schedule. */
        private final class Stream {

            private final Requests requests;
            private final int pipeline;
            private final double gapNanos;
            private final double durationNanos;
            private final List<Connection> connections = new ArrayList<>();
            private final LatencyHistogram latencies = new LatencyHistogram();
            /** How much later than due batches were sent while the connection was free: the generator's own delay. */
            private final LatencyHistogram lateness = new LatencyHistogram();

            private long nextBatch;
            private long owed;
            private long outstanding;

            Stream(Requests requests, int pipeline, double gapNanos, double durationNanos) {
                this.requests = requests;
                this.pipeline = pipeline;
                this.gapNanos = gapNanos;
                this.durationNanos = durationNanos;
            }

            void connect(LoadPlan plan, Protocol protocol, int count) throws IOException {
                InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), plan.port());
                for (int i = 0; i < count; i++) {
                    SocketChannel channel = SocketChannel.open(address);
                    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
                    channel.configureBlocking(false);
                    int readBytes = Math.min(LARGEST_READ, ALL_READS / count);
                    Connection connection = new Connection(this, i, channel, protocol.replies(), readBytes);
                    connection.key = channel.register(selector, SelectionKey.OP_READ, connection);
                    connections.add(connection);
                }
            }

            boolean isPaced() {
                return gapNanos > 0;
            }

            /** When the batch of this number is due. */
            long due(long batch) {
                return begin + Math.round(batch * gapNanos);
            }

            void begin() throws IOException {
                for (Connection connection : connections) {
                    if (!isPaced()) {
                        long now = clock.getAsLong();
                        connection.send(now, now);
                    }
                }
            }

            /** Batches go to the connections in turn; one whose connection still waits for replies is sent after them. */
            void sendDue() throws IOException {
                if (!isPaced() || connections.isEmpty()) {
                    return;
                }
                long now = clock.getAsLong();
                while (nextBatch * gapNanos < durationNanos && due(nextBatch) <= now) {
                    Connection connection = connections.get((int) (nextBatch % connections.size()));
                    if (connection.outstanding == 0) {
                        lateness.record(now - due(nextBatch));
                        connection.sendNextDue(now);
                    } else {
                        owed++;
                        connection.owed++;
                    }
                    nextBatch++;
                }
            }

            boolean isOver() {
                if (connections.isEmpty()) {
                    return true;
                }
                boolean allSent = !isPaced() || nextBatch * gapNanos >= durationNanos && owed == 0;
                return allSent && outstanding == 0;
            }

            long sum(java.util.function.ToLongFunction<ReplyReader> count) {
                return connections.stream()
                        .mapToLong(connection -> count.applyAsLong(connection.replies))
                        .sum();
            }

            @Nullable
            String firstError() {
                return connections.stream()
                        .map(connection -> connection.replies.firstError())
                        .filter(error -> error != null)
                        .findFirst()
                        .orElse(null);
            }
        }

        private final class Connection {

            private final Stream stream;
            private final int index;
            private final SocketChannel channel;
            private final ReplyReader replies;
            private final ByteBuffer in;
            private final ByteBuffer out;
            private @Nullable SelectionKey key;

            /** Replies that the batch under way still lacks; all its requests count from {@link #from}. */
            private int outstanding;

            private long from;
            private long batches;
            private long owed;

            Connection(Stream stream, int index, SocketChannel channel, ReplyReader replies, int readBytes) {
                this.stream = stream;
                this.index = index;
                this.channel = channel;
                this.replies = replies;
                in = ByteBuffer.allocateDirect(readBytes);
                out = ByteBuffer.allocateDirect(stream.pipeline * stream.requests.longest());
            }

            void sendNextDue(long now) throws IOException {
                send(stream.due(batches * stream.connections.size() + index), now);
            }

            /**
             * Sends a batch.
             *
             * @param due when it should be sent
             */
            void send(long due, long now) throws IOException {
                batches++;
                if (now - begin >= stream.durationNanos && !stream.isPaced()) {
                    return;
                }
                out.clear();
                int count = 0;
                while (count < stream.pipeline && stream.requests.writeNext(out)) {
                    count++;
                }
                if (count > 0) {
                    from = due;
                    outstanding = count;
                    stream.outstanding += count;
                    out.flip();
                    flush();
                }
            }

            void flush() throws IOException {
                channel.write(out);
                int wanted = out.hasRemaining() ? SelectionKey.OP_READ | SelectionKey.OP_WRITE : SelectionKey.OP_READ;
                if (key != null && key.interestOps() != wanted) {
                    key.interestOps(wanted);
                }
            }

            void receive() throws IOException {
                int bytes = channel.read(in);
                long now = clock.getAsLong();
                if (bytes < 0) {
                    throw new WorkerFailure(
                            "the server closed a connection; " + outstanding + " of its replies are missing");
                }
                in.flip();
                int count = replies.read(in);
                if (in.remaining() == in.capacity()) {
                    throw new WorkerFailure("the server sent a line of more than " + in.capacity() + " bytes");
                }
                in.compact();
                if (count > outstanding) {
                    throw new WorkerFailure("the server sent " + (count - outstanding) + " replies too many");
                }
                for (int i = 0; i < count; i++) {
                    stream.latencies.record(now - from);
                }
                outstanding -= count;
                stream.outstanding -= count;
                lastHeard = System.nanoTime();
                lastReply = now;
                if (outstanding == 0 && count > 0) {
                    if (!stream.isPaced()) {
                        send(now, now);
                    } else if (owed > 0) {
                        owed--;
                        stream.owed--;
                        sendNextDue(now);
                    }
                }
            }
        }
    }

    /** Which requests are sent: one kind, or two by chance, each with the next key. */
    private static final class Requests {

        private final Request most;
        private final @Nullable Request others;
        private final double othersShare;
        private final LongSupplier keys;
        private final KeyChooser chance;

        /** @param keys the next key, or -1 if there is none */
        Requests(Request most, @Nullable Request others, double othersShare, LongSupplier keys, long seed) {
            this.most = most;
            this.others = others;
            this.othersShare = othersShare;
            this.keys = keys;
            chance = KeyChooser.uniform(1, seed + 1);
        }

        static Requests of(LoadPlan plan, Protocol protocol) {
            int valueBytes = plan.valueBytes();
            Request most = switch (plan.command()) {
                case "get" -> protocol.request(Protocol.Command.GET, 0);
                case "set", "mixed" -> protocol.request(Protocol.Command.SET, valueBytes);
                case "hset" -> protocol.request(Protocol.Command.HASH_SET, valueBytes);
                case "delete" -> protocol.request(Protocol.Command.DELETE, 0);
                default -> protocol.request(Protocol.Command.PING, 0);
            };
            boolean mixed = plan.command().equals("mixed");
            Request others = mixed ? protocol.request(Protocol.Command.GET, 0) : null;
            return new Requests(most, others, mixed ? plan.readShare() : 0, keys(plan), plan.seed());
        }

        private static LongSupplier keys(LoadPlan plan) {
            if (!plan.isSequence()) {
                KeyChooser chooser = KeyChooser.of(plan.order(), plan.keys(), plan.seed());
                return () -> plan.firstKey() + chooser.next();
            }
            return new LongSupplier() {
                private long next = plan.firstKey();

                @Override
                public long getAsLong() {
                    while (next < plan.firstKey() + plan.keys()) {
                        long key = next++;
                        if (LoadPlan.isChosen(key, plan.share())) {
                            return key;
                        }
                    }
                    return -1;
                }
            };
        }

        int longest() {
            return Math.max(most.length(), others == null ? 0 : others.length());
        }

        /** Appends the next request to {@code out}; false if there is none. */
        boolean writeNext(ByteBuffer out) {
            long key = keys.getAsLong();
            if (key < 0) {
                return false;
            }
            boolean other = others != null && (chance.bits() >>> 11) * 0x1p-53 < othersShare;
            (other && others != null ? others : most).write(key, out);
            return true;
        }
    }
}
