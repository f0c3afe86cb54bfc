package io.loam.server.protocol;

import io.loam.store.Namespace;
import io.loam.store.ValueView;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The bytes that go to one client, in the form of its protocol version. Commands write values; the connection takes the bytes.
 *
 * <p>Written into an array that is used again and again; what exceeds it is sealed into direct buffers. {@link #mark} and {@link #rewind} take back what a command wrote.
 * Used by one thread at a time.
 */
public final class Reply {

    /** Bytes after which the array is sealed. */
    private static final int CHUNK_BYTES = 64 << 10;

    private static final int FIRST_BYTES = 4 << 10;
    /** Room for the header of a bulk string: the sign, 10 digits, a line end. */
    private static final int HEADER_BYTES = 13;

    private static final byte[] OK = bytes("+OK\r\n");
    private static final byte[] NULL_BULK = bytes("$-1\r\n");
    private static final byte[] NULL_ARRAY = bytes("*-1\r\n");
    private static final byte[] NULL = bytes("_\r\n");
    private static final byte[] SMALLEST = bytes("-9223372036854775808");

    private final ByteBufAllocator allocator;
    private byte[] buffer = new byte[FIRST_BYTES];
    private int at;
    private final List<ByteBuf> sealed = new ArrayList<>();
    private long sealedBytes;
    private int version = 2;
    /** How long it may become; see {@link #limit}. */
    private long limit = Long.MAX_VALUE;
    /** Digits of the last bulk string's length: most likely the next one's. */
    private int usualDigits = 2;

    public Reply(ByteBufAllocator allocator) {
        this.allocator = allocator;
    }

    /** The protocol's version, 2 or 3. */
    public int version() {
        return version;
    }

    public void setVersion(int version) {
        this.version = version;
    }

    /** Thrown by what would make a reply longer than {@link #limit}; it is without a part of that then. */
    public static final class TooLongException extends RuntimeException {
        private static final long serialVersionUID = 1;

        private static final TooLongException INSTANCE = new TooLongException();

        private TooLongException() {
            super("the reply is longer than may be written here", null, false, false);
        }
    }

    /** Lets the reply grow to about so many bytes, a chunk more or less; beyond it writing throws {@link TooLongException}. */
    public void limit(long bytes) {
        limit = bytes;
    }

    /** Looks at the limit before {@code bytes} are written besides the buffer. */
    private void checkLimit(long bytes) {
        if (sealedBytes + at + bytes > limit) {
            throw TooLongException.INSTANCE;
        }
    }

    // ---- values

    public void ok() {
        raw(OK);
    }

    /** A short text without line ends. */
    public void status(String text) {
        line('+', text);
    }

    /** A refusal, beginning with its code. Line ends in it become blanks. */
    public void error(String text) {
        line('-', text.replace('\r', ' ').replace('\n', ' '));
    }

    public void integer(long value) {
        number(':', value);
    }

    public void bool(boolean value) {
        if (version < 3) {
            integer(value ? 1 : 0);
        } else {
            line('#', value ? "t" : "f");
        }
    }

    public void decimal(String text) {
        if (version < 3) {
            bulk(text);
        } else {
            line(',', text);
        }
    }

    public void bulk(byte[] value) {
        bulk(value, 0, value.length);
    }

    public void bulk(byte[] value, int offset, int length) {
        number('$', length);
        if (length > CHUNK_BYTES) {
            checkLimit(length);
            seal();
            ByteBuf large = allocator.directBuffer(length, length);
            large.writeBytes(value, offset, length);
            push(large);
        } else {
            room(length);
            System.arraycopy(value, offset, buffer, at, length);
            at += length;
        }
        lineEnd();
    }

    /** A bulk string of characters below 256. */
    public void bulk(String text) {
        number('$', text.length());
        characters(text);
        lineEnd();
    }

    public void bulk(MemorySegment value) {
        number('$', value.byteSize());
        segment(value);
        lineEnd();
    }

    /** A value where it lies in the store. */
    public void bulk(ValueView value) {
        bulk(value, 0, value.length());
    }

    /** A part of a value. */
    public void bulk(ValueView value, long offset, long length) {
        number('$', length);
        if (length > CHUNK_BYTES) {
            checkLimit(length);
            seal();
        }
        long position = 0;
        for (int i = 0; i < value.segmentCount() && position < offset + length; i++) {
            MemorySegment piece = value.segment(i);
            long from = Math.max(0, offset - position);
            long to = Math.min(piece.byteSize(), offset + length - position);
            if (from < to) {
                segment(piece.asSlice(from, to - from));
            }
            position += piece.byteSize();
        }
        lineEnd();
    }

    /**
     * The value of a key that has this type, copied from the store to where it is sent from.
     *
     * @return whether there is one; else nothing is written
     * @throws RedisError if the key has another type
     */
    public boolean bulk(Namespace namespace, byte[] key, int type) {
        room(HEADER_BYTES + 512);
        while (true) {
            int header = 3 + usualDigits;
            int length = namespace.getOfType(key, type, buffer, at + header);
            if (length < 0) {
                if (length == Namespace.OTHER_TYPE) {
                    throw RedisError.WRONG_TYPE;
                }
                return false;
            }
            int digits = digits(length);
            if (digits != usualDigits) {
                usualDigits = digits;
                if (length + HEADER_BYTES > buffer.length - at) {
                    header = Integer.MAX_VALUE;
                } else {
                    System.arraycopy(buffer, at + header, buffer, at + 3 + digits, length);
                    header = 3 + digits;
                }
            }
            if (header < Integer.MAX_VALUE && length <= buffer.length - at - header) {
                number('$', length); // has room, and ends where the value begins
                at += length;
                lineEnd();
                return true;
            }
            if (length > CHUNK_BYTES) {
                return Boolean.TRUE.equals(namespace.read(key, view -> {
                    if (view.type() != type) {
                        throw RedisError.WRONG_TYPE;
                    }
                    bulk(view);
                    return true;
                }));
            }
            room(length + HEADER_BYTES);
        }
    }

    /** A text for people; {@code format} has three letters. */
    public void verbatim(String format, String text) {
        if (version < 3) {
            bulk(text);
        } else {
            number('=', text.length() + 4);
            characters(format);
            room(1);
            buffer[at++] = ':';
            characters(text);
            lineEnd();
        }
    }

    /** No value. */
    public void nothing() {
        raw(version < 3 ? NULL_BULK : NULL);
    }

    /** No value where there would be an array. */
    public void nothingOfArray() {
        raw(version < 3 ? NULL_ARRAY : NULL);
    }

    /** {@code count} values follow. */
    public void array(long count) {
        number('*', count);
    }

    /** {@code count} pairs of a key and a value follow. */
    public void map(long count) {
        if (version < 3) {
            number('*', 2 * count);
        } else {
            number('%', count);
        }
    }

    /** {@code count} different values follow. */
    public void set(long count) {
        number(version < 3 ? '*' : '~', count);
    }

    /** {@code count} values follow, and are no answer to a command. */
    public void push(long count) {
        number(version < 3 ? '*' : '>', count);
    }

    /** Bytes that are in the protocol's form already, and don't change any more. */
    public void raw(byte[] bytes) {
        if (bytes.length > CHUNK_BYTES) {
            seal();
            push(Unpooled.wrappedBuffer(bytes));
            return;
        }
        room(bytes.length);
        System.arraycopy(bytes, 0, buffer, at, bytes.length);
        at += bytes.length;
    }

    /** What another reply holds; that is empty after it. */
    public void append(Reply other) {
        if (!other.sealed.isEmpty()) {
            seal();
            other.sealed.forEach(this::push);
            other.sealed.clear();
            other.sealedBytes = 0;
        }
        room(other.at);
        System.arraycopy(other.buffer, 0, buffer, at, other.at);
        at += other.at;
        other.at = 0;
    }

    /** Moves what was written since the mark to a reply of its own. */
    public Reply cut(long mark) {
        Reply moved = another();
        int count = (int) (mark >>> 32);
        int from = (int) mark;
        if (sealed.size() > count) {
            seal();
            for (ByteBuf chunk : sealed.subList(count, sealed.size())) {
                moved.push(chunk.retainedSlice(from, chunk.readableBytes() - from));
                from = 0;
            }
        } else {
            moved.room(at - from);
            System.arraycopy(buffer, from, moved.buffer, 0, at - from);
            moved.at = at - from;
        }
        rewind(mark);
        return moved;
    }

    /** An empty reply of the same version, for what has to be counted before it is written. */
    public Reply another() {
        Reply other = new Reply(allocator);
        other.version = version;
        other.limit = limit;
        return other;
    }

    // ---- what the connection does

    /** Bytes written and not taken. */
    public long size() {
        return sealedBytes + at;
    }

    /** Where the reply is now; valid for {@link #rewind} until it is taken. */
    public long mark() {
        return (long) sealed.size() << 32 | at;
    }

    /** Takes back what was written since the mark. */
    public void rewind(long mark) {
        int count = (int) (mark >>> 32);
        if (sealed.size() > count) {
            for (int i = sealed.size() - 1; i > count; i--) {
                drop(sealed.remove(i));
            }
            ByteBuf first = sealed.remove(count);
            at = 0;
            room((int) mark);
            first.getBytes(0, buffer, 0, (int) mark);
            drop(first);
        }
        at = (int) mark;
    }

    /** Whether anything was written since the mark, and is an error. */
    public boolean isErrorAt(long mark) {
        int count = (int) (mark >>> 32);
        if (sealed.size() > count) {
            return false;
        }
        return at > (int) mark && buffer[(int) mark] == '-';
    }

    /** Hands out all bytes, in order, as buffers that the caller owns, and is empty. */
    public void take(Consumer<ByteBuf> consumer) {
        seal();
        for (ByteBuf chunk : sealed) {
            consumer.accept(chunk);
        }
        sealed.clear();
        sealedBytes = 0;
    }

    /** Gives back what was not taken. */
    public void release() {
        sealed.forEach(ByteBuf::release);
        sealed.clear();
        sealedBytes = 0;
        at = 0;
    }

    private void drop(ByteBuf chunk) {
        sealedBytes -= chunk.readableBytes();
        chunk.release();
    }

    private void push(ByteBuf chunk) {
        sealed.add(chunk);
        sealedBytes += chunk.readableBytes();
    }

    private void seal() {
        if (at > 0) {
            ByteBuf chunk = allocator.directBuffer(at, at);
            chunk.writeBytes(buffer, 0, at);
            push(chunk);
            at = 0;
        }
    }

    // ---- writing

    /** Makes room for {@code bytes}, at most {@link #CHUNK_BYTES} and a header at a time. */
    private void room(int bytes) {
        if (buffer.length - at < bytes) {
            makeRoom(bytes);
        }
    }

    private void makeRoom(int bytes) {
        if (at + bytes > CHUNK_BYTES) {
            checkLimit(0);
            seal();
        }
        if (buffer.length - at < bytes) {
            byte[] larger = new byte[Math.max(Math.min(2 * buffer.length, CHUNK_BYTES), at + bytes)];
            System.arraycopy(buffer, 0, larger, 0, at);
            buffer = larger;
        }
    }

    private void segment(MemorySegment value) {
        long length = value.byteSize();
        if (length > CHUNK_BYTES) {
            checkLimit(length);
            seal();
            ByteBuf large = allocator.directBuffer(Math.toIntExact(length), (int) length);
            MemorySegment.ofBuffer(large.internalNioBuffer(0, (int) length)).copyFrom(value);
            large.writerIndex((int) length);
            push(large);
            return;
        }
        room((int) length);
        MemorySegment.copy(value, ValueLayout.JAVA_BYTE, 0, buffer, at, (int) length);
        at += (int) length;
    }

    private void line(char kind, String text) {
        room(1);
        buffer[at++] = (byte) kind;
        characters(text);
        lineEnd();
    }

    @SuppressWarnings("deprecation") // the one way to copy the low bytes of characters without an array between
    private void characters(String text) {
        int length = text.length();
        for (int from = 0; from < length; from += CHUNK_BYTES) {
            int part = Math.min(CHUNK_BYTES, length - from);
            room(part);
            text.getBytes(from, from + part, buffer, at);
            at += part;
        }
    }

    private void number(char kind, long value) {
        room(LONGEST_NUMBER);
        byte[] to = buffer;
        to[at++] = (byte) kind;
        if (value >= 0 && value < 10) {
            to[at++] = (byte) ('0' + value);
        } else {
            digits(to, value);
        }
        to[at++] = '\r';
        to[at++] = '\n';
    }

    private static final int LONGEST_NUMBER = 1 + Numbers.LONG_DIGITS + 2;

    private void digits(byte[] to, long value) {
        if (value == Long.MIN_VALUE) {
            System.arraycopy(SMALLEST, 0, to, at, SMALLEST.length);
            at += SMALLEST.length;
            return;
        }
        long rest = value;
        if (rest < 0) {
            to[at++] = '-';
            rest = -rest;
        }
        int end = at + digits(rest);
        at = end;
        do {
            to[--end] = (byte) ('0' + rest % 10);
            rest /= 10;
        } while (rest != 0);
    }

    private static int digits(long value) {
        int digits = 1;
        for (long limit = 10; digits < 19 && value >= limit; limit *= 10) {
            digits++;
        }
        return digits;
    }

    private void lineEnd() {
        room(2);
        buffer[at++] = '\r';
        buffer[at++] = '\n';
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** What the reply holds, as text; for tests and messages. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (ByteBuf chunk : sealed) {
            text.append(chunk.toString(StandardCharsets.ISO_8859_1));
        }
        return text.append(new String(buffer, 0, at, StandardCharsets.ISO_8859_1))
                .toString();
    }
}
