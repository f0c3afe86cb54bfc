package io.loam.server.connection;

import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;

/**
 * Shuts a socket of io_uring down for reading before it is closed. A request that the kernel has not answered yet holds the socket open, whatever becomes of its file: the client would not see the end and wait for its reply
 * for ever. Netty 4.2.20, too, cancels such requests when the close is asked for, but makes another poll after that if a read or write was under way then. A socket that is shut down answers every poll and read at once.
 * What waits to be sent is sent all the same.
 */
@Sharable
final class EndOfReading extends ChannelOutboundHandlerAdapter {

    static final EndOfReading INSTANCE = new EndOfReading();

    private EndOfReading() {}

    @Override
    public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
        ((DuplexChannel) ctx.channel())
                .shutdownInput(); // fails if the client has ended the connection: then nothing waits
        ctx.close(promise);
    }
}
