package io.loam.server.command;

import io.loam.server.pubsub.Subscriber;

/** What a session knows of its connection. All methods may be called by any thread. */
public interface Link extends Subscriber {

    /** Address and port of the client. */
    String remoteAddress();

    /** Address and port that the client connected to. */
    String localAddress();

    /** Ends the connection if too much has waited for too long to be sent, besides replies. */
    void checkOutput();

    /** Whether a command of the client runs or waits on another thread than its event loop. */
    boolean isAway();

    /** Notes it if the client has taken bytes since the last call, as activity. Called about once a second. */
    void checkProgress();

    /** Ends the connection after what was written has been sent. */
    void closeAfterReplies();

    /** Ends the connection now. */
    void close();

    /** Bytes held of requests that are not complete, wait, or run on another thread. */
    long inputBytes();

    /** Bytes that wait to be sent. */
    long outputBytes();
}
