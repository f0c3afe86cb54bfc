package io.loam.server.family;

import io.loam.server.command.CommandTable.Family;
import io.loam.server.command.Execution;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.hash.FieldVisitor;
import io.loam.server.hash.HashElements;
import io.loam.server.hash.HashValue;
import io.loam.server.hash.Hashes;
import io.loam.server.keyspace.KeyEvents;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.Glob;
import io.loam.server.protocol.Numbers;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;
import io.loam.store.Namespace;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** Hashes. */
final class HashCommands {

    private static final RedisError VALUE_NOT_AN_INTEGER = new RedisError("ERR hash value is not an integer");
    private static final RedisError VALUE_NOT_A_FLOAT = new RedisError("ERR hash value is not a float");
    private static final RedisError NOT_FINITE = new RedisError("ERR value is NaN or Infinity");
    private static final RedisError OUT_OF_RANGE = new RedisError("ERR value is out of range");
    /** A client that asks for more random fields with repeats than this would take all memory. */
    private static final long MOST_DRAWS = 1 << 24;

    private final Hashes hashes;

    private HashCommands(Hashes hashes) {
        this.hashes = hashes;
    }

    static void register(Service service) {
        HashElements elements = new HashElements(service.keyspace());
        service.executor().execute(elements::run);
        HashCommands commands = new HashCommands(new Hashes(elements));
        Family family = service.table().family("hash", "hash");
        commands.registerReading(family);
        commands.registerWriting(family);
    }

    private void registerReading(Family family) {
        family.command("hget", 3, "readonly fast")
                .key("RO access")
                .docs("2.0.0", "O(1)", "Returns the value of a field.")
                .runs(reading((session, hash, arguments, reply) -> value(reply, get(hash, arguments, 2))));
        family.command("hmget", -3, "readonly fast")
                .key("RO access")
                .docs("2.0.0", "O(N) in the number of fields.", "Returns the values of several fields.")
                .runs(reading(HashCommands::getMany));
        family.command("hexists", 3, "readonly fast")
                .key("RO")
                .docs("2.0.0", "O(1)", "Tells whether a field is there.")
                .runs(reading((session, hash, arguments, reply) -> reply.integer(length(hash, arguments) < 0 ? 0 : 1)));
        family.command("hstrlen", 3, "readonly fast")
                .key("RO")
                .docs("3.2.0", "O(1)", "Returns the length of a field's value.")
                .runs(reading(
                        (session, hash, arguments, reply) -> reply.integer(Math.max(0, length(hash, arguments)))));
        family.command("hlen", 2, "readonly fast")
                .key("RO")
                .docs("2.0.0", "O(1)", "Counts the fields.")
                .runs(reading((session, hash, arguments, reply) -> reply.integer(hash == null ? 0 : hash.count())));
        family.command("hgetall", 2, "readonly")
                .key("RO access")
                .tip("nondeterministic_output_order")
                .docs("2.0.0", "O(N) in the number of fields.", "Returns all fields and their values.")
                .runs(reading((session, hash, arguments, reply) -> all(session, hash, reply, true, true)));
        family.command("hkeys", 2, "readonly")
                .key("RO access")
                .tip("nondeterministic_output_order")
                .docs("2.0.0", "O(N) in the number of fields.", "Returns the names of all fields.")
                .runs(reading((session, hash, arguments, reply) -> all(session, hash, reply, true, false)));
        family.command("hvals", 2, "readonly")
                .key("RO access")
                .tip("nondeterministic_output_order")
                .docs("2.0.0", "O(N) in the number of fields.", "Returns the values of all fields.")
                .runs(reading((session, hash, arguments, reply) -> all(session, hash, reply, false, true)));
        family.command("hrandfield", -2, "readonly")
                .key("RO access")
                .tip("nondeterministic_output")
                .docs("6.2.0", "O(N) in the number of fields returned.", "Returns fields drawn at random.")
                .runs(this::random);
        family.command("hscan", -3, "readonly")
                .key("RO access")
                .tip("nondeterministic_output")
                .docs("2.8.0", "O(N) in the count asked for.", "Returns some fields, and where to go on.")
                .runs(this::scan);
    }

