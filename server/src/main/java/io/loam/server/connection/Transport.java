package io.loam.server.connection;

import io.loam.server.ServerOptions;
import io.loam.server.command.Dispatcher;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringChannelOption;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import jdk.net.ExtendedSocketOptions;

/** The event loops and the sockets they listen at. */
public final class Transport implements AutoCloseable {

    /**
     * Whether Netty asks the kernel once for all polls of a socket. It must not: what comes while a read is under way is told once and, to Netty 4.2.18, in vain, so that the end of a
     * connection that is reset then is never seen. Read when Netty's class is loaded; if that was earlier, io_uring is not used.
     */
    private static final String ONE_POLL_FOR_ALL = "io.netty.iouring.pollAddMultishotEnabled";

    static {
        if (System.getProperty(ONE_POLL_FOR_ALL) == null) {
            System.setProperty(ONE_POLL_FOR_ALL, "false");
        }
    }

    private static final Logger LOG = System.getLogger(Transport.class.getName());
    private static final WriteBufferWaterMark WATER_MARK = new WriteBufferWaterMark(256 << 10, 1 << 20);

    private final Service service;
    private final Dispatcher dispatcher;
    private final Kind kind;
    private final EventLoopGroup group;
    private final Map<EventExecutor, Worker> workers = new ConcurrentHashMap<>();
    private final List<Channel> listening = new ArrayList<>();
    private int port;
    private int tlsPort;

    private enum Kind {
        IO_URING("io_uring"),
        EPOLL("epoll"),
        NIO("nio");

        private final String word;

        Kind(String word) {
            this.word = word;
        }

        private boolean isAvailable() {
            return switch (this) {
                case IO_URING -> IoUring.isAvailable() && !IoUring.isPollAddMultishotEnabled();
                case EPOLL -> Epoll.isAvailable();
                case NIO -> true;
            };
        }

        private IoHandlerFactory factory() {
            return switch (this) {
                case IO_URING -> IoUringIoHandler.newFactory();
                case EPOLL -> EpollIoHandler.newFactory();
                case NIO -> NioIoHandler.newFactory();
            };
        }

        private Class<? extends ServerChannel> channel() {
            return switch (this) {
                case IO_URING -> IoUringServerSocketChannel.class;
                case EPOLL -> EpollServerSocketChannel.class;
                case NIO -> NioServerSocketChannel.class;
            };
        }

