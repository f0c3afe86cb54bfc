package io.loam.server.family;

import io.loam.server.command.Command;
import io.loam.server.command.CommandTable.Family;
import io.loam.server.command.Isolation;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.command.Session.ReplyMode;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.Glob;
import io.loam.server.protocol.Push;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;
import io.loam.server.pubsub.Channels;
import io.loam.server.pubsub.Channels.Kind;
import io.loam.server.pubsub.Notifications;
import io.loam.server.pubsub.Subscriptions;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Messages between clients; {@link Channels} delivers them. */
final class PubSubCommands {

    /** What a subscriber that speaks version 2 may send: its replies can't be told from messages otherwise. */
    private static final Set<String> ALLOWED = Set.of(
            "subscribe",
            "unsubscribe",
            "psubscribe",
            "punsubscribe",
            "ssubscribe",
            "sunsubscribe",
            "ping",
            "quit",
            "reset");

    /** What an event loop leaves at once: so many channels, with names of so many bytes together. */
    private static final int QUICK_NAMES = 1_000;

    private static final int QUICK_BYTES = 64 << 10;

    private PubSubCommands() {}

    static void register(Service service) {
        Notifications notifications = new Notifications(service.keyspace(), service.channels());
        notifications.set(service.options().notifications());
        service.options().onChange("notify-keyspace-events", changed -> notifications.set(changed.notifications()));
        service.addInterceptor(PubSubCommands::keepToMessages);
        service.onEnd(PubSubCommands::end);

        Family family = service.table().family("pubsub", null);
        String flags = "pubsub noscript loading stale";
        family.command("subscribe", -2, flags)
                .docs("2.0.0", "O(N) in the number of channels.", "Listens to channels.")
                .runs((session, arguments, reply) -> subscribe(session, arguments, reply, Kind.CHANNEL, "subscribe"));
        family.command("psubscribe", -2, flags)
                .docs("2.0.0", "O(N) in the number of patterns.", "Listens to channels that match patterns.")
                .runs((session, arguments, reply) -> subscribe(session, arguments, reply, Kind.PATTERN, "psubscribe"));
        family.command("ssubscribe", -2, flags)
                .keys("not_key", 1, -1, 1)
                .isolated(Isolation.NONE)
                .docs("7.0.0", "O(N) in the number of channels.", "Listens to shard channels.")
                .runs((session, arguments, reply) ->
                        subscribe(session, arguments, reply, Kind.SHARD_CHANNEL, "ssubscribe"));
        family.command("unsubscribe", -1, flags)
                .docs(
                        "2.0.0",
                        "O(N) in the number of channels.",
                        "Listens to channels no more; without arguments to none.")
                .runs((session, arguments, reply) ->
                        unsubscribe(session, arguments, reply, Kind.CHANNEL, "unsubscribe"));
        family.command("punsubscribe", -1, flags)
                .docs(
                        "2.0.0",
                        "O(N) in the number of patterns.",
                        "Listens to patterns no more; without arguments to none.")
                .runs((session, arguments, reply) ->
                        unsubscribe(session, arguments, reply, Kind.PATTERN, "punsubscribe"));
        family.command("sunsubscribe", -1, flags)
                .keys("not_key", 1, -1, 1)
                .isolated(Isolation.NONE)
                .docs(
                        "7.0.0",
                        "O(N) in the number of channels.",
                        "Listens to shard channels no more; without arguments to none.")
                .runs((session, arguments, reply) ->
                        unsubscribe(session, arguments, reply, Kind.SHARD_CHANNEL, "sunsubscribe"));
        family.command("publish", 3, "pubsub loading stale fast may_replicate")
                .docs(
                        "2.0.0",
                        "O(N+M) in listeners of the channel and patterns of the server.",
                        "Sends a message to a channel.")
                .runs((session, arguments, reply) ->
                        reply.integer(session.service().channels().publish(arguments.bytes(1), arguments.bytes(2))));
        family.command("spublish", 3, "pubsub loading stale fast may_replicate")
                .keys("not_key", 1, 0, 1)
                .isolated(Isolation.NONE)
                .docs("7.0.0", "O(N) in listeners of the channel.", "Sends a message to a shard channel.")
                .runs((session, arguments, reply) -> reply.integer(
                        session.service().channels().publishToShard(arguments.bytes(1), arguments.bytes(2))));
        registerPubSub(family);
    }

