package io.loam.server.connection;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A connection beyond maxclients. */
@Name("io.loam.ConnectionRefused")
@Label("Connection Refused")
@Category("Loam")
@Description("A connection beyond maxclients")
@StackTrace(false)
final class ConnectionRefusedEvent extends Event {
    @Label("Client")
    String remoteAddress = "";
}