    private void registerWriting(Family family) {
        family.command("hset", -4, "write denyoom fast")
                .key("RW update")
                .docs("2.0.0", "O(N) in the number of fields.", "Sets fields.")
                .runs((session, arguments, reply) -> reply.integer(setMany(session, arguments, "hset")));
        family.command("hmset", -4, "write denyoom fast")
                .key("RW update")
                .docs("2.0.0", "O(N) in the number of fields.", "Sets fields.")
                .runs((session, arguments, reply) -> {
                    setMany(session, arguments, "hmset");
                    reply.ok();
                });
        family.command("hsetnx", 4, "write denyoom fast")
                .key("RW insert")
                .docs("2.0.0", "O(1)", "Sets a field only if it is not there.")
                .runs(this::setIfAbsent);
        family.command("hdel", -3, "write fast")
                .key("RW delete")
                .docs("2.0.0", "O(N) in the number of fields.", "Deletes fields, and the key with the last of them.")
                .runs(this::delete);
        family.command("hincrby", 4, "write denyoom fast")
                .key("RW access update")
                .docs("2.0.0", "O(1)", "Adds to the number of a field; an absent field counts as 0.")
                .runs(this::add);
        family.command("hincrbyfloat", 4, "write denyoom fast")
                .key("RW access update")
                .docs("2.6.0", "O(1)", "Adds to the decimal number of a field; an absent field counts as 0.")
                .runs(this::addDecimal);
    }

    // ---- reading

    /** Reads a hash, null if the key is absent, and replies. */
    @FunctionalInterface
    private interface Reading {
        void read(Session session, @Nullable HashValue hash, Arguments arguments, Reply reply);
    }

    /** Runs a reading, again if the store dropped the hash meanwhile. */
    private Execution reading(Reading reading) {
        return (session, arguments, reply) -> {
            byte[] key = arguments.key(1);
            long mark = reply.mark();
            session.found(); // even if it is no hash
            while (true) {
                HashValue hash = hashes.find(session, key);
                reading.read(session, hash, arguments, reply);
                if (Hashes.isStill(session, key, hash)) {
                    if (hash == null) {
                        session.missed();
                    }
                    return;
                }
                reply.rewind(mark);
            }
        };
    }

    private static byte @Nullable [] get(@Nullable HashValue hash, Arguments arguments, int index) {
        return hash == null ? null : hash.get(arguments.bytes(index));
    }

    private static long length(@Nullable HashValue hash, Arguments arguments) {
        return hash == null ? Namespace.ABSENT : hash.length(arguments.bytes(2));
    }

    private static void value(Reply reply, byte @Nullable [] value) {
        if (value == null) {
            reply.nothing();
        } else {
            reply.bulk(value);
        }
    }

    private static void getMany(Session session, @Nullable HashValue hash, Arguments arguments, Reply reply) {
        if (arguments.count() > Hashes.QUICK_FIELDS && hash != null) {
            session.mustBeAllowedToWait();
        }
        reply.array(arguments.count() - 2);
        for (int i = 2; i < arguments.count(); i++) {
            value(reply, get(hash, arguments, i));
        }
    }

    /** So many fields are read, if that takes long, not on an event loop. */
    private static void aboutToRead(Session session, HashValue hash, long fields) {
        if (Math.min(fields, hash.count()) > Hashes.QUICK_FIELDS) {
            session.mustBeAllowedToWait();
        }
        session.aboutToCopy(hash.bytes() * Math.min(fields, hash.count()) / Math.max(1, hash.count()));
    }

    private static void all(Session session, @Nullable HashValue hash, Reply reply, boolean names, boolean values) {
        boolean both = names && values;
        Reply found = reply.another();
        long[] count = {0};
        try {
            if (hash != null) {
                aboutToRead(session, hash, hash.count());
                hash.forEach(values, (name, value) -> {
                    count[0]++;
                    if (names) {
                        found.bulk(name);
                    }
                    if (values) {
                        found.bulk(value);
                    }
                });
            }
        } catch (RuntimeException e) {
            found.release();
            throw e;
        }
        if (both) {
            reply.map(count[0]);
        } else {
            reply.array(count[0]);
        }
        reply.append(found);
    }

    private void random(Session session, Arguments arguments, Reply reply) {
        long count = arguments.count() == 2 ? 1 : drawCount(arguments);
        reading((client, hash, words, answer) -> random(client, hash, words, answer, count))
                .execute(session, arguments, reply);
    }

