package io.loam.server.family;

import io.loam.server.command.Service;

/** All commands of the server. */
public final class Families {

    private Families() {}

    /** Declares every command, and closes the table. */
    public static void register(Service service) {
        ConnectionCommands.register(service);
        ClientCommands.register(service);
        CommandCommands.register(service);
        ServerCommands.register(service);
        KeyCommands.register(service);
        ExpiryCommands.register(service);
        DumpCommands.register(service);
        StringCommands.register(service);
        CounterCommands.register(service);
        LcsCommand.register(service);
        BitCommands.register(service);
        BitfieldCommands.register(service);
        HashCommands.register(service);
        service.table().freeze();
    }
}
