package io.loam.server.differential;

import java.util.List;

/** Requests of the commands on keys, expiry and databases. */
final class KeyRequests implements RequestSource {

    @Override
    public Request next(Choice c) {
        return switch (c.below(22)) {
            case 0 -> Request.of("DEL", c.key(), c.key());
            case 1 -> Request.of("UNLINK", c.key());
            case 2 -> Request.of(c.of("EXISTS", "TOUCH"), c.key(), c.key(), c.key());
            case 3 -> Request.of("TYPE", c.key());
            case 4 -> Request.of(c.of("RENAME", "RENAMENX"), c.key(), c.key());
            case 5 -> Request.of("MOVE", c.key(), c.integer(0, 3));
            case 6, 7 ->
                Request.of(c.withOptions(
                        List.of("COPY", c.key(), c.key()),
                        List.of(List.of("REPLACE"), List.of("DB", c.integer(0, 3)), List.of("BAD"))));
            case 8 ->
                Request.unordered("KEYS", c.of("*", "k*", "k[1-3]", "?2", "nothing", "k\\1", "[^k]*", "*1*", "k?"));
            case 9, 10 ->
                Request.of(c.withOptions(
                        List.of(c.anyCase("expire"), c.key(), c.oneIn(8) ? -c.below(9) : c.time(100, 9000)),
                        conditions()));
            case 11 -> Request.of(c.withOptions(List.of("PEXPIRE", c.key(), c.time(100_000, 9_000_000)), conditions()));
            case 12 ->
                Request.of(c.withOptions(
                        List.of("EXPIREAT", c.key(), c.oneIn(8) ? "1000" : c.time(2_000_000_000, 2_000_000_999)),
                        conditions()));
            case 13 ->
                Request.of(c.withOptions(
                        List.of("PEXPIREAT", c.key(), "2000000000" + (100 + c.below(900))), conditions()));
            case 14 -> Request.about(30, "TTL", c.key());
            case 15 -> Request.about(30_000, "PTTL", c.key());
            case 16 -> Request.about(30, c.of("EXPIRETIME"), c.key());
            case 17 -> Request.about(30_000, "PEXPIRETIME", c.key());
            case 18 -> Request.of("PERSIST", c.key());
            case 19 -> c.oneIn(3) ? Request.of("SELECT", c.integer(0, 3)) : Request.of("DBSIZE");
            case 20 ->
                c.oneIn(4)
                        ? Request.of(c.of("FLUSHDB", "FLUSHALL"), c.of("SYNC", "ASYNC", "BAD"))
                        : Request.of("SWAPDB", c.integer(0, 3), c.integer(0, 3));
            default ->
                Request.of(
                        c.of("OBJECT", "RANDOMKEY", "EXPIRE", "SCAN", "COPY", "TTL"),
                        c.of("BAD", "nokey"),
                        c.of("bad", "1"));
        };
    }

    private static List<List<Object>> conditions() {
        return List.of(List.of("NX"), List.of("XX"), List.of("GT"), List.of("LT"), List.of("gt"), List.of("BAD"));
    }
}
