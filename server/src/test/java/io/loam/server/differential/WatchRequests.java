package io.loam.server.differential;

/** Requests of SLOWLOG, LATENCY and MEMORY that have one right answer. */
final class WatchRequests implements RequestSource {

    @Override
    public Request next(Choice c) {
        return switch (c.below(12)) {
            case 0 -> Request.of("SLOWLOG", "GET", c.of("-2", "abc", "1.5", "", "9223372036854775808"));
            case 1 -> Request.of("SLOWLOG", c.of("LEN", "RESET"), "x");
            case 2 -> Request.of("SLOWLOG", c.anyCase("reset"));
            case 3 -> Request.of(c.of("SLOWLOG", "LATENCY", "MEMORY"), c.of("nosuch", "x y", ""), c.value());
            case 4 -> Request.of("LATENCY", "LATEST");
            case 5 -> Request.of("LATENCY", "HISTORY", c.of("command", "fast-command", "fork", ""));
            case 6 -> Request.of("LATENCY", "RESET", c.of("command", "nosuch"), "fork");
            case 7 -> Request.of("LATENCY", "HISTOGRAM", c.of("nosuch", "x|y", "zadd"));
            case 8 -> Request.kindOf("MEMORY", "USAGE", c.key(), "SAMPLES", c.of("0", "5"));
            case 9 -> Request.of("MEMORY", "USAGE", "nosuch", c.of("SAMPLES", "OTHER"), c.of("-1", "x"));
            case 10 -> Request.kindOf("MEMORY", c.of("DOCTOR", "STATS"));
            default ->
                Request.of(
                        "CONFIG",
                        "SET",
                        c.of("slowlog-max-len", "latency-tracking-info-percentiles"),
                        c.of("-1", "abc", "1 x", "101"));
        };
    }
}
