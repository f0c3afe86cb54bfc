package io.loam.server.family;

import io.loam.server.command.Command;
import io.loam.server.command.CommandTable.Family;
import io.loam.server.command.Flag;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;

/** MONITOR: shows a client every command that the server runs. */
final class MonitorCommand {

    private MonitorCommand() {}

    static void register(Service service) {
        Family family = service.table().family("server", null);
        family.command("monitor", 1, "admin noscript loading stale")
                .docs("1.0.0", "O(1)", "Shows every command that the server runs.")
                .runs(MonitorCommand::monitor);
        service.addInterceptor(MonitorCommand::keepFromKeys);
        service.onEnd(service.monitors()::remove);
    }

    private static void monitor(Session session, Arguments arguments, Reply reply) {
        if (session.transaction().isRunning()) {
            throw new RedisError("ERR MONITOR isn't allowed for DENY BLOCKING client");
        }
        session.service().monitors().add(session);
        reply.ok();
    }

    private static boolean keepFromKeys(Session session, Command command, Arguments arguments, Reply reply) {
        if ((command.is(Flag.WRITE) || command.is(Flag.READONLY))
                && !session.service().monitors().isEmpty()
                && session.service().monitors().contains(session)) {
            throw new RedisError("ERR Replica can't interact with the keyspace");
        }
        return false;
    }
}
