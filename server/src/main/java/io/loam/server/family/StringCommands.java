package io.loam.server.family;

import io.loam.server.command.CommandTable.Family;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.keyspace.KeyEvents;
import io.loam.server.keyspace.ValueType;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** GET, SET and their kin. */
final class StringCommands {

    private static final int STRING = ValueType.STRING.bits();

    private StringCommands() {}

    static void register(Service service) {
        Family family = service.table().family("string", "string");
        family.command("get", 2, "readonly fast")
                .key("RO access")
                .oneRead()
                .docs("1.0.0", "O(1)", "Returns the string of a key.")
                .runs(StringCommands::get);
        family.command("set", -3, "write denyoom")
                .key("RW access update variable_flags")
                .docs("1.0.0", "O(1)", "Sets the string of a key, whatever it held. Creates the key if there is none.")
                .runs(StringCommands::set);
        family.command("setnx", 3, "write denyoom fast")
                .key("OW insert")
                .docs("1.0.0", "O(1)", "Sets the string of a key only if there is no such key.")
                .runs(StringCommands::setIfAbsent);
        family.command("setex", 4, "write denyoom")
                .key("OW update")
                .docs("2.0.0", "O(1)", "Sets the string of a key and its time to live in seconds.")
                .runs((session, arguments, reply) -> setExpiring(session, arguments, reply, true));
        family.command("psetex", 4, "write denyoom")
                .key("OW update")
                .docs("2.6.0", "O(1)", "Sets the string of a key and its time to live in milliseconds.")
                .runs((session, arguments, reply) -> setExpiring(session, arguments, reply, false));
        family.command("getset", 3, "write denyoom fast")
                .key("RW access update")
                .docs("1.0.0", "O(1)", "Sets the string of a key and returns the one before.")
                .runs(StringCommands::getSet);
        family.command("getdel", 2, "write fast")
                .key("RW access delete")
                .docs("6.2.0", "O(1)", "Returns the string of a key and deletes the key.")
                .runs(StringCommands::getDelete);
        family.command("getex", -2, "write fast")
                .key("RW access update")
                .docs("6.2.0", "O(1)", "Returns the string of a key and sets when it expires.")
                .runs(StringCommands::getExpiring);
        family.command("mget", -2, "readonly fast")
                .keys("RO access", 1, -1, 1)
                .oneRead()
                .tip("request_policy:multi_shard")
                .docs("1.0.0", "O(N) in the number of keys.", "Returns the strings of several keys.")
                .runs(StringCommands::getMany);
        family.command("mset", -3, "write denyoom")
                .keys("OW update", 1, -1, 2)
                .tip("request_policy:multi_shard", "response_policy:all_succeeded")
                .docs("1.0.1", "O(N) in the number of keys.", "Sets the strings of several keys at once.")
                .runs(StringCommands::setMany);
        family.command("msetnx", -3, "write denyoom")
                .keys("OW insert", 1, -1, 2)
                .tip("request_policy:multi_shard", "response_policy:agg_min")
                .docs(
                        "1.0.1",
                        "O(N) in the number of keys.",
                        "Sets the strings of several keys at once, only if none of them is there.")
                .runs(StringCommands::setManyIfAbsent);
        family.command("append", 3, "write denyoom fast")
                .key("RW insert")
                .docs("2.0.0", "O(N) in the length of the string.", "Appends to the string of a key.")
                .runs(StringCommands::append);
        family.command("strlen", 2, "readonly fast")
                .key("RO")
                .oneRead()
                .docs("2.2.0", "O(1)", "Returns the length of a key's string.")
                .runs(StringCommands::length);
        family.command("getrange", 4, "readonly")
                .key("RO access")
                .oneRead()
                .docs("2.4.0", "O(N) in the length of what is returned.", "Returns a part of a key's string.")
                .runs(StringCommands::getRange);
        family.command("substr", 4, "readonly")
                .key("RO access")
                .oneRead()
                .docs("1.0.0", "O(N) in the length of what is returned.", "Returns a part of a key's string.")
                .runs(StringCommands::getRange);
        family.command("setrange", 4, "write denyoom")
                .key("RW update")
                .docs(
                        "2.2.0",
                        "O(N) in the length of the string.",
                        "Overwrites a part of a key's string, which grows if it must.")
                .runs(StringCommands::setRange);
    }

    // ---- reading

    private static void get(Session session, Arguments arguments, Reply reply) {
        read(session, arguments.key(1), reply);
    }

