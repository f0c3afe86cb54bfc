package io.loam.server.pubsub;

import io.loam.server.keyspace.KeyEvents;
import io.loam.server.keyspace.Keyspace;
import io.loam.store.RemovalListener;
import java.nio.charset.StandardCharsets;
import java.util.Set;

/**
 * Makes messages of what happens to keys. The keyspace is asked for the classes of events that are wanted and no others; the store is listened to only if expiry or eviction is, for that costs it
 * a copy of every value that leaves.
 */
public final class Notifications implements KeyEvents {

    private final Keyspace keyspace;
    private final Channels channels;
    private final RemovalListener removals = this::removed;
    private volatile NotificationFlags flags = NotificationFlags.parse("");
    private boolean listening;

    public Notifications(Keyspace keyspace, Channels channels) {
        this.keyspace = keyspace;
        this.channels = channels;
    }

    /** From now on what these flags say is told. */
    public synchronized void set(NotificationFlags flags) {
        this.flags = flags;
        Set<KeyEvents.Class> classes = flags.tell() ? flags.classes() : Set.of();
        keyspace.setEvents(this, classes);
        boolean wanted = classes.contains(KeyEvents.Class.EXPIRED) || classes.contains(KeyEvents.Class.EVICTED);
        if (wanted && !listening) {
            keyspace.store().addListener(removals);
        } else if (!wanted && listening) {
            keyspace.store().removeListener(removals);
        }
        listening = wanted;
    }

    @Override
    public void happened(KeyEvents.Class eventClass, String event, int database, byte[] key) {
        if (channels.isEmpty()) {
            return;
        }
        NotificationFlags told = flags;
        byte[] name = bytes(event);
        if (told.byKey()) {
            byte[] prefix = bytes("__keyspace@" + database + "__:");
            byte[] channel = new byte[prefix.length + key.length];
            System.arraycopy(prefix, 0, channel, 0, prefix.length);
            System.arraycopy(key, 0, channel, prefix.length, key.length);
            channels.publish(channel, name);
        }
        if (told.byEvent()) {
            channels.publish(bytes("__keyevent@" + database + "__:" + event), key);
        }
    }

    private void removed(String namespace, byte[] key, byte[] value, RemovalListener.Cause cause) {
        if (cause != RemovalListener.Cause.EXPIRED && cause != RemovalListener.Cause.EVICTED) {
            return;
        }
        int database = keyspace.number(namespace);
        if (database >= 0) {
            boolean expired = cause == RemovalListener.Cause.EXPIRED;
            keyspace.happened(
                    expired ? KeyEvents.Class.EXPIRED : KeyEvents.Class.EVICTED,
                    expired ? "expired" : "evicted",
                    database,
                    key);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
