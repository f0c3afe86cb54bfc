package io.loam.server.command;

import io.loam.server.keyspace.Database;
import io.loam.server.keyspace.KeyEvents;
import io.loam.server.keyspace.ValueType;
import io.loam.server.protocol.Arguments;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.TryPut;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One client's state. Belongs to the thread that runs its command; what others look at (CLIENT LIST) may be a little old.
 */
public final class Session {

    /** What an event loop may copy in one command: some 0.1 ms. */
    private static final long QUICK_BYTES = 512 << 10;
    /** So many channels are left quickly. */
    private static final int QUICK_SUBSCRIPTIONS = 1_000;

    private final Service service;
    private final long id;
    private final Link link;
    private final LockSet locks;
    private final long connectedAtMillis;
    private final Activity activity = new Activity();
    private final Transaction transaction = new Transaction(this);

    private int number;
    private Database database;
    private int protocol = 2;
    private String clientName = "";
    private String libraryName = "";
    private String libraryVersion = "";
    /** Who changes a user's rules looks for his clients, on another thread. */
    private volatile Identity identity;

    private boolean authenticated;
    private ReplyMode replyMode = ReplyMode.ON;
    private boolean closing;
    private volatile boolean evictable = true;
    private volatile boolean evicted;
    private boolean mayWait;
    /** Bytes that the command has copied on an event loop. */
    private long copiedBytes;

    /** Keys that the command looked for to read them, those that were there in the low half; see {@link #found}. */
    private long lookups;

    private long refusals;
    private long lastActiveMillis;
    private @Nullable Command lastCommand;
    /** What families keep of a client; see {@link #state}. */
    private final Map<Class<?>, Object> states = new HashMap<>(2);

    /** Whether the client wants replies. */
    public enum ReplyMode {
        ON,
        OFF,
        /** Not that of the next command. */
        SKIP_NEXT,
        /** Not that of this command. */
        SKIP
    }

    public Session(Service service, long id, Link link) {
        this.service = service;
        this.id = id;
        this.link = link;
        this.locks = new LockSet(service.keyspace().locks());
        this.database = service.keyspace().database(0);
        this.connectedAtMillis = service.nowMillis();
        this.lastActiveMillis = connectedAtMillis;
        this.identity = service.authenticator().initial();
        this.authenticated = !service.authenticator().isRequired();
    }

    public Service service() {
        return service;
    }

    public long id() {
        return id;
    }

    public Link link() {
        return link;
    }

    LockSet locks() {
        return locks;
    }

    /** The client's transaction, open or not. */
    public Transaction transaction() {
        return transaction;
    }

    // ---- the database

    /** The selected database's number. */
    public int databaseNumber() {
        return number;
    }

    public void select(int database) {
        number = database;
    }

    /** The selected database. */
    public Database database() {
        return database;
    }

    /** The store's namespace of the selected database, to read from. */
    public Namespace entries() {
        return database.entries();
    }

    /** Binds the database for the next command, now that nobody can exchange it unnoticed. */
    void bindDatabase() {
        database = service.keyspace().database(number);
    }

    /** Whether the selected number still means the database of {@link #database}. */
    boolean isBound() {
        return service.keyspace().database(number) == database;
    }

    /**
     * Stores a value; the key's stripe is locked.
     *
     * @return the version, or {@link Namespace#ABSENT} if a condition did not hold
     * @throws Offload if there is no memory now, and this thread must not wait for it
     */
    public long put(MemorySegment key, MemorySegment value, PutOptions options) {
        boolean isNew = service.keyspace().isTelling(KeyEvents.Class.NEW)
                && !entries().contains(key.toArray(ValueLayout.JAVA_BYTE));
        long version = put(database, key, value, options);
        if (isNew && version != Namespace.ABSENT) {
            happened(KeyEvents.Class.NEW, "new", key.toArray(ValueLayout.JAVA_BYTE));
        }
        return version;
    }

    /** As {@link #put(MemorySegment, MemorySegment, PutOptions)}. */
    public long put(byte[] key, byte[] value, PutOptions options) {
        return put(MemorySegment.ofArray(key), MemorySegment.ofArray(value), options);
    }

    /**
     * Makes a key, in any database, instead of one of this name that may be there.
     *
     * @throws Offload if there is no memory now, and this thread must not wait for it
     */
    public void create(int databaseNumber, byte[] key, MemorySegment value, PutOptions options) {
        put(service.keyspace().database(databaseNumber), MemorySegment.ofArray(key), value, options);
        service.keyspace().happened(KeyEvents.Class.NEW, "new", databaseNumber, key);
    }

