package io.loam.server.protocol;

import io.loam.store.Namespace;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One request: the command's name, number 0, and what follows it. Arguments are slices of the input, valid until the command has run;
 * {@link #detach} makes a copy that lasts. A large argument is off-heap, in memory that belongs to this object.
 */
public final class Arguments {

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final byte[] NO_BYTES = {};
    /** A request of more is heavy. */
    private static final int QUICK_ARGUMENTS = 1_000;
    /** A request of more bytes is heavy. */
    private static final int QUICK_BYTES = 512 << 10;

    private byte[] bytes;
    /** Where the request begins in {@code bytes}; the bounds count from here. */
    private int base;
    /** Offset and length of each argument. */
    private int[] bounds;

    private int count;
    private @Nullable ByteBuf @Nullable [] large;

    Arguments() {
        bytes = NO_BYTES;
        bounds = new int[8];
    }

    /** Arguments for a call that no client sent. */
    public static Arguments of(byte[]... arguments) {
        Arguments made = new Arguments();
        int length = 0;
        for (byte[] argument : arguments) {
            length += argument.length;
        }
        made.bytes = new byte[length];
        int at = 0;
        for (byte[] argument : arguments) {
            System.arraycopy(argument, 0, made.bytes, at, argument.length);
            made.add(at, argument.length);
            at += argument.length;
        }
        return made;
    }

    /** How many, the command's name included. */
    public int count() {
        return count;
    }

    /** Whether already its size says that an event loop would be busy with it for long: then it must not run there. */
    public boolean isHeavy() {
        if (count > QUICK_ARGUMENTS) {
            return true;
        }
        // the last argument's end says how long all are that lie in the array
        return large != null ? totalBytes() > QUICK_BYTES : bounds[2 * count - 2] + length(count - 1) > QUICK_BYTES;
    }

    /** Bytes of memory that arguments take which {@link #detach} has made. */
    public long heldBytes() {
        long held = bytes.length + 4L * bounds.length;
        @Nullable ByteBuf @Nullable [] buffers = large;
        if (buffers != null) {
            for (ByteBuf buffer : buffers) {
                held += buffer == null ? 0 : buffer.capacity();
            }
        }
        return held;
    }

    /** Length in bytes. */
    public int length(int index) {
        return bounds[2 * index + 1];
    }

    /** Whether the argument is off-heap. */
    public boolean isLarge(int index) {
        return large != null && index < large.length && large[index] != null;
    }

    /** Byte {@code position} of an argument. */
    public byte at(int index, int position) {
        ByteBuf buffer = largeOrNull(index);
        return buffer != null ? buffer.getByte(position) : bytes[base + bounds[2 * index] + position];
    }

    /** A copy. */
    public byte[] bytes(int index) {
        int length = length(index);
        byte[] copy = new byte[length];
        ByteBuf buffer = largeOrNull(index);
        if (buffer != null) {
            buffer.getBytes(0, copy);
        } else {
            System.arraycopy(bytes, base + bounds[2 * index], copy, 0, length);
        }
        return copy;
    }

    /**
     * A copy of an argument that names a key.
     *
     * @throws RedisError if it is longer than a key can be
     */
    public byte[] key(int index) {
        checkKey(index);
        return bytes(index);
    }

    /** @throws RedisError if the argument is longer than a key can be */
    public void checkKey(int index) {
        if (length(index) > Namespace.MAX_KEY_BYTES) {
            throw new RedisError("ERR the key has " + length(index) + " bytes; a key has at most "
                    + Namespace.MAX_KEY_BYTES + " here");
        }
    }

    /** The bytes where they lie, valid until the command has run. Those of a very large argument are put together first. */
    public MemorySegment segment(int index) {
        ByteBuf buffer = largeOrNull(index);
        if (buffer instanceof CompositeByteBuf pieces) {
            buffer = join(index, pieces);
        }
        return buffer != null
                ? MemorySegment.ofBuffer(buffer.internalNioBuffer(0, length(index)))
                : MemorySegment.ofArray(bytes).asSlice(base + bounds[2 * index], length(index));
    }

    private ByteBuf join(int index, CompositeByteBuf pieces) {
        ByteBuf whole = pieces.alloc().directBuffer(length(index), length(index));
        whole.writeBytes(pieces, 0, length(index));
        Objects.requireNonNull(large)[index] = whole;
        pieces.release();
        return whole;
    }

    /** The first {@code most} bytes as a string of one character each. */
    public String text(int index, int most) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < Math.min(most, length(index)); i++) {
            text.append((char) (at(index, i) & 0xFF));
        }
        return text.toString();
    }

    /** The bytes as a string of one character each. */
    public String text(int index) {
        return isLarge(index)
                ? new String(bytes(index), StandardCharsets.ISO_8859_1)
                : new String(bytes, base + bounds[2 * index], length(index), StandardCharsets.ISO_8859_1);
    }

    /** Whether the argument is this word; {@code word} is lower case, the argument may have any. */
    public boolean is(int index, String word) {
        int length = length(index);
        if (length != word.length() || isLarge(index)) {
            return false;
        }
        int offset = base + bounds[2 * index];
        for (int i = 0; i < length; i++) {
            int value = bytes[offset + i];
            if ((value >= 'A' && value <= 'Z' ? value | 0x20 : value) != word.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** @throws RedisError if the argument is no 64-bit number */
    public long integer(int index) {
        return integer(index, RedisError.NOT_AN_INTEGER);
    }

    public long integer(int index, RedisError otherwise) {
        if (isLarge(index) || !Numbers.isLong(bytes, base + bounds[2 * index], length(index))) {
            throw otherwise;
        }
        return Numbers.parseLong(bytes, base + bounds[2 * index], length(index));
    }

    /** A number of 32 bits. */
    public int integer32(int index) {
        long value = integer(index);
        if (value != (int) value) {
            throw new RedisError("ERR value is out of range, value must between -2147483648 and 2147483647");
        }
        return (int) value;
    }

    /** A number of 32 bits, or this error. */
    public int integer32(int index, RedisError otherwise) {
        long value = integer(index, otherwise);
        if (value != (int) value) {
            throw otherwise;
        }
        return (int) value;
    }

    /** Whether the argument is a 64-bit number. */
    public boolean isInteger(int index) {
        return !isLarge(index) && Numbers.isLong(bytes, base + bounds[2 * index], length(index));
    }

    /** A hash of the bytes, for locks: the same for the same bytes, wherever they are. */
    public int hash(int index) {
        if (length(index) > RequestParser.LARGE_BYTES) {
            return length(index); // an inline request's argument may be as long and not off-heap
        }
        return hash(bytes, base + bounds[2 * index], length(index));
    }

    /** The hash that {@link #hash(int)} has for these bytes. */
    public static int hash(byte[] bytes, int offset, int length) {
        long hash = length * 0x9E3779B97F4A7C15L;
        int at = 0;
        for (; at + 8 <= length; at += 8) {
            hash = (hash ^ (long) LONGS.get(bytes, offset + at)) * 0xD6E8FEB86659FD93L;
            hash ^= hash >>> 32;
        }
        long rest = 0;
        for (; at < length; at++) {
            rest = rest << 8 | bytes[offset + at] & 0xFF;
        }
        hash = (hash ^ rest) * 0xD6E8FEB86659FD93L;
        return (int) (hash ^ hash >>> 32);
    }

    /** A hash of an argument's bytes in lower case, for the table of commands. */
    public int nameHash(int index) {
        if (isLarge(index)) {
            return 0;
        }
        int hash = 0;
        int offset = base + bounds[2 * index];
        for (int i = 0; i < length(index); i++) {
            hash = 31 * hash + (bytes[offset + i] | 0x20);
        }
        return hash;
    }

    /** The texts from {@code from} on. */
    public List<String> texts(int from) {
        List<String> texts = new ArrayList<>(Math.max(0, count - from));
        for (int i = from; i < count; i++) {
            texts.add(text(i));
        }
        return texts;
    }

    /** Bytes of all arguments together. */
    public long totalBytes() {
        long total = 0;
        for (int i = 0; i < count; i++) {
            total += length(i);
        }
        return total;
    }

    /** A copy that outlives the input. What is off-heap moves to it. */
    public Arguments detach() {
        Arguments copy = new Arguments();
        int end = 0;
        for (int i = 0; i < count; i++) {
            end = isLarge(i) ? end : Math.max(end, bounds[2 * i] + length(i));
        }
        copy.bytes = Arrays.copyOfRange(bytes, base, base + end);
        copy.bounds = Arrays.copyOf(bounds, 2 * count);
        copy.count = count;
        copy.large = large;
        large = null;
        return copy;
    }

    /** As {@link #detach}, but takes the arrays along: the caller has them no more. */
    Arguments take() {
        Arguments taken = new Arguments();
        taken.bytes = bytes;
        taken.base = base;
        taken.bounds = bounds;
        taken.count = count;
        taken.large = large;
        bytes = NO_BYTES;
        bounds = new int[8];
        large = null;
        return taken;
    }

    /** Gives back what is off-heap. */
    public void release() {
        @Nullable ByteBuf @Nullable [] owned = large;
        large = null;
        if (owned != null) {
            for (ByteBuf buffer : owned) {
                if (buffer != null) {
                    buffer.release();
                }
            }
        }
    }

    private @Nullable ByteBuf largeOrNull(int index) {
        @Nullable ByteBuf @Nullable [] buffers = large;
        return buffers == null || index >= buffers.length ? null : buffers[index];
    }

    // ---- what the parser does

    void begin(byte[] input, int at) {
        bytes = input;
        base = at;
        count = 0;
        if (bounds.length > 256) {
            bounds = new int[8];
        }
    }

    /** The input has moved: the request begins at {@code at} of {@code input} now. */
    void rebase(byte[] input, int at) {
        bytes = input;
        base = at;
    }

    void add(int offset, int length) {
        if (2 * count == bounds.length) {
            bounds = Arrays.copyOf(bounds, 2 * bounds.length);
        }
        bounds[2 * count] = offset;
        bounds[2 * count + 1] = length;
        count++;
    }

    void addLarge(ByteBuf buffer, int length) {
        @Nullable ByteBuf @Nullable [] buffers = large;
        buffers = buffers == null ? new ByteBuf[count + 1] : Arrays.copyOf(buffers, count + 1);
        buffers[count] = buffer;
        large = buffers;
        add(0, length);
    }
}
