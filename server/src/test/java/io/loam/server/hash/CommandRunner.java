package io.loam.server.hash;

import io.loam.server.ServerOptions;
import io.loam.server.command.Command;
import io.loam.server.command.Dispatcher;
import io.loam.server.command.Link;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.family.Families;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.Push;
import io.loam.server.protocol.Reply;
import io.loam.server.watch.Watch;
import io.loam.store.Store;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;

/** A server without a socket, and one client of it. */
public final class CommandRunner implements AutoCloseable {

    private final Service service;
    private final Dispatcher dispatcher;
    private final Session session;
    private boolean moved;

    public CommandRunner(Store store, InstantSource clock, String... settings) {
        ServerOptions options = new ServerOptions();
        for (int i = 0; i < settings.length; i += 2) {
            options.set(settings[i], settings[i + 1]);
        }
        service = new Service(options, store, clock);
        Families.register(service, Watch.begin(service));
        dispatcher = new Dispatcher(service);
        session = new Session(service, 1, new NoLink());
    }

    /** Runs a command, and returns its reply as it would be sent. */
    public String run(Object... words) {
        byte[][] arguments = new byte[words.length][];
        for (int i = 0; i < words.length; i++) {
            arguments[i] =
                    words[i] instanceof byte[] raw ? raw : words[i].toString().getBytes(StandardCharsets.ISO_8859_1);
        }
        Arguments request = Arguments.of(arguments);
        Reply reply = new Reply(UnpooledByteBufAllocator.DEFAULT);
        try {
            Command rest = dispatcher.tryRun(session, request, reply);
            moved = rest != null;
            if (rest != null) {
                dispatcher.complete(session, rest, request, reply);
            }
            return reply.toString();
        } finally {
            reply.release();
        }
    }

    /** Whether the last command was not run, or not to its end, as on an event loop. */
    public boolean hasMoved() {
        return moved;
    }

    HashElements elements() {
        return (HashElements) service.keyspace().elements();
    }

    public Service service() {
        return service;
    }

    @Override
    public void close() {
        service.close();
    }

    private static final class NoLink implements Link {
        @Override
        public String remoteAddress() {
            return "?:0";
        }

        @Override
        public String localAddress() {
            return "?:0";
        }

        @Override
        public void push(Push message) {}

        @Override
        public void checkOutput() {}

        @Override
        public boolean isAway() {
            return false;
        }

        @Override
        public void checkProgress() {}

        @Override
        public void closeAfterReplies() {}

        @Override
        public void close() {}

        @Override
        public long inputBytes() {
            return 0;
        }

        @Override
        public long outputBytes() {
            return 0;
        }
    }
}
