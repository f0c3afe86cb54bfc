package io.loam.server.family;

import io.loam.server.command.CommandTable.Family;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.keyspace.KeyEvents;
import io.loam.server.keyspace.ValueType;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.Numbers;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;
import io.loam.store.Namespace;
import java.nio.charset.StandardCharsets;

/** Strings that are numbers. */
final class CounterCommands {

    private CounterCommands() {}

    static void register(Service service) {
        Family family = service.table().family("string", "string");
        family.command("incr", 2, "write denyoom fast")
                .key("RW access update")
                .docs("1.0.0", "O(1)", "Adds one to the number of a key; an absent key counts as 0.")
                .runs((session, arguments, reply) -> add(session, arguments, reply, 1));
        family.command("decr", 2, "write denyoom fast")
                .key("RW access update")
                .docs("1.0.0", "O(1)", "Takes one from the number of a key; an absent key counts as 0.")
                .runs((session, arguments, reply) -> add(session, arguments, reply, -1));
        family.command("incrby", 3, "write denyoom fast")
                .key("RW access update")
                .docs("1.0.0", "O(1)", "Adds to the number of a key; an absent key counts as 0.")
                .runs((session, arguments, reply) -> add(session, arguments, reply, arguments.integer(2)));
        family.command("decrby", 3, "write denyoom fast")
                .key("RW access update")
                .docs("1.0.0", "O(1)", "Takes from the number of a key; an absent key counts as 0.")
                .runs(CounterCommands::subtract);
        family.command("incrbyfloat", 3, "write denyoom fast")
                .key("RW access update")
                .docs("2.6.0", "O(1)", "Adds to the decimal number of a key; an absent key counts as 0.")
                .runs(CounterCommands::addDecimal);
    }

    private static void subtract(Session session, Arguments arguments, Reply reply) {
        long delta = arguments.integer(2);
        if (delta == Long.MIN_VALUE) {
            throw new RedisError("ERR decrement would overflow");
        }
        add(session, arguments, reply, -delta);
    }

    private static void add(Session session, Arguments arguments, Reply reply, long delta) {
        byte[] key = arguments.key(1);
        byte[] digits = new byte[Numbers.LONG_DIGITS];
        int length = session.entries().getOfType(key, ValueType.STRING.bits(), digits, 0);
        long value = 0;
        if (length != Namespace.ABSENT) {
            if (length == Namespace.OTHER_TYPE) {
                throw RedisError.WRONG_TYPE;
            }
            if (length > digits.length || !Numbers.isLong(digits, 0, length)) {
                throw RedisError.NOT_AN_INTEGER;
            }
            value = Numbers.parseLong(digits, 0, length);
        }
        long sum = value + delta;
        if (((value ^ sum) & (delta ^ sum)) < 0) {
            throw RedisError.OVERFLOW;
        }
        Strings.change(session, key, Long.toString(sum).getBytes(StandardCharsets.US_ASCII));
        session.happened(KeyEvents.Class.STRING, "incrby", key);
        reply.integer(sum);
    }

    private static void addDecimal(Session session, Arguments arguments, Reply reply) {
        byte[] key = arguments.key(1);
        byte[] old = Strings.get(session, key);
        String value = old == null ? "0" : new String(old, StandardCharsets.ISO_8859_1);
        byte[] sum = Numbers.addExtended(value, arguments.text(2)).getBytes(StandardCharsets.US_ASCII);
        Strings.change(session, key, sum);
        session.happened(KeyEvents.Class.STRING, "incrbyfloat", key);
        reply.bulk(sum);
    }
}