    private static void random(
            Session session, @Nullable HashValue hash, Arguments arguments, Reply reply, long count) {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        if (arguments.count() == 2) {
            if (hash == null) {
                reply.nothing();
            } else {
                hash.drawWithRepeats(1, random, false, (name, value) -> reply.bulk(name));
            }
            return;
        }
        boolean values = arguments.count() == 4;
        if (hash == null || count == 0) {
            reply.array(0);
            return;
        }
        boolean pairs = values && reply.version() >= 3;
        Reply found = reply.another();
        long[] drawn = {0};
        FieldVisitor visitor = (name, value) -> {
            drawn[0]++;
            if (pairs) {
                found.array(2);
            }
            found.bulk(name);
            if (values) {
                found.bulk(value);
            }
        };
        try {
            if (count < 0) {
                if (-count > Hashes.QUICK_FIELDS) {
                    session.mustBeAllowedToWait();
                }
                hash.drawWithRepeats(-count, random, values, visitor);
            } else {
                aboutToRead(session, hash, count);
                hash.draw(count, random, values, visitor);
            }
        } catch (RuntimeException e) {
            found.release();
            throw e;
        }
        reply.array(values && !pairs ? 2 * drawn[0] : drawn[0]);
        reply.append(found);
    }

    /** How many fields HRANDFIELD is to return, below 0 with repeats. */
    private static long drawCount(Arguments arguments) {
        long count = arguments.integer(2);
        if (count == Long.MIN_VALUE) {
            throw new RedisError(
                    "ERR value is out of range, value must between " + -Long.MAX_VALUE + " and " + Long.MAX_VALUE);
        }
        if (arguments.count() > 4 || (arguments.count() == 4 && !arguments.is(3, "withvalues"))) {
            throw RedisError.SYNTAX;
        }
        if (arguments.count() == 4 && (count < -(Long.MAX_VALUE / 2) || count > Long.MAX_VALUE / 2)) {
            throw OUT_OF_RANGE;
        }
        if (count < -MOST_DRAWS) {
            throw OUT_OF_RANGE;
        }
        return count;
    }

    private void scan(Session session, Arguments arguments, Reply reply) {
        long cursor = KeyCommands.cursor(arguments, 2);
        reading((client, hash, words, answer) -> scan(client, hash, words, answer, cursor))
                .execute(session, arguments, reply);
    }

    private static void scan(Session session, @Nullable HashValue hash, Arguments arguments, Reply reply, long cursor) {
        if (hash == null) {
            reply.array(2);
            reply.bulk("0");
            reply.array(0);
            return;
        }
        long count = 10;
        byte[] pattern = null;
        for (int i = 3; i < arguments.count(); i += 2) {
            boolean hasValue = i + 1 < arguments.count();
            if (arguments.is(i, "count") && hasValue) {
                count = arguments.integer(i + 1);
                if (count < 1) {
                    throw RedisError.SYNTAX;
                }
            } else if (arguments.is(i, "match") && hasValue) {
                pattern = arguments.bytes(i + 1);
            } else {
                throw RedisError.SYNTAX;
            }
        }
        aboutToRead(session, hash, count);
        byte[] wanted = pattern == null || Glob.isEverything(pattern) ? null : pattern;
        Reply found = reply.another();
        long[] matched = {0};
        long next;
        try {
            next = hash.scan(cursor, count, true, (name, value) -> {
                if (wanted == null || Glob.matches(wanted, name)) {
                    found.bulk(name);
                    found.bulk(value);
                    matched[0]++;
                }
            });
        } catch (RuntimeException e) {
            found.release();
            throw e;
        }
        reply.array(2);
        reply.bulk(Long.toString(next));
        reply.array(2 * matched[0]);
        reply.append(found);
    }

    // ---- writing

    private static byte[] name(Arguments arguments, int index) {
        if (arguments.length(index) > Hashes.LONGEST_NAME) {
            throw new RedisError("ERR the field's name has " + arguments.length(index) + " bytes; it has at most "
                    + Hashes.LONGEST_NAME + " here");
        }
        return arguments.bytes(index);
    }

