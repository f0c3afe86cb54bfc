package io.loam.server.family;

import io.loam.server.command.Command;
import io.loam.server.command.CommandTable.Family;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.keyspace.Database;
import io.loam.server.keyspace.Elements;
import io.loam.server.keyspace.KeyEvents;
import io.loam.server.keyspace.ValueType;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.Glob;
import io.loam.server.protocol.Numbers;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.ValueView;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** What is done to keys, whatever their values are. */
final class KeyCommands {

    /** Keys that an event loop may visit in one command. */
    private static final int QUICK_KEYS = 1_000;
    /** Keys that are visited under one pin of the store. */
    private static final int SCAN_STEP = 128;

    private KeyCommands() {}

    static void register(Service service) {
        Family family = service.table().family("generic", "keyspace");
        family.command("del", -2, "write")
                .keys("RM delete", 1, -1, 1)
                .tip("request_policy:multi_shard", "response_policy:agg_sum")
                .docs("1.0.0", "O(N) in the number of keys.", "Deletes keys.")
                .runs(KeyCommands::delete);
        family.command("unlink", -2, "write fast")
                .keys("RM delete", 1, -1, 1)
                .tip("request_policy:multi_shard", "response_policy:agg_sum")
                .docs("4.0.0", "O(N) in the number of keys.", "Deletes keys; the same as DEL here.")
                .runs(KeyCommands::delete);
        family.command("exists", -2, "readonly fast")
                .keys("RO", 1, -1, 1)
                .oneRead()
                .tip("request_policy:multi_shard", "response_policy:agg_sum")
                .docs("1.0.0", "O(N) in the number of keys.", "Counts the keys that are there.")
                .runs(KeyCommands::exists);
        family.command("touch", -2, "readonly fast")
                .keys("RO", 1, -1, 1)
                .oneRead()
                .tip("request_policy:multi_shard", "response_policy:agg_sum")
                .docs("3.2.1", "O(N) in the number of keys.", "Counts the keys that are there, which are used by that.")
                .runs(KeyCommands::exists);
        family.command("type", 2, "readonly fast")
                .key("RO")
                .oneRead()
                .docs("1.0.0", "O(1)", "Returns the type of a key's value.")
                .runs(KeyCommands::type);
        family.command("rename", 3, "write")
                .keys("RW access delete", 1, 0, 1)
                .keys("OW update", 2, 0, 1)
                .docs("1.0.0", "O(N) in the length of the value.", "Gives a key another name.")
                .runs((session, arguments, reply) -> rename(session, arguments, reply, false));
        family.command("renamenx", 3, "write fast")
                .keys("RW access delete", 1, 0, 1)
                .keys("OW insert", 2, 0, 1)
                .docs("1.0.0", "O(N) in the length of the value.", "Gives a key another name if there is no such key.")
                .runs((session, arguments, reply) -> rename(session, arguments, reply, true));
        family.command("move", 3, "write fast")
                .key("RW access update")
                .docs("1.0.0", "O(N) in the length of the value.", "Moves a key to another database.")
                .runs(KeyCommands::move);
        family.command("copy", -3, "write denyoom")
                .keys("RO access", 1, 0, 1)
                .keys("OW update", 2, 0, 1)
                .docs("6.2.0", "O(N) in the length of the value.", "Copies a key's value to another key.")
                .runs(KeyCommands::copy);
        family.command("randomkey", 1, "readonly")
                .tip("request_policy:all_shards", "nondeterministic_output")
                .docs("1.0.0", "O(1)", "Returns a key by chance.")
                .runs(KeyCommands::random);
        family.command("keys", 2, "readonly")
                .category("dangerous")
                .slow()
                .tip("request_policy:all_shards", "nondeterministic_output_order")
                .docs("1.0.0", "O(N) in the number of keys.", "Returns all keys that match a pattern.")
                .runs(KeyCommands::keys);
        family.command("scan", -2, "readonly")
                .tip("nondeterministic_output", "request_policy:special")
                .docs("2.8.0", "O(1) for each call.", "Returns the next keys of an iteration.")
                .runs(KeyCommands::scan);
        registerObject(family);
    }

