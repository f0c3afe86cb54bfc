package io.loam.server.family;

import io.loam.server.access.Users;
import io.loam.server.command.Service;
import io.loam.server.watch.Watch;

/** All commands of the server. */
public final class Families {

    private Families() {}

    /**
     * Declares every command, closes the table, and makes the users.
     *
     * @throws IllegalArgumentException if the options rename what is not there, or have a user with a wrong rule
     */
    public static void register(Service service, Watch watch) {
        Users users = AccessCommands.register(service); // the first: what it refuses nobody else sees
        ConnectionCommands.register(service);
        ClientCommands.register(service);
        CommandCommands.register(service);
        ServerCommands.register(service, watch.rates());
        SlowLogCommands.register(service, watch.slowLog());
        LatencyCommands.register(service, watch.latencyMonitor());
        MemoryCommands.register(service);
        LoamCommands.register(service, watch.figures());
        KeyCommands.register(service);
        ExpiryCommands.register(service);
        DumpCommands.register(service);
        StringCommands.register(service);
        CounterCommands.register(service);
        LcsCommand.register(service);
        BitCommands.register(service);
        BitfieldCommands.register(service);
        HashCommands.register(service);
        PubSubCommands.register(service);
        MonitorCommand.register(service);
        TransactionCommands.register(service);
        service.options().renamedCommands().forEach(service.table()::rename);
        service.table().freeze();
        users.begin();
    }
}
