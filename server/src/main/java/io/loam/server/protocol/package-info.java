/**
 * The Redis protocol, versions 2 and 3: bytes to arguments, replies to bytes. Knows no command.
 *
 * <pre>
 *   ByteBuf ──feed──► RequestParser ──fills──► Arguments      slices of the input
 *                          │ refuses: ProtocolException
 *   Reply ──take──► ByteBuf                                   what commands write
 *   Push                                                      what goes to a client unasked
 *   RedisError                                                what a command refuses with
 *   Numbers, Glob                                             texts as Redis reads them
 * </pre>
 *
 * <p>I1. A request is parsed once, however it is cut into pieces: no byte is looked at twice.
 * <br>I2. Memory is taken for bytes that have come, not for lengths that were announced.
 * <br>I3. An argument of more than {@link io.loam.server.protocol.RequestParser#LARGE_BYTES} is never on the Java heap as a whole, unless a command asks for it.
 * <br>I4. A reply can be taken back to where its command began as long as that command runs.
 */
@NullMarked
package io.loam.server.protocol;

import org.jspecify.annotations.NullMarked;
