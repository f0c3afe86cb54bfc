/**
 * A server that speaks the Redis protocol over a store.
 *
 * <pre>
 *   LoamServer ──reads──► ServerOptions ──every──► Parameter          also CONFIG, the file, the command line
 *      ├──opens──► Store (io.loam.store)             ServerStore: in memory, or in the directory of the data
 *      ├──makes──► Service, CommandTable          command: what a request does
 *      │              ▲ filled by                 family: the commands, by group
 *      └──binds──► Transport ──► Connection       connection: bytes to requests, replies to bytes
 *                                    └──► RequestParser, Reply        protocol
 *   hash: the two forms of hashes       pubsub: channels and who listens to them
 *   watch: what is to be seen of it all keyspace: databases, types of entries, locks
 * </pre>
 *
 * <p><b>The way of a request.</b> An event loop reads what has come into a buffer, copies it once to an array of its own, parses and runs requests there one after the other, and writes all of their replies
 * to the connection at once. GET copies the value from the store into the array that is sent; SET hands the store a slice of the input. Several loops do so in parallel on the one store.
 *
 * <p><b>Settings.</b> A {@link io.loam.server.ConfigFile}, the command line and CONFIG SET all end in {@link io.loam.server.ServerOptions#setAll}, which changes all or none and tells who
 * has asked to be told; {@code Unsupported} knows what Redis has and this server has not.
 *
 * <p><b>Data that outlive the process</b> are the store and nothing else: what is to be known after a restart is in its namespaces (docs/encoding.md). A process may die between any two operations of the store. So each operation leaves what is
 * right for readers, and what is left over is found at the next start: the order of databases is one entry; a flush of all is announced first; elements without a header are swept.
 *
 * <p><b>Layers</b>, each knows those below: connection, family, watch, hash, access, command, pubsub, keyspace, protocol, store.
 */
@NullMarked
package io.loam.server;

import org.jspecify.annotations.NullMarked;
