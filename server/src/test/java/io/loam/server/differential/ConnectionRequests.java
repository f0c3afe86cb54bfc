package io.loam.server.differential;

/** Requests of the connection and server commands that have one right answer. */
final class ConnectionRequests implements RequestSource {

    @Override
    public Request next(Choice c) {
        return switch (c.below(13)) {
            case 0 -> Request.of("PING");
            case 1 -> Request.of("PING", c.value());
            case 2 -> Request.of("ECHO", c.value());
            case 3 -> Request.of("CLIENT", "SETNAME", c.of("worker", "a b", "", "naïve", "x1"));
            case 4 -> Request.of("CLIENT", c.anyCase("getname"));
            case 5 -> Request.of(c.of("NOSUCH", "get2", "x"), c.value(), c.value());
            case 6 -> Request.of("CLIENT", c.of("NOSUCH", "list2"), "x");
            case 7 -> Request.of(c.of("CLIENT", "CONFIG", "OBJECT", "ECHO", "AUTH", "SELECT"));
            case 8 -> Request.of("AUTH", "secret");
            case 9 -> Request.of("HELLO", c.of("1", "4", "x", "2147483648"));
            case 10 ->
                Request.of(
                        "COMMAND",
                        c.of("GETKEYS", "GETKEYSANDFLAGS"),
                        c.of("GET", "MSET", "BITOP", "PING", "NOPE"),
                        "a",
                        "b",
                        "c");
            case 11 -> Request.of("CONFIG", "GET", c.of("databases", "maxmemory-policy", "nosuch", "requirepass"));
            default -> Request.kindOf("TIME");
        };
    }
}
