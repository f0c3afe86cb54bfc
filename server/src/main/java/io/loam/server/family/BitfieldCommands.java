package io.loam.server.family;

import io.loam.server.command.CommandTable.Family;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.keyspace.KeyEvents;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.Numbers;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** BITFIELD: numbers of any width at any bit of a string. */
final class BitfieldCommands {

    private BitfieldCommands() {}

    static void register(Service service) {
        Family family = service.table().family("bitmap", "bitmap");
        family.command("bitfield", -2, "write denyoom")
                .key("RW access update variable_flags")
                .docs(
                        "3.2.0",
                        "O(1) for each operation; a write is O(N) in the string's length.",
                        "Reads, sets and adds to numbers of any width in a string.")
                .runs((session, arguments, reply) -> run(session, arguments, reply, false));
        family.command("bitfield_ro", -2, "readonly fast")
                .key("RO access")
                .oneRead()
                .docs("6.0.0", "O(1) for each operation.", "Reads numbers of any width in a string.")
                .runs((session, arguments, reply) -> run(session, arguments, reply, true));
    }

    private enum Overflow {
        WRAP,
        SATURATE,
        FAIL
    }

    private enum Kind {
        GET,
        SET,
        ADD
    }

    private record Operation(Kind kind, boolean signed, int width, long offset, long operand, Overflow overflow) {

        long lastBit() {
            return offset + width - 1;
        }
    }

    private static void run(Session session, Arguments arguments, Reply reply, boolean onlyReads) {
        List<Operation> operations = parse(session, arguments, onlyReads);
        byte[] key = arguments.key(1);
        long lastWritten = operations.stream()
                .filter(operation -> operation.kind != Kind.GET)
                .mapToLong(Operation::lastBit)
                .max()
                .orElse(-1);
        if (lastWritten >= 0) {
            session.aboutToCopy(lastWritten >>> 3);
        }
        byte[] bits = lastWritten < 0 ? Strings.read(session, key) : Strings.getOrEmpty(session, key);
        boolean grown = lastWritten >= 0 && lastWritten >>> 3 >= bits.length;
        if (grown) {
            bits = Arrays.copyOf(bits, (int) (lastWritten >>> 3) + 1);
        }
        reply.array(operations.size());
        boolean written = false;
        boolean changed = false;
        for (Operation operation : operations) {
            Boolean differs = apply(operation, bits, reply);
            written |= differs != null;
            changed |= Boolean.TRUE.equals(differs);
        }
        if (grown || changed) {
            Strings.change(session, key, bits);
        }
        if (changed || (grown && written)) {
            session.happened(KeyEvents.Class.STRING, "setbit", key);
        }
    }

    private static List<Operation> parse(Session session, Arguments arguments, boolean onlyReads) {
        List<Operation> operations = new ArrayList<>();
        Overflow overflow = Overflow.WRAP;
        for (int i = 2; i < arguments.count(); ) {
            int left = arguments.count() - i - 1;
            if (arguments.is(i, "overflow") && left >= 1) {
                overflow = overflow(arguments, i + 1);
                i += 2;
                continue;
            }
            Kind kind = arguments.is(i, "get") && left >= 2
                    ? Kind.GET
                    : arguments.is(i, "set") && left >= 3
                            ? Kind.SET
                            : arguments.is(i, "incrby") && left >= 3 ? Kind.ADD : null;
            if (kind == null) {
                throw RedisError.SYNTAX;
            }
            int width = width(arguments, i + 1);
            boolean signed = isSigned(arguments, i + 1);
            long offset = offset(session, arguments, i + 2, width);
            if (kind != Kind.GET && onlyReads) {
                throw new RedisError("ERR BITFIELD_RO only supports the GET subcommand");
            }
            long operand = kind == Kind.GET ? 0 : arguments.integer(i + 3);
            operations.add(new Operation(kind, signed, width, offset, operand, overflow));
            i += kind == Kind.GET ? 3 : 4;
        }
        return operations;
    }

    private static Overflow overflow(Arguments arguments, int index) {
        if (arguments.is(index, "wrap")) {
            return Overflow.WRAP;
        } else if (arguments.is(index, "sat")) {
            return Overflow.SATURATE;
        } else if (arguments.is(index, "fail")) {
            return Overflow.FAIL;
        }
        throw new RedisError("ERR Invalid OVERFLOW type specified");
    }

    private static boolean isSigned(Arguments arguments, int index) {
        return arguments.at(index, 0) == 'i';
    }

