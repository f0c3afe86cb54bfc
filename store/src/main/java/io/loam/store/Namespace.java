package io.loam.store;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A set of keys with values, one of several that share a store's memory. All operations are safe to call from any thread, platform
 * or virtual, and each is atomic and linearizable for its key; operations over several keys are atomic only in
 * {@link #transact}.
 *
 * <p><b>Keys</b> have 0 to {@link #MAX_KEY_BYTES} bytes. <b>Values</b> have 0 bytes to as many as the log holds. Both are copied in.
 *
 * <p><b>Versions.</b> Every write gives the key a version larger than all it had before, also across deletion, expiry and eviction.
 * Versions start at 1.
 *
 * <p><b>Expiry</b> is in milliseconds of wall-clock time since 1970, {@link #NEVER} for none. An expired key is absent for every
 * operation; {@link #size} and {@link StoreStats} may count it until it is swept.
 *
 * <p><b>When memory is full</b>, a write that needs room waits for the cleaner at most {@link StoreBuilder#writeTimeoutMillis}, then
 * throws {@link StoreFullException}; the old value, if any, is intact. With {@link FullPolicy#EVICT} cold entries make room instead.
 *
 * <p><b>Errors.</b> {@link IllegalArgumentException} for a key or value that can't be stored, {@link NullPointerException} for null,
 * {@link StoreClosedException} after close, {@link IllegalStateException} for a dropped namespace.
 */
public interface Namespace {

    /** The longest key, in bytes. */
    int MAX_KEY_BYTES = 0xFFFF;

    /** Returned where a length or version would stand: there is no such key. */
    long ABSENT = -1;

    /** Returned where a length would stand: the key's value has another type than was asked for. */
    int OTHER_TYPE = -2;

    /** The expiry of an entry that does not expire. */
    long NEVER = 0;

    /** The name given to {@link Store#namespace}; empty for the default one. */
    String name();

    // ---- reading

    /** The value, in a fresh array, or null when absent. */
    byte @Nullable [] get(byte[] key);

    /**
     * Copies the value to {@code destination} from {@code offset} on.
     *
     * @return the value's length in bytes, or -1 ({@link #ABSENT}) when absent; a value longer than the room left is not copied, and its
     *     length is returned, so the caller sees that it exceeds {@code destination.length - offset}
     */
    int get(byte[] key, byte[] destination, int offset);

    /** As {@link #get(byte[], byte[], int)}, but only of a value with these type bits; {@link #OTHER_TYPE} if the value has others. */
    int getOfType(byte[] key, int type, byte[] destination, int offset);

    /** As {@link #get(byte[], byte[], int)}, into a segment. */
    long get(MemorySegment key, MemorySegment destination);

    /**
     * As {@link #get(byte[], byte[], int)}: the key is what remains of {@code key} (whose position is left alone); the value goes into
     * {@code destination} at its position, which moves on by the value's length if the value fits.
     */
    long get(ByteBuffer key, ByteBuffer destination);

    /**
     * Hands the value to {@code reader} without copying it, and returns what the reader returns; null when absent.
     *
     * <p>The view is valid only inside the call, its bytes don't change while it is. Memory it shows can't be reused meanwhile, so a reader that takes
     * long delays the reclamation of memory for all. The reader may read the store; a write inside it that finds no memory is
     * refused at once instead of waiting.
     */
    <R> @Nullable R read(byte[] key, ValueReader<R> reader);

    /** Value, version, expiry and type in one consistent reading; null when absent. */
    @Nullable
    Entry getEntry(byte[] key);

    boolean contains(byte[] key);

    /** The key's version, or {@link #ABSENT}. */
    long version(byte[] key);

    /** The values of {@code keys} in their order, null for each that is absent; overlaps their cache misses. Not one snapshot. */
    List<byte @Nullable []> getAll(List<byte[]> keys);

    /**
     * Reads {@code count} keys, overlapping their cache misses; not one snapshot. The value of {@code keys[i]} goes to
     * {@code destinations[i]} from its start, its length (or -1, as {@link #get(byte[], byte[], int)}) to {@code lengths[i]}.
     *
     * @return how many of the keys are present
     */
    int getAll(byte[][] keys, byte[][] destinations, int[] lengths, int count);

    // ---- writing

    /** Stores the value, replacing any old one and its expiry and type; returns the new version. */
    long put(byte[] key, byte[] value);

    /** As {@link #put(byte[], byte[])}, expiring at {@code expiresAtMillis}. */
    long put(byte[] key, byte[] value, long expiresAtMillis);

    /** As {@link #put(byte[], byte[])}; the segments may be of heap or native memory. */
    long put(MemorySegment key, MemorySegment value);

    /** As {@link #put(byte[], byte[])}: key and value are what remains of the buffers, whose positions are left alone. */
    long put(ByteBuffer key, ByteBuffer value);

    /** Stores under all the conditions in {@code options}; returns the new version, or {@link #ABSENT} if a condition did not hold. */
    long put(byte[] key, byte[] value, PutOptions options);

    /** As {@link #put(byte[], byte[], PutOptions)}. */
    long put(MemorySegment key, MemorySegment value, PutOptions options);

    /**
     * As {@link #put(byte[], byte[], PutOptions)}, for threads that must not block: never waits for memory. When there is none now but
     * may be soon, nothing is stored, {@link TryPut#WOULD_WAIT} is returned, and {@code onSpace} will be run once, by a thread of the
     * store, when memory has been freed or the store is full or closed; trying again then gives the answer.
     *
     * @return the new version, {@link #ABSENT} if a condition did not hold, or {@link TryPut#WOULD_WAIT}
     * @throws StoreFullException if the store is full and cleaning can't help
     */
    long tryPut(MemorySegment key, MemorySegment value, PutOptions options, Runnable onSpace);

    /** Stores all pairs, as that many puts; not atomic as a whole. If one is refused, those before it are stored. */
    void putAll(List<byte[]> keys, List<byte[]> values);

    /** Stores only if the key is absent; returns the new version, or {@link #ABSENT} if the key is present. */
    long putIfAbsent(byte[] key, byte[] value);

    /** Stores only if the key is present; returns the new version, or {@link #ABSENT}. */
    long replace(byte[] key, byte[] value);

    /** Stores only if the key has this version; returns the new version, or {@link #ABSENT}. */
    long replace(byte[] key, long version, byte[] value);

    /** Removes the key; whether it was present. Needs no memory, so it works in a full store. */
    boolean delete(byte[] key);

    boolean delete(MemorySegment key);

    boolean delete(ByteBuffer key);

    /** Removes the key only if it has this version. */
    boolean delete(byte[] key, long version);

    /** Removes the key and returns its last value, or null. */
    byte @Nullable [] getAndDelete(byte[] key);

    /**
     * Reads the value (null if absent), applies {@code function} without holding any lock, and stores its result if the key has not
     * changed meanwhile (null: deletes); else starts over. The function may run more than once. Keeps expiry and type.
     *
     * @return the value stored, or null if the key is absent now
     */
    byte @Nullable [] compute(byte[] key, UnaryOperator<byte @Nullable []> function);

    /**
     * Adds {@code delta} to a value of 8 bytes, little-endian, two's complement; an absent key counts as 0 and gets the type 0.
     *
     * @return the sum
     * @throws IllegalStateException if the value is not 8 bytes long
     * @throws ArithmeticException if the sum overflows; the value is unchanged
     */
    long add(byte[] key, long delta);

    /** Appends {@code suffix} to the value (empty if absent); keeps expiry and type. Returns the new length in bytes. */
    long append(byte[] key, byte[] suffix);

    /**
     * Returns the value, or loads, stores and returns it. One thread loads a key at a time, others that ask for it wait for its result
     * (single flight). A loader that returns null stores nothing. If a write comes in between, that value wins.
     */
    byte @Nullable [] getOrLoad(byte[] key, Function<byte[], byte @Nullable []> loader);

    /** Sets the expiry of a present key ({@link #NEVER} removes it); false when absent. The version grows. */
    boolean expireAt(byte[] key, long expiresAtMillis);

    /**
     * Runs {@code body} over the given keys, all or nothing: its reads are of one instant and its writes take effect in one instant,
     * both the same. No lock is held while the body runs; if a key changes meanwhile the body runs again. If there is not
     * memory for all its writes, none is made. An exception from the body abandons the transaction.
     */
    <R> R transact(List<byte[]> keys, Function<Transaction, R> body);

    // ---- all keys

    /**
     * Visits entries from a position on and returns the position to go on from; 0 starts, and 0 is returned at the end. Every key that is
     * present throughout the whole scan is visited at least once, whatever is written meanwhile; the position is a number that may be
     * kept for any time. Visits about {@code count} entries or somewhat more. Views are valid only inside the visitor's call.
     */
    long scan(long position, int count, EntryVisitor visitor);

    /** Visits every entry, with {@link #scan}'s guarantee. */
    void forEach(EntryVisitor visitor);

    /** How many keys there are. Exact when nobody writes; may count expired keys that are not swept yet. */
    long size();

    /** Removes every key of this namespace; the memory is reclaimed in the background. */
    void clear();

    /**
     * A view as a map. Iteration is weakly consistent with {@link #scan}'s guarantee (each key at most once per iterator, if it was not rewritten); {@code size()} is {@link #size}.
     * Null keys and values are refused.
     */
    <K, V> ConcurrentMap<K, V> asMap(Codec<K> keys, Codec<V> values);
}
