package io.loam.server.connection;

import io.loam.server.ServerOptions.OutputLimit;
import io.loam.server.command.ClientMemory;
import io.loam.server.command.Command;
import io.loam.server.command.CommandObserver;
import io.loam.server.command.Dispatcher;
import io.loam.server.command.Link;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.command.Session.ReplyMode;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.ProtocolException;
import io.loam.server.protocol.Push;
import io.loam.server.protocol.Reply;
import io.loam.server.protocol.RequestParser;
import io.loam.server.pubsub.Subscriptions;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One client's socket. Reads, runs and replies on its event loop; hands a command that must wait to the executor, and goes on when it is done.
 */
public final class Connection extends ChannelInboundHandlerAdapter implements Link {

    private static final Logger LOG = System.getLogger(Connection.class.getName());
    /** Replies are handed to the socket when so many bytes have come together. */
    private static final int WRITE_BYTES = 64 << 10;

    private static final String PROTECTED =
            "DENIED protected mode is on and the default user has no password, so connections are accepted from this machine only."
                    + " Set a password (requirepass, or ACL SETUSER default), or turn it off where nobody but you can reach the server: CONFIG SET protected-mode no, or --protected-mode no.";

    private final Service service;
    private final Dispatcher dispatcher;
    private final Function<Channel, Worker> workers;
    private final RequestParser parser = new RequestParser();
    /** What was read while the connection was away or full. */
    private final ArrayDeque<ByteBuf> waiting = new ArrayDeque<>(0);
    /** Messages of channels and the like. */
    private final Outbox outbox = new Outbox();

    private @Nullable ChannelHandlerContext context;
    private @Nullable Worker worker;
    private @Nullable Session session;
    private volatile boolean away;
    private boolean full;
    private boolean running;
    /** Whether the client sends nothing any more; what has come is still run. */
    private boolean ended;

    private boolean closed;
    /** The connection is being ended for what waits to be sent. */
    private volatile boolean overflowed;
    /** Bytes in {@link #waiting}. */
    private long waitingBytes;
    /** Bytes of the request that runs elsewhere, if it is a heavy one. */
    private long awayBytes;
    /** What the client took when it was looked at last. */
    private long memoryThen;

    /** How much waited at the last {@link #checkProgress}; used by one thread at a time. */
    private long unsentThen;

    /** Since when more waits than the soft limit; 0: not now. */
    private volatile long overSince;

    Connection(Service service, Dispatcher dispatcher, Function<Channel, Worker> workers) {
        this.service = service;
        this.dispatcher = dispatcher;
        this.workers = workers;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        context = ctx;
        worker = workers.apply(ctx.channel());
        if (isProtected()) {
            refuse(PROTECTED);
            return;
        }
        Session opened = service.open(this);
        if (opened == null) {
            refuse("ERR max number of clients reached");
            return;
        }
        session = opened;
        parser.limits(service.options().maxBulkBytes(), service.options().queryBufferLimit());
        parser.restrict(!opened.isAuthenticated());
    }

    /** Whether a client from elsewhere is to be kept out: everybody could read and write everything. */
    private boolean isProtected() {
        return service.options().protectedMode()
                && !service.authenticator().hasPassword()
                && channel().remoteAddress() instanceof InetSocketAddress remote
                && !remote.getAddress().isLoopbackAddress();
    }

