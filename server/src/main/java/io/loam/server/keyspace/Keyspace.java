package io.loam.server.keyspace;

import io.loam.store.Namespace;
import io.loam.store.Store;
import io.loam.store.StoreFullException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The databases of a server, over one store. */
public final class Keyspace {

    static final Runnable NOTHING = () -> {};

    /** Where the server keeps what is not a key of a user: the order of the databases, and more by other types. */
    private static final String SERVER_NAMESPACE = "server";

    private static final int WATCHED = 1;

    private static final byte[] ORDER_KEY = "databases".getBytes(StandardCharsets.US_ASCII);

    private static final byte[] FLUSHING_KEY = "flushing".getBytes(StandardCharsets.US_ASCII);

    /** The most databases there ever were or will be. */
    private static final int MOST = 128;

    private final Store store;
    private final KeyLocks locks = new KeyLocks();
    private final Namespace server;
    /** By number; replaced as a whole. */
    private volatile Database[] databases;
    /** The places of the databases by number, of those too for which {@link #databases} has no room now; guarded by the locks of all stripes. */
    private byte[] order;

    private final Watches watches = new Watches();
    private volatile KeyEvents events = KeyEvents.NONE;
    /** Who is told of what: {@link #WATCHED}, and a bit for each class of events; 0 if nobody is. */
    private volatile int told;

    private int toldClasses;
    private int watchCount;
    private volatile Elements elements = Elements.NONE;
    private volatile boolean largeValues;

    /**
     * @param count how many databases
     * @throws IllegalArgumentException if the store has keys in a database of a higher number
     */
    public Keyspace(Store store, int count) {
        this.store = store;
        this.server = store.namespace(SERVER_NAMESPACE);
        this.order = order(server.get(ORDER_KEY), Math.max(count, placesUsed()));
        Database[] made = new Database[count];
        for (int i = 0; i < count; i++) {
            made[i] = new Database(this, order[i] == 0 ? store : store.namespace("db" + order[i]));
        }
        databases = made;
        byte[] flushing = server.get(FLUSHING_KEY);
        boolean goOn = flushing != null && flushing[0] != 0;
        for (int i = order.length - 1; i >= 0; i--) {
            Namespace entries = order[i] == 0 ? store : store.findNamespace("db" + order[i]);
            if (entries != null && goOn) {
                entries.clear(); // the process died in the midst of clearing all
            } else if (entries != null && i >= count) {
                checkEmpty(entries, i, count);
            }
        }
        noteFlushing(false); // at first too, so that there is room for it whenever it is wanted
    }

    /** A hidden key would take memory that nobody finds, and its elements would be taken for orphans. */
    private static void checkEmpty(Namespace entries, int number, int count) {
        long[] keys = {0};
        entries.forEach((key, view) -> keys[0]++);
        if (keys[0] > 0) {
            throw new IllegalArgumentException("databases is " + count + ", but database " + number + " holds "
                    + keys[0] + " keys; start with databases " + (number + 1)
                    + " or more, and FLUSHDB there what is not wanted any more");
        }
    }

    /** The place of a database by its namespace's name; below 0 for a namespace that is none. */
    private static int place(String namespace) {
        return namespace.isEmpty()
                ? 0
                : namespace.matches("db[1-9][0-9]{0,2}") ? Integer.parseInt(namespace.substring(2)) : -1;
    }

    /** One more than the highest place that has a namespace. */
    private int placesUsed() {
        return 1 + store.namespaces().stream().mapToInt(Keyspace::place).max().orElse(0);
    }

    /** The places of the databases 0 to {@code count - 1}, or more: each place once, those that the record names where it has them, the others ascending. */
    static byte[] order(byte @Nullable [] record, int count) {
        byte[] known = record == null ? new byte[0] : record;
        int length = Math.max(count, known.length);
        for (byte place : known) {
            length = Math.max(length, place + 1);
        }
        byte[] order = new byte[length];
        boolean[] taken = new boolean[MOST];
        for (int i = 0; i < length; i++) {
            boolean good = i < known.length && known[i] >= 0 && !taken[known[i]];
            order[i] = good ? known[i] : -1;
            if (good) {
                taken[known[i]] = true;
            }
        }
        int next = 0;
        for (int i = 0; i < length; i++) {
            if (order[i] < 0) {
                while (taken[next]) {
                    next++;
                }
                order[i] = (byte) next++;
            }
        }
        return order;
    }

