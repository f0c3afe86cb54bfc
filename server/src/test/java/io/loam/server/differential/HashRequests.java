package io.loam.server.differential;

import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Many;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Requests of the hash commands. Few fields, so that hashes come and go, and limits at which they become large. */
final class HashRequests implements RequestSource {

    @Override
    public Request next(Choice c) {
        return switch (c.below(26)) {
            case 0, 1, 2 -> Request.of("HSET", c.key(), field(c), value(c));
            case 3, 4, 5 -> Request.of(pairs(c, c.of("HSET", "HMSET", "hset")));
            case 6 -> Request.of("HSETNX", c.key(), field(c), value(c));
            case 7, 8 -> Request.of("HGET", c.key(), field(c));
            case 9 -> Request.of("HMGET", c.key(), field(c), field(c), field(c));
            case 10 -> Request.unordered("HGETALL", c.key());
            case 11 -> Request.unordered(c.of("HKEYS", "HVALS"), c.key());
            case 12, 13 -> Request.of("HDEL", c.key(), field(c), field(c));
            case 14 -> Request.of("HDEL", c.key(), field(c));
            case 15 -> Request.of("HEXISTS", c.key(), field(c));
            case 16 -> Request.of("HLEN", c.key());
            case 17 -> Request.of("HSTRLEN", c.key(), field(c));
            case 18 -> Request.of("HINCRBY", c.key(), field(c), c.integer(-500, 500));
            case 19 -> Request.of("HINCRBYFLOAT", c.key(), field(c), c.decimal());
            case 20 -> Request.of("CONFIG", "SET", "hash-max-listpack-entries", c.of("6", "6", "12", "128", "0"));
            case 21 -> encoding(c.key());
            case 22 -> random(c);
            case 23 -> scan(c);
            case 24 -> Request.of(c.of("HSET", "HGET", "HDEL", "HSCAN", "HINCRBY", "HMGET"), c.key());
            default -> Request.unordered("SCAN", "0", "COUNT", "1000", "TYPE", c.of("hash", "string", "HASH", "bad"));
        };
    }

    /** OBJECT ENCODING, compared for hashes: strings say raw or embstr by their history. */
    static Request encoding(String key) {
        return new Request(
                Request.of("OBJECT", "ENCODING", key).words(),
                (expected, actual) -> expected.equals(actual) || (isOfString(expected) && isOfString(actual)));
    }

    private static boolean isOfString(Value encoding) {
        return encoding instanceof Bulk bulk && Set.of("raw", "embstr", "int").contains(bulk.text());
    }

    private static String field(Choice c) {
        return "f" + c.below(16);
    }

    private static Object value(Choice c) {
        return c.oneIn(10) ? "x".repeat(60 + c.below(9)) : c.value();
    }

    private static Object[] pairs(Choice c, String command) {
        List<Object> words = new ArrayList<>(List.of(command, c.key()));
        for (int i = c.below(8); i >= 0; i--) {
            words.add(field(c));
            words.add(value(c));
        }
        if (c.oneIn(15)) {
            words.removeLast();
        }
        return words.toArray();
    }

    private static Request random(Choice c) {
        return switch (c.below(6)) {
            case 0 -> Request.kindOf("HRANDFIELD", c.key());
            case 1 -> Request.unordered("HRANDFIELD", c.key(), "100");
            case 2 -> Request.unordered("HRANDFIELD", c.key(), "100", c.anyCase("withvalues"));
            case 3 -> sameSize("HRANDFIELD", c.key(), c.integer(-9, 9));
            case 4 -> sameSize("HRANDFIELD", c.key(), c.integer(-9, 9), "WITHVALUES");
            default ->
                Request.of(
                        "HRANDFIELD",
                        c.key(),
                        c.of("-9223372036854775808", "x", "5000000000000000000", "0"),
                        c.of("WITHVALUES", "bad"));
        };
    }

    /** As many elements, each of as many. */
    private static Request sameSize(Object... words) {
        Request exact = Request.of(words);
        return new Request(
                exact.words(),
                (expected, actual) -> expected instanceof Many e
                        ? actual instanceof Many a
                                && e.kind() == a.kind()
                                && e.values().size() == a.values().size()
                                && (e.values().isEmpty()
                                        || !(e.values().getFirst() instanceof Many pair)
                                        || (a.values().getFirst() instanceof Many other
                                                && other.values().size()
                                                        == pair.values().size()))
                        : expected.equals(actual));
    }

    private static Request scan(Choice c) {
        return switch (c.below(4)) {
            case 0 -> Request.unordered("HSCAN", c.key(), "0", "COUNT", "1000");
            case 1 ->
                Request.unordered("HSCAN", c.key(), "0", "COUNT", "1000", "MATCH", c.of("f1*", "*", "f[2-4]", "x"));
            case 2 ->
                Request.of("HSCAN", c.key(), c.of("x", "", "0"), c.of("COUNT", "TYPE", "BAD"), c.of("0", "hash", "x"));
            default -> Request.of("HSCAN", c.of("nokey", "none"), "0", "BAD");
        };
    }
}
