package io.loam.server.pubsub;

import io.loam.server.protocol.Glob;
import io.loam.server.protocol.Push;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/** Who listens to what. All methods may be called by any thread. */
public final class Channels {

    /** What can be listened to. */
    public enum Kind {
        CHANNEL,
        /** All channels whose name matches. */
        PATTERN,
        /** A channel of a cluster's shard: a world of its own, in which all channels are of this server. */
        SHARD_CHANNEL
    }

    /** What a message is about. */
    record Topic(Kind kind, ByteBuffer name) {}

    /** An array is never changed, and never empty. */
    private final Map<Kind, ConcurrentHashMap<ByteBuffer, Subscriber[]>> listening = new EnumMap<>(Kind.class);

    public Channels() {
        for (Kind kind : Kind.values()) {
            listening.put(kind, new ConcurrentHashMap<>());
        }
    }

    private ConcurrentHashMap<ByteBuffer, Subscriber[]> all(Kind kind) {
        return Objects.requireNonNull(listening.get(kind));
    }

    /** Adds a subscriber that is not there; {@code name} is not changed any more. */
    void add(Kind kind, ByteBuffer name, Subscriber subscriber) {
        all(kind).compute(name, (key, present) -> {
            Subscriber[] more = present == null ? new Subscriber[1] : Arrays.copyOf(present, present.length + 1);
            more[more.length - 1] = subscriber;
            return more;
        });
    }

    /** Removes a subscriber that is there. */
    void remove(Kind kind, ByteBuffer name, Subscriber subscriber) {
        all(kind).computeIfPresent(name, (key, present) -> {
            Subscriber[] fewer =
                    Arrays.stream(present).filter(each -> each != subscriber).toArray(Subscriber[]::new);
            return fewer.length == 0 ? null : fewer;
        });
    }

    /** Whether nobody listens to channels or patterns. */
    boolean isEmpty() {
        return all(Kind.CHANNEL).isEmpty() && all(Kind.PATTERN).isEmpty();
    }

    /**
     * Sends a message to those who listen to the channel, and for each pattern that matches to those who listen to it.
     *
     * @return how often it was sent
     */
    public long publish(byte[] channel, byte[] message) {
        Topic topic = new Topic(Kind.CHANNEL, ByteBuffer.wrap(channel));
        long sent = send(all(Kind.CHANNEL).get(topic.name), topic, "message", channel, message);
        for (Map.Entry<ByteBuffer, Subscriber[]> each : all(Kind.PATTERN).entrySet()) {
            byte[] pattern = each.getKey().array();
            if (Glob.matches(pattern, channel)) {
                topic = new Topic(Kind.PATTERN, each.getKey());
                sent += send(each.getValue(), topic, "pmessage", pattern, channel, message);
            }
        }
        return sent;
    }

    /** As {@link #publish}, in a shard channel. */
    public long publishToShard(byte[] channel, byte[] message) {
        Topic topic = new Topic(Kind.SHARD_CHANNEL, ByteBuffer.wrap(channel));
        return send(all(Kind.SHARD_CHANNEL).get(topic.name), topic, "smessage", channel, message);
    }

    private static long send(Subscriber @Nullable [] subscribers, Topic topic, String kind, byte[]... strings) {
        if (subscribers == null) {
            return 0;
        }
        Push push = Push.of(topic, kind, strings);
        for (Subscriber subscriber : subscribers) {
            subscriber.push(push);
        }
        return subscribers.length;
    }

    /** How many of a kind somebody listens to. */
    public int count(Kind kind) {
        return all(kind).size();
    }

    /** How many listen to this one. */
    public int subscribers(Kind kind, byte[] name) {
        Subscriber[] present = all(kind).get(ByteBuffer.wrap(name));
        return present == null ? 0 : present.length;
    }

    /** Who listens to something of this sort; somebody who listens to several may be there as often. */
    public List<Subscriber> subscribers(BiPredicate<Kind, byte[]> sort) {
        List<Subscriber> found = new ArrayList<>();
        listening.forEach((kind, all) -> all.forEach((name, subscribers) -> {
            if (sort.test(kind, name.array())) {
                found.addAll(Arrays.asList(subscribers));
            }
        }));
        return found;
    }

    /** The names of a kind that somebody listens to. */
    public List<byte[]> names(Kind kind) {
        List<byte[]> names = new ArrayList<>();
        all(kind).keySet().forEach(name -> names.add(name.array()));
        return names;
    }
}
