package io.loam.server.keyspace;

import io.loam.store.Namespace;
import io.loam.store.Store;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** The databases of a server, over one store. */
public final class Keyspace {

    static final Runnable NOTHING = () -> {};

    /** Where the server keeps what is not a key of a user: the order of the databases, and more by other types. */
    private static final String SERVER_NAMESPACE = "server";

    private static final byte[] ORDER_KEY = "databases".getBytes(StandardCharsets.US_ASCII);

    private final Store store;
    private final KeyLocks locks = new KeyLocks();
    private final Namespace server;
    /** By number; replaced as a whole. */
    private volatile Database[] databases;

    private volatile KeyEvents events = KeyEvents.NONE;
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

    public void setEvents(KeyEvents events) {
        this.events = events;
    }

    /** Says that something happened to a key, under its lock. */
    public void happened(KeyEvents.Class eventClass, String event, int database, byte[] key) {
        KeyEvents told = events;
        if (told != KeyEvents.NONE) {
            told.happened(eventClass, event, database, key);
        }
    }

    /** Whether anybody is told of events, so that keys are worth copying for them. */
    public boolean isTelling() {
        return events != KeyEvents.NONE;
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
