package io.loam.server.connection;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A connection that is ended at once: beyond maxclients, or from elsewhere in protected mode. */
@Name("io.loam.ConnectionRefused")
@Label("Connection Refused")
@Category("Loam")
@Description("A connection that is ended at once: beyond maxclients, or from elsewhere in protected mode")
@StackTrace(false)
final class ConnectionRefusedEvent extends Event {
    @Label("Client")
    String remoteAddress = "";

    @Label("Reason")
    String reason = "";
}
