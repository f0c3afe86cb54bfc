package io.loam.server.keyspace;

import io.loam.store.Namespace;
import io.loam.store.Store;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Set;

/** The databases of a server, over one store. */
public final class Keyspace {

    static final Runnable NOTHING = () -> {};

    /** Where the server keeps what is not a key of a user: the order of the databases, and more by other types. */
    private static final String SERVER_NAMESPACE = "server";

    private static final int WATCHED = 1;

    private static final byte[] ORDER_KEY = "databases".getBytes(StandardCharsets.US_ASCII);

    private final Store store;
    private final KeyLocks locks = new KeyLocks();
    private final Namespace server;
    /** By number; replaced as a whole. */
    private volatile Database[] databases;

    private final Watches watches = new Watches();
    private volatile KeyEvents events = KeyEvents.NONE;
    /** Who is told of what: {@link #WATCHED}, and a bit for each class of events; 0 if nobody is. */
    private volatile int told;

    private int toldClasses;
    private int watchCount;
    private volatile Elements elements = Elements.NONE;
    private volatile boolean largeValues;

    /** @param count how many databases */
    public Keyspace(Store store, int count) {
        this.store = store;
        this.server = store.namespace(SERVER_NAMESPACE);
        byte[] order = server.get(ORDER_KEY);
        Database[] made = new Database[count];
        for (int i = 0; i < count; i++) {
            int place = order != null && i < order.length ? order[i] : i;
            made[i] = new Database(this, place == 0 ? store : store.namespace("db" + place));
        }
        databases = made;
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
        byte[] order = new byte[swapped.length];
        for (int i = 0; i < order.length; i++) {
            String name = swapped[i].entries().name();
            order[i] = name.isEmpty() ? 0 : Byte.parseByte(name.substring(2));
        }
        server.put(ORDER_KEY, order);
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
