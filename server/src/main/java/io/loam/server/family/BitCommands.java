package io.loam.server.family;

import io.loam.server.command.CommandTable.Family;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.keyspace.KeyEvents;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;
import io.loam.store.PutOptions;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Strings as arrays of bits, the first one the highest of the first byte. */
final class BitCommands {

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private BitCommands() {}

    static void register(Service service) {
        Family family = service.table().family("bitmap", "bitmap");
        family.command("setbit", 4, "write denyoom")
                .key("RW access update")
                .docs("2.2.0", "O(N) in the length of the string.", "Sets a bit and returns what it was.")
                .runs(BitCommands::setBit);
        family.command("getbit", 3, "readonly fast")
                .key("RO access")
                .oneRead()
                .docs("2.2.0", "O(1)", "Returns a bit.")
                .runs(BitCommands::getBit);
        family.command("bitcount", -2, "readonly")
                .key("RO access")
                .oneRead()
                .docs("2.6.0", "O(N) in the length of the string.", "Counts the bits that are set.")
                .runs(BitCommands::count);
        family.command("bitpos", -3, "readonly")
                .key("RO access")
                .oneRead()
                .docs("2.8.7", "O(N) in the length of the string.", "Finds the first bit that is set, or is not.")
                .runs(BitCommands::find);
        family.command("bitop", -4, "write denyoom")
                .keys("OW update", 2, 0, 1)
                .keys("RO access", 3, -1, 1)
                .docs(
                        "2.6.0",
                        "O(N) in the lengths of the strings.",
                        "Combines strings bit by bit and stores the result.")
                .runs(BitCommands::combine);
    }

    /** The number of a bit. */
    static long offset(Session session, Arguments arguments, int index) {
        RedisError otherwise = new RedisError("ERR bit offset is not an integer or out of range");
        long offset = arguments.integer(index, otherwise);
        if (offset < 0 || offset >>> 3 >= session.service().options().maxBulkBytes()) {
            throw otherwise;
        }
        return offset;
    }

    private static int bit(byte[] bits, long offset) {
        int index = (int) (offset >>> 3);
        return index < bits.length ? bits[index] >> (7 - (offset & 7)) & 1 : 0;
    }

    private static void setBit(Session session, Arguments arguments, Reply reply) {
        long offset = offset(session, arguments, 2);
        long bit = arguments.integer(3, new RedisError("ERR bit is not an integer or out of range"));
        if (bit != 0 && bit != 1) {
            throw new RedisError("ERR bit is not an integer or out of range");
        }
        byte[] key = arguments.key(1);
        int index = (int) (offset >>> 3);
        session.aboutToCopy(index);
        byte[] old = Strings.getOrEmpty(session, key);
        int before = bit(old, offset);
        byte[] bits = index < old.length ? old : Arrays.copyOf(old, index + 1);
        int mask = 1 << (7 - (offset & 7));
        bits[index] = (byte) (bit == 1 ? bits[index] | mask : bits[index] & ~mask);
        if (bit != before || bits != old) { // else nothing is changed: for watches and notifications too
            Strings.change(session, key, bits);
            session.happened(KeyEvents.Class.STRING, "setbit", key);
        }
        reply.integer(before);
    }

    private static void getBit(Session session, Arguments arguments, Reply reply) {
        long offset = offset(session, arguments, 2);
        session.found();
        Integer bit = session.entries().read(arguments.key(1), view -> {
            Strings.check(view);
            long index = offset >>> 3;
            if (index >= view.length()) {
                return 0;
            }
            long position = 0;
            for (int i = 0; i < view.segmentCount(); i++) {
                MemorySegment piece = view.segment(i);
                if (index < position + piece.byteSize()) {
                    byte value = piece.get(ValueLayout.JAVA_BYTE, index - position);
                    return value >> (7 - (offset & 7)) & 1;
                }
                position += piece.byteSize();
            }
            return 0;
        });
        if (bit == null) {
            session.missed();
        }
        reply.integer(bit == null ? 0 : bit);
    }

    // ---- ranges of bits

    /** The first and the last bit meant; none if the last is before the first. */
    private record Range(long first, long last) {

        /** From indexes of bytes or bits, negative ones from the end. */
        static Range of(long first, long last, long bytes, boolean inBits) {
            long total = inBits ? bytes * 8 : bytes;
            if (first < 0 && last < 0 && first > last) {
                return new Range(1, 0);
            }
            long from = Math.max(0, first < 0 ? total + first : first);
            long to = Math.min(total - 1, Math.max(0, last < 0 ? total + last : last));
            return from > to ? new Range(1, 0) : inBits ? new Range(from, to) : new Range(from * 8, to * 8 + 7);
        }

        boolean isEmpty() {
            return first > last;
        }
    }

    private static boolean inBits(Arguments arguments, int index) {
        if (arguments.is(index, "bit")) {
            return true;
        }
        if (arguments.is(index, "byte")) {
            return false;
        }
        throw RedisError.SYNTAX;
    }

    private static void count(Session session, Arguments arguments, Reply reply) {
        session.found();
        byte[] bits = Strings.get(session, arguments.key(1));
        if (bits == null) {
            session.missed();
            reply.integer(0);
            return;
        }
        Range range;
        if (arguments.count() == 2) {
            range = new Range(0, bits.length * 8L - 1);
        } else if (arguments.count() == 4 || arguments.count() == 5) {
            long first = arguments.integer(2);
            long last = arguments.integer(3);
            boolean negativeEmpty = first < 0 && last < 0 && first > last;
            boolean inBits = !negativeEmpty && arguments.count() == 5 && inBits(arguments, 4);
            range = Range.of(first, last, bits.length, inBits);
        } else {
            throw RedisError.SYNTAX;
        }
        reply.integer(range.isEmpty() ? 0 : count(bits, range.first, range.last));
    }

