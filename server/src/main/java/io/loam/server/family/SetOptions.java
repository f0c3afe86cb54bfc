package io.loam.server.family;

import io.loam.server.command.Session;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.RedisError;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.PutOptions.Condition;
import org.jspecify.annotations.Nullable;

/**
 * What follows key and value in SET.
 *
 * @param put conditions and expiry
 * @param get whether the old value is wanted
 */
record SetOptions(PutOptions put, boolean get) {

    /** How an option gives the time when a key expires. */
    enum Unit {
        EX(true, false),
        PX(false, false),
        EXAT(true, true),
        PXAT(false, true);

        private final boolean seconds;
        private final boolean absolute;

        Unit(boolean seconds, boolean absolute) {
            this.seconds = seconds;
            this.absolute = absolute;
        }
    }

    /**
     * The options of SET and GETEX about expiry.
     *
     * @param unit null: no time is given
     * @param index the argument that has the time
     */
    record Expiry(@Nullable Unit unit, int index, boolean persists, Arguments arguments) {

        boolean isSet() {
            return unit != null;
        }

        boolean isAbsolute() {
            return unit != null && unit.absolute;
        }

        /** When the key expires, {@link Namespace#NEVER} if no time was given. */
        long atMillis(Session session, String command) {
            Unit given = unit;
            if (given == null) {
                return Namespace.NEVER;
            }
            return expiry(session, arguments.integer(index), given.seconds, !given.absolute, command);
        }
    }

    static SetOptions ofSet(Session session, Arguments arguments) {
        Condition condition = Condition.ALWAYS;
        boolean get = false;
        boolean keep = false;
        Unit unit = null;
        int index = 0;
        for (int i = 3; i < arguments.count(); i++) {
            Unit named = unit(arguments, i);
            if (arguments.is(i, "nx") && condition != Condition.PRESENT) {
                condition = Condition.ABSENT;
            } else if (arguments.is(i, "xx") && condition != Condition.ABSENT) {
                condition = Condition.PRESENT;
            } else if (arguments.is(i, "get")) {
                get = true;
            } else if (arguments.is(i, "keepttl") && unit == null) {
                keep = true;
            } else if (named != null && !keep && (unit == null || unit == named) && i + 1 < arguments.count()) {
                unit = named;
                index = ++i;
            } else {
                throw RedisError.SYNTAX;
            }
        }
        PutOptions put = PutOptions.DEFAULT.withCondition(condition);
        if (keep) {
            put = put.keepingExpiry();
        } else if (unit != null) {
            put = put.expiringAt(new Expiry(unit, index, false, arguments).atMillis(session, "set"));
        }
        return new SetOptions(put, get);
    }

    /** What GETEX has from argument {@code from} on. */
    static Expiry parseExpiry(Arguments arguments, int from) {
        Unit unit = null;
        int index = 0;
        boolean persists = false;
        for (int i = from; i < arguments.count(); i++) {
            Unit named = unit(arguments, i);
            if (arguments.is(i, "persist") && unit == null) {
                persists = true;
            } else if (named != null && !persists && (unit == null || unit == named) && i + 1 < arguments.count()) {
                unit = named;
                index = ++i;
            } else {
                throw RedisError.SYNTAX;
            }
        }
        return new Expiry(unit, index, persists, arguments);
    }

    private static @Nullable Unit unit(Arguments arguments, int index) {
        if (arguments.is(index, "ex")) {
            return Unit.EX;
        } else if (arguments.is(index, "px")) {
            return Unit.PX;
        } else if (arguments.is(index, "exat")) {
            return Unit.EXAT;
        } else if (arguments.is(index, "pxat")) {
            return Unit.PXAT;
        }
        return null;
    }

    /**
     * When a key expires.
     *
     * @param relative whether {@code time} counts from now
     * @throws RedisError if that is not a time in the future of 1970
     */
    static long expiry(Session session, long time, boolean seconds, boolean relative, String command) {
        if (time <= 0 || (seconds && time > Long.MAX_VALUE / 1000)) {
            throw invalid(command);
        }
        long millis = seconds ? time * 1000 : time;
        long at = relative ? millis + session.service().nowMillis() : millis;
        if (at <= 0) {
            throw invalid(command);
        }
        return at;
    }

    static RedisError invalid(String command) {
        return new RedisError("ERR invalid expire time in '" + command + "' command");
    }
}
