/**
 * The commands, grouped as Redis groups them; each class declares its commands in {@code register} and has a method for each.
 *
 * <pre>
 *   Families ──registers──► AccessCommands, ConnectionCommands, ClientCommands, CommandCommands, ServerCommands,
 *                           KeyCommands, ExpiryCommands, DumpCommands,
 *                           StringCommands, CounterCommands, BitCommands, BitfieldCommands, LcsCommand,
 *                           HashCommands, TransactionCommands, PubSubCommands, MonitorCommand,
 *                           SlowLogCommands, LatencyCommands, MemoryCommands, LoamCommands
 *   Strings       reads values of the type string
 *   InfoReport    the text of INFO
 * </pre>
 *
 * <p>What a command may do and when: the package {@link io.loam.server.command}. Errors and replies are Redis 7.0's, word for word; the differential test compares them.
 */
@NullMarked
package io.loam.server.family;

import org.jspecify.annotations.NullMarked;