    /** Says why there is no session, and ends the connection; without a word if there would have to be a handshake first, which costs more than refusing may. */
    private void refuse(String why) {
        service.rejectedConnections().increment();
        service.refusals()
                .tell(more ->
                        LOG.log(Level.WARNING, "a connection from {0} is refused: {1}{2}", remoteAddress(), why, more));
        ConnectionRefusedEvent event = new ConnectionRefusedEvent();
        event.remoteAddress = remoteAddress();
        event.reason = why;
        event.commit();
        if (ctx().pipeline().get(SslHandler.class) != null) {
            close();
        } else {
            byte[] line = ("-" + why + "\r\n").getBytes(StandardCharsets.US_ASCII);
            ctx().writeAndFlush(Unpooled.wrappedBuffer(line)).addListener(ChannelFutureListener.CLOSE);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        closed = true;
        Session present = session;
        if (present != null) {
            service.closed(present);
        }
        if (!away) {
            end();
        }
        waiting.forEach(ByteBuf::release);
        waiting.clear();
        waitingBytes = 0;
    }

    /** Nobody uses the session any more. */
    private void end() {
        parser.release();
        Session present = session;
        if (present != null && present.isLarge()) {
            try {
                service.executor().execute(() -> service.reset(present));
            } catch (RejectedExecutionException e) {
                LOG.log(Level.DEBUG, "the state of client {0} goes with the server", present.id());
            }
        } else if (present != null) {
            service.reset(present);
        }
        while (outbox.poll() != null) {
            // so that it can be reclaimed, whoever still knows this connection
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        service.inputBytes().add(bytes.readableBytes());
        Session client = session;
        if (client == null || closed) {
            bytes.release();
            return;
        }
        client.touch(service.nowMillis());
        if (away || full || !waiting.isEmpty()) {
            waiting.add(bytes);
            waitingBytes += bytes.readableBytes();
        } else {
            consume(bytes);
        }
        checkMemory(client);
    }

    /** Has the memory of all clients looked at when this one has grown by much. */
    private void checkMemory(Session client) {
        ClientMemory all = service.clientMemory();
        if (all.isBounded()) {
            long bytes = client.memoryBytes();
            if (bytes < memoryThen) {
                memoryThen = bytes;
            } else if (all.isMuch(bytes - memoryThen)) {
                memoryThen = bytes;
                all.check();
            }
        }
    }

    /** The client has sent all it will send; it gets the replies before the connection ends. */
    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            Session client = session;
            if (client == null) {
                ctx.close();
                return;
            }
            if (away || full) {
                ended = true;
            } else {
                client.closeAfterReply();
                closeAfterReplies();
            }
        } else {
            ctx.fireUserEventTriggered(event);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        ctx.flush();
    }

    /** Runs the requests in {@code bytes}, and owns them. */
    private void consume(ByteBuf bytes) {
        Worker shared = Objects.requireNonNull(worker);
        Session client = Objects.requireNonNull(session);
        deliver(); // what was published before the client sent this
        Reply reply = shared.reply;
        reply.setVersion(client.protocol());
        running = true;
        boolean kept = false;
        try {
            do {
                parser.feed(bytes, shared.input, allocator());
                runRequests(client, shared, reply);
            } while (bytes.isReadable() && mayRun(client));
            if (bytes.isReadable() && !client.isClosing()) {
                waiting.addFirst(bytes);
                waitingBytes += bytes.readableBytes();
                kept = true;
            }
        } catch (ProtocolException e) {
            refuse(client, reply, e);
        } finally {
            running = false;
            if (!kept) {
                bytes.release();
            }
            if (!away) {
                parser.keep();
            }
            write(reply);
            deliver();
            if (client.isClosing() && !away) {
                closeAfterReplies();
            }
        }
    }

    private boolean mayRun(Session client) {
        return !away && !full && !client.isClosing() && !closed;
    }

    private void runRequests(Session client, Worker shared, Reply reply) throws ProtocolException {
        long before = 0;
        while (mayRun(client) && parser.next(allocator())) {
            if (before == 0) {
                before = System.nanoTime();
            }
            before = run(client, shared, reply, parser.arguments(), before);
        }
    }

    /** Runs one request, and returns the time when it was done. */
    private long run(Session client, Worker shared, Reply reply, Arguments arguments, long before) {
        long mark = reply.mark();
        long refusals = client.refusals();
        Command toComplete = dispatcher.tryRun(client, arguments, reply);
        if (toComplete != null) {
            goAway(client, toComplete, parser.detach(), before);
            return before;
        }
        long now = System.nanoTime();
        done(client, shared, reply, mark, arguments, now - before, client.refusals() != refusals);
        arguments.release();
        if (outbox.isClaimed()) {
            drain(client, reply); // what came until now goes before the next reply
        }
        if (reply.size() >= WRITE_BYTES) {
            write(reply);
        }
        return now;
    }

    private void done(
            Session client, Worker shared, Reply reply, long mark, Arguments arguments, long nanos, boolean refused) {
        Command command = client.lastCommand();
        if (command != null) {
            if (refused) {
                shared.counters.rejected(command);
            } else {
                shared.counters.ran(command, nanos, reply.isErrorAt(mark));
                CommandObserver observer = service.observer();
                if (nanos >= observer.fromNanos()) {
                    observer.ran(client, command, arguments, nanos);
                }
            }
        }
        client.countLookups(shared.counters);
        if (client.replyMode() != ReplyMode.ON) {
            silence(client, reply, mark);
        }
        if (client.protocol() != reply.version()) {
            reply.setVersion(client.protocol());
        }
        parser.restrict(!client.isAuthenticated());
    }

    private static void silence(Session client, Reply reply, long mark) {
        switch (client.replyMode()) {
            case SKIP_NEXT ->
                client.setReplyMode(ReplyMode.SKIP); // its own reply is empty; that of an EXEC around it is not
            case SKIP -> {
                reply.rewind(mark);
                client.setReplyMode(ReplyMode.ON);
            }
            case OFF -> reply.rewind(mark);
            case ON -> {}
        }
    }

    // ---- commands that wait

    private void goAway(Session client, Command command, Arguments arguments, long before) {
        away = true;
        awayBytes = arguments.isHeavy() ? arguments.heldBytes() : 0;
        parser.keep();
        channel().config().setAutoRead(false);
        try {
            service.executor().execute(() -> complete(client, command, arguments, before));
        } catch (RejectedExecutionException e) {
            arguments.release();
            close(); // the server is closing
        }
    }

    private void complete(Session client, Command command, Arguments arguments, long before) {
        Reply own = new Reply(allocator());
        own.setVersion(client.protocol());
        long refusals = client.refusals();
        try {
            dispatcher.complete(client, command, arguments, own);
        } catch (Throwable e) {
            LOG.log(Level.ERROR, "command " + command.name() + " of client " + client.id() + " failed", e);
            own.release();
            close();
        } finally {
            long nanos = System.nanoTime() - before;
            boolean refused = client.refusals() != refusals;
            try {
                channel().eventLoop().execute(() -> comeBack(client, own, arguments, nanos, refused));
            } catch (RejectedExecutionException e) {
                own.release(); // the server is closing
                arguments.release();
            }
        }
    }

    private void comeBack(Session client, Reply own, Arguments arguments, long nanos, boolean refused) {
        away = false;
        awayBytes = 0;
        if (closed) {
            own.release();
            arguments.release();
            end();
            return;
        }
        client.touch(service.nowMillis());
        Worker shared = Objects.requireNonNull(worker);
        done(client, shared, own, 0, arguments, nanos, refused);
        arguments.release();
        write(own);
        deliver();
        if (client.isClosing()) {
            closeAfterReplies();
            return;
        }
        goOn(client, shared);
    }

    /** Runs what has waited, then reads again. */
    private void goOn(Session client, Worker shared) {
        Reply reply = shared.reply;
        reply.setVersion(client.protocol());
        running = true;
        try {
            runRequests(client, shared, reply);
        } catch (ProtocolException e) {
            refuse(client, reply, e);
        } finally {
            running = false;
            if (!away) {
                parser.keep();
            }
            write(reply);
            deliver();
        }
        while (mayRun(client) && !waiting.isEmpty()) {
            ByteBuf bytes = waiting.removeFirst();
            waitingBytes -= bytes.readableBytes();
            consume(bytes);
        }
        channel().flush();
        if (!away && (client.isClosing() || (ended && mayRun(client)))) {
            closeAfterReplies();
        } else if (mayRun(client)) {
            channel().config().setAutoRead(true);
        }
    }

    // ---- writing

    /** Hands the reply's bytes to the socket. If the client does not take them, the connection is full. */
    private void write(Reply reply) {
        if (reply.size() == 0) {
            return;
        }
        service.outputBytes().add(reply.size());
        ChannelHandlerContext ctx = ctx();
        reply.take(chunk -> ctx.write(chunk, ctx.voidPromise()));
        if (!ctx.channel().isWritable()) {
            ctx.flush();
            if (!ctx.channel().isWritable()) {
                full = true;
                tellFull(false);
                checkOutput();
                ctx.channel().config().setAutoRead(false);
            }
        }
    }

    private void tellFull(boolean disconnected) {
        OutputFullEvent event = new OutputFullEvent();
        if (event.shouldCommit()) {
            event.remoteAddress = remoteAddress();
            event.waitingBytes = outputBytes();
            event.disconnected = disconnected;
            event.commit();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (full && ctx.channel().isWritable()) {
            full = false;
            // not here: Netty is in the midst of its own flush
            ctx.channel().eventLoop().execute(() -> {
                Session client = session;
                if (!away && !full && !running && !closed && client != null) {
                    goOn(client, Objects.requireNonNull(worker));
                }
            });
        }
    }

    private void refuse(Session client, Reply reply, ProtocolException e) {
        String text = "ERR " + e.getMessage();
        LOG.log(Level.DEBUG, "client {0} at {1}: {2}", client.id(), remoteAddress(), e.getMessage());
        service.countError(text);
        reply.error(text);
        client.closeAfterReply();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        // the client's doing: a connection reset, bytes that are no TLS, a certificate that is not accepted
        boolean isTheirs = cause instanceof IOException || cause instanceof DecoderException;
        Level level = isTheirs ? Level.DEBUG : Level.ERROR;
        LOG.log(level, "connection from " + remoteAddress() + " fails and is closed", cause);
        ctx.close();
    }

    // ---- what the session sees

    private ChannelHandlerContext ctx() {
        return Objects.requireNonNull(context);
    }

    private Channel channel() {
        return ctx().channel();
    }

    private ByteBufAllocator allocator() {
        return ctx().alloc();
    }

    @Override
    public String remoteAddress() {
        return text(channel().remoteAddress());
    }

    @Override
    public String localAddress() {
        return text(channel().localAddress());
    }

    private static String text(@Nullable SocketAddress address) {
        if (!(address instanceof InetSocketAddress inet)) {
            return "?:0";
        }
        String host = inet.getAddress() == null
                ? inet.getHostString()
                : inet.getAddress().getHostAddress();
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + inet.getPort();
    }

    @Override
    public void push(Push message) {
        if (overflowed) {
            return;
        }
        checkOutput(outbox.add(message));
        if (outbox.claim()) {
            try {
                channel().eventLoop().execute(() -> {
                    deliver();
                    channel().flush();
                });
            } catch (RejectedExecutionException e) {
                LOG.log(Level.DEBUG, "a message to client at {0} is dropped: the server closes", remoteAddress());
            }
        }
    }

    /** Sends messages that wait, unless a command's reply comes first or the client does not take what was sent; then who changes that calls this. */
    private void deliver() {
        Session client = session;
        if (running || away || full || closed || client == null || !outbox.isClaimed()) {
            return;
        }
        Reply reply = Objects.requireNonNull(worker).reply;
        reply.setVersion(client.protocol());
        drain(client, reply);
        write(reply);
    }

    private void drain(Session client, Reply reply) {
        outbox.release();
        Push message;
        while (!full && (message = outbox.poll()) != null) {
            if (wants(client, message)) {
                message.write(reply);
            }
            if (reply.size() >= WRITE_BYTES) {
                write(reply);
            }
        }
        if (full) {
            outbox.claim(); // what is left is sent when the client has taken this
        }
    }

    /** Whether the client has not changed its mind since the message was queued. */
    private boolean wants(Session client, Push message) {
        if (message.topic() == null) {
            return true;
        }
        if (message.topic() == service.monitors()) {
            return service.monitors().contains(client);
        }
        Subscriptions subscriptions = client.stateOrNull(Subscriptions.class);
        return subscriptions != null && subscriptions.wants(message);
    }

    @Override
    public void checkOutput() {
        checkOutput(outbox.bytes());
    }

    private void checkOutput(long messageBytes) {
        String kind = messageBytes > 0 ? "pubsub" : "normal";
        OutputLimit limit = service.options().outputLimit(kind);
        long bytes = messageBytes + unsentBytes();
        boolean over = limit.hard() > 0 && bytes >= limit.hard();
        if (limit.soft() > 0 && bytes >= limit.soft()) {
            long since = overSince;
            long now = service.nowMillis();
            if (since == 0) {
                overSince = now;
            } else {
                over |= now - since > 1000L * limit.seconds();
            }
        } else {
            overSince = 0;
        }
        if (over && !overflowed) {
            overflowed = true;
            LOG.log(
                    Level.WARNING,
                    "client at {0} is disconnected: {1} bytes wait for it, more than client-output-buffer-limit {2} allows",
                    remoteAddress(),
                    bytes,
                    kind);
            tellFull(true);
            close();
        }
    }

    @Override
    public boolean isAway() {
        return away;
    }

    @Override
    public void checkProgress() {
        Session client = session;
        ChannelOutboundBuffer buffer = channel().unsafe().outboundBuffer();
        if (client != null && buffer != null) {
            long unsent = buffer.totalPendingWriteBytes() - buffer.currentProgress();
            if (unsent != unsentThen) {
                client.touch(service.nowMillis());
            }
            unsentThen = unsent;
        }
    }

    @Override
    public void closeAfterReplies() {
        ChannelHandlerContext ctx = ctx();
        ctx.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    @Override
    public void close() {
        ctx().close();
    }

    @Override
    public long inputBytes() {
        return parser.heldBytes() + waitingBytes + awayBytes;
    }

    @Override
    public long outputBytes() {
        return outbox.bytes() + unsentBytes();
    }

    private long unsentBytes() {
        ChannelOutboundBuffer buffer = channel().unsafe().outboundBuffer();
        return buffer == null ? 0 : buffer.totalPendingWriteBytes();
    }
}
