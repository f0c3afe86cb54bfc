package io.loam.server.command;

import java.util.Locale;

/** What COMMAND says of a command. */
public enum Flag {
    WRITE,
    READONLY,
    DENYOOM,
    ADMIN,
    PUBSUB,
    NOSCRIPT,
    BLOCKING,
    LOADING,
    STALE,
    SKIP_MONITOR,
    SKIP_SLOWLOG,
    ASKING,
    FAST,
    NO_AUTH,
    MAY_REPLICATE,
    NO_MANDATORY_KEYS,
    NO_MULTI,
    ALLOW_BUSY;

    private final String redisName = name().toLowerCase(Locale.ROOT);

    /** As it is written in replies and declarations. */
    public String redisName() {
        return redisName;
    }
}
