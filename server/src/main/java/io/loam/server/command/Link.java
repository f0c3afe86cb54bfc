package io.loam.server.command;

import io.loam.server.protocol.Reply;
import java.util.function.Consumer;

/** What a session knows of its connection. All methods may be called by any thread. */
public interface Link {

    /** Address and port of the client. */
    String remoteAddress();

    /** Address and port that the client connected to. */
    String localAddress();

    /** Writes to the client out of turn: after the reply of the command that runs, if one does. */
    void send(Consumer<Reply> writer);

    /** Ends the connection after what was written has been sent. */
    void closeAfterReplies();

    /** Ends the connection now. */
    void close();

    /** Bytes held of requests that are not complete. */
    long inputBytes();

    /** Bytes that wait to be sent. */
    long outputBytes();
}