    /** Removes every key of every database. Should the process die meanwhile the next one goes on with it. The caller has locked every stripe. */
    public void clearAll() {
        noteFlushing(true);
        for (Database database : databases) {
            database.clear();
        }
        noteFlushing(false);
    }

    private void noteFlushing(boolean flushing) {
        try {
            server.put(FLUSHING_KEY, new byte[] {(byte) (flushing ? 1 : 0)});
        } catch (StoreFullException e) {
            // with the update policy append it takes memory: then half of a flush that is cut off may stay
        }
    }

    public Store store() {
        return store;
    }

    public KeyLocks locks() {
        return locks;
    }

    /** How many databases there are. */
    public int count() {
        return databases.length;
    }

    /** How many keys there are in all databases. */
    public long keys() {
        long sum = 0;
        for (Database database : databases) {
            sum += database.entries().size();
        }
        return sum;
    }

    /** The database of a number from 0 on. */
    public Database database(int number) {
        return databases[number];
    }

    /** A namespace of the server's own. */
    public Namespace internal(String name) {
        return store.namespace("server." + name);
    }

    /** Exchanges two databases. The caller has locked every stripe. */
    public void swap(int first, int second) {
        watches.touchExchanged(
                first,
                second,
                key -> databases[first].entries().contains(key)
                        || databases[second].entries().contains(key));
        Database[] swapped = databases.clone();
        swapped[first] = databases[second];
        swapped[second] = databases[first];
        byte[] next = Arrays.copyOf(order, order.length);
        next[first] = order[second];
        next[second] = order[first];
        server.put(ORDER_KEY, next);
        order = next;
        databases = swapped;
    }

    // ---- what others are told

    /** From now on {@code events} is told of what is of these classes. */
    public synchronized void setEvents(KeyEvents events, Set<KeyEvents.Class> classes) {
        this.events = events;
        toldClasses = 0;
        classes.forEach(each -> toldClasses |= bit(each));
        updateTold();
    }

    private synchronized void countWatches(int delta) {
        watchCount += delta;
        updateTold();
    }

    private void updateTold() {
        told = toldClasses | (watchCount > 0 ? WATCHED : 0);
    }

    private static int bit(KeyEvents.Class eventClass) {
        return 2 << eventClass.ordinal();
    }

    /** Says that something happened to a key, under its lock. */
    public void happened(KeyEvents.Class eventClass, String event, int database, byte[] key) {
        int listening = told;
        if (listening == 0) {
            return;
        }
        if ((listening & WATCHED) != 0 && eventClass.isChange()) {
            watches.touch(database, key);
        }
        if ((listening & bit(eventClass)) != 0) {
            events.happened(eventClass, event, database, key);
        }
    }

    /** Whether anybody is told of events, so that keys are worth copying for them. */
    public boolean isTelling() {
        return told != 0;
    }

    /** Whether anybody is told of events of this class. */
    public boolean isTelling(KeyEvents.Class eventClass) {
        return (told & bit(eventClass)) != 0;
    }

    /** The number of a database by its namespace's name; below 0 for a namespace that is none. */
    public int number(String namespace) {
        Database[] present = databases;
        for (int i = 0; i < present.length; i++) {
            if (present[i].entries().name().equals(namespace)) {
                return i;
            }
        }
        return -1;
    }

    // ---- watching

    /** Watches a key whose stripe is locked. {@code keyHash} is what its lock goes by. */
    public Watch watch(int database, byte[] key, int keyHash) {
        Watch watch = new Watch(
                new Watch.Name(database, ByteBuffer.wrap(key)),
                keyHash,
                database(database).entries().version(key));
        watches.add(watch);
        countWatches(1);
        return watch;
    }

    public void unwatch(Watch watch) {
        watches.remove(watch);
        countWatches(-1);
    }

    /** Whether the key has changed since; its stripe is locked. */
    public boolean hasChanged(Watch watch) {
        return watch.isTouched()
                || database(watch.name().database())
                                .entries()
                                .version(watch.name().key().array())
                        != watch.version();
    }

    /** Takes over the elements of large values. */
    public void setElements(Elements elements) {
        this.elements = elements;
    }

    public Elements elements() {
        return elements;
    }

    /** Says that there is a large value, or will be soon: from now on headers are looked for before an entry is replaced. */
    public void noteLargeValues() {
        largeValues = true;
    }

    boolean hasLargeValues() {
        return largeValues;
    }

    byte[] bytes(MemorySegment key) {
        return key.toArray(ValueLayout.JAVA_BYTE);
    }
}