    private static int width(Arguments arguments, int index) {
        String text = arguments.text(index);
        byte[] digits = text.isEmpty() ? new byte[0] : Arrays.copyOfRange(arguments.bytes(index), 1, text.length());
        boolean known = text.startsWith("i") || text.startsWith("u");
        if (known && Numbers.isLong(digits, 0, digits.length)) {
            long width = Numbers.parseLong(digits, 0, digits.length);
            if (width >= 1 && width <= (text.startsWith("i") ? 64 : 63)) {
                return (int) width;
            }
        }
        throw new RedisError(
                "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.");
    }

    /** A bit's number, or with # that of a number. */
    private static long offset(Session session, Arguments arguments, int index, int width) {
        RedisError otherwise = new RedisError("ERR bit offset is not an integer or out of range");
        byte[] text = arguments.bytes(index);
        boolean inNumbers = text.length > 0 && text[0] == '#';
        int from = inNumbers ? 1 : 0;
        if (!Numbers.isLong(text, from, text.length - from)) {
            throw otherwise;
        }
        long number = Numbers.parseLong(text, from, text.length - from);
        long offset = inNumbers ? number * width : number; // wraps around as in Redis
        if (offset < 0 || offset >>> 3 >= session.service().options().maxBulkBytes()) {
            throw otherwise;
        }
        return offset;
    }

    /** Whether the bits are others now; null if none were written. */
    private static @Nullable Boolean apply(Operation operation, byte[] bits, Reply reply) {
        long old = get(bits, operation.offset, operation.width, operation.signed);
        if (operation.kind == Kind.GET) {
            reply.integer(old);
            return null;
        }
        long base = operation.kind == Kind.SET ? operation.operand : old;
        long delta = operation.kind == Kind.SET ? 0 : operation.operand;
        int direction = operation.signed
                ? overflowOfSigned(base, delta, operation.width)
                : overflowOfUnsigned(base, delta, operation.width);
        if (direction != 0 && operation.overflow == Overflow.FAIL) {
            reply.nothing();
            return null;
        }
        long value = direction == 0 || operation.overflow == Overflow.WRAP
                ? fit(base + delta, operation.width, operation.signed)
                : limit(operation, direction);
        put(bits, operation.offset, operation.width, value);
        reply.integer(operation.kind == Kind.SET ? old : value);
        return value != old;
    }

    private static long limit(Operation operation, int direction) {
        if (operation.signed) {
            long most = operation.width == 64 ? Long.MAX_VALUE : (1L << (operation.width - 1)) - 1;
            return direction > 0 ? most : -most - 1;
        }
        return direction > 0 ? (1L << operation.width) - 1 : 0;
    }

    /** 1: too large, -1: too small, 0: fits. */
    private static int overflowOfSigned(long value, long delta, int width) {
        long most = width == 64 ? Long.MAX_VALUE : (1L << (width - 1)) - 1;
        long least = -most - 1;
        long up = most - value; // may wrap; used only where it does not
        long down = least - value;
        if (value > most || (width != 64 && delta > up) || (value >= 0 && delta > 0 && delta > up)) {
            return 1;
        }
        if (value < least || (width != 64 && delta < down) || (value < 0 && delta < 0 && delta < down)) {
            return -1;
        }
        return 0;
    }

    private static int overflowOfUnsigned(long value, long delta, int width) {
        long most = (1L << width) - 1;
        if (Long.compareUnsigned(value, most) > 0 || (delta > 0 && delta > most - value)) {
            return 1;
        }
        return delta < 0 && delta < -value ? -1 : 0;
    }

    private static long fit(long value, int width, boolean signed) {
        int shift = 64 - width;
        return signed ? value << shift >> shift : value << shift >>> shift;
    }

    private static long get(byte[] bits, long offset, int width, boolean signed) {
        long value = 0;
        for (int i = 0; i < width; i++) {
            long at = offset + i;
            int index = (int) (at >>> 3);
            long bit = index < bits.length ? bits[index] >> (7 - (at & 7)) & 1 : 0;
            value = value << 1 | bit;
        }
        return signed ? fit(value, width, true) : value;
    }

    private static void put(byte[] bits, long offset, int width, long value) {
        for (int i = 0; i < width; i++) {
            long at = offset + i;
            int mask = 1 << (7 - (at & 7));
            int index = (int) (at >>> 3);
            boolean set = (value >>> (width - 1 - i) & 1) == 1;
            bits[index] = (byte) (set ? bits[index] | mask : bits[index] & ~mask);
        }
    }
}