    /** As {@link #put(MemorySegment, MemorySegment, PutOptions)}, into another database; says nothing of a new key. */
    public long put(Database to, MemorySegment key, MemorySegment value, PutOptions options) {
        long version = to.put(key, value, options, mayWait);
        if (version == TryPut.WOULD_WAIT) {
            throw Offload.INSTANCE;
        }
        return version;
    }

    /** As {@link #put(MemorySegment, MemorySegment, PutOptions)}, for a value whose elements go on to belong to the key. */
    public long keep(Database to, MemorySegment key, MemorySegment value, PutOptions options) {
        long version = to.keep(key, value, options, mayWait);
        if (version == TryPut.WOULD_WAIT) {
            throw Offload.INSTANCE;
        }
        return version;
    }

    /** Stores an element of a large value, whose key is locked; exceptions as {@link #put(MemorySegment, MemorySegment, PutOptions)}. */
    public void putElement(Namespace elements, byte[] key, byte[] value) {
        if (mayWait) {
            elements.put(key, value);
        } else if (elements.tryPut(
                        MemorySegment.ofArray(key), MemorySegment.ofArray(value), PutOptions.DEFAULT, () -> {})
                == TryPut.WOULD_WAIT) {
            throw Offload.INSTANCE;
        }
    }

    /** Says that a value of so many bytes is to be copied: if that takes long, with what the command has copied before, not on an event loop. */
    public void aboutToCopy(long bytes) {
        copiedBytes += bytes;
        if (copiedBytes > QUICK_BYTES) {
            mustBeAllowedToWait();
        }
    }

    /** Called between the steps of what takes long: lets others have the processor, now and then. */
    public void pace(int step) {
        if (mayWait && (step & 127) == 127) {
            Thread.yield();
        }
    }

    /** The type of a key's value, or null when it is absent. */
    public @Nullable ValueType type(byte[] key) {
        return database.type(key);
    }

    /** Tells who wants to know that something happened to the key in argument {@code index}. */
    public void happened(KeyEvents.Class eventClass, String event, Arguments arguments, int index) {
        if (service.keyspace().isTelling()) {
            happened(eventClass, event, arguments.bytes(index));
        }
    }

    /** As {@link #happened(KeyEvents.Class, String, Arguments, int)}. */
    public void happened(KeyEvents.Class eventClass, String event, byte[] key) {
        service.keyspace().happened(eventClass, event, number, key);
    }

    // ---- counting

    private static final long MISS = 1L << 32;

    /** Counts a key that the command reads as one that is there, before it is known. */
    public void found() {
        lookups++;
    }

    /** The key that was counted last is not there. */
    public void missed() {
        lookups += MISS - 1;
    }

    /** Counts a key that the command has read, and returns whether it is there. */
    public boolean found(boolean isThere) {
        lookups += isThere ? 1 : MISS;
        return isThere;
    }

    long lookups() {
        return lookups;
    }

    /** What was counted since then is counted again. */
    void setLookups(long before) {
        lookups = before;
    }

    /** Adds what was counted to the event loop's counters, by its thread. */
    public void countLookups(CommandCounters counters) {
        if (lookups != 0) {
            counters.looked(lookups & MISS - 1, lookups >>> 32);
            lookups = 0;
        }
    }

    // ---- waiting

    /** Whether this thread may wait. */
    public boolean mayWait() {
        return mayWait;
    }

    /** Before a command begins on a thread that may wait or may not. */
    void setMayWait(boolean mayWait) {
        this.mayWait = mayWait;
        copiedBytes = 0;
    }

    /**
     * Says that what follows takes long. Called before anything is changed.
     *
     * @throws Offload if this thread is an event loop's: the command begins again on another
     */
    public void mustBeAllowedToWait() {
        if (!mayWait) {
            throw Offload.INSTANCE;
        }
    }

    // ---- who the client is

    public int protocol() {
        return protocol;
    }

    public void setProtocol(int protocol) {
        this.protocol = protocol;
    }

    public String clientName() {
        return clientName;
    }

    public void setClientName(String clientName) {
        this.clientName = clientName;
    }

    public String libraryName() {
        return libraryName;
    }

    public void setLibraryName(String libraryName) {
        this.libraryName = libraryName;
    }

    public String libraryVersion() {
        return libraryVersion;
    }

