package io.loam.server.differential;

import java.util.List;

/** Requests of the string commands. */
final class StringRequests implements RequestSource {

    @Override
    public Request next(Choice c) {
        return switch (c.below(26)) {
            case 0, 1 -> Request.of("GET", c.key());
            case 2 -> Request.of("SET", c.key(), c.value());
            case 3, 4, 5 -> Request.of(c.withOptions(List.of("SET", c.key(), c.value()), options(c)));
            case 6 -> Request.of("SETNX", c.key(), c.value());
            case 7 -> Request.of(c.anyCase("setex"), c.key(), c.time(200, 9000), c.value());
            case 8 -> Request.of("PSETEX", c.key(), c.time(200_000, 9_000_000), c.value());
            case 9 -> Request.of("GETSET", c.key(), c.value());
            case 10 -> Request.of("GETDEL", c.key());
            case 11, 12 -> Request.of(c.withOptions(List.of("GETEX", c.key()), expiryOptions(c)));
            case 13 -> Request.of("MGET", c.key(), c.key(), c.key(), "nokey");
            case 14 ->
                c.oneIn(6)
                        ? Request.of("MSET", c.key(), c.value(), c.key())
                        : Request.of("MSET", c.key(), c.value(), c.key(), c.value(), c.key(), c.value());
            case 15 ->
                Request.of("MSETNX", c.key(), c.value(), c.oneIn(2) ? "other" + c.below(50) : c.key(), c.value());
            case 16 -> Request.of("APPEND", c.key(), c.value());
            case 17 -> Request.of("STRLEN", c.key());
            case 18 -> Request.of(c.of("GETRANGE", "SUBSTR"), c.key(), c.integer(-12, 12), c.integer(-12, 12));
            case 19 -> Request.of("SETRANGE", c.key(), c.integer(-2, 30), c.value());
            case 20 -> Request.of(c.of("INCR", "DECR"), c.key());
            case 21 -> Request.of(c.of("INCRBY", "DECRBY"), c.key(), c.integer(-1000, 1000));
            case 22 -> Request.of("INCRBYFLOAT", c.key(), c.decimal());
            case 23 ->
                c.oneIn(2) ? Request.of("SET", c.key(), c.decimal()) : Request.of("SET", c.key(), c.integer(-9, 9));
            case 24 ->
                Request.of(c.withOptions(
                        List.of("LCS", c.key(), c.key()),
                        List.of(
                                List.of("LEN"),
                                List.of("IDX"),
                                List.of("WITHMATCHLEN"),
                                List.of("MINMATCHLEN", c.integer(0, 5)))));
            default -> Request.of(c.of("GET", "SET", "INCRBYFLOAT", "GETRANGE", "LCS", "SETEX", "MSETNX"), c.key());
        };
    }

    private static List<List<Object>> options(Choice c) {
        return List.of(
                List.of(c.anyCase("nx")),
                List.of("XX"),
                List.of("GET"),
                List.of("KEEPTTL"),
                List.of("EX", c.time(100, 9000)),
                List.of("PX", c.time(100_000, 9_000_000)),
                List.of("EXAT", c.time(2_000_000_000, 2_100_000_000)),
                List.of("PXAT", "2000000000" + (100 + c.below(900))),
                List.of(c.of("EX", "BAD", "PERSIST")));
    }

    private static List<List<Object>> expiryOptions(Choice c) {
        return List.of(
                List.of("PERSIST"),
                List.of("EX", c.time(100, 9000)),
                List.of("PX", c.time(100_000, 9_000_000)),
                List.of(c.anyCase("exat"), c.oneIn(3) ? "1000" : "2000000000"),
                List.of("PXAT", c.oneIn(3) ? "1000" : "2000000000000"),
                List.of(c.of("EX", "BAD", "KEEPTTL")));
    }
}
