package io.loam.server.watch;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** A command took longer than slowlog-log-slower-than. */
@Name("io.loam.SlowCommand")
@Label("Slow Command")
@Category("Loam")
@Description("A command that took longer than slowlog-log-slower-than")
@StackTrace(false)
final class SlowCommandEvent extends Event {
    @Label("Command")
    String command = "";

    @Label("Time")
    @Timespan(Timespan.NANOSECONDS)
    long nanos;

    @Label("Client")
    long client;

    @Label("Arguments")
    @DataAmount
    long argumentBytes;
}
