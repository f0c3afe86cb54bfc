package io.loam.server.access;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** What was refused, the newest first. A refusal that is like one of the latest is counted, not kept again, if that was within a minute. */
public final class AccessLog {

    private static final long ONE_ENTRY_MILLIS = 60_000;
    /** How many entries are looked at, so that a long log makes no refusal slow. */
    private static final int LOOKED_AT = 10;

    private final ArrayDeque<Entry> entries = new ArrayDeque<>();

    /**
     * A refusal.
     *
     * @param reason {@code auth}, {@code command}, {@code key} or {@code channel}
     * @param context {@code toplevel} or {@code multi}
     * @param object what was refused: the command, key or channel
     * @param client as CLIENT LIST describes it
     */
    public record Entry(
            long count, String reason, String context, String object, String user, String client, long atMillis) {

        private boolean isLike(Entry other) {
            return reason.equals(other.reason)
                    && context.equals(other.context)
                    && object.equals(other.object)
                    && user.equals(other.user)
                    && Math.abs(atMillis - other.atMillis) <= ONE_ENTRY_MILLIS;
        }
    }

    synchronized void add(Entry entry, long most) {
        long count = entry.count();
        Iterator<Entry> old = entries.iterator();
        for (int i = 0; i < LOOKED_AT && old.hasNext(); i++) {
            Entry each = old.next();
            if (each.isLike(entry)) {
                old.remove();
                count += each.count();
                break;
            }
        }
        entries.addFirst(
                new Entry(count, entry.reason, entry.context, entry.object, entry.user, entry.client, entry.atMillis));
        while (entries.size() > most) {
            entries.removeLast();
        }
    }

    /** The newest entries, at most so many. */
    public synchronized List<Entry> newest(long most) {
        List<Entry> newest = new ArrayList<>();
        for (Entry entry : entries) {
            if (newest.size() >= most) {
                break;
            }
            newest.add(entry);
        }
        return newest;
    }

    /** Forgets all. */
    public synchronized void clear() {
        entries.clear();
    }
}
