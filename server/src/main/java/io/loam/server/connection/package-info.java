/**
 * Sockets: bytes to requests, replies to bytes.
 *
 * <pre>
 *   Transport ──binds──► Netty's event loops ──one each──► Worker        arrays and counters of one loop
 *       └──for TLS──► Tls ──a handler for each socket, before──┐
 *                              └──for each socket──► Connection ──► Session, RequestParser
 *                                                        └──► Outbox     messages from other threads
 * </pre>
 *
 * <p>A {@link io.loam.server.connection.Connection} is in one of three states. <i>Running</i>: what is read is parsed and run at once. <i>Away</i>: a command runs on a thread that may wait.
 * <i>Full</i>: the client does not take its replies. In the last two nothing is read and nothing is run; what had been read already waits.
 *
 * <p>I1. Replies leave in the order of the requests.
 * <br>I2. A connection's fields belong to its event loop; another thread has the session and a reply of its own while the connection is away.
 * <br>I3. Messages of channels leave between replies, in the order in which each publisher added them. What waits of them is bounded by {@code client-output-buffer-limit pubsub}; beyond it the connection ends.
 * <br>I4. A client that does not read costs at most the high-water mark, one command's reply and one read's bytes.
 * <br>I5. A client whose connection the server ends sees that, whatever the kernel is asked about its socket at that moment: {@link io.loam.server.connection.EndOfReading}.
 */
@NullMarked
package io.loam.server.connection;

import org.jspecify.annotations.NullMarked;