    private static void registerObject(Family family) {
        Command object = family.container("object", "2.2.3", "Tells how a value is kept.");
        family.subcommand(object, "encoding", 3, "readonly")
                .keys("RO", 2, 0, 1)
                .oneRead()
                .tip("nondeterministic_output")
                .docs("2.2.3", "O(1)", "Returns how a value is kept, in the words of Redis.")
                .runs(KeyCommands::encoding);
        family.subcommand(object, "freq", 3, "readonly")
                .keys("RO", 2, 0, 1)
                .oneRead()
                .tip("nondeterministic_output")
                .docs("4.0.0", "O(1)", "Is refused: how often keys are used is not counted.")
                .runs((session, arguments, reply) -> {
                    if (isThere(session, arguments, reply)) {
                        throw new RedisError(
                                "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.");
                    }
                });
        family.subcommand(object, "idletime", 3, "readonly")
                .keys("RO", 2, 0, 1)
                .oneRead()
                .tip("nondeterministic_output")
                .docs("2.2.3", "O(1)", "Returns 0: when a key was used is known by the cleaner alone.")
                .runs((session, arguments, reply) -> {
                    if (isThere(session, arguments, reply)) {
                        reply.integer(0);
                    }
                });
        family.subcommand(object, "refcount", 3, "readonly")
                .keys("RO", 2, 0, 1)
                .oneRead()
                .tip("nondeterministic_output")
                .docs("2.2.3", "O(1)", "Returns 1: values are not shared.")
                .runs((session, arguments, reply) -> {
                    if (isThere(session, arguments, reply)) {
                        reply.integer(1);
                    }
                });
        family.subcommand(object, "help", 2, "loading stale")
                .docs("6.2.0", "O(1)", "Returns these lines.")
                .runs((session, arguments, reply) -> Help.write(
                        reply,
                        "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
                        "ENCODING <key>",
                        "    How the value is kept: int, embstr, raw; listpack or hashtable.",
                        "FREQ <key>",
                        "    An error: how often keys are used is not counted.",
                        "IDLETIME <key>",
                        "    0: when a key was used last is not kept for each key.",
                        "REFCOUNT <key>",
                        "    1: values are not shared."));
    }

    // ---- one key after the other

    private static void delete(Session session, Arguments arguments, Reply reply) {
        long deleted = 0;
        for (int i = 1; i < arguments.count(); i++) {
            session.pace(i);
            byte[] key = arguments.key(i);
            if (session.database().delete(key)) {
                deleted++;
                session.happened(KeyEvents.Class.GENERIC, "del", key);
            }
        }
        reply.integer(deleted);
    }

    private static void exists(Session session, Arguments arguments, Reply reply) {
        long found = 0;
        for (int i = 1; i < arguments.count(); i++) {
            session.pace(i);
            found += session.found(session.entries().contains(arguments.key(i))) ? 1 : 0;
        }
        reply.integer(found);
    }

    private static void type(Session session, Arguments arguments, Reply reply) {
        ValueType type = session.type(arguments.key(1));
        session.found(type != null);
        reply.status(type == null ? "none" : type.typeName());
    }

    private static boolean isThere(Session session, Arguments arguments, Reply reply) {
        boolean there = session.found(session.entries().contains(arguments.key(2)));
        if (!there) {
            reply.nothing();
        }
        return there;
    }

    private static void encoding(Session session, Arguments arguments, Reply reply) {
        String encoding = session.entries().read(arguments.key(2), KeyCommands::encoding);
        if (!session.found(encoding != null)) {
            reply.nothing();
        } else {
            reply.bulk(encoding);
        }
    }

    /** How a value is kept, in the words of Redis. */
    static String encoding(ValueView view) {
        return switch (ValueType.of(view.type())) {
            case STRING -> {
                if (view.length() <= Numbers.LONG_DIGITS) {
                    byte[] value = view.toByteArray();
                    if (Numbers.isLong(value, 0, value.length)) {
                        yield "int";
                    }
                }
                yield view.length() <= 44 ? "embstr" : "raw";
            }
            case HASH, LIST, SET, SORTED_SET -> "listpack";
            case LARGE_HASH, LARGE_SET -> "hashtable";
            case LARGE_LIST -> "quicklist";
            case LARGE_SORTED_SET -> "skiplist";
            case STREAM -> "stream";
        };
    }

    // ---- to another place

    /** A value on its way to another key. */
    private record Moving(MemorySegment value, int type, long expiresAtMillis) {

