package io.loam.store.view;

import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** An entry as an iterator saw it; {@link #setValue} writes through to the map. */
final class LiveEntry<K, V> implements Map.Entry<K, V> {

    private final Map<K, V> map;
    private final K key;
    private V value;

    LiveEntry(Map<K, V> map, K key, V value) {
        this.map = map;
        this.key = key;
        this.value = value;
    }

    @Override
    public K getKey() {
        return key;
    }

    @Override
    public V getValue() {
        return value;
    }

    @Override
    public V setValue(V value) {
        Objects.requireNonNull(value);
        map.put(key, value);
        V old = this.value;
        this.value = value;
        return old;
    }

    @Override
    public boolean equals(@Nullable Object object) {
        return object instanceof Map.Entry<?, ?> other && key.equals(other.getKey()) && value.equals(other.getValue());
    }

    @Override
    public int hashCode() {
        return key.hashCode() ^ value.hashCode();
    }

    @Override
    public String toString() {
        return key + "=" + value;
    }
}
