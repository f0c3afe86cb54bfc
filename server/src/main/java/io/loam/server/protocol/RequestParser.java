package io.loam.server.protocol;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Cuts the bytes of one connection into requests. Feed it with {@link #feed}, then call {@link #next} as long as it says true and use {@link #arguments}; at the end {@link #keep}.
 *
 * <p>The bytes lie in a window of an array: one that is lent by the caller while nothing is left over from before, else an own one. What has been parsed of a request is
 * remembered relative to its beginning, so the window can move. The bytes of a large argument go from the network's buffer to off-heap memory of its own, which grows as they come; a very large
 * one's lie in pieces, so that it never has to be copied here to grow.
 */
public final class RequestParser {

    /** An argument longer than this is kept off-heap. */
    public static final int LARGE_BYTES = 32 << 10;
    /** The longest line: an inline request, or a length. */
    private static final int LINE_BYTES = 64 << 10;

    private static final int MAX_ARGUMENTS = 1 << 20;
    private static final int UNAUTHENTICATED_ARGUMENTS = 10;
    private static final int UNAUTHENTICATED_BYTES = 16 << 10;
    private static final int FIRST_LARGE_BYTES = 128 << 10;
    /** A longer argument is kept in pieces of so many bytes. */
    private static final int PIECE_BYTES = 1 << 20;

    private static final byte[] NOTHING = {};

    private final Arguments arguments = new Arguments();

    private byte[] window = NOTHING;
    /** Where the request that is being parsed begins, and where the bytes end. */
    private int start;

    private int end;
    private boolean lent;

    /** Arguments of the request under way; 0: none is. */
    private int expected;
    /** Length of the argument under way, -1: its length is not known yet. */
    private int bulk = -1;
    /** Where to go on, from the request's beginning. */
    private int at;
    /** How many bytes of a line that is not complete were looked at. */
    private int looked;
    /** The large argument that is being filled, or the piece of it. */
    private @Nullable ByteBuf filling;
    /** The pieces that are full. */
    private @Nullable CompositeByteBuf pieces;
    /** Their bytes; others look at it, and it may be a little old. */
    private int pieceBytes;
    /** Bytes of the line end after a large argument that are still to come. */
    private int skip;

    private long maximumBulkBytes = 512L << 20;
    private long maximumRequestBytes = 64L << 20;
    private boolean restricted;

    /** The longest argument, and the most bytes of a request's arguments that are not large. */
    public void limits(long bulkBytes, long requestBytes) {
        maximumBulkBytes = bulkBytes;
        maximumRequestBytes = requestBytes;
    }

    /** Whether the client has yet to authenticate, and small limits hold. */
    public void restrict(boolean restricted) {
        this.restricted = restricted;
    }

    /** The request that {@link #next} has found; valid until the next call of this parser. */
    public Arguments arguments() {
        return arguments;
    }

    /** The request that {@link #next} has found, to outlast this parser's next call. Where that has an array of its own, it goes along instead of being copied. */
    public Arguments detach() {
        int left = end - start;
        if (lent || left > window.length / 2) {
            return arguments.detach();
        }
        byte[] rest = Arrays.copyOfRange(window, start, end);
        window = rest;
        start = 0;
        end = left;
        return arguments.take();
    }

    /** Bytes that are held for requests that are not complete. */
    public long heldBytes() {
        ByteBuf large = filling;
        return (lent ? 0 : window.length) + pieceBytes + (large == null ? 0 : large.capacity());
    }

    /**
     * Takes bytes of {@code input}, as many as there is room for.
     *
     * @param spare an array to work in while nothing is left over; the same for all calls until {@link #keep}
     */
    public void feed(ByteBuf input, byte[] spare, ByteBufAllocator allocator) throws ProtocolException {
        if (filling != null) {
            fill(input, allocator);
            return;
        }
        int bytes = input.readableBytes();
        if (start == end && expected == 0) {
            window = spare;
            lent = true;
            start = 0;
            end = 0;
        }
        if (window.length - end < bytes && !makeRoom(bytes)) {
            bytes = window.length - end;
        }
        input.readBytes(window, end, bytes);
        end += bytes;
    }

    /** Makes room for more bytes behind the window; false if the array is lent and full, and what fits must do. */
    private boolean makeRoom(int bytes) throws ProtocolException {
        int held = end - start;
        if (lent && held == 0 && expected == 0) {
            start = 0;
            end = 0;
            return window.length >= bytes;
        }
        if (held > maximumRequestBytes) {
            throw new ProtocolException("Protocol error: request of more than " + maximumRequestBytes + " bytes");
        }
        if (!lent && window.length - held >= bytes) {
            System.arraycopy(window, start, window, 0, held);
        } else {
            byte[] larger =
                    new byte[(int) Math.max(1L << 12, Math.min(2L * held, Integer.MAX_VALUE - 64 - bytes)) + bytes];
            System.arraycopy(window, start, larger, 0, held);
            window = larger;
            lent = false;
        }
        start = 0;
        end = held;
        arguments.rebase(window, start);
        return true;
    }

    /** Keeps what is left over, in an own array, so that the lent one is free. */
    public void keep() {
        int held = end - start;
        if (lent) {
            window = held == 0 ? NOTHING : Arrays.copyOfRange(window, start, end);
            lent = false;
            start = 0;
            end = held;
            arguments.rebase(window, 0);
        } else if (held == 0 && expected == 0) {
            window = NOTHING;
            start = 0;
            end = 0;
        }
    }

    /** Whether a request is complete now: it is in {@link #arguments}. */
    public boolean next(ByteBufAllocator allocator) throws ProtocolException {
        while (expected == 0) {
            if (start == end) {
                return false;
            }
            int lineEnd = lineEnd(start);
            if (window[start] != '*') {
                if (lineEnd < 0) {
                    checkLine("too big inline request");
                    return false;
                }
                if (inline(lineEnd)) {
                    return true;
                }
                continue;
            }
            if (lineEnd < 0) {
                checkLine("too big mbulk count string");
                return false;
            }
            long count = number(start + 1, lineEnd, "invalid multibulk length");
            if (count > MAX_ARGUMENTS) {
                throw new ProtocolException("Protocol error: invalid multibulk length");
            }
            if (restricted && count > UNAUTHENTICATED_ARGUMENTS) {
                throw new ProtocolException("Protocol error: unauthenticated multibulk length");
            }
            if (count <= 0) {
                start = after(lineEnd);
                continue;
            }
            expected = (int) count;
            at = after(lineEnd) - start;
            arguments.begin(window, start);
        }
        while (arguments.count() < expected) {
            if (!nextArgument(allocator)) {
                return false;
            }
        }
        if (skip > 0 && !skipLineEnd()) {
            return false;
        }
        finish();
        return true;
    }

    private void finish() {
        start += at;
        expected = 0;
        at = 0;
    }

    private boolean nextArgument(ByteBufAllocator allocator) throws ProtocolException {
        if (filling != null || (skip > 0 && !skipLineEnd())) {
            return false;
        }
        if (bulk < 0) {
            int line = start + at;
            if (line == end) {
                return false;
            }
            int lineEnd = lineEnd(line);
            if (lineEnd < 0) {
                if (end - line > LINE_BYTES) {
                    throw new ProtocolException("Protocol error: too big bulk count string");
                }
                return false;
            }
            if (window[line] != '$') {
                throw new ProtocolException("Protocol error: expected '$', got '" + printable(window[line]) + "'");
            }
            long length = number(line + 1, lineEnd, "invalid bulk length");
            if (length < 0 || length > maximumBulkBytes) {
                throw new ProtocolException("Protocol error: invalid bulk length");
            }
            if (restricted && length > UNAUTHENTICATED_BYTES) {
                throw new ProtocolException("Protocol error: unauthenticated bulk length");
            }
            bulk = (int) length;
            at = after(lineEnd) - start;
            if (bulk > LARGE_BYTES) {
                beginLarge(allocator);
                return filling == null;
            }
        }
        if (end - start - at < bulk + 2) {
            return false;
        }
        arguments.add(at, bulk);
        at += bulk + 2;
        bulk = -1;
        return true;
    }

    /** Moves what has come of a large argument to memory of its own, out of the window. */
    private void beginLarge(ByteBufAllocator allocator) {
        int come = Math.min(bulk, end - start - at);
        // what a window holds is no more than a piece, or the argument is not that large
        int most = bulk > PIECE_BYTES ? Math.max(come, PIECE_BYTES) : bulk;
        ByteBuf large = allocator.directBuffer(Math.min(most, Math.max(FIRST_LARGE_BYTES, come)), most);
        large.writeBytes(window, start + at, come);
        int rest = end - start - at - come;
        System.arraycopy(window, start + at + come, window, start + at, rest);
        end = start + at + rest;
        filling = large;
        if (come == bulk) {
            endLarge(large);
        }
    }

    private void fill(ByteBuf input, ByteBufAllocator allocator) {
        while (filling != null && input.isReadable()) {
            ByteBuf large = filling;
            int bytes = Math.min(input.readableBytes(), large.maxCapacity() - large.writerIndex());
            if (large.writableBytes() < bytes) {
                int end = large.writerIndex() + bytes;
                large.capacity(Math.min(large.maxCapacity(), Math.max(2 * large.capacity(), end)));
            }
            large.writeBytes(input, bytes);
            if (pieceBytes + large.writerIndex() == bulk) {
                endLarge(large);
                return;
            } else if (large.writerIndex() == large.maxCapacity()) {
                nextPiece(large, allocator);
            }
        }
    }

    private void nextPiece(ByteBuf full, ByteBufAllocator allocator) {
        CompositeByteBuf all = pieces;
        if (all == null) {
            all = allocator.compositeDirectBuffer(Integer.MAX_VALUE);
            pieces = all;
        }
        all.addComponent(true, full);
        pieceBytes += full.writerIndex();
        int size = Math.min(PIECE_BYTES, bulk - pieceBytes);
        filling = allocator.directBuffer(size, size);
    }

    private void endLarge(ByteBuf last) {
        CompositeByteBuf all = pieces;
        arguments.addLarge(all == null ? last : all.addComponent(true, last), bulk);
        pieces = null;
        pieceBytes = 0;
        filling = null;
        bulk = -1;
        skip = 2;
    }

    private boolean skipLineEnd() {
        int come = Math.min(skip, end - start - at);
        at += come;
        skip -= come;
        return skip == 0;
    }

    /** A request in one line, as a person types it; whether there was any. */
    private boolean inline(int lineEnd) throws ProtocolException {
        int from = start;
        start = after(lineEnd);
        return InlineRequest.parse(window, from, lineEnd, arguments);
    }

    private void checkLine(String what) throws ProtocolException {
        if (end - start > LINE_BYTES) {
            throw new ProtocolException("Protocol error: " + what);
        }
    }

    /** Where the line that begins at {@code from} ends: at its line feed, or the carriage return before; -1: it is not complete, or too long. */
    private int lineEnd(int from) {
        // the same bytes are too long however they come
        int last = Math.min(end - 1, from + LINE_BYTES);
        for (int i = from + looked; i <= last; i++) {
            if (window[i] == '\n') {
                looked = 0;
                return i > from && window[i - 1] == '\r' ? i - 1 : i;
            }
        }
        looked = Math.max(looked, last + 1 - from);
        return -1;
    }

    private int after(int lineEnd) {
        return window[lineEnd] == '\r' ? lineEnd + 2 : lineEnd + 1;
    }

    private long number(int from, int to, String otherwise) throws ProtocolException {
        if (!Numbers.isLong(window, from, to - from)) {
            throw new ProtocolException("Protocol error: " + otherwise);
        }
        return Numbers.parseLong(window, from, to - from);
    }

    private static char printable(byte value) {
        return value >= ' ' && value < 127 ? (char) value : '?';
    }

    /** Gives back what is held; the connection is closed. */
    public void release() {
        ByteBuf large = filling;
        filling = null;
        if (large != null) {
            large.release();
        }
        CompositeByteBuf all = pieces;
        pieces = null;
        pieceBytes = 0;
        if (all != null) {
            all.release();
        }
        arguments.release();
        window = NOTHING;
        start = 0;
        end = 0;
    }
}
