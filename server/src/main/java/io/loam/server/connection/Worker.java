package io.loam.server.connection;

import io.loam.server.command.CommandCounters;
import io.loam.server.protocol.Reply;
import io.netty.buffer.ByteBufAllocator;

/** What the connections of one event loop share; only that thread uses it. */
final class Worker {

    private static final int INPUT_BYTES = 64 << 10;

    final byte[] input = new byte[INPUT_BYTES];
    final Reply reply;
    final CommandCounters counters;

    Worker(ByteBufAllocator allocator, CommandCounters counters) {
        this.reply = new Reply(allocator);
        this.counters = counters;
    }
}