    /** Replies the string of a key; false if there is none. */
    private static boolean read(Session session, byte[] key, Reply reply) {
        session.found(); // it is, even if it is no string
        boolean there = reply.bulk(session.entries(), key, STRING);
        if (!there) {
            session.missed();
            reply.nothing();
        }
        return there;
    }

    private static void getMany(Session session, Arguments arguments, Reply reply) {
        reply.array(arguments.count() - 1);
        for (int i = 1; i < arguments.count(); i++) {
            session.pace(i);
            byte[] key = arguments.key(i);
            long mark = reply.mark();
            try {
                read(session, key, reply);
            } catch (RedisError e) {
                reply.rewind(mark); // MGET treats what is no string as absent
                reply.nothing();
            }
        }
    }

    private static void length(Session session, Arguments arguments, Reply reply) {
        session.found();
        long length = Strings.length(session, arguments.key(1));
        if (length == Namespace.ABSENT) {
            session.missed();
        }
        reply.integer(Math.max(0, length));
    }

    private static void getRange(Session session, Arguments arguments, Reply reply) {
        long first = arguments.integer(2);
        long last = arguments.integer(3);
        session.found();
        Boolean found = session.entries().read(arguments.key(1), view -> {
            Strings.check(view);
            long length = view.length();
            long from = Math.max(0, first < 0 ? length + first : first);
            long to = Math.min(length - 1, Math.max(0, last < 0 ? length + last : last));
            if ((first < 0 && last < 0 && first > last) || from > to || length == 0) {
                reply.bulk(Strings.EMPTY);
            } else {
                reply.bulk(view, from, to - from + 1);
            }
            return true;
        });
        if (found == null) {
            session.missed();
            reply.bulk(Strings.EMPTY);
        }
    }

    // ---- setting

    private static void set(Session session, Arguments arguments, Reply reply) {
        if (arguments.count() == 3) {
            session.put(arguments.segment(1), arguments.segment(2), PutOptions.DEFAULT);
            session.happened(KeyEvents.Class.STRING, "set", arguments, 1);
            reply.ok();
            return;
        }
        SetOptions options = SetOptions.ofSet(session, arguments);
        if (options.get()) {
            getThenSet(session, arguments, reply, options);
            return;
        }
        if (put(session, arguments, 2, options)) {
            reply.ok();
        } else {
            reply.nothing();
        }
    }

    private static void getThenSet(Session session, Arguments arguments, Reply reply, SetOptions options) {
        read(session, arguments.key(1), reply);
        put(session, arguments, 2, options);
    }

    private static boolean put(Session session, Arguments arguments, int valueIndex, SetOptions options) {
        long version = session.put(arguments.segment(1), arguments.segment(valueIndex), options.put());
        if (version == Namespace.ABSENT) {
            return false;
        }
        session.happened(KeyEvents.Class.STRING, "set", arguments, 1);
        if (options.put().expiresAtMillis() != Namespace.NEVER) {
            session.happened(KeyEvents.Class.GENERIC, "expire", arguments, 1);
        }
        return true;
    }

    private static void setIfAbsent(Session session, Arguments arguments, Reply reply) {
        boolean set = session.put(arguments.segment(1), arguments.segment(2), PutOptions.IF_ABSENT) != Namespace.ABSENT;
        if (set) {
            session.happened(KeyEvents.Class.STRING, "set", arguments, 1);
        }
        reply.integer(set ? 1 : 0);
    }

    private static void setExpiring(Session session, Arguments arguments, Reply reply, boolean seconds) {
        String name = seconds ? "setex" : "psetex";
        long at = SetOptions.expiry(session, arguments.integer(2), seconds, true, name);
        session.put(arguments.segment(1), arguments.segment(3), PutOptions.DEFAULT.expiringAt(at));
        session.happened(KeyEvents.Class.STRING, "set", arguments, 1);
        session.happened(KeyEvents.Class.GENERIC, "expire", arguments, 1);
        reply.ok();
    }

    private static void getSet(Session session, Arguments arguments, Reply reply) {
        read(session, arguments.key(1), reply);
        session.put(arguments.segment(1), arguments.segment(2), PutOptions.DEFAULT);
        session.happened(KeyEvents.Class.STRING, "set", arguments, 1);
    }

    private static void getDelete(Session session, Arguments arguments, Reply reply) {
        byte[] key = arguments.key(1);
        if (!read(session, key, reply)) {
            return;
        }
        session.database().delete(key);
        session.happened(KeyEvents.Class.GENERIC, "del", key);
    }