    private int setMany(Session session, Arguments arguments, String command) {
        if (arguments.count() % 2 != 0) {
            throw new RedisError("ERR wrong number of arguments for '" + command + "' command");
        }
        byte[] key = arguments.key(1);
        List<byte[]> names = new ArrayList<>(arguments.count() / 2);
        List<byte[]> values = new ArrayList<>(arguments.count() / 2);
        Map<ByteBuffer, Integer> places = arguments.count() == 4 ? Map.of() : new HashMap<>();
        int longest = 0;
        for (int i = 2; i < arguments.count(); i += 2) {
            byte[] name = name(arguments, i);
            longest = Math.max(longest, Math.max(name.length, arguments.length(i + 1)));
            Integer place = arguments.count() == 4 ? null : places.putIfAbsent(ByteBuffer.wrap(name), names.size());
            if (place == null) {
                names.add(name);
                values.add(arguments.bytes(i + 1));
            } else {
                values.set(place, arguments.bytes(i + 1)); // the last one wins
            }
        }
        session.aboutToCopy(arguments.totalBytes());
        int added;
        do {
            added = hashes.set(session, key, hashes.find(session, key), names, values, longest);
        } while (added == Hashes.GONE);
        session.happened(KeyEvents.Class.HASH, "hset", key);
        return added;
    }

    private void setIfAbsent(Session session, Arguments arguments, Reply reply) {
        byte[] key = arguments.key(1);
        byte[] name = name(arguments, 2);
        int added;
        do {
            HashValue hash = hashes.find(session, key);
            if (hash != null && hash.length(name) != Namespace.ABSENT) {
                reply.integer(0);
                return;
            }
            added = set(session, key, hash, name, arguments.bytes(3));
        } while (added == Hashes.GONE);
        session.happened(KeyEvents.Class.HASH, "hset", key);
        reply.integer(added);
    }

    private int set(Session session, byte[] key, @Nullable HashValue hash, byte[] name, byte[] value) {
        return hashes.set(session, key, hash, List.of(name), List.of(value), Math.max(name.length, value.length));
    }

    private void delete(Session session, Arguments arguments, Reply reply) {
        byte[] key = arguments.key(1);
        List<byte[]> names = new ArrayList<>(arguments.count() - 2);
        for (int i = 2; i < arguments.count(); i++) {
            names.add(arguments.bytes(i));
        }
        int deleted;
        do {
            HashValue hash = hashes.find(session, key);
            if (hash == null) {
                reply.integer(0);
                return;
            }
            deleted = hashes.delete(session, key, hash, names);
        } while (deleted == Hashes.GONE);
        if (deleted > 0) {
            session.happened(KeyEvents.Class.HASH, "hdel", key);
            if (session.service().keyspace().isTelling() && !session.entries().contains(key)) {
                session.happened(KeyEvents.Class.GENERIC, "del", key);
            }
        }
        reply.integer(deleted);
    }

    private void add(Session session, Arguments arguments, Reply reply) {
        long delta = arguments.integer(3);
        byte[] key = arguments.key(1);
        byte[] name = name(arguments, 2);
        long sum;
        int added;
        do {
            HashValue hash = hashes.find(session, key);
            byte[] old = hash == null ? null : hash.get(name);
            long value = 0;
            if (old != null) {
                if (!Numbers.isLong(old, 0, old.length)) {
                    throw VALUE_NOT_AN_INTEGER;
                }
                value = Numbers.parseLong(old, 0, old.length);
            }
            sum = value + delta;
            if (((value ^ sum) & (delta ^ sum)) < 0) {
                throw RedisError.OVERFLOW;
            }
            added = set(session, key, hash, name, Long.toString(sum).getBytes(StandardCharsets.US_ASCII));
        } while (added == Hashes.GONE);
        session.happened(KeyEvents.Class.HASH, "hincrby", key);
        reply.integer(sum);
    }

    private void addDecimal(Session session, Arguments arguments, Reply reply) {
        String delta = arguments.text(3);
        try {
            Numbers.addExtended("0", delta);
        } catch (RedisError e) {
            throw e == RedisError.NOT_A_FLOAT ? e : NOT_FINITE;
        }
        byte[] key = arguments.key(1);
        byte[] name = name(arguments, 2);
        byte[] sum;
        int added;
        do {
            HashValue hash = hashes.find(session, key);
            byte[] old = hash == null ? null : hash.get(name);
            try {
                String value = old == null ? "0" : new String(old, StandardCharsets.ISO_8859_1);
                sum = Numbers.addExtended(value, delta).getBytes(StandardCharsets.US_ASCII);
            } catch (RedisError e) {
                throw e == RedisError.NOT_A_FLOAT ? VALUE_NOT_A_FLOAT : e;
            }
            added = set(session, key, hash, name, sum);
        } while (added == Hashes.GONE);
        session.happened(KeyEvents.Class.HASH, "hincrbyfloat", key);
        reply.bulk(sum);
    }
}
