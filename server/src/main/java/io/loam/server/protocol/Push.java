package io.loam.server.protocol;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** What a client gets without having asked for it then. Made once, shared by all clients that get it; the same for both versions of the protocol but for the header. */
public final class Push {

    /** What waiting for a client takes besides the bytes. */
    private static final int OVERHEAD_BYTES = 48;

    private final @Nullable Object topic;
    private final int count;
    private final byte[] body;

    private Push(@Nullable Object topic, int count, byte[] body) {
        this.topic = topic;
        this.count = count;
        this.body = body;
    }

    /** A word and strings, about a topic. */
    public static Push of(Object topic, String kind, byte[]... strings) {
        int length = kind.length() + 16;
        for (byte[] string : strings) {
            length += string.length + 16;
        }
        ByteArrayOutputStream body = new ByteArrayOutputStream(length);
        bulk(body, kind.getBytes(StandardCharsets.ISO_8859_1));
        for (byte[] string : strings) {
            bulk(body, string);
        }
        return new Push(topic, 1 + strings.length, body.toByteArray());
    }

    /** A status, which has no header: a line of characters below 256, without line ends. */
    public static Push line(Object topic, String text) {
        return new Push(topic, 0, ("+" + text + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
    }

    /** What a reply holds, headers and all; that is empty after it. For a client of the reply's version. */
    public static Push of(Reply reply) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        reply.take(chunk -> {
            byte[] bytes = new byte[chunk.readableBytes()];
            chunk.readBytes(bytes).release();
            body.writeBytes(bytes);
        });
        return new Push(null, 0, body.toByteArray());
    }

    private static void bulk(ByteArrayOutputStream to, byte[] string) {
        to.writeBytes(("$" + string.length + "\r\n").getBytes(StandardCharsets.US_ASCII));
        to.writeBytes(string);
        to.write('\r');
        to.write('\n');
    }

    /** What it is about: a client that does not want to know of that any more does not get it. Null: it gets it. */
    public @Nullable Object topic() {
        return topic;
    }

    public void write(Reply reply) {
        if (count > 0) {
            reply.push(count);
        }
        reply.raw(body);
    }

    /** Bytes that it takes while it waits for a client, as if it were for this one alone. */
    public long bytes() {
        return body.length + OVERHEAD_BYTES;
    }
}