        static @Nullable Moving read(Session session, byte[] key, Arena arena) {
            return session.entries().read(key, view -> {
                session.aboutToCopy(view.length());
                return new Moving(Strings.copy(view, arena), view.type(), view.expiresAtMillis());
            });
        }

        private void put(Session session, int database, byte[] key, MemorySegment value) {
            PutOptions options = PutOptions.DEFAULT.expiringAt(expiresAtMillis).withType(type);
            session.create(database, key, value, options);
        }

        private boolean isLarge() {
            return ValueType.of(type).isLarge();
        }

        private byte[] header() {
            return value.toArray(ValueLayout.JAVA_BYTE);
        }

        /** Puts it under another key and removes it from the first; false if the store has dropped it there meanwhile. */
        boolean move(Session session, byte[] from, int database, byte[] key) {
            Database to = session.service().keyspace().database(database);
            if (isLarge()) {
                session.mustBeAllowedToWait();
                session.service().keyspace().elements().moving(header(), session.database(), from, to, key);
            }
            put(session, database, key, value);
            boolean moved = session.database().forget(from);
            if (!moved && isLarge()) {
                to.delete(key); // its elements are being reclaimed
            }
            return moved || !isLarge();
        }

        /** Puts a copy under another key; false if the store has dropped what is copied meanwhile. */
        boolean copy(Session session, byte[] from, int database, byte[] key) {
            if (!isLarge()) {
                put(session, database, key, value);
                return true;
            }
            session.mustBeAllowedToWait();
            Elements elements = session.service().keyspace().elements();
            byte[] copied = elements.copy(header(), session.service().keyspace().database(database), key);
            boolean put = false;
            try {
                if (session.entries().contains(from)) {
                    put(session, database, key, MemorySegment.ofArray(copied));
                    put = true;
                }
                return put;
            } finally {
                if (!put) {
                    elements.abandoned(copied);
                }
            }
        }
    }

    private static void rename(Session session, Arguments arguments, Reply reply, boolean onlyIfAbsent) {
        byte[] from = arguments.key(1);
        byte[] to = arguments.key(2);
        try (Arena arena = Arena.ofConfined()) {
            Moving moving = Moving.read(session, from, arena);
            if (moving == null) {
                throw RedisError.NO_SUCH_KEY;
            }
            boolean same = Arrays.equals(from, to);
            if (onlyIfAbsent && (same || session.entries().contains(to))) {
                reply.integer(0);
                return;
            }
            if (!same) {
                if (!moving.move(session, from, session.databaseNumber(), to)) {
                    throw RedisError.NO_SUCH_KEY;
                }
                session.happened(KeyEvents.Class.GENERIC, "rename_from", from);
                session.happened(KeyEvents.Class.GENERIC, "rename_to", to);
            }
        }
        if (onlyIfAbsent) {
            reply.integer(1);
        } else {
            reply.ok();
        }
    }

    private static Database database(Session session, Arguments arguments, int index, int[] number) {
        int wanted = arguments.integer32(index);
        if (wanted < 0 || wanted >= session.service().keyspace().count()) {
            throw RedisError.DATABASE_OUT_OF_RANGE;
        }
        number[0] = wanted;
        return session.service().keyspace().database(wanted);
    }

    private static void move(Session session, Arguments arguments, Reply reply) {
        int[] number = {0};
        Database to = database(session, arguments, 2, number);
        if (number[0] == session.databaseNumber()) {
            throw new RedisError("ERR source and destination objects are the same");
        }
        byte[] key = arguments.key(1);
        try (Arena arena = Arena.ofConfined()) {
            Moving moving = Moving.read(session, key, arena);
            if (moving == null || to.entries().contains(key) || !moving.move(session, key, number[0], key)) {
                reply.integer(0);
                return;
            }
        }
        session.happened(KeyEvents.Class.GENERIC, "move_from", key);
        session.service().keyspace().happened(KeyEvents.Class.GENERIC, "move_to", number[0], key);
        reply.integer(1);
    }

