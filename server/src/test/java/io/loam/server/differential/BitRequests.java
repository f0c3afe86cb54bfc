package io.loam.server.differential;

import java.util.ArrayList;
import java.util.List;

/** Requests of the bit commands. */
final class BitRequests implements RequestSource {

    @Override
    public Request next(Choice c) {
        return switch (c.below(8)) {
            case 0 -> Request.of("SETBIT", c.key(), c.integer(0, 200), c.oneIn(10) ? c.integer(-2, 3) : c.below(2));
            case 1 -> Request.of("GETBIT", c.key(), c.integer(0, 200));
            case 2 -> Request.of(range(c, "BITCOUNT", c.key()));
            case 3, 4 -> Request.of(range(c, "BITPOS", c.key(), c.oneIn(10) ? c.integer(-2, 3) : c.below(2)));
            case 5 ->
                c.oneIn(3)
                        ? Request.of("BITOP", c.of("NOT", "not", "BAD"), c.key(), c.key())
                        : Request.of("BITOP", c.of("AND", "or", "XOR", "NOT"), c.key(), c.key(), c.key(), "nokey");
            default -> bitfield(c);
        };
    }

    private static Object[] range(Choice c, Object... words) {
        List<Object> all = new ArrayList<>(List.of(words));
        int count = c.below(4);
        if (count > 0) {
            all.add(c.integer(-20, 20));
        }
        if (count > 1) {
            all.add(c.integer(-20, 20));
        }
        if (count > 2) {
            all.add(c.of("BYTE", "BIT", "bit", "BAD"));
        }
        return all.toArray();
    }

    private static Request bitfield(Choice c) {
        boolean onlyReads = c.oneIn(4);
        List<Object> words = new ArrayList<>(List.of(onlyReads ? "BITFIELD_RO" : "BITFIELD", c.key()));
        for (int i = c.below(4); i >= 0; i--) {
            String type = c.oneIn(15) ? c.of("u64", "i65", "x8", "u0", "i") : c.of("i", "u") + (1 + c.below(63));
            String offset = (c.oneIn(3) ? "#" : "") + c.integer(0, 100);
            switch (c.below(onlyReads ? 2 : 5)) {
                case 0, 1 -> words.addAll(List.of("GET", type, offset));
                case 2 -> words.addAll(List.of("SET", type, offset, c.integer(-300, 300)));
                case 3 -> words.addAll(List.of("INCRBY", type, offset, c.integer(-300, 300)));
                default -> words.addAll(List.of("OVERFLOW", c.oneIn(10) ? "BAD" : c.of("WRAP", "SAT", "FAIL")));
            }
        }
        return Request.of(words.toArray());
    }
}
