package io.loam.server.connection;

import io.loam.server.ServerOptions.OutputLimit;
import io.loam.server.command.Command;
import io.loam.server.command.CommandObserver;
import io.loam.server.command.Dispatcher;
import io.loam.server.command.Link;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.command.Session.ReplyMode;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.ProtocolException;
import io.loam.server.protocol.Reply;
import io.loam.server.protocol.RequestParser;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One client's socket. Reads, runs and replies on its event loop; hands a command that must wait to the executor, and goes on when it is done.
 */
public final class Connection extends ChannelInboundHandlerAdapter implements Link {

    private static final Logger LOG = System.getLogger(Connection.class.getName());
    /** Replies are handed to the socket when so many bytes have come together. */
    private static final int WRITE_BYTES = 64 << 10;

    private final Service service;
    private final Dispatcher dispatcher;
    private final Function<Channel, Worker> workers;
    private final RequestParser parser = new RequestParser();
    /** What was read while the connection was away or full. */
    private final ArrayDeque<ByteBuf> waiting = new ArrayDeque<>(0);
    /** What other parts of the server want to send after the present command's reply. */
    private final List<Consumer<Reply>> afterReply = new ArrayList<>(0);

    private @Nullable ChannelHandlerContext context;
    private @Nullable Worker worker;
    private @Nullable Session session;
    private boolean away;
    private boolean full;
    private boolean running;
    /** Whether the client sends nothing any more; what has come is still run. */
    private boolean ended;

    private boolean closed;
    /** Since when more than the soft limit waits to be sent; 0: it does not. */
    private long softSince;

    Connection(Service service, Dispatcher dispatcher, Function<Channel, Worker> workers) {
        this.service = service;
        this.dispatcher = dispatcher;
        this.workers = workers;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        context = ctx;
        worker = workers.apply(ctx.channel());
        Session opened = service.open(this);
        if (opened == null) {
            ConnectionRefusedEvent event = new ConnectionRefusedEvent();
            event.remoteAddress = remoteAddress();
            event.commit();
            byte[] refusal = "-ERR max number of clients reached\r\n".getBytes(StandardCharsets.US_ASCII);
            ctx.writeAndFlush(Unpooled.wrappedBuffer(refusal)).addListener(ChannelFutureListener.CLOSE);
            return;
        }
        session = opened;
        parser.limits(service.options().maxBulkBytes(), service.options().queryBufferLimit());
        parser.restrict(!opened.isAuthenticated());
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        closed = true;
        Session present = session;
        if (present != null) {
            service.closed(present);
        }
        if (!away) {
            parser.release();
        }
        waiting.forEach(ByteBuf::release);
        waiting.clear();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        service.inputBytes().add(bytes.readableBytes());
        if (session == null || closed) {
            bytes.release();
        } else if (away || full || !waiting.isEmpty()) {
            waiting.add(bytes);
        } else {
            consume(bytes);
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
                client.touch(service.nowMillis());
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
            goAway(client, toComplete, arguments.detach(), before);
            return before;
        }
        long now = System.nanoTime();
        done(client, shared, reply, mark, arguments, now - before, client.refusals() != refusals);
        arguments.release();
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
        if (client.replyMode() != ReplyMode.ON) {
            silence(client, reply, mark);
        }
        if (client.protocol() != reply.version()) {
            reply.setVersion(client.protocol());
        }
        if (!afterReply.isEmpty()) {
            afterReply.forEach(writer -> writer.accept(reply));
            afterReply.clear();
        }
        parser.restrict(!client.isAuthenticated());
    }

    private static void silence(Session client, Reply reply, long mark) {
        reply.rewind(mark);
        switch (client.replyMode()) {
            case SKIP_NEXT -> client.setReplyMode(ReplyMode.SKIP);
            case SKIP -> client.setReplyMode(ReplyMode.ON);
            case ON, OFF -> {}
        }
    }

    // ---- commands that wait

    private void goAway(Session client, Command command, Arguments arguments, long before) {
        away = true;
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
        try {
            dispatcher.complete(client, command, arguments, own);
        } catch (Throwable e) {
            LOG.log(Level.ERROR, "command " + command.name() + " of client " + client.id() + " failed", e);
            own.release();
            close();
        } finally {
            long nanos = System.nanoTime() - before;
            try {
                channel().eventLoop().execute(() -> comeBack(client, own, arguments, nanos));
            } catch (RejectedExecutionException e) {
                own.release(); // the server is closing
                arguments.release();
            }
        }
    }

    private void comeBack(Session client, Reply own, Arguments arguments, long nanos) {
        away = false;
        if (closed) {
            own.release();
            arguments.release();
            parser.release();
            return;
        }
        Worker shared = Objects.requireNonNull(worker);
        done(client, shared, own, 0, arguments, nanos, false);
        arguments.release();
        write(own);
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
        }
        while (mayRun(client) && !waiting.isEmpty()) {
            consume(waiting.removeFirst());
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
        Level level = cause instanceof IOException ? Level.DEBUG : Level.ERROR;
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
    public void send(Consumer<Reply> writer) {
        if (!channel().eventLoop().inEventLoop()) {
            channel().eventLoop().execute(() -> send(writer));
        } else if (running || away) {
            afterReply.add(writer);
        } else if (!closed && session != null) {
            Reply reply = new Reply(allocator());
            reply.setVersion(session.protocol());
            writer.accept(reply);
            write(reply);
            channel().flush();
            limitOutput(session);
        }
    }

    /** Ends the connection if more waits for the client than its kind may have. */
    private void limitOutput(Session client) {
        long waiting = outputBytes();
        OutputLimit limit = service.options().outputLimit(client.activity().isSubscribed() ? "pubsub" : "normal");
        if (limit.soft() == 0 || waiting <= limit.soft()) {
            softSince = 0;
        } else if (softSince == 0) {
            softSince = service.nowMillis();
        }
        boolean tooLong = softSince != 0 && service.nowMillis() - softSince > 1000L * limit.seconds();
        if (tooLong || (limit.hard() > 0 && waiting > limit.hard())) {
            LOG.log(
                    Level.WARNING,
                    "client {0} at {1} does not take what is sent to it, {2} bytes wait: closed (client-output-buffer-limit)",
                    client.id(),
                    remoteAddress(),
                    waiting);
            tellFull(true);
            close();
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
        return parser.heldBytes();
    }

    @Override
    public long outputBytes() {
        ChannelOutboundBuffer buffer = channel().unsafe().outboundBuffer();
        return buffer == null ? 0 : buffer.totalPendingWriteBytes();
    }
}
