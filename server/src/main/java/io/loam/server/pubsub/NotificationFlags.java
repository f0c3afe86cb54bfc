package io.loam.server.pubsub;

import io.loam.server.keyspace.KeyEvents;
import java.util.EnumSet;
import java.util.Set;

/**
 * Which events of keys become messages, and to which channels, as {@code notify-keyspace-events} says it.
 *
 * @param classes of events
 * @param byKey to the channel of the key: {@code K}
 * @param byEvent to the channel of the event: {@code E}
 */
public record NotificationFlags(Set<KeyEvents.Class> classes, boolean byKey, boolean byEvent) {

    /** What {@code A} stands for: all but what nobody wants by accident. */
    private static final Set<KeyEvents.Class> ALL =
            EnumSet.complementOf(EnumSet.of(KeyEvents.Class.NEW, KeyEvents.Class.MISSED));

    /** @throws IllegalArgumentException for a letter that means nothing */
    public static NotificationFlags parse(String text) {
        Set<KeyEvents.Class> classes = EnumSet.noneOf(KeyEvents.Class.class);
        for (int i = 0; i < text.length(); i++) {
            char letter = text.charAt(i);
            if (letter == 'A') {
                classes.addAll(ALL);
            } else if (letter != 'K' && letter != 'E') {
                classes.add(named(letter));
            }
        }
        return new NotificationFlags(classes, text.indexOf('K') >= 0, text.indexOf('E') >= 0);
    }

    private static KeyEvents.Class named(char letter) {
        for (KeyEvents.Class each : KeyEvents.Class.values()) {
            if (each.letter() == letter) {
                return each;
            }
        }
        throw new IllegalArgumentException("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
    }

    /** Whether there is anything to tell. */
    boolean tell() {
        return !classes.isEmpty() && (byKey || byEvent);
    }

    /** The normal form, in which Redis gives the flags back; it does not say {@code n} beside {@code A}. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        boolean all = classes.containsAll(ALL);
        if (all) {
            text.append('A');
        }
        for (KeyEvents.Class each : classes) {
            if (!all && each != KeyEvents.Class.MISSED) {
                text.append(each.letter());
            }
        }
        text.append(byKey ? "K" : "").append(byEvent ? "E" : "");
        return text.append(classes.contains(KeyEvents.Class.MISSED) ? "m" : "").toString();
    }
}
