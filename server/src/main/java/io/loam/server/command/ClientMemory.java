package io.loam.server.command;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/**
 * What all clients take besides the store: requests that are not complete, replies that are not sent, queues of MULTI, watched keys, names of channels. Where {@code maxmemory-clients} bounds it, those
 * that take most are disconnected until it holds; not those who have asked for CLIENT NO-EVICT.
 *
 * <p>Looked at ten times a second, and when a client has grown by a part of what is allowed. Any thread may look; one at a time does.
 */
public final class ClientMemory {

    private static final Logger LOG = System.getLogger(ClientMemory.class.getName());
    /** A client that has grown by this part of the limit has it looked at. */
    private static final int PARTS = 64;

    private final Service service;
    private final LongAdder evicted = new LongAdder();
    private final AtomicBoolean looking = new AtomicBoolean();

    ClientMemory(Service service) {
        this.service = service;
    }

    /** Bytes that all clients together take. */
    public long bytes() {
        return service.sessions().stream().mapToLong(Session::memoryBytes).sum();
    }

    /** Clients that were disconnected for what they took, since the counters were set to 0. */
    public LongAdder evicted() {
        return evicted;
    }

    /** Whether there is a limit. */
    public boolean isBounded() {
        return service.options().clientMemoryLimit() > 0;
    }

    /** Whether a client that has grown by so many bytes should have {@link #check} called. */
    public boolean isMuch(long grown) {
        return grown > service.options().clientMemoryLimit() / PARTS;
    }

    /** Disconnects clients if all together take more than allowed, the largest first. */
    public void check() {
        long limit = service.options().clientMemoryLimit();
        if (limit > 0 && looking.compareAndSet(false, true)) {
            try {
                check(limit);
            } finally {
                looking.set(false);
            }
        }
    }

    /** A client at one moment: it changes while others are compared. */
    private record Client(Session session, long bytes) {}

    private void check(long limit) {
        long sum = 0;
        List<Client> clients = new ArrayList<>();
        for (Session session : service.sessions()) {
            Client client = new Client(session, session.memoryBytes());
            if (!session.isEvicted()) { // what such a one takes is given back soon
                clients.add(client);
                sum += client.bytes;
            }
        }
        if (sum <= limit) {
            return;
        }
        clients.removeIf(client -> !client.session.isEvictable());
        clients.sort(Comparator.comparingLong(Client::bytes).reversed());
        for (Client client : clients) {
            if (sum <= limit) {
                return;
            }
            sum -= client.bytes;
            evict(client, limit);
        }
    }

    private void evict(Client client, long limit) {
        Session session = client.session;
        LOG.log(
                Level.WARNING,
                "client {0} at {1} is disconnected: it takes {2} bytes, and all clients together more than maxmemory-clients allows, {3}",
                session.id(),
                session.link().remoteAddress(),
                client.bytes,
                limit);
        evicted.increment();
        session.setEvicted();
        session.link().close();
    }
}