    private static long count(byte[] bits, long first, long last) {
        int from = (int) (first >>> 3);
        int to = (int) (last >>> 3);
        int head = 0xFF >>> (first & 7);
        int tail = 0xFF << (7 - (last & 7)) & 0xFF;
        if (from == to) {
            return Integer.bitCount(bits[from] & head & tail);
        }
        long count = Integer.bitCount(bits[from] & head) + Integer.bitCount(bits[to] & tail);
        int at = from + 1;
        for (; at + 8 <= to; at += 8) {
            count += Long.bitCount((long) LONGS.get(bits, at));
        }
        for (; at < to; at++) {
            count += Integer.bitCount(bits[at] & 0xFF);
        }
        return count;
    }

    private static void find(Session session, Arguments arguments, Reply reply) {
        long bit = arguments.integer(2);
        if (bit != 0 && bit != 1) {
            throw new RedisError("ERR The bit argument must be 1 or 0.");
        }
        session.found();
        byte[] bits = Strings.get(session, arguments.key(1));
        if (bits == null) {
            session.missed();
            reply.integer(bit == 1 ? -1 : 0);
            return;
        }
        int count = arguments.count();
        if (count > 6) {
            throw RedisError.SYNTAX;
        }
        long first = count > 3 ? arguments.integer(3) : 0;
        boolean inBits = count == 6 && inBits(arguments, 5);
        long last = count > 4 ? arguments.integer(4) : inBits ? bits.length * 8L - 1 : bits.length - 1L;
        Range range = rangeToSearch(first, last, bits.length, inBits);
        if (range.isEmpty()) {
            reply.integer(-1);
            return;
        }
        long found = find(bits, range.first, range.last, (int) bit);
        // without an end the string goes on with zeros
        reply.integer(found < 0 && bit == 0 && count < 5 ? bits.length * 8L : found);
    }

    /** As {@link Range#of}, but a range whose ends are both before the beginning is the first element. */
    private static Range rangeToSearch(long first, long last, long bytes, boolean inBits) {
        long total = inBits ? bytes * 8 : bytes;
        long from = Math.max(0, first < 0 ? total + first : first);
        long to = Math.min(total - 1, Math.max(0, last < 0 ? total + last : last));
        return from > to ? new Range(1, 0) : inBits ? new Range(from, to) : new Range(from * 8, to * 8 + 7);
    }

    private static long find(byte[] bits, long first, long last, int wanted) {
        int skip = wanted == 1 ? 0 : 0xFF;
        long at = first;
        while (at <= last) {
            int index = (int) (at >>> 3);
            if ((at & 7) == 0 && (bits[index] & 0xFF) == skip) {
                at += 8;
            } else if ((bits[index] >> (7 - (at & 7)) & 1) == wanted) {
                return at;
            } else {
                at++;
            }
        }
        return -1;
    }

    // ---- combining

    private static void combine(Session session, Arguments arguments, Reply reply) {
        int operation = operation(arguments);
        if (operation == NOT && arguments.count() != 4) {
            throw new RedisError("ERR BITOP NOT must be called with a single source key.");
        }
        byte[][] sources = new byte[arguments.count() - 3][];
        int length = 0;
        for (int i = 0; i < sources.length; i++) {
            sources[i] = Strings.read(session, arguments.key(i + 3));
            length = Math.max(length, sources[i].length);
        }
        byte[] destination = arguments.key(2);
        if (length == 0) {
            if (session.database().delete(destination)) {
                session.happened(KeyEvents.Class.GENERIC, "del", destination);
            }
        } else {
            session.put(destination, combine(operation, sources, length), PutOptions.DEFAULT);
            session.happened(KeyEvents.Class.STRING, "set", destination);
        }
        reply.integer(length);
    }

    private static final int AND = 0;
    private static final int OR = 1;
    private static final int XOR = 2;
    private static final int NOT = 3;

    private static int operation(Arguments arguments) {
        if (arguments.is(1, "and")) {
            return AND;
        } else if (arguments.is(1, "or")) {
            return OR;
        } else if (arguments.is(1, "xor")) {
            return XOR;
        } else if (arguments.is(1, "not")) {
            return NOT;
        }
        throw RedisError.SYNTAX;
    }

    private static byte[] combine(int operation, byte[][] sources, int length) {
        byte[] result = Arrays.copyOf(sources[0], length);
        if (operation == NOT) {
            for (int i = 0; i < length; i++) {
                result[i] = (byte) ~result[i];
            }
        }
        for (int s = 1; s < sources.length; s++) {
            byte[] source = sources[s];
            switch (operation) {
                case AND -> {
                    for (int i = 0; i < source.length; i++) {
                        result[i] &= source[i];
                    }
                    Arrays.fill(result, source.length, length, (byte) 0);
                }
                case OR -> {
                    for (int i = 0; i < source.length; i++) {
                        result[i] |= source[i];
                    }
                }
                default -> {
                    for (int i = 0; i < source.length; i++) {
                        result[i] ^= source[i];
                    }
                }
            }
        }
        return result;
    }
}
