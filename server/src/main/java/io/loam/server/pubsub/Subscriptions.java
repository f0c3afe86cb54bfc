package io.loam.server.pubsub;

import io.loam.server.protocol.Push;
import io.loam.server.pubsub.Channels.Kind;
import io.loam.server.pubsub.Channels.Topic;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** What one client listens to. Belongs to the thread that runs the client's command. */
public final class Subscriptions {

    /** What a name takes besides its bytes. */
    private static final int OVERHEAD_BYTES = 200;

    private final Channels channels;
    private final Subscriber subscriber;
    private long bytes;
    private final Map<Kind, Set<ByteBuffer>> names = new EnumMap<>(Kind.class);

    public Subscriptions(Channels channels, Subscriber subscriber) {
        this.channels = channels;
        this.subscriber = subscriber;
        for (Kind kind : Kind.values()) {
            names.put(kind, new LinkedHashSet<>());
        }
    }

    private Set<ByteBuffer> all(Kind kind) {
        return Objects.requireNonNull(names.get(kind));
    }

    /** Begins to listen, unless the client does already. */
    public void add(Kind kind, byte[] name) {
        ByteBuffer wrapped = ByteBuffer.wrap(name);
        if (all(kind).add(wrapped)) {
            bytes += name.length + OVERHEAD_BYTES;
            channels.add(kind, wrapped, subscriber);
        }
    }

    /** Listens no more, if the client does. */
    public void remove(Kind kind, byte[] name) {
        ByteBuffer wrapped = ByteBuffer.wrap(name);
        if (all(kind).remove(wrapped)) {
            bytes -= name.length + OVERHEAD_BYTES;
            channels.remove(kind, wrapped, subscriber);
        }
    }

    /** Whether the client still listens to what a message is about. */
    public boolean wants(Push message) {
        return message.topic() instanceof Topic topic && all(topic.kind()).contains(topic.name());
    }

    /** What the names take. */
    public long bytes() {
        return bytes;
    }

    public int count(Kind kind) {
        return all(kind).size();
    }

    public List<byte[]> names(Kind kind) {
        List<byte[]> copy = new ArrayList<>();
        all(kind).forEach(name -> copy.add(name.array()));
        return copy;
    }

    /** Listens to nothing any more. */
    public void clear() {
        names.forEach((kind, all) -> {
            all.forEach(name -> channels.remove(kind, name, subscriber));
            all.clear();
        });
        bytes = 0;
    }
}
