/**
 * Channels, who listens to them, and what happens to keys as messages.
 *
 * <pre>
 *   PUBLISH ──► Channels ──Push──► Subscriber (a connection)
 *                  ▲   └──by channel, pattern, shard channel──► arrays of Subscribers
 *   keyspace ──► Notifications ◄── which of them: NotificationFlags
 *   Subscriptions    what one client listens to
 * </pre>
 *
 * <p><b>Publishing</b> looks up an array that is never changed, only replaced, and puts the message, made once, into the queue of each connection in it. Nothing is locked and nothing is
 * waited for; each connection's event loop sends what its queue holds. So one publisher's messages reach a subscriber in their order, and a subscriber that does not read costs its
 * queue, which has a limit.
 *
 * <p><b>Events of keys</b> are put into the queues under the lock of the key's stripe, so that a key's events come in the order of its changes. What the store itself notices, expiry and
 * eviction, comes from its threads, in no order with commands but its own.
 *
 * <p>I1. A subscriber gets no message of a channel before the reply that confirms the subscription: its queue waits for the reply of the command that runs.
 * <br>I2. It gets none after the reply that confirms the end of the subscription: what was queued meanwhile is dropped when its turn comes.
 * <br>I3. A client whose connection has ended is in no array.
 */
@NullMarked
package io.loam.server.pubsub;

import org.jspecify.annotations.NullMarked;
