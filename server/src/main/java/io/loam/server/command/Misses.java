package io.loam.server.command;

import io.loam.server.keyspace.KeyEvents;
import io.loam.server.protocol.Arguments;
import java.util.Set;

/** Tells which keys that a command is about to read are not there, for the flag {@code m} of notifications. Looks before the command runs and locks nothing: a hint, as in any cache. */
final class Misses {

    /** Writing commands that read their key first. */
    private static final Set<String> READING = Set.of("getset", "getdel", "getex");

    private Misses() {}

    static void tell(Session session, Command command, Arguments arguments) {
        if (!session.service().keyspace().isTelling(KeyEvents.Class.MISSED)) {
            return;
        }
        session.bindDatabase();
        for (KeySpec spec : command.keys()) {
            if (isRead(command, arguments, spec)) {
                for (int i = spec.first(); i <= spec.end(arguments); i += spec.step()) {
                    byte[] key = arguments.key(i);
                    if (!session.entries().contains(key)) {
                        session.happened(KeyEvents.Class.MISSED, "keymiss", key);
                    }
                }
            }
        }
    }

    private static boolean isRead(Command command, Arguments arguments, KeySpec spec) {
        if (command.is(Flag.READONLY)) {
            return !command.name().startsWith("object|");
        }
        if (!command.is(Flag.WRITE)) {
            return false;
        }
        if (command.name().equals("set")) {
            for (int i = 3; i < arguments.count(); i++) {
                if (arguments.is(i, "get")) {
                    return true;
                }
            }
            return false;
        }
        return READING.contains(command.name()) || spec.flags().contains("RO");
    }
}