        /** Has the kernel ask after a client that has been silent for so long, and again twice, so that one that is gone is noticed in twice that time; 0: never. */
        private void keepAlive(ChannelConfig config, int seconds) {
            config.setOption(ChannelOption.SO_KEEPALIVE, seconds > 0);
            if (seconds > 0) {
                int again = Math.max(1, seconds / 3);
                switch (this) {
                    case IO_URING -> {
                        config.setOption(IoUringChannelOption.TCP_KEEPIDLE, seconds);
                        config.setOption(IoUringChannelOption.TCP_KEEPINTVL, again);
                        config.setOption(IoUringChannelOption.TCP_KEEPCNT, 3);
                    }
                    case EPOLL -> {
                        config.setOption(EpollChannelOption.TCP_KEEPIDLE, seconds);
                        config.setOption(EpollChannelOption.TCP_KEEPINTVL, again);
                        config.setOption(EpollChannelOption.TCP_KEEPCNT, 3);
                    }
                    case NIO -> {
                        config.setOption(NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPIDLE), seconds);
                        config.setOption(NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPINTERVAL), again);
                        config.setOption(NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPCOUNT), 3);
                    }
                }
            }
        }
    }

    /**
     * Starts the event loops.
     *
     * @throws IllegalArgumentException if the transport asked for does not load here
     */
    public Transport(Service service) {
        this.service = service;
        this.dispatcher = new Dispatcher(service);
        this.kind = choose(service.options().transport());
        this.group = new MultiThreadIoEventLoopGroup(
                service.options().eventLoops(), new DefaultThreadFactory("loam-loop"), kind.factory());
    }

    private static Kind choose(String wanted) {
        for (Kind kind : Kind.values()) {
            if (wanted.equals("auto") || wanted.equals(kind.word)) {
                if (kind.isAvailable()) {
                    return kind;
                }
                if (!wanted.equals("auto")) {
                    throw new IllegalArgumentException(
                            "the transport " + wanted + " does not load on this machine; use auto");
                }
            }
        }
        return Kind.NIO;
    }

    /** Its name, as in the option {@code transport}. */
    public String name() {
        return kind.word;
    }

    /**
     * Listens at all addresses that the options bind to, at their port, and for TLS at the port for that; at a port that is 0 not at all, but if both are, at one that is free.
     *
     * @throws BindException if a port is taken or an address is not this machine's
     * @throws IllegalArgumentException if the files for TLS can't be used
     */
    public void bind() throws BindException {
        ServerOptions options = service.options();
        if (options.tlsPort() > 0) {
            Tls tls = new Tls(options);
            tlsPort = listen(options.tlsPort(), channel -> channel.pipeline().addLast(tls.newHandler(channel.alloc())));
        }
        if (options.port() > 0 || tlsPort == 0) {
            port = listen(options.port(), channel -> {});
        }
        group.scheduleWithFixedDelay(this::endIdle, 1, 1, TimeUnit.SECONDS);
        group.scheduleWithFixedDelay(service.clientMemory()::check, 100, 100, TimeUnit.MILLISECONDS);
        group.scheduleWithFixedDelay(service::second, 1, 1, TimeUnit.SECONDS);
        group.scheduleWithFixedDelay(
                () -> service.sessions().forEach(session -> session.link().checkOutput()), 1, 1, TimeUnit.SECONDS);
    }

    /** The port without TLS; 0: none. */
    public int port() {
        return port;
    }

    /** The port for TLS; 0: none. */
    public int tlsPort() {
        return tlsPort;
    }

    private int listen(int wanted, Consumer<Channel> first) throws BindException {
        ServerOptions options = service.options();
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(group)
                .channel(kind.channel())
                .option(ChannelOption.SO_BACKLOG, options.backlog())
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
                .childOption(ChannelOption.RECVBUF_ALLOCATOR, new AdaptiveRecvByteBufAllocator(512, 4 << 10, 64 << 10))
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        if (kind == Kind.IO_URING) {
                            channel.pipeline().addLast(EndOfReading.INSTANCE);
                        }
                        kind.keepAlive(channel.config(), service.options().keepAliveSeconds());
                        first.accept(channel);
                        channel.pipeline().addLast(new Connection(service, dispatcher, Transport.this::worker));
                    }
                });
        int bound = wanted;
        for (String address : options.bind().split("\\s+")) {
            boolean optional = address.startsWith("-");
            String host = optional ? address.substring(1) : address;
            InetSocketAddress socket = host.equals("*")
                    ? new InetSocketAddress(bound)
                    : new InetSocketAddress(host.equals("::*") ? "::" : host, bound);
            var future = bootstrap.bind(socket).awaitUninterruptibly();
            if (future.isSuccess()) {
                listening.add(future.channel());
                bound = ((InetSocketAddress) future.channel().localAddress()).getPort();
                LOG.log(Level.INFO, "listening at {0} port {1} over {2}", host, Integer.toString(bound), name());
            } else if (!optional) {
                stopListening();
                BindException failure = new BindException("can't listen at " + host + " port " + bound + ": "
                        + future.cause().getMessage());
                failure.initCause(future.cause());
                throw failure;
            }
        }
        return bound;
    }

    /** Ends the connections of clients that have sent and taken nothing for longer than the option says, and wait for nothing. */
    private void endIdle() {
        long timeoutMillis = 1000L * service.options().timeoutSeconds();
        long since = service.nowMillis() - timeoutMillis;
        for (Session session : service.sessions()) {
            session.link().checkProgress();
            if (timeoutMillis > 0 && session.lastActiveMillis() < since && !isWaiting(session)) {
                LOG.log(
                        Level.DEBUG,
                        "client {0} at {1} is disconnected: idle for more than {2} seconds",
                        session.id(),
                        session.link().remoteAddress(),
                        timeoutMillis / 1000);
                session.link().close();
            }
        }
    }

    private boolean isWaiting(Session session) {
        return session.link().isAway()
                || session.activity().isSubscribed()
                || service.monitors().contains(session);
    }

    private Worker worker(Channel channel) {
        return workers.computeIfAbsent(
                channel.eventLoop(), ignored -> new Worker(ByteBufAllocator.DEFAULT, service.newCounters()));
    }

    private void stopListening() {
        for (Channel channel : listening) {
            channel.close().awaitUninterruptibly();
        }
        listening.clear();
    }

    /** Stops listening, ends all connections, stops the event loops. */
    @Override
    public void close() {
        stopListening();
        service.sessions().forEach(session -> session.link().close());
        group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
    }
}
