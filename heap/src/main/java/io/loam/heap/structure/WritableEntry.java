package io.loam.heap.structure;

import java.util.AbstractMap;
import java.util.Map;

/** A key and the value that was found; a new value goes into the map. */
final class WritableEntry<K, V> extends AbstractMap.SimpleEntry<K, V> {

    private static final long serialVersionUID = 1L;

    private final transient Map<K, V> map;

    WritableEntry(Map<K, V> map, K key, V value) {
        super(key, value);
        this.map = map;
    }

    @Override
    public V setValue(V value) {
        map.put(getKey(), value);
        return super.setValue(value);
    }
}
