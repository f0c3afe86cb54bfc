package io.loam.store.view;

import io.loam.store.Codec;
import io.loam.store.Namespace;
import java.util.AbstractCollection;
import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Arrays;
import java.util.Collection;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Set;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.ConcurrentMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A namespace as a {@link ConcurrentMap}; see {@link Namespace#asMap}.
 *
 * <p>Every operation on a key is atomic: it reads the key's version and writes on condition that the version still holds, else starts
 * over. Functions run under no lock; that of {@link #computeIfAbsent} runs in one thread at a time for a key, the others may run several
 * times. {@code compute}, {@code computeIfPresent} and {@code merge} keep an entry's expiry and type, {@code put} and {@code replace}
 * reset them.
 *
 * <p>Keys and values are compared by their encoded bytes. A key or value of a class that its codec can't cast is absent. Whatever else a codec throws
 * reaches the caller.
 */
public final class MapView<K, V> extends AbstractMap<K, V> implements ConcurrentMap<K, V> {

    private final Namespace namespace;
    private final Codec<K> keys;
    private final Codec<V> values;

    public MapView(Namespace namespace, Codec<K> keys, Codec<V> values) {
        this.namespace = Objects.requireNonNull(namespace, "namespace");
        this.keys = Objects.requireNonNull(keys, "keys");
        this.values = Objects.requireNonNull(values, "values");
    }

    // ---- one key

    @Override
    public @Nullable V get(Object key) {
        byte[] encoded = encodeIfPossible(keys, key);
        return encoded == null ? null : decode(namespace.get(encoded));
    }

    @Override
    public boolean containsKey(Object key) {
        byte[] encoded = encodeIfPossible(keys, key);
        return encoded != null && namespace.contains(encoded);
    }

    @Override
    public @Nullable V put(K key, V value) {
        byte[] encodedKey = encode(keys, key);
        byte[] encodedValue = encode(values, value);
        while (true) {
            var present = namespace.getEntry(encodedKey);
            long written = present == null
                    ? namespace.putIfAbsent(encodedKey, encodedValue)
                    : namespace.replace(encodedKey, present.version(), encodedValue);
            if (written != Namespace.ABSENT) {
                return present == null ? null : decode(present.value());
            }
        }
    }

    @Override
    public @Nullable V putIfAbsent(K key, V value) {
        byte[] encodedKey = encode(keys, key);
        byte[] encodedValue = encode(values, value);
        while (true) {
            byte[] present = namespace.get(encodedKey);
            if (present != null) {
                return decode(present);
            }
            if (namespace.putIfAbsent(encodedKey, encodedValue) != Namespace.ABSENT) {
                return null;
            }
        }
    }

    @Override
    public @Nullable V replace(K key, V value) {
        byte[] encodedKey = encode(keys, key);
        byte[] encodedValue = encode(values, value);
        while (true) {
            var present = namespace.getEntry(encodedKey);
            if (present == null) {
                return null;
            }
            if (namespace.replace(encodedKey, present.version(), encodedValue) != Namespace.ABSENT) {
                return decode(present.value());
            }
        }
    }

    @Override
    public boolean replace(K key, V expected, V value) {
        byte[] encodedKey = encode(keys, key);
        byte[] encodedExpected = encode(values, expected);
        byte[] encodedValue = encode(values, value);
        while (true) {
            var present = namespace.getEntry(encodedKey);
            if (present == null || !Arrays.equals(present.value(), encodedExpected)) {
                return false;
            }
            if (namespace.replace(encodedKey, present.version(), encodedValue) != Namespace.ABSENT) {
                return true;
            }
        }
    }

    @Override
    public @Nullable V remove(Object key) {
        byte[] encoded = encodeIfPossible(keys, key);
        return encoded == null ? null : decode(namespace.getAndDelete(encoded));
    }

    @Override
    public boolean remove(Object key, @Nullable Object expected) {
        byte[] encodedKey = encodeIfPossible(keys, key);
        byte[] encodedExpected = expected == null ? null : encodeIfPossible(values, expected);
        if (encodedKey == null || encodedExpected == null) {
            return false;
        }
        while (true) {
            var present = namespace.getEntry(encodedKey);
            if (present == null || !Arrays.equals(present.value(), encodedExpected)) {
                return false;
            }
            if (namespace.delete(encodedKey, present.version())) {
                return true;
            }
        }
    }

    @Override
    public @Nullable V compute(K key, BiFunction<? super K, ? super @Nullable V, ? extends @Nullable V> function) {
        Objects.requireNonNull(function, "function");
        return decode(namespace.compute(encode(keys, key), old -> encodeNullable(function.apply(key, decode(old)))));
    }

    @Override
    public @Nullable V computeIfPresent(K key, BiFunction<? super K, ? super V, ? extends @Nullable V> function) {
        Objects.requireNonNull(function, "function");
        byte[] encodedKey = encode(keys, key);
        return decode(namespace.compute(
                encodedKey, old -> old == null ? null : encodeNullable(function.apply(key, values.decode(old)))));
    }

    @Override
    public @Nullable V merge(K key, V value, BiFunction<? super V, ? super V, ? extends @Nullable V> function) {
        Objects.requireNonNull(function, "function");
        byte[] encodedKey = encode(keys, key);
        byte[] encodedValue = encode(values, value);
        return decode(namespace.compute(
                encodedKey,
                old -> old == null ? encodedValue : encodeNullable(function.apply(values.decode(old), value))));
    }

    @Override
    public @Nullable V computeIfAbsent(K key, Function<? super K, ? extends @Nullable V> function) {
        Objects.requireNonNull(function, "function");
        return decode(namespace.getOrLoad(encode(keys, key), bytes -> encodeNullable(function.apply(key))));
    }

    // ---- all keys

    @Override
    public int size() {
        return (int) Math.min(namespace.size(), Integer.MAX_VALUE);
    }

    @Override
    public boolean isEmpty() {
        return namespace.size() == 0;
    }

    @Override
    public void clear() {
        namespace.clear();
    }

    @Override
    public boolean containsValue(Object value) {
        byte[] encoded = encodeIfPossible(values, value);
        if (encoded == null) {
            return false;
        }
        for (EntryCursor cursor = valueCursor(); cursor.advance(); ) {
            if (Arrays.equals(cursor.value(), encoded)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public Set<K> keySet() {
        return new KeySet();
    }

    @Override
    public Collection<V> values() {
        return new Values();
    }

    @Override
    public Set<Map.Entry<K, V>> entrySet() {
        return new EntrySet();
    }

    // ---- codecs

    private static <T> byte[] encode(Codec<T> codec, T object) {
        return codec.encode(Objects.requireNonNull(object));
    }

    private byte @Nullable [] encodeNullable(@Nullable V value) {
        return value == null ? null : values.encode(value);
    }

    /** The bytes of an object that may be of a wrong class; null then. */
    @SuppressWarnings("unchecked")
    private static <T> byte @Nullable [] encodeIfPossible(Codec<T> codec, Object object) {
        Objects.requireNonNull(object);
        try {
            return codec.encode((T) object);
        } catch (ClassCastException e) {
            return null;
        }
    }

    private @Nullable V decode(byte @Nullable [] bytes) {
        return bytes == null ? null : values.decode(bytes);
    }

    // ---- views

    private EntryCursor keyCursor() {
        return new EntryCursor(namespace, false);
    }

    private EntryCursor valueCursor() {
        return new EntryCursor(namespace, true);
    }

    private Map.Entry<K, V> entryAt(EntryCursor cursor) {
        return new LiveEntry<>(this, keys.decode(cursor.key()), values.decode(cursor.value()));
    }

    /** Unsized, for the size may change before the traversal ends. */
    private static <T> Spliterator<T> spliterator(Iterator<T> iterator, int characteristics) {
        return Spliterators.spliteratorUnknownSize(
                iterator, characteristics | Spliterator.CONCURRENT | Spliterator.NONNULL);
    }

    /** Removes the entries of which {@code predicate} holds, each only if it is still the one that was tested. */
    private <T> boolean removeIf(Function<EntryCursor, T> element, Predicate<? super T> predicate) {
        Objects.requireNonNull(predicate);
        boolean removed = false;
        for (EntryCursor cursor = valueCursor(); cursor.advance(); ) {
            if (predicate.test(element.apply(cursor))) {
                removed |= namespace.delete(cursor.key(), cursor.version());
            }
        }
        return removed;
    }

    /** Looks one element ahead, so that {@code next} succeeds after {@code hasNext} whatever is removed meanwhile. */
    private final class ViewIterator<T> implements Iterator<T> {
        private final EntryCursor cursor;
        private final Function<EntryCursor, T> element;
        private boolean ahead;
        private boolean present;
        private byte @Nullable [] lastKey;

        ViewIterator(EntryCursor cursor, Function<EntryCursor, T> element) {
            this.cursor = cursor;
            this.element = element;
        }

        @Override
        public boolean hasNext() {
            if (!ahead) {
                present = cursor.advance();
                ahead = true;
            }
            return present;
        }

        @Override
        public T next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            ahead = false;
            lastKey = cursor.key();
            return element.apply(cursor);
        }

        @Override
        public void remove() {
            if (lastKey == null) {
                throw new IllegalStateException("next() has not been called since the last remove()");
            }
            namespace.delete(lastKey);
            lastKey = null;
        }
    }

    private final class KeySet extends AbstractSet<K> {
        @Override
        public Iterator<K> iterator() {
            return new ViewIterator<>(keyCursor(), cursor -> keys.decode(cursor.key()));
        }

        @Override
        public Spliterator<K> spliterator() {
            return MapView.spliterator(iterator(), Spliterator.DISTINCT);
        }

        @Override
        public int size() {
            return MapView.this.size();
        }

        @Override
        public boolean contains(Object key) {
            return containsKey(key);
        }

        @Override
        public boolean remove(Object key) {
            byte[] encoded = encodeIfPossible(keys, key);
            return encoded != null && namespace.delete(encoded);
        }

        @Override
        public void clear() {
            MapView.this.clear();
        }
    }

    private final class Values extends AbstractCollection<V> {
        @Override
        public Iterator<V> iterator() {
            return new ViewIterator<>(valueCursor(), this::element);
        }

        private V element(EntryCursor cursor) {
            return values.decode(cursor.value());
        }

        @Override
        public Spliterator<V> spliterator() {
            return MapView.spliterator(iterator(), 0);
        }

        @Override
        public int size() {
            return MapView.this.size();
        }

        @Override
        public boolean contains(Object value) {
            return containsValue(value);
        }

        @Override
        public boolean remove(Object value) {
            byte[] encoded = encodeIfPossible(values, value);
            if (encoded == null) {
                return false;
            }
            for (EntryCursor cursor = valueCursor(); cursor.advance(); ) {
                if (Arrays.equals(cursor.value(), encoded) && namespace.delete(cursor.key(), cursor.version())) {
                    return true;
                }
            }
            return false;
        }

        @Override
        public boolean removeAll(Collection<?> others) {
            Objects.requireNonNull(others);
            return removeIf(others::contains);
        }

        @Override
        public boolean retainAll(Collection<?> others) {
            Objects.requireNonNull(others);
            return removeIf(value -> !others.contains(value));
        }

        @Override
        public boolean removeIf(Predicate<? super V> predicate) {
            return MapView.this.removeIf(this::element, predicate);
        }

        @Override
        public void clear() {
            MapView.this.clear();
        }
    }

    private final class EntrySet extends AbstractSet<Map.Entry<K, V>> {
        @Override
        public Iterator<Map.Entry<K, V>> iterator() {
            return new ViewIterator<>(valueCursor(), MapView.this::entryAt);
        }

        @Override
        public Spliterator<Map.Entry<K, V>> spliterator() {
            return MapView.spliterator(iterator(), Spliterator.DISTINCT);
        }

        @Override
        public int size() {
            return MapView.this.size();
        }

        @Override
        public boolean contains(Object object) {
            if (!(object instanceof Map.Entry<?, ?> entry) || entry.getKey() == null || entry.getValue() == null) {
                return false;
            }
            byte[] encodedKey = encodeIfPossible(keys, entry.getKey());
            byte[] encodedValue = encodeIfPossible(values, entry.getValue());
            return encodedKey != null && encodedValue != null && Arrays.equals(namespace.get(encodedKey), encodedValue);
        }

        @Override
        public boolean remove(Object object) {
            return object instanceof Map.Entry<?, ?> entry
                    && entry.getKey() != null
                    && MapView.this.remove(entry.getKey(), entry.getValue());
        }

        @Override
        public boolean removeIf(Predicate<? super Map.Entry<K, V>> predicate) {
            return MapView.this.removeIf(MapView.this::entryAt, predicate);
        }

        @Override
        public void clear() {
            MapView.this.clear();
        }
    }
}