    private static void getExpiring(Session session, Arguments arguments, Reply reply) {
        SetOptions.Expiry expiry = SetOptions.parseExpiry(arguments, 2);
        byte[] key = arguments.key(1);
        if (!read(session, key, reply)) {
            return;
        }
        if (expiry.persists()) {
            if (ExpiryCommands.setExpiry(session, key, Namespace.NEVER)) {
                session.happened(KeyEvents.Class.GENERIC, "persist", key);
            }
        } else if (expiry.isSet()) {
            long at = expiry.atMillis(session, "getex");
            if (expiry.isAbsolute() && at <= session.service().nowMillis()) {
                session.database().delete(key);
                session.happened(KeyEvents.Class.GENERIC, "del", key);
            } else {
                ExpiryCommands.setExpiry(session, key, at);
                session.happened(KeyEvents.Class.GENERIC, "expire", key);
            }
        }
    }

    // ---- several keys

    private static void checkPairs(Arguments arguments, String name) {
        if (arguments.count() % 2 == 0) {
            throw new RedisError("ERR wrong number of arguments for '" + name + "' command");
        }
    }

    private static void setMany(Session session, Arguments arguments, Reply reply) {
        checkPairs(arguments, "mset");
        putAll(session, arguments);
        reply.ok();
    }

    private static void setManyIfAbsent(Session session, Arguments arguments, Reply reply) {
        checkPairs(arguments, "msetnx");
        for (int i = 1; i < arguments.count(); i += 2) {
            if (session.entries().contains(arguments.key(i))) {
                reply.integer(0);
                return;
            }
        }
        putAll(session, arguments);
        reply.integer(1);
    }

    /** All or none: where memory may be short, in a transaction of the store. */
    private static void putAll(Session session, Arguments arguments) {
        if (session.service().isShortOfMemory(arguments.totalBytes())) {
            session.mustBeAllowedToWait();
            putAllOrNone(session, arguments);
        } else {
            for (int i = 1; i < arguments.count(); i += 2) {
                session.pace(i / 2);
                session.put(arguments.segment(i), arguments.segment(i + 1), PutOptions.DEFAULT);
            }
        }
        for (int i = 1; i < arguments.count(); i += 2) {
            session.happened(KeyEvents.Class.STRING, "set", arguments, i);
        }
    }

    private static void putAllOrNone(Session session, Arguments arguments) {
        Map<ByteBuffer, byte[]> pairs = new LinkedHashMap<>();
        for (int i = 1; i < arguments.count(); i += 2) {
            pairs.put(ByteBuffer.wrap(arguments.key(i)), arguments.bytes(i + 1));
        }
        List<byte[]> keys = pairs.keySet().stream().map(ByteBuffer::array).toList();
        session.database().putAll(keys, List.copyOf(pairs.values()));
    }

    // ---- changing

    private static void append(Session session, Arguments arguments, Reply reply) {
        byte[] key = arguments.key(1);
        long before = Strings.length(session, key);
        if (before == Namespace.ABSENT) {
            session.put(arguments.segment(1), arguments.segment(2), PutOptions.DEFAULT);
            reply.integer(arguments.length(2));
        } else {
            Strings.checkLength(session, before + arguments.length(2));
            byte[] old = Strings.getOrEmpty(session, key);
            byte[] value = Arrays.copyOf(old, old.length + arguments.length(2));
            System.arraycopy(arguments.bytes(2), 0, value, old.length, arguments.length(2));
            Strings.change(session, key, value);
            reply.integer(value.length);
        }
        session.happened(KeyEvents.Class.STRING, "append", key);
    }

    private static void setRange(Session session, Arguments arguments, Reply reply) {
        long offset = arguments.integer(2);
        if (offset < 0) {
            throw new RedisError("ERR offset is out of range");
        }
        byte[] key = arguments.key(1);
        long length = Strings.length(session, key);
        if (arguments.length(3) == 0) {
            reply.integer(Math.max(0, length));
            return;
        }
        if (offset > Integer.MAX_VALUE) {
            throw RedisError.TOO_LONG;
        }
        Strings.checkLength(session, offset + arguments.length(3));
        session.aboutToCopy(offset + arguments.length(3));
        byte[] old = Strings.getOrEmpty(session, key);
        int end = (int) offset + arguments.length(3);
        byte[] value = end > old.length ? Arrays.copyOf(old, end) : old;
        System.arraycopy(arguments.bytes(3), 0, value, (int) offset, arguments.length(3));
        Strings.change(session, key, value);
        session.happened(KeyEvents.Class.STRING, "setrange", key);
        reply.integer(value.length);
    }
}
