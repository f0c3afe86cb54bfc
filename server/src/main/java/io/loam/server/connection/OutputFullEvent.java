package io.loam.server.connection;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A client does not take what is sent to it: nothing more is read from it until it does, or it is disconnected. */
@Name("io.loam.OutputFull")
@Label("Output Full")
@Category("Loam")
@Description(
        "A client does not take what is sent to it: nothing more is read from it until it does, or it is disconnected")
@StackTrace(false)
final class OutputFullEvent extends Event {
    @Label("Client")
    String remoteAddress = "";

    @Label("Bytes that wait")
    @DataAmount
    long waitingBytes;

    @Label("Disconnected")
    @Description("Whether client-output-buffer-limit was exceeded")
    boolean disconnected;
}
