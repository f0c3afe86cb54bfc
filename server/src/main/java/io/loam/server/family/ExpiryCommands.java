package io.loam.server.family;

import io.loam.server.command.Command;
import io.loam.server.command.CommandTable.Family;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.keyspace.KeyEvents;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.ValueView;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** When keys expire. */
final class ExpiryCommands {

    private ExpiryCommands() {}

    static void register(Service service) {
        Family family = service.table().family("generic", "keyspace");
        expiring(family, "expire", "1.0.0", "Sets a key's time to live in seconds.", true, true);
        expiring(family, "pexpire", "2.6.0", "Sets a key's time to live in milliseconds.", false, true);
        expiring(family, "expireat", "1.2.0", "Sets when a key expires, in seconds since 1970.", true, false);
        expiring(family, "pexpireat", "2.6.0", "Sets when a key expires, in milliseconds since 1970.", false, false);
        telling(family, "ttl", "1.0.0", "Returns a key's time to live in seconds.", true, true)
                .tip("nondeterministic_output");
        telling(family, "pttl", "2.6.0", "Returns a key's time to live in milliseconds.", false, true)
                .tip("nondeterministic_output");
        telling(family, "expiretime", "7.0.0", "Returns when a key expires, in seconds since 1970.", true, false);
        telling(
                family,
                "pexpiretime",
                "7.0.0",
                "Returns when a key expires, in milliseconds since 1970.",
                false,
                false);
        family.command("persist", 2, "write fast")
                .key("RW update")
                .docs("2.2.0", "O(1)", "Lets a key not expire any more.")
                .runs(ExpiryCommands::persist);
    }

    private static void expiring(
            Family family, String name, String since, String summary, boolean seconds, boolean relative) {
        family.command(name, -3, "write fast")
                .key("RW update")
                .docs(since, "O(1)", summary)
                .runs((session, arguments, reply) -> expire(session, arguments, reply, name, seconds, relative));
    }

    private static Command telling(
            Family family, String name, String since, String summary, boolean seconds, boolean relative) {
        return family.command(name, 2, "readonly fast")
                .key("RO access")
                .oneRead()
                .docs(since, "O(1)", summary)
                .runs((session, arguments, reply) -> tell(session, arguments, reply, seconds, relative));
    }

    private static void tell(Session session, Arguments arguments, Reply reply, boolean seconds, boolean relative) {
        long at = session.database().expiresAtMillis(arguments.key(1));
        session.found(at != Namespace.ABSENT);
        if (at == Namespace.ABSENT) {
            reply.integer(-2);
        } else if (at == Namespace.NEVER) {
            reply.integer(-1);
        } else {
            long millis = relative ? Math.max(0, at - session.service().nowMillis()) : at;
            reply.integer(seconds ? (millis + 500) / 1000 : millis);
        }
    }

    private static void expire(
            Session session, Arguments arguments, Reply reply, String name, boolean seconds, boolean relative) {
        Condition condition = Condition.parse(arguments);
        long time = arguments.integer(2);
        if (seconds) {
            if (time > Long.MAX_VALUE / 1000 || time < Long.MIN_VALUE / 1000) {
                throw SetOptions.invalid(name);
            }
            time *= 1000;
        }
        long now = session.service().nowMillis();
        long base = relative ? now : 0;
        if (time > Long.MAX_VALUE - base) {
            throw SetOptions.invalid(name);
        }
        long at = time + base;
        byte[] key = arguments.key(1);
        long present = session.database().expiresAtMillis(key);
        if (present == Namespace.ABSENT || !condition.allows(present, at)) {
            reply.integer(0);
            return;
        }
        if (at <= now) {
            session.database().delete(key);
            session.happened(KeyEvents.Class.GENERIC, "del", key);
        } else {
            setExpiry(session, key, at);
            session.happened(KeyEvents.Class.GENERIC, "expire", key);
        }
        reply.integer(1);
    }

    private static void persist(Session session, Arguments arguments, Reply reply) {
        byte[] key = arguments.key(1);
        boolean changed = setExpiry(session, key, Namespace.NEVER);
        if (changed) {
            session.happened(KeyEvents.Class.GENERIC, "persist", key);
        }
        reply.integer(changed ? 1 : 0);
    }

    /** Sets when a present key expires; false if there is no such key or it does so already. */
    static boolean setExpiry(Session session, byte[] key, long atMillis) {
        try (Arena arena = Arena.ofConfined()) {
            Copied copied = session.entries().read(key, view -> Copied.of(session, view, atMillis, arena));
            if (copied == null || copied.expiresAtMillis() == atMillis) {
                return false;
            }
            // on condition: the value may expire or be evicted meanwhile, and must not come back
            PutOptions options = PutOptions.DEFAULT
                    .expiringAt(atMillis)
                    .withType(copied.type())
                    .ifVersion(copied.version());
            return session.keep(session.database(), MemorySegment.ofArray(key), copied.value(), options)
                    != Namespace.ABSENT;
        }
    }

    private record Copied(MemorySegment value, int type, long expiresAtMillis, long version) {

        static Copied of(Session session, ValueView view, long wanted, Arena arena) {
            if (view.expiresAtMillis() == wanted) {
                return new Copied(MemorySegment.NULL, view.type(), wanted, view.version());
            }
            session.aboutToCopy(view.length());
            return new Copied(Strings.copy(view, arena), view.type(), view.expiresAtMillis(), view.version());
        }
    }

    /** The conditions NX, XX, GT, LT. */
    private record Condition(boolean absent, boolean present, boolean later, boolean earlier) {

        static Condition parse(Arguments arguments) {
            boolean nx = false;
            boolean xx = false;
            boolean gt = false;
            boolean lt = false;
            for (int i = 3; i < arguments.count(); i++) {
                if (arguments.is(i, "nx")) {
                    nx = true;
                } else if (arguments.is(i, "xx")) {
                    xx = true;
                } else if (arguments.is(i, "gt")) {
                    gt = true;
                } else if (arguments.is(i, "lt")) {
                    lt = true;
                } else {
                    throw new RedisError("ERR Unsupported option " + arguments.text(i));
                }
            }
            if (nx && (xx || gt || lt)) {
                throw new RedisError("ERR NX and XX, GT or LT options at the same time are not compatible");
            }
            if (gt && lt) {
                throw new RedisError("ERR GT and LT options at the same time are not compatible");
            }
            return new Condition(nx, xx, gt, lt);
        }

        boolean allows(long present, long wanted) {
            boolean expires = present != Namespace.NEVER;
            return !(absent && expires)
                    && !(this.present && !expires)
                    && !(later && (!expires || wanted <= present))
                    && !(earlier && expires && wanted >= present);
        }
    }
}