    private static void copy(Session session, Arguments arguments, Reply reply) {
        int[] number = {session.databaseNumber()};
        Database to = session.database();
        boolean replace = false;
        for (int i = 3; i < arguments.count(); i++) {
            if (arguments.is(i, "replace")) {
                replace = true;
            } else if (arguments.is(i, "db") && i + 1 < arguments.count()) {
                to = database(session, arguments, ++i, number);
            } else {
                throw RedisError.SYNTAX;
            }
        }
        byte[] from = arguments.key(1);
        byte[] key = arguments.key(2);
        if (number[0] == session.databaseNumber() && Arrays.equals(from, key)) {
            throw new RedisError("ERR source and destination objects are the same");
        }
        try (Arena arena = Arena.ofConfined()) {
            Moving moving = Moving.read(session, from, arena);
            session.found(moving != null);
            if (moving == null
                    || (!replace && to.entries().contains(key))
                    || !moving.copy(session, from, number[0], key)) {
                reply.integer(0);
                return;
            }
        }
        session.service().keyspace().happened(KeyEvents.Class.GENERIC, "copy_to", number[0], key);
        reply.integer(1);
    }

    // ---- all keys

    private static void random(Session session, Arguments arguments, Reply reply) {
        Namespace entries = session.entries();
        byte[][] found = new byte[1][];
        int[] seen = {0};
        long position = ThreadLocalRandom.current().nextLong();
        for (int steps = 0; steps < 64 && found[0] == null; steps++) {
            position = entries.scan(position, 1, (key, view) -> {
                if (ThreadLocalRandom.current().nextInt(++seen[0]) == 0) {
                    found[0] = key;
                }
            });
        }
        if (found[0] == null && entries.size() > 0) {
            // nearly empty: the whole may have to be looked at
            session.mustBeAllowedToWait();
            position = 0;
            do {
                position = entries.scan(position, 1, (key, view) -> found[0] = key);
            } while (position != 0 && found[0] == null);
        }
        if (found[0] == null) {
            reply.nothing();
        } else {
            reply.bulk(found[0]);
        }
    }

    private static void keys(Session session, Arguments arguments, Reply reply) {
        byte[] pattern = arguments.bytes(1);
        boolean all = Glob.isEverything(pattern);
        Reply found = reply.another();
        long[] count = {0};
        long position = 0;
        do {
            position = session.entries().scan(position, SCAN_STEP, (key, view) -> {
                if (all || Glob.matches(pattern, key)) {
                    found.bulk(key);
                    count[0]++;
                }
            });
            Thread.yield(); // others wait for this processor
        } while (position != 0);
        reply.array(count[0]);
        reply.append(found);
    }

    private static void scan(Session session, Arguments arguments, Reply reply) {
        long position = cursor(arguments, 1);
        long count = 10;
        byte[] pattern = null;
        String type = null;
        for (int i = 2; i < arguments.count(); i += 2) {
            boolean hasValue = i + 1 < arguments.count();
            if (arguments.is(i, "count") && hasValue) {
                count = arguments.integer(i + 1);
                if (count < 1) {
                    throw RedisError.SYNTAX;
                }
            } else if (arguments.is(i, "match") && hasValue) {
                pattern = arguments.bytes(i + 1);
            } else if (arguments.is(i, "type") && hasValue) {
                type = arguments.text(i + 1).toLowerCase(Locale.ROOT);
            } else {
                throw RedisError.SYNTAX;
            }
        }
        if (count > QUICK_KEYS) {
            session.mustBeAllowedToWait();
        }
        scan(session, reply, position, count, pattern == null || Glob.isEverything(pattern) ? null : pattern, type);
    }

    private static void scan(
            Session session, Reply reply, long from, long count, byte @Nullable [] pattern, @Nullable String type) {
        Reply found = reply.another();
        long[] matched = {0};
        long[] visited = {0};
        long position = from;
        try {
            do {
                int step = (int) Math.min(SCAN_STEP, count - visited[0]);
                position = session.entries().scan(position, step, (key, view) -> {
                    visited[0]++;
                    if ((pattern == null || Glob.matches(pattern, key))
                            && (type == null
                                    || ValueType.of(view.type()).typeName().equals(type))) {
                        found.bulk(key);
                        matched[0]++;
                    }
                });
            } while (position != 0 && visited[0] < count);
        } catch (RuntimeException e) {
            found.release();
            throw e;
        }
        reply.array(2);
        reply.bulk(Long.toUnsignedString(position));
        reply.array(matched[0]);
        reply.append(found);
    }

    /** A position that SCAN has returned. */
    static long cursor(Arguments arguments, int index) {
        String text = arguments.text(index);
        try {
            return text.isEmpty() ? 0 : Long.parseUnsignedLong(text);
        } catch (NumberFormatException e) {
            throw new RedisError("ERR invalid cursor");
        }
    }
}
