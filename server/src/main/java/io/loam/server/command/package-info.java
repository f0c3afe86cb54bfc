/**
 * Commands: their one table, what a connection's state is, and how a request is run.
 *
 * <pre>
 *   Connection ──request──► Dispatcher ──finds──► Command ◄──declares── Family (io.loam.server.family)
 *                               │                    └──runs──► Execution(Session, Arguments, Reply)
 *                               ├──asks──► Interceptor           may take a request for itself; the first: Authenticator
 *                               └──locks──► LockSet              the command's stripes
 *   CommandTable   name ──► Command; COMMAND, arity, flags, keys, categories come from it
 *   Session        a client: database, name, protocol, what it waits for, its Identity
 *   Transaction    what a client has queued by MULTI, and the keys it watches
 *   Monitors       clients that see every command
 *   ClientMemory   what clients take, and who has to go for it
 *   Throttle       what the log is spared
 *   Service        what all commands share
 * </pre>
 *
 * <p><b>A new command</b> is one declaration in its family, and a method. Its {@link io.loam.server.command.Isolation} follows from its flags and keys. The method reads from
 * {@link io.loam.server.keyspace.Database#entries} and writes by {@link io.loam.server.command.Session#put}, its keys being locked if it writes.
 *
 * <p><b>Never block an event loop.</b> A command that can take long says so in the table ({@code slow()}), or when it finds out, before it has changed anything, calls
 * {@link io.loam.server.command.Session#mustBeAllowedToWait}; both move it to a virtual thread and hold back the connection's next requests. A store without memory does the
 * same from inside of {@code put}. The command then runs again from its beginning, under the locks it had. So does one whose reply grows longer than
 * {@link io.loam.server.protocol.Reply#limit} allows on an event loop, and EXEC goes on from the command whose reply did. A request that is heavy by its size
 * ({@link io.loam.server.protocol.Arguments#isHeavy}) is moved before anybody looks at its arguments.
 *
 * <p><b>Transactions.</b> The dispatcher queues a command instead of running it while the session's {@link io.loam.server.command.Transaction} is open. EXEC is isolated by the stripes of all
 * keys involved, MANY, and executes each command by {@link io.loam.server.command.Dispatcher#executeNested}; nobody sees a part of it.
 *
 * <p>I1. A command that is moved has changed nothing, or changes it to the same again. One that changes something and replies something else the second time (UNSUBSCRIBE) asks to be moved before that if its reply may be long.
 * <br>I2. A command's reply is complete or taken back; an error is the whole of it.
 * <br>I3. A session runs one command at a time, whatever threads it runs on; they hand it over by happens-before edges of the executor and the event loop.
 */
@NullMarked
package io.loam.server.command;

import org.jspecify.annotations.NullMarked;
