package io.loam.server.family;

import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.keyspace.ValueType;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;

/** LCS: the longest common subsequence of two strings. */
final class LcsCommand {

    /** Cells of the table above which it is not for an event loop: some 0.1 ms. */
    private static final long QUICK_CELLS = 64 << 10;
    /** The largest table, 4 bytes a cell. */
    private static final long MOST_CELLS = 16 << 20;

    private LcsCommand() {}

    static void register(Service service) {
        service.table()
                .family("string", "string")
                .command("lcs", -3, "readonly")
                .keys("RO access", 1, 1, 1)
                .docs("7.0.0", "O(N*M) in the lengths of the strings.", "Finds the longest common subsequence.")
                .runs(LcsCommand::lcs);
    }

    private record Options(boolean length, boolean ranges, boolean withLengths, long leastLength) {

        static Options parse(Arguments arguments) {
            boolean length = false;
            boolean ranges = false;
            boolean withLengths = false;
            long least = 0;
            for (int i = 3; i < arguments.count(); i++) {
                if (arguments.is(i, "idx")) {
                    ranges = true;
                } else if (arguments.is(i, "len")) {
                    length = true;
                } else if (arguments.is(i, "withmatchlen")) {
                    withLengths = true;
                } else if (arguments.is(i, "minmatchlen") && i + 1 < arguments.count()) {
                    least = Math.max(0, arguments.integer(++i));
                } else {
                    throw RedisError.SYNTAX;
                }
            }
            if (length && ranges) {
                throw new RedisError("ERR If you want both the length and indexes, please just use IDX.");
            }
            return new Options(length, ranges, withLengths, least);
        }
    }

    private static void lcs(Session session, Arguments arguments, Reply reply) {
        byte[] a;
        try {
            a = string(session, arguments.key(1));
        } catch (RedisError e) {
            session.found(session.entries().contains(arguments.key(2))); // both are looked for first
            throw e;
        }
        byte[] b = string(session, arguments.key(2));
        Options options = Options.parse(arguments);
        long cells = (a.length + 1L) * (b.length + 1L);
        if (cells > MOST_CELLS) {
            throw new RedisError("ERR Insufficient memory, failed allocating transient memory for LCS");
        }
        if (cells > QUICK_CELLS) {
            session.mustBeAllowedToWait();
        }
        int[] table = table(a, b);
        int length = table[table.length - 1];
        if (options.length) {
            reply.integer(length);
            return;
        }
        Reply ranges = reply.another();
        int[] count = {0};
        byte[] common = trace(a, b, table, length, options, ranges, count);
        if (!options.ranges) {
            reply.bulk(common);
            return;
        }
        reply.map(2);
        reply.bulk("matches");
        reply.array(count[0]);
        reply.append(ranges);
        reply.bulk("len");
        reply.integer(length);
    }

    private static byte[] string(Session session, byte[] key) {
        session.found();
        byte[] value = session.entries().read(key, view -> {
            if (view.type() != ValueType.STRING.bits()) {
                throw new RedisError("ERR The specified keys must contain string values");
            }
            session.aboutToCopy(view.length());
            return view.toByteArray();
        });
        if (value == null) {
            session.missed();
            return Strings.EMPTY;
        }
        return value;
    }

    private static int[] table(byte[] a, byte[] b) {
        int width = b.length + 1;
        int[] table = new int[(a.length + 1) * width];
        for (int i = 1; i <= a.length; i++) {
            for (int j = 1; j <= b.length; j++) {
                table[i * width + j] = a[i - 1] == b[j - 1]
                        ? table[(i - 1) * width + j - 1] + 1
                        : Math.max(table[(i - 1) * width + j], table[i * width + j - 1]);
            }
            if ((i & 0xFF) == 0) {
                Thread.yield();
            }
        }
        return table;
    }

    /** Goes back through the table; writes the ranges that match, from the last to the first. */
    private static byte[] trace(
            byte[] a, byte[] b, int[] table, int length, Options options, Reply ranges, int[] count) {
        int width = b.length + 1;
        byte[] common = new byte[length];
        int at = length;
        int i = a.length;
        int j = b.length;
        int run = 0; // the length of the match that begins at i, j
        while (i > 0 && j > 0) {
            if (a[i - 1] == b[j - 1]) {
                common[--at] = a[i - 1];
                run++;
                i--;
                j--;
            } else {
                count[0] += range(ranges, i, j, run, options);
                run = 0;
                if (table[(i - 1) * width + j] > table[i * width + j - 1]) {
                    i--;
                } else {
                    j--;
                }
            }
        }
        count[0] += range(ranges, i, j, run, options);
        return common;
    }

    private static int range(Reply ranges, int i, int j, int run, Options options) {
        if (run == 0 || run < options.leastLength || !options.ranges) {
            return 0;
        }
        ranges.array(options.withLengths ? 3 : 2);
        ranges.array(2);
        ranges.integer(i);
        ranges.integer(i + run - 1);
        ranges.array(2);
        ranges.integer(j);
        ranges.integer(j + run - 1);
        if (options.withLengths) {
            ranges.integer(run);
        }
        return 1;
    }
}
