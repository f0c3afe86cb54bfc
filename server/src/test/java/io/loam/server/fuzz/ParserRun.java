package io.loam.server.fuzz;

import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.ProtocolException;
import io.loam.server.protocol.RequestParser;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/** Feeds a parser bytes in pieces, and sees to it that it goes on with each call and holds no more than it was given. */
final class ParserRun {

    /** What the parser may hold beyond four times what it was given: the first piece of a large argument, and room for a line. */
    private static final long SPARE_BYTES = 256 << 10;

    private static final long REQUEST_BYTES = 1 << 20;

    private final byte[] spare = new byte[64 << 10];
    private final long limit;
    private final boolean restricted;

    /** @param limit the longest argument @param restricted as for a client that has yet to authenticate */
    ParserRun(long limit, boolean restricted) {
        this.limit = limit;
        this.restricted = restricted;
    }

    /** What the parser finds: each request in hexadecimal digits, then the fault if there is one. */
    List<String> parse(byte[] stream, int... cuts) {
        List<String> found = new ArrayList<>();
        RequestParser parser = new RequestParser();
        parser.limits(limit, REQUEST_BYTES);
        parser.restrict(restricted);
        int given = 0;
        try {
            for (int cut : cuts) {
                ByteBuf piece = Unpooled.wrappedBuffer(stream, given, cut);
                given += cut;
                while (piece.isReadable()) {
                    int before = piece.readableBytes();
                    int requests = found.size();
                    parser.feed(piece, spare, ByteBufAllocator.DEFAULT);
                    while (parser.next(ByteBufAllocator.DEFAULT)) {
                        found.add(shown(parser.arguments()));
                        parser.arguments().release();
                    }
                    if (piece.readableBytes() == before && found.size() == requests) {
                        throw new AssertionError("the parser does not go on, of " + HostileInput.shown(stream));
                    }
                }
                parser.keep();
                if (parser.heldBytes() > 4L * given + SPARE_BYTES) {
                    throw new AssertionError(
                            parser.heldBytes() + " bytes held of " + given + ", of " + HostileInput.shown(stream));
                }
            }
        } catch (ProtocolException e) {
            found.add(String.valueOf(e.getMessage()));
        } finally {
            parser.release();
        }
        return found;
    }

    private static String shown(Arguments arguments) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < arguments.count(); i++) {
            byte[] bytes = arguments.bytes(i);
            text.append(i == 0 ? "" : " ")
                    .append(
                            bytes.length > 64
                                    ? bytes.length + "#" + Arrays.hashCode(bytes)
                                    : HexFormat.of().formatHex(bytes));
        }
        return text.toString();
    }
}