    public void setLibraryVersion(String libraryVersion) {
        this.libraryVersion = libraryVersion;
    }

    /** The name of {@link #identity}. */
    public String user() {
        return identity.name();
    }

    /** Who the client is; the default user if it has not said. */
    public Identity identity() {
        return identity;
    }

    /** Whether the client has said who it is, or need not. */
    public boolean isAuthenticated() {
        return authenticated || !service.authenticator().isRequired();
    }

    /** Makes the client this user. */
    public void authenticate(Identity user) {
        this.identity = user;
        this.authenticated = true;
    }

    public ReplyMode replyMode() {
        return replyMode;
    }

    public void setReplyMode(ReplyMode replyMode) {
        this.replyMode = replyMode;
    }

    /** Whether the connection ends after the replies that are written. */
    public boolean isClosing() {
        return closing;
    }

    public void closeAfterReply() {
        closing = true;
    }

    /** As a connection that has just been made, but for its id. */
    public void reset() {
        service.reset(this);
        number = 0;
        protocol = 2;
        clientName = "";
        replyMode = ReplyMode.ON;
        identity = service.authenticator().initial();
        authenticated = !service.authenticator().isRequired();
    }

    /** Bytes that the client takes besides the store, about. Any thread may ask. */
    public long memoryBytes() {
        return link.inputBytes()
                + link.outputBytes()
                + activity.queuedBytes
                + activity.watchedBytes
                + activity.nameBytes;
    }

    /** Whether the client may be disconnected for the memory that all clients take. */
    public boolean isEvictable() {
        return evictable;
    }

    public void setEvictable(boolean evictable) {
        this.evictable = evictable;
    }

    /** Whether the client is being disconnected for the memory that it takes. */
    boolean isEvicted() {
        return evicted;
    }

    void setEvicted() {
        evicted = true;
    }

    /** Whether it takes long to end the client's state. */
    public boolean isLarge() {
        return transaction.isLarge() || activity.subscriptions() > QUICK_SUBSCRIPTIONS;
    }

    /** How many requests were refused before their command ran: unknown, not in form, not allowed. */
    public long refusals() {
        return refusals;
    }

    /** A request was refused before its command ran. */
    void refused() {
        refusals++;
        transaction.flag();
    }

    /** What a family keeps of this client, made when first asked for. */
    public <T> T state(Class<T> type, Supplier<T> first) {
        return type.cast(states.computeIfAbsent(type, ignored -> first.get()));
    }

    /** As {@link #state(Class, Supplier)}, but null if there is none. */
    public <T> @Nullable T stateOrNull(Class<T> type) {
        return states.isEmpty() ? null : type.cast(states.get(type));
    }

    /** Forgets what {@link #state} has made. */
    public void dropState(Class<?> type) {
        states.remove(type);
    }

    // ---- for others

    /** What CLIENT LIST says of transactions and subscriptions; set by the families that have them. */
    public static final class Activity {
        private volatile int queued = -1;
        private volatile long queuedBytes;
        private volatile long watchedBytes;
        private volatile long nameBytes;
        private volatile int channels;
        private volatile int patterns;
        private volatile int shardChannels;

        /** Commands queued in MULTI; -1: not in a transaction. */
        public int queued() {
            return queued;
        }

        /** What they take. */
        public long queuedBytes() {
            return queuedBytes;
        }

        public void setQueued(int count, long bytes) {
            queued = count;
            queuedBytes = bytes;
        }

        void setWatched(long bytes) {
            watchedBytes = bytes;
        }

        public int channels() {
            return channels;
        }

        public int patterns() {
            return patterns;
        }

        public int shardChannels() {
            return shardChannels;
        }

        public boolean isSubscribed() {
            return subscriptions() > 0;
        }

        int subscriptions() {
            return channels + patterns + shardChannels;
        }

        /** @param bytes what their names take */
        public void setSubscriptions(int channels, int patterns, int shardChannels, long bytes) {
            this.nameBytes = bytes;
            this.channels = channels;
            this.patterns = patterns;
            this.shardChannels = shardChannels;
        }
    }

    public Activity activity() {
        return activity;
    }

    public long connectedAtMillis() {
        return connectedAtMillis;
    }

    public long lastActiveMillis() {
        return lastActiveMillis;
    }

    public void touch(long nowMillis) {
        lastActiveMillis = nowMillis;
    }

    public @Nullable Command lastCommand() {
        return lastCommand;
    }

    void setLastCommand(Command command) {
        lastCommand = command;
    }
}