    private static void registerPubSub(Family family) {
        Command pubsub = family.container("pubsub", "2.8.0", "Tells of channels and who listens.");
        String flags = "pubsub loading stale";
        family.subcommand(pubsub, "channels", -2, flags)
                .slow()
                .docs("2.8.0", "O(N) in the number of channels.", "Returns the channels that somebody listens to.")
                .runs((session, arguments, reply) -> names(session, arguments, reply, Kind.CHANNEL));
        family.subcommand(pubsub, "numsub", -2, flags)
                .docs("2.8.0", "O(N) in the number of channels asked for.", "Counts the listeners of channels.")
                .runs((session, arguments, reply) -> listeners(session, arguments, reply, Kind.CHANNEL));
        family.subcommand(pubsub, "numpat", 2, flags)
                .docs("2.8.0", "O(1)", "Counts the patterns that somebody listens to.")
                .runs((session, arguments, reply) ->
                        reply.integer(session.service().channels().count(Kind.PATTERN)));
        family.subcommand(pubsub, "shardchannels", -2, flags)
                .slow()
                .docs(
                        "7.0.0",
                        "O(N) in the number of channels.",
                        "Returns the shard channels that somebody listens to.")
                .runs((session, arguments, reply) -> names(session, arguments, reply, Kind.SHARD_CHANNEL));
        family.subcommand(pubsub, "shardnumsub", -2, flags)
                .docs("7.0.0", "O(N) in the number of channels asked for.", "Counts the listeners of shard channels.")
                .runs((session, arguments, reply) -> listeners(session, arguments, reply, Kind.SHARD_CHANNEL));
        family.subcommand(pubsub, "help", 2, "loading stale")
                .docs("6.2.0", "O(1)", "Returns these lines.")
                .runs((session, arguments, reply) -> Help.write(
                        reply,
                        "PUBSUB <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
                        "CHANNELS [<pattern>]",
                        "    Channels that somebody listens to, those that match.",
                        "NUMPAT",
                        "    How many patterns somebody listens to.",
                        "NUMSUB [<channel> ...]",
                        "    How many listen to each channel, patterns not counted.",
                        "SHARDCHANNELS [<pattern>]",
                        "    Shard channels that somebody listens to, those that match.",
                        "SHARDNUMSUB [<shardchannel> ...]",
                        "    How many listen to each shard channel."));
    }

    private static boolean keepToMessages(Session session, Command command, Arguments arguments, Reply reply) {
        if (session.protocol() == 2 && session.activity().isSubscribed() && !ALLOWED.contains(command.name())) {
            throw new RedisError("ERR Can't execute '" + command.name()
                    + "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context");
        }
        return false;
    }

    private static void end(Session session) {
        Subscriptions subscriptions = session.stateOrNull(Subscriptions.class);
        if (subscriptions != null) {
            subscriptions.clear();
            session.activity().setSubscriptions(0, 0, 0, 0);
        }
    }

    // ---- listening

    private static Subscriptions subscriptions(Session session) {
        return session.state(
                Subscriptions.class, () -> new Subscriptions(session.service().channels(), session.link()));
    }

    private static void subscribe(Session session, Arguments arguments, Reply reply, Kind kind, String word) {
        Subscriptions subscriptions = subscriptions(session);
        for (int i = 1; i < arguments.count(); i++) {
            byte[] name = arguments.bytes(i);
            subscriptions.add(kind, name);
            confirm(session, reply, subscriptions, kind, word, name);
            if (!session.service().authenticator().allowsChannel(session, name, kind == Kind.PATTERN)) {
                session.link().close(); // the permission was taken away since the request was checked
            }
        }
    }

    private static void unsubscribe(Session session, Arguments arguments, Reply reply, Kind kind, String word) {
        Subscriptions subscriptions = subscriptions(session);
        if (arguments.count() > 1) {
            for (int i = 1; i < arguments.count(); i++) {
                byte[] name = arguments.bytes(i);
                subscriptions.remove(kind, name);
                confirm(session, reply, subscriptions, kind, word, name);
            }
            return;
        }
        List<byte[]> names = subscriptions.names(kind);
        // now, as a reply that turns out too long for an event loop can't be begun again when they are left
        if (names.size() > QUICK_NAMES
                || names.stream().mapToLong(name -> name.length).sum() > QUICK_BYTES) {
            session.mustBeAllowedToWait();
        }
        for (byte[] name : names) {
            subscriptions.remove(kind, name);
            confirm(session, reply, subscriptions, kind, word, name);
        }
        if (names.isEmpty()) {
            confirm(session, reply, subscriptions, kind, word, null);
        }
    }

    /** Says what the client listens to now. A client that wants no replies is told nevertheless, as it gets messages. */
    private static void confirm(
            Session session, Reply reply, Subscriptions subscriptions, Kind kind, String word, byte @Nullable [] name) {
        int channels = subscriptions.count(Kind.CHANNEL);
        int patterns = subscriptions.count(Kind.PATTERN);
        int shardChannels = subscriptions.count(Kind.SHARD_CHANNEL);
        session.activity().setSubscriptions(channels, patterns, shardChannels, subscriptions.bytes());
        long count = kind == Kind.SHARD_CHANNEL ? shardChannels : channels + patterns;
        Reply to = session.replyMode() == ReplyMode.ON ? reply : reply.another();
        to.push(3);
        to.bulk(word);
        if (name == null) {
            to.nothing();
        } else {
            to.bulk(name);
        }
        to.integer(count);
        if (to != reply) {
            session.link().push(Push.of(to));
        }
    }

    // ---- telling

    private static void names(Session session, Arguments arguments, Reply reply, Kind kind) {
        if (arguments.count() > 3) {
            throw new RedisError("ERR unknown subcommand or wrong number of arguments for '" + arguments.text(1)
                    + "'. Try PUBSUB HELP.");
        }
        List<byte[]> names = session.service().channels().names(kind);
        if (arguments.count() == 3) {
            byte[] pattern = arguments.bytes(2);
            names = names.stream().filter(name -> Glob.matches(pattern, name)).toList();
        }
        reply.array(names.size());
        names.forEach(reply::bulk);
    }

    private static void listeners(Session session, Arguments arguments, Reply reply, Kind kind) {
        reply.array(2L * (arguments.count() - 2));
        for (int i = 2; i < arguments.count(); i++) {
            byte[] name = arguments.bytes(i);
            reply.bulk(name);
            reply.integer(session.service().channels().subscribers(kind, name));
        }
    }
}
